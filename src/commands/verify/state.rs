use time::{Duration, OffsetDateTime};

use super::Check;
use crate::{
    config::Settings,
    delivery,
    state::{self, State},
    words,
};

const AREA: &str = "state";

/// The state directory, the lock, the file, the outbox, and the scheduler as far as it left traces.
pub(super) fn state(settings: &Settings, now: OffsetDateTime) -> Vec<Check> {
    let dir = &settings.state_dir;
    let shown = dir.display();
    if !dir.exists() {
        let next = "Nothing to do: the first live pass makes it.";
        return vec![Check::look(AREA, format!("{shown} is not there yet"), next)];
    }
    let mut checks = Vec::new();
    checks.push(match tempfile::NamedTempFile::with_prefix_in(".verify.", dir) {
        Ok(_) => Check::ok(AREA, format!("{shown} can be written")),
        Err(error) => {
            let next = "The user that runs plex-prune must be able to write there; or choose another STATE_DIR.";
            Check::fail(AREA, format!("{shown} can't be written: {error}"), next)
        }
    });
    if let Some(holder) = state::lock_holder(dir) {
        let next = "Nothing to do, unless it stays: then end that process.";
        checks.push(Check::look(AREA, format!("a pass is under way: {holder}"), next));
    }
    match state::peek(dir) {
        Ok(state) => {
            checks.push(Check::ok(
                AREA,
                format!(
                    "state.json reads: version {}, {} on record, {} removed",
                    state.version,
                    words::count(state.welcomed.len(), "person", "people"),
                    state.removed.len()
                ),
            ));
            checks.extend(outbox(&state));
            if !settings.dry_run {
                let passes = [
                    ("welcome", state.last_welcome_scan, settings.welcome_every),
                    ("sweep", state.last_inactivity_scan, settings.sweep_every),
                ];
                checks.extend(passes.map(|(name, last, every)| schedule(name, last, every, now)));
            }
        }
        Err(error) => checks.push(Check::fail(AREA, error.to_string(), "Nothing runs before this is mended.")),
    }
    checks
}

fn outbox(state: &State) -> Vec<Check> {
    let waiting = |notice: &state::Notice| {
        let error = notice.last_error.as_deref().unwrap_or("not tried yet");
        let seen = format!("{} waits since {}: {error}", delivery::label(notice), words::minute(notice.written));
        Check::look(AREA, seen, "It goes out with the first pass that can send it.")
    };
    state.outbox.notices().iter().map(waiting).collect()
}

fn schedule(name: &str, last: Option<OffsetDateTime>, every: Duration, now: OffsetDateTime) -> Check {
    let is_overdue = super::status::is_overdue(last, every, now);
    let seen = match last {
        Some(last) => format!("the last {name} ran {}", words::minute(last)),
        None => format!("no live {name} has run yet"),
    };
    if is_overdue {
        Check::look(
            AREA,
            format!("{seen}, and is overdue"),
            "Is the scheduler running? The README shows how to set it up.",
        )
    } else {
        Check::ok(AREA, seen)
    }
}
