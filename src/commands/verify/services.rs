use std::{cell::Cell, thread};

use time::{Duration, OffsetDateTime};

use super::{Check, advice::of_tautulli, names};
use crate::{
    config::{Environment, TautulliConfig},
    household::{Household, Person, join},
    http::ServiceError,
    plex::{Account, Plex, Server},
    refusal::Refusal,
    tautulli::Tautulli,
    verdict::History,
    words,
};

const PLEX: &str = "plex.tv";
const TAUTULLI: &str = "Tautulli";
/// Shorter than this, and somebody may be counted from where Tautulli's record begins.
const YOUNG: Duration = Duration::days(30);

/// What plex.tv showed.
#[derive(Default)]
pub(super) struct OnPlex {
    pub(super) checks: Vec<Check>,
    pub(super) owner: Option<Account>,
    pub(super) server: Option<Server>,
    /// Whether a call failed: then people can't be known either.
    pub(super) is_ill: bool,
}

/// plex.tv: the token, the server, its shares. What follows from a failure is left out.
pub(super) fn plex(plex: &Plex, prunes_home: Option<bool>) -> OnPlex {
    let mut seen = OnPlex::default();
    let is_ill = Cell::new(false);
    let failure = |error: &ServiceError| {
        is_ill.set(true);
        let next = match error.advice() {
            "" => "If this goes on, plex-prune may need an update",
            advice => advice,
        };
        Check::fail(PLEX, error.what(), next)
    };
    let account = match plex.account() {
        Ok(account) => account,
        Err(error) => {
            seen.checks.push(failure(&error));
            seen.is_ill = true;
            return seen;
        }
    };
    seen.checks.push(Check::ok(PLEX, format!("reached; the token is {}'s (id {})", account.name(), account.id)));
    seen.owner = Some(account);
    let (server, shares, members) = thread::scope(|scope| {
        let server = scope.spawn(|| plex.server());
        let shares = scope.spawn(|| plex.shares());
        let members = plex.home_users();
        (join(server), join(shares), members)
    });
    match server {
        Ok(Ok(server)) => {
            seen.checks.push(Check::ok(PLEX, format!("{} is found, and this account owns it", server.name)));
            seen.server = Some(server);
        }
        Ok(Err(wrong)) => seen.checks.push(Check::fail(PLEX, wrong.what(), wrong.advice())),
        Err(error) => seen.checks.push(failure(&error)),
    }
    match (shares, &seen.server) {
        (Ok(shares), Some(server)) => {
            let here = |share: &&crate::plex::Share| share.machine_identifier == server.machine_identifier;
            match shares.iter().filter(here).count() {
                0 => seen.checks.push(Check::look(
                    PLEX,
                    format!("{} is shared with nobody", server.name),
                    "If you did invite people: is this the right server, and have they accepted?",
                )),
                people => {
                    let people = words::count(people, "person", "people");
                    seen.checks.push(Check::ok(PLEX, format!("{} is shared with {people}", server.name)));
                }
            }
            seen.checks.push(Check::ok(
                PLEX,
                "for a removal: Plex shows this token the owner's shares, so it may end them too; whether Plex does so \
                 can't be tried without removing somebody",
            ));
        }
        (Ok(_), None) => {}
        (Err(error), _) => seen.checks.push(failure(&error)),
    }
    seen.checks.push(match members.as_deref() {
        Ok([]) => Check::ok(PLEX, "no Plex Home"),
        Ok(members) => {
            let members = words::count(members.len(), "member", "members");
            let fate = match prunes_home {
                Some(true) => ", judged like everybody else (PRUNE_HOME_USERS)",
                Some(false) => ", never removed",
                None => "",
            };
            Check::ok(PLEX, format!("Plex Home: {members}, the owner included{fate}"))
        }
        Err(error) => failure(error),
    });
    seen.is_ill = is_ill.get();
    seen
}

/// What Tautulli showed.
#[derive(Default)]
pub(super) struct InTautulli {
    pub(super) checks: Vec<Check>,
    pub(super) watched: Option<Server>,
    /// Whether a call failed: then nobody can be judged.
    pub(super) is_ill: bool,
}

/// Tautulli: the key, its version, whether and since when it records, and what it doesn't.
pub(super) fn tautulli(
    tautulli: &Tautulli,
    config: &TautulliConfig,
    environment: &Environment,
    now: OffsetDateTime,
) -> InTautulli {
    let mut seen = InTautulli::default();
    let is_ill = Cell::new(false);
    let failure = |error: &ServiceError| {
        is_ill.set(true);
        Check::fail(TAUTULLI, error.what(), of_tautulli(error, config, environment))
    };
    match tautulli.version() {
        Ok(version) => {
            let said = format!("reached, the key is accepted; version {version}");
            seen.checks.push(Check::ok(TAUTULLI, said));
        }
        Err(error) => {
            seen.checks.push(failure(&error));
            seen.is_ill = true;
            return seen;
        }
    }
    let (connected, watched, users, begins, libraries) = thread::scope(|scope| {
        let connected = scope.spawn(|| tautulli.is_connected());
        let watched = scope.spawn(|| tautulli.watched_server());
        let users = scope.spawn(|| tautulli.users());
        let begins = scope.spawn(|| tautulli.recording_since(now));
        let libraries = tautulli.unrecorded_libraries();
        (join(connected), join(watched), join(users), join(begins), libraries)
    });
    seen.checks.push(match connected {
        Ok(true) => Check::ok(TAUTULLI, "connected to Plex"),
        Ok(false) => refusal(TAUTULLI, &Refusal::Disconnected),
        Err(error) => failure(&error),
    });
    match watched {
        Ok(server) => seen.watched = Some(server),
        Err(error) => seen.checks.push(failure(&error)),
    }
    match users {
        Ok(Some(_)) => {}
        Ok(None) => seen.checks.push(refusal(TAUTULLI, &Refusal::NoRows)),
        Err(error) => seen.checks.push(failure(&error)),
    }
    seen.checks.push(match begins {
        Ok(begins) if now - begins >= YOUNG => {
            Check::ok(TAUTULLI, format!("recording since {} at least", words::day(begins)))
        }
        Ok(begins) => Check::look(
            TAUTULLI,
            format!("recording since {} only", words::day(begins.min(now))),
            "Nothing to do: who watched nothing since is counted from that day",
        ),
        Err(error) => failure(&error),
    });
    match libraries.as_deref() {
        Ok([]) => {}
        Ok(libraries) => {
            let libraries: Vec<&str> = libraries.iter().map(String::as_str).collect();
            seen.checks.push(Check::look(
                TAUTULLI,
                format!("keeps no history of {}: whoever watches only there looks idle", names(&libraries)),
                "Tautulli, Libraries, Edit, Keep History; or protect those who watch only there",
            ));
        }
        Err(error) => seen.checks.push(failure(error)),
    }
    seen.is_ill = is_ill.get();
    seen
}

/// Why nobody would be judged, and what to do.
pub(super) fn refusal(area: &'static str, refusal: &Refusal) -> Check {
    let said = refusal.to_string();
    let (seen, next) = said.split_once(". ").unwrap_or((&said, ""));
    Check::fail(area, format!("{seen}; a sweep acts on nobody"), next)
}

/// Whether Tautulli watches the server that is to be looked after.
pub(super) fn same_server(wanted: Option<&Server>, watched: Option<&Server>) -> Option<Check> {
    Some(match (wanted, watched?) {
        (Some(wanted), watched) if wanted.machine_identifier == watched.machine_identifier => {
            Check::ok(TAUTULLI, format!("watches {}", wanted.name))
        }
        (Some(wanted), watched) => Check::fail(
            TAUTULLI,
            format!("watches {} and not {}; a sweep acts on nobody", another(watched, wanted), wanted.name),
            "Check TAUTULLI_URL and PLEX_SERVER_NAME",
        ),
        (None, watched) => {
            let next = "Mend what fails above; then this shows whether it is the right server";
            Check::look(TAUTULLI, format!("watches {}", watched.name), next)
        }
    })
}

/// Two servers may have one name.
fn another(watched: &Server, wanted: &Server) -> String {
    if watched.name == wanted.name { format!("another {}", watched.name) } else { watched.name.clone() }
}

/// Whom of the people on the server Tautulli can say nothing about.
pub(super) fn unjudged(household: &Household) -> Vec<Check> {
    let unjudged = [
        (
            History::Unknown,
            "doesn't know",
            "Wait: it refreshes its list every few hours. They are left alone till then",
        ),
        (
            History::NotKept,
            "keeps no history of",
            "They are left alone. To have them judged: Tautulli, Users, Edit, Keep History",
        ),
        (History::Hidden, "was told to delete", "They are left alone. To have them judged, add them in Tautulli again"),
    ];
    let unjudged = unjudged.into_iter().filter_map(|(history, what, next)| {
        let people = household.people.iter().filter(|person: &&Person| person.facts.history == history);
        let people: Vec<&str> = people.map(|person| person.name.as_str()).collect();
        (!people.is_empty()).then(|| Check::look(TAUTULLI, format!("{what} {}", names(&people)), next))
    });
    unjudged.collect()
}
