use time::OffsetDateTime;

use super::Check;
use crate::{
    config::{ConfigError, Settings},
    household::{Household, Person},
    verdict::Standing,
    words,
};

const AREA: &str = "settings";

/// Settings that can't be used.
pub(super) fn problems<'a>(errors: impl Iterator<Item = &'a ConfigError>) -> Vec<Check> {
    let problems = errors.flat_map(ConfigError::problems);
    problems
        .map(|problem| Check::fail(AREA, problem.to_string(), "Set it right; the README lists all settings."))
        .collect()
}

/// The settings as read, whom the VIPs are, and who is due.
pub(super) fn settings(settings: &Settings, household: Option<&Household>, now: OffsetDateTime) -> Vec<Check> {
    let rules = &settings.rules;
    let mode = if settings.dry_run {
        "dry run: nobody is warned or removed before DRY_RUN=false"
    } else {
        "live: passes warn and remove"
    };
    let mut checks = vec![
        Check::ok(AREA, mode),
        Check::ok(
            AREA,
            format!(
                "a warning after {} idle days, removal after {}, at most {} in one pass{}{}",
                rules.warn_days,
                rules.kick_days,
                words::count(settings.max_removals, "removal", "removals"),
                if rules.warn_first { "; nobody without a delivered warning (WARN_FIRST)" } else { "" },
                if rules.prune_home_users { "; Home users too (PRUNE_HOME_USERS)" } else { "" },
            ),
        ),
    ];
    let Some(household) = household else {
        if !settings.vips.is_empty() {
            let next = "Mend what fails below; then this shows who they are.";
            checks.push(Check::look(AREA, format!("VIP_NAMES: {}", words::printable(&settings.vips.join(", "))), next));
        }
        return checks;
    };
    for vip in &settings.vips {
        let shown = words::printable(vip);
        let people = household.people.iter().filter(|person| person.is_named(vip));
        let people: Vec<String> = people.map(Person::label).collect();
        checks.push(match people.as_slice() {
            [] => Check::look(AREA, format!("VIP {shown}: nobody on {}", household.server.name), "Is it a typo?"),
            people => Check::ok(AREA, format!("VIP {shown}: {}", people.join(", "))),
        });
    }
    checks.push(due(settings, household, now));
    checks
}

fn due(settings: &Settings, household: &Household, now: OffsetDateTime) -> Check {
    let standing = |wanted: Standing| {
        let people = household.people.iter().filter(move |person| person.judge(settings, now).standing == wanted);
        people.map(|person| person.name.as_str()).collect::<Vec<_>>()
    };
    let (warn, remove) = (standing(Standing::Warn), standing(Standing::Remove));
    let named = |what: &str, names: &[&str]| match names {
        [] => format!("nobody {what}"),
        names => format!("{} {what} ({})", names.len(), names.join(", ")),
    };
    if warn.is_empty() && remove.is_empty() {
        return Check::ok(AREA, "due now: nobody");
    }
    let seen = format!("due now: {}, {}", named("to be warned", &warn), named("to be removed", &remove));
    if remove.is_empty() {
        Check::ok(AREA, seen)
    } else {
        Check::look(AREA, seen, "`plex-prune status` shows why. Whoever is to stay: `plex-prune whitelist add`.")
    }
}
