use time::OffsetDateTime;

use super::Check;
use crate::{
    config::{Environment, TautulliConfig},
    household::{Household, Person},
    http::{Fault, ServiceError},
    plex::Plex,
    tautulli::Tautulli,
    verdict::History,
    words,
};

const PLEX: &str = "plex.tv";
const TAUTULLI: &str = "Tautulli";

fn failure(area: &'static str, error: &ServiceError) -> Check {
    Check::fail(area, error.what(), error.advice())
}

/// plex.tv: the token, the server, its shares. What follows from a failure is left out.
pub(super) fn plex(plex: &Plex) -> Vec<Check> {
    let mut checks = Vec::new();
    match plex.account() {
        Ok(account) => {
            let name = account.username.or(account.email).unwrap_or_else(|| "an account".to_owned());
            checks.push(Check::ok(PLEX, format!("the token is {}'s (id {})", words::printable(&name), account.id)));
        }
        Err(error) => return vec![failure(PLEX, &error)],
    }
    let server = match plex.server() {
        Ok(Ok(server)) => server,
        Ok(Err(wrong)) => {
            checks.push(Check::fail(PLEX, wrong.to_string(), "Set PLEX_SERVER_NAME, or use the owner's token."));
            return checks;
        }
        Err(error) => {
            checks.push(failure(PLEX, &error));
            return checks;
        }
    };
    checks.push(Check::ok(PLEX, format!("{} is this account's server", server.name)));
    match plex.shares() {
        Ok(shares) => {
            let here = shares.iter().filter(|share| share.machine_identifier == server.machine_identifier).count();
            let people = words::count(here, "person", "people");
            checks.push(Check::ok(
                PLEX,
                format!(
                    "{people} on its list of shares, which Plex shows to the owner alone; whether Plex lets a share be \
                     ended can't be known before the first removal"
                ),
            ));
        }
        Err(error) => checks.push(failure(PLEX, &error)),
    }
    match plex.home_users() {
        Ok(members) => {
            checks.push(Check::ok(PLEX, format!("Plex Home: {}", words::count(members.len(), "member", "members"))))
        }
        Err(error) => checks.push(failure(PLEX, &error)),
    }
    checks
}

/// Tautulli: the key, its version, whether and since when it records.
pub(super) fn tautulli(
    tautulli: &Tautulli,
    config: &TautulliConfig,
    environment: &Environment,
    now: OffsetDateTime,
) -> Vec<Check> {
    let mut checks = Vec::new();
    match tautulli.version() {
        Ok(version) => checks.push(Check::ok(TAUTULLI, format!("reached, the key is accepted; version {version}"))),
        Err(error) => {
            let is_own = config.host().is_some_and(|host| is_this_machine(&host));
            return vec![match error.fault {
                Fault::NoConnection(_) if is_own && environment.is_container() => {
                    Check::fail(TAUTULLI, error.what(), in_container("TAUTULLI_URL"))
                }
                _ => failure(TAUTULLI, &error),
            }];
        }
    }
    match tautulli.is_connected() {
        Ok(true) => checks.push(Check::ok(TAUTULLI, "connected to Plex")),
        Ok(false) => checks.push(Check::fail(
            TAUTULLI,
            "not connected to Plex, so it doesn't record what people watch; a sweep acts on nobody",
            "Check Plex, and Tautulli's Settings, Plex Media Server.",
        )),
        Err(error) => checks.push(failure(TAUTULLI, &error)),
    }
    match tautulli.recording_since(now) {
        Ok(begins) if (now - begins).whole_days() >= 30 => {
            checks.push(Check::ok(TAUTULLI, format!("recording since {} at least", words::day(begins))));
        }
        Ok(begins) => checks.push(Check::look(
            TAUTULLI,
            format!("recording since {} only", words::day(begins.min(now))),
            "Nothing to do: who watched nothing since is counted from that day.",
        )),
        Err(error) => checks.push(failure(TAUTULLI, &error)),
    }
    checks
}

/// What only both of them together tell.
pub(super) fn together(household: &Household) -> Vec<Check> {
    let mut checks = Vec::new();
    let server = &household.server.name;
    checks.push(if household.is_watched() {
        Check::ok(TAUTULLI, format!("watches {server}"))
    } else {
        let next = "Check TAUTULLI_URL and PLEX_SERVER_NAME; a sweep acts on nobody.";
        Check::fail(TAUTULLI, format!("watches another Plex server than {server}"), next)
    });
    let those = |history: History| -> Vec<&str> {
        let people = household.people.iter().filter(|person: &&Person| person.facts.history == history);
        people.map(|person| person.name.as_str()).collect()
    };
    for (history, what, next) in [
        (
            History::Unknown,
            "doesn't know",
            "Wait: it refreshes its list every few hours. They are left alone till then.",
        ),
        (
            History::NotKept,
            "keeps no history of",
            "They are left alone. To judge them: Tautulli, Users, Edit, Keep History.",
        ),
        (History::Hidden, "was told to forget", "They are left alone. To judge them, add them in Tautulli again."),
    ] {
        let people = those(history);
        if !people.is_empty() {
            checks.push(Check::look(TAUTULLI, format!("it {what} {}", people.join(", ")), next));
        }
    }
    let remarks = household.remarks.iter().filter(|remark| !remark.starts_with("VIP_NAMES"));
    checks.extend(remarks.map(|remark| Check::look("lists", remark.clone(), "Mend it where it is set.")));
    checks
}

pub(super) fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]" | "::1")
}

pub(super) fn in_container(variable: &str) -> String {
    format!(
        "Inside a container, localhost is the container itself: put the other machine's or container's name into {variable}."
    )
}
