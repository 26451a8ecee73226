use std::{os::unix::fs::MetadataExt, path::Path};

use time::OffsetDateTime;

use super::{Check, names};
use crate::{
    config::{Problem, Settings},
    people::{Guest, People},
    plan::Plan,
    state::State,
    words,
};

const AREA: &str = "settings";

/// Settings that can't be used, and what can't be checked because of them.
pub fn problems(problems: &[(Problem, Option<&'static str>)]) -> Vec<Check> {
    let check = |(problem, unchecked): &(Problem, Option<&'static str>)| {
        let next = match unchecked {
            Some(service) => format!("Set it right: no pass runs before, and {service} can't be checked"),
            None => "Set it right: no pass runs before".to_owned(),
        };
        Check::fail(AREA, problem.to_string(), next)
    };
    problems.iter().map(check).collect()
}

/// The env file, if there is something to say about it: others can read it; or settings are missing, and none was named.
pub fn file(file: Option<&Path>, is_something_missing: bool) -> Option<Check> {
    let Some(file) = file else {
        let next = "--env-file FILE or PLEX_PRUNE_ENV_FILE names one; sudo drops that variable";
        return is_something_missing.then(|| Check::look(AREA, "no env file was named", next));
    };
    let is_open = file.metadata().is_ok_and(|found| found.mode() & 0o004 != 0);
    let file = file.display();
    let seen = format!("every user of this machine can read the env file {file}, which may hold secrets");
    is_open.then(|| Check::look(AREA, seen, "Take that from them: `chmod o=`"))
}

/// The thresholds and switches as read.
pub fn rules(settings: &Settings) -> Vec<Check> {
    let rules = &settings.rules;
    let mode = if settings.dry_run {
        "dry run: nobody is warned or removed before DRY_RUN=false"
    } else {
        "live: passes warn and remove"
    };
    let thresholds = format!(
        "a warning after {} idle days, removal after {}, at most {} in one pass{}{}",
        rules.warn_days,
        rules.kick_days,
        words::count(settings.max_removals, "removal", "removals"),
        if rules.warn_first { "; nobody without a delivered warning (WARN_FIRST)" } else { "" },
        if rules.prune_home_users { "; Home users too (PRUNE_HOME_USERS)" } else { "" },
    );
    vec![Check::ok(AREA, mode), Check::ok(AREA, thresholds)]
}

/// Who the VIPs are, of the people on the server and its owner; entries of the whitelist that match nobody.
pub fn lists(
    settings: &Settings,
    state: Option<&State>,
    people: Option<&People>,
    now: OffsetDateTime,
) -> Vec<Check> {
    let Some(people) = people else {
        let vips = words::excerpt(&settings.vips.join(", "));
        let next = "Mend what fails below; then this shows whom they match";
        return if vips.is_empty() { Vec::new() } else { vec![Check::look(AREA, format!("VIPs: {vips}"), next)] };
    };
    let vips = settings.vips.iter().filter_map(|vip| {
        let owner = people.owner.iter().filter(|owner| owner.names.contains(vip));
        let owner = owner.map(|owner| format!("{}, the owner", owner.name));
        let guests = people.guests.iter().filter(|guest| guest.names.contains(vip)).map(Guest::label);
        let matches: Vec<String> = owner.chain(guests).collect();
        let vip = words::printable(vip);
        (!matches.is_empty()).then(|| Check::ok(AREA, format!("VIP {vip}: {}", matches.join(", "))))
    });
    let nobody = State::default();
    let unmatched = people.unmatched(settings, state.unwrap_or(&nobody), now);
    let unmatched = unmatched.iter().map(|entry| {
        let next = match entry.id {
            Some(id) => format!("If they won't be back: `plex-prune whitelist remove {id}`"),
            None => "Is it a typo? `plex-prune whitelist list` shows everybody who is safe, and why".to_owned(),
        };
        Check::look(AREA, entry.what(), next)
    });
    vips.chain(unmatched).collect()
}

/// Who would be warned and removed by a sweep now.
pub fn due(settings: &Settings, planned: Option<(&People, &Plan)>) -> Check {
    let Some((people, plan)) = planned else {
        return Check::look(AREA, "who is due can't be told yet", "Mend what fails below");
    };
    let name = |id| people.get(id).map(|guest| guest.name.as_str());
    let warn: Vec<&str> = plan.to_warn().filter_map(name).collect();
    let remove: Vec<&str> = plan.to_remove().filter_map(name).collect();
    let named = |what: &str, people: &[&str]| match people {
        [] => format!("nobody {what}"),
        people => format!("{} {what} ({})", people.len(), names(people)),
    };
    if warn.is_empty() && remove.is_empty() {
        return Check::ok(AREA, "due now: nobody");
    }
    let seen = format!("due now: {}, {}", named("to be warned", &warn), named("to be removed", &remove));
    match remove.len() {
        0 => Check::ok(AREA, seen),
        due if due > settings.max_removals => Check::look(
            AREA,
            format!("{seen}: more than MAX_REMOVALS, so a sweep removes nobody"),
            format!("Look at `plex-prune status`; if it is right: `plex-prune sweep --max-removals {due}`"),
        ),
        _ => {
            Check::look(AREA, seen, "`plex-prune status` shows why. Whoever is to stay: `plex-prune whitelist add WHO`")
        }
    }
}
