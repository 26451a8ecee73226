use std::path::Path;

use time::{Duration, OffsetDateTime};

use super::Check;
use crate::{
    config::Settings,
    error::Error,
    notify::Notice,
    state::{self, State},
    words,
};

const AREA: &str = "state";

/// What is in the state directory: the state, and what is wrong with the file if its backup stands in for it.
pub type Found = Result<(State, Option<String>), Error>;

/// The state directory, the lock, the file and the outbox.
pub fn state(dir: &Path, found: &Found) -> Vec<Check> {
    let mut checks = vec![folder(dir)];
    if !dir.exists() {
        return checks;
    }
    checks.push(match state::lock_holder(dir) {
        None => Check::ok(AREA, "the lock is free"),
        Some(holder) => {
            let next = "Nothing to do, unless it stays: then end that process";
            Check::look(AREA, format!("a pass is under way: {holder}"), next)
        }
    });
    match found {
        Ok((state, damage)) => {
            checks.push(match damage {
                None if !dir.join("state.json").exists() => {
                    Check::ok(AREA, "no state.json yet: the first live `welcome` records everybody without a mail")
                }
                None => Check::ok(AREA, format!("state.json reads: {}", contents(state))),
                Some(damage) => Check::look(
                    AREA,
                    format!("{damage}: {}", contents(state)),
                    "Look what happened to it; the next live pass keeps it aside and goes on from the backup",
                ),
            });
            checks.extend(unfinished(state));
            checks.extend(outbox(state));
        }
        Err(error) => checks.push(Check::fail(AREA, error.what(), &error.advice)),
    }
    checks
}

/// Whether the folder, or else the one that it is to be made in, can be written to.
fn folder(dir: &Path) -> Check {
    let shown = dir.display();
    let nearest = dir.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    match tempfile::NamedTempFile::with_prefix_in(".verify.", nearest) {
        Ok(_) if nearest == dir => Check::ok(AREA, format!("{shown} can be written to")),
        Ok(_) => Check::ok(AREA, format!("{shown} is not there yet; the first live pass makes it")),
        Err(error) => {
            let error = error.to_string();
            // What follows is the temporary file's name.
            let error = error.split(" at path ").next().unwrap_or_default();
            let next = "The user that runs plex-prune must be able to write there; or choose another STATE_DIR";
            Check::fail(
                AREA,
                format!("{shown} can't be {}: {error}", if nearest == dir { "written to" } else { "made" }),
                next,
            )
        }
    }
}

fn contents(state: &State) -> String {
    format!(
        "version {}, {} on record, {} removed, {} on the whitelist",
        state.version,
        words::count(state.welcomed.len(), "person", "people"),
        state.removed.len(),
        state.whitelist.len()
    )
}

fn unfinished(state: &State) -> Option<Check> {
    let under_way = state.removed.values().filter(|removed| !removed.is_finished()).count();
    (under_way > 0).then(|| {
        let removals = words::count(under_way, "removal is", "removals are");
        let next = "Every sweep goes on with it; `plex-prune status` shows what stands in the way";
        Check::look(AREA, format!("{removals} not finished"), next)
    })
}

/// What waits to be sent, by what stands in the way.
fn outbox(state: &State) -> Vec<Check> {
    let mut left: Vec<&Notice> = state.outbox.notices().iter().collect();
    if left.is_empty() {
        return vec![Check::ok(AREA, "no notice is waiting to be sent")];
    }
    let mut checks = Vec::new();
    while let Some(oldest) = left.first().copied() {
        let (alike, others): (Vec<&Notice>, Vec<&Notice>) =
            left.into_iter().partition(|notice| notice.last_error == oldest.last_error);
        left = others;
        let error = oldest.last_error.as_deref().unwrap_or("not tried yet");
        let since = words::minute(oldest.written);
        let (seen, next) = match alike.len() {
            1 => (
                format!("{} waits since {since}: {error}", oldest.label()),
                "It goes out with the first pass that can send it",
            ),
            many => (
                format!("{many} notices wait, the oldest since {since}: {error}"),
                "They go out with the first pass that can send them; `plex-prune status` lists them",
            ),
        };
        checks.push(Check::look(AREA, seen, next));
    }
    checks
}

/// The scheduler, as far as it left traces.
pub fn scheduler(settings: &Settings, state: &State, now: OffsetDateTime) -> Vec<Check> {
    if settings.dry_run {
        return vec![Check::ok(AREA, "whether passes are scheduled can't be seen: dry runs leave no trace")];
    }
    let passes = [
        ("welcome", state.last_welcome_scan, settings.welcome_every),
        ("sweep", state.last_inactivity_scan, settings.sweep_every),
    ];
    passes.map(|(name, last, every)| schedule(name, last, every, now)).into()
}

fn schedule(name: &str, last: Option<OffsetDateTime>, every: Duration, now: OffsetDateTime) -> Check {
    let Some(last) = last else {
        let next = format!("Set up the scheduler as the README shows; or run `plex-prune {name}` by hand");
        return Check::look(AREA, format!("no live {name} has run yet"), next);
    };
    let seen = format!("the last {name} ran {}", words::minute(last));
    if crate::commands::status::is_overdue(Some(last), every, now) {
        let next =
            "Is the scheduler running, and do its passes succeed? Their log says; the README shows how to set it up";
        Check::fail(AREA, format!("{seen}, and the next is overdue"), next)
    } else {
        Check::ok(AREA, seen)
    }
}
