use std::{os::unix::fs::MetadataExt, path::Path};

use time::OffsetDateTime;

use super::{Check, names};
use crate::{
    config::{Problem, Settings},
    household::{Household, Person, is_owner, spares},
    plex::Account,
    state::{State, WhitelistEntry},
    verdict::Standing,
    words,
};

const AREA: &str = "settings";

/// Settings that can't be used, and what can't be checked because of them.
pub(super) fn problems(problems: &[(Problem, Option<&'static str>)]) -> Vec<Check> {
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
pub(super) fn file(file: Option<&Path>, is_something_missing: bool) -> Option<Check> {
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
pub(super) fn rules(settings: &Settings) -> Vec<Check> {
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

/// Whom the VIPs and the whitelist mean, of those on the server and its owner.
pub(super) fn lists(
    settings: &Settings,
    state: Option<&State>,
    people: Option<(&str, &[Person])>,
    owner: Option<&Account>,
    now: OffsetDateTime,
) -> Vec<Check> {
    let Some((server, people)) = people else {
        let vips = words::excerpt(&settings.vips.join(", "));
        let next = "Mend what fails below; then this shows whom they match";
        return if vips.is_empty() { Vec::new() } else { vec![Check::look(AREA, format!("VIPs: {vips}"), next)] };
    };
    let typo = "Is it a typo? `plex-prune whitelist list` shows everybody who is safe, and why";
    let vip = |vip: &String| {
        let shown = words::printable(vip);
        let owner = owner.filter(|owner| is_owner(owner, vip)).map(|owner| format!("{}, the owner", owner.name()));
        let people = people.iter().filter(|person| person.is_named(vip)).map(Person::label);
        match owner.into_iter().chain(people).collect::<Vec<_>>().as_slice() {
            [] => Check::look(AREA, format!("VIP {shown}: nobody on {server}"), typo),
            people => Check::ok(AREA, format!("VIP {shown}: {}", people.join(", "))),
        }
    };
    let in_force = |entry: &&WhitelistEntry| entry.until.is_none_or(|until| now.date() <= until);
    let spares_nobody = |entry: &&WhitelistEntry| !people.iter().any(|person| spares(entry, person));
    let spared = |entry: &WhitelistEntry| {
        let shown = words::printable(&entry.name);
        match entry.id {
            Some(id) => Check::look(
                AREA,
                format!("whitelist: {shown} (id {id}) has no share on {server} now"),
                format!("If they won't be back: `plex-prune whitelist remove {id}`"),
            ),
            None => Check::look(AREA, format!("whitelist: {shown} is nobody on {server}"), typo),
        }
    };
    let whitelist = state.map_or(&[][..], |state| &state.whitelist);
    let spared = whitelist.iter().filter(in_force).filter(spares_nobody).map(spared);
    settings.vips.iter().map(vip).chain(spared).collect()
}

/// Who would be warned and removed by a sweep now.
pub(super) fn due(settings: &Settings, household: Option<&Household>, now: OffsetDateTime) -> Check {
    let Some(household) = household else {
        return Check::look(AREA, "who is due can't be told yet", "Mend what fails below");
    };
    let standing = |wanted: Standing| {
        let people = household.people.iter().filter(move |person| person.judge(settings, now).standing == wanted);
        people.map(|person| person.name.as_str()).collect::<Vec<_>>()
    };
    let (warn, remove) = (standing(Standing::Warn), standing(Standing::Remove));
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
