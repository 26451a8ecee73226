use time::{Duration, OffsetDateTime};

use super::{Check, names};
use crate::{
    config::Settings,
    error::Error,
    people::People,
    plan::Refusal,
    services::{
        Snapshot,
        plex::{Server, Share},
    },
    verdict::History,
    words,
};

const PLEX: &str = "plex.tv";
const TAUTULLI: &str = "Tautulli";
/// Shorter than this, and somebody may be counted from where Tautulli's record begins.
const SHORT_RECORD: Duration = Duration::days(30);

fn failure(area: &'static str, error: &Error) -> Check {
    Check::fail(area, error.what(), &error.advice)
}

/// plex.tv: the token, the server, its shares. What follows from a failure is left out.
pub fn plex(snapshot: &Snapshot, settings: Option<&Settings>) -> Vec<Check> {
    let account = match &snapshot.account {
        None => return Vec::new(),
        Some(Err(error)) => return vec![failure(PLEX, error)],
        Some(Ok(account)) => account,
    };
    let mut checks = vec![Check::ok(PLEX, format!("reached; the token is {}'s (id {})", account.name(), account.id))];
    let server = match &snapshot.server {
        Some(Ok(server)) => {
            checks.push(Check::ok(PLEX, format!("{} is found, and this account owns it", server.name)));
            Some(server)
        }
        Some(Err(error)) => {
            checks.push(failure(PLEX, error));
            None
        }
        None => None,
    };
    match &snapshot.shares {
        Some(Ok(shares)) => checks.extend(server.into_iter().flat_map(|server| shared_with(server, shares))),
        Some(Err(error)) => checks.push(failure(PLEX, error)),
        None => {}
    }
    match &snapshot.home {
        Some(Ok(members)) => checks.push(home(members, settings)),
        Some(Err(error)) => checks.push(failure(PLEX, error)),
        None => {}
    }
    checks
}

fn shared_with(server: &Server, shares: &[Share]) -> [Check; 2] {
    let here = shares.iter().filter(|share| share.machine_identifier == server.machine_identifier).count();
    let shared = match here {
        0 => Check::look(
            PLEX,
            format!("{} is shared with nobody", server.name),
            "If you did invite people: is this the right server, and have they accepted?",
        ),
        people => {
            let people = words::count(people, "person", "people");
            Check::ok(PLEX, format!("{} is shared with {people}", server.name))
        }
    };
    let revoking = "for a removal: Plex shows this token the owner's shares, so it may end them too; whether Plex does so \
                    can't be tried without removing somebody";
    [shared, Check::ok(PLEX, revoking)]
}

fn home(members: &[u64], settings: Option<&Settings>) -> Check {
    if members.is_empty() {
        return Check::ok(PLEX, "no Plex Home");
    }
    let members = words::count(members.len(), "member", "members");
    let fate = match settings.map(|settings| settings.rules.prune_home_users) {
        Some(true) => ", judged like everybody else (PRUNE_HOME_USERS)",
        Some(false) => ", never removed",
        None => "",
    };
    Check::ok(PLEX, format!("Plex Home: {members}, the owner included{fate}"))
}

/// Tautulli: the key, its version, whether and since when it records, and what it doesn't. What follows from a failure is
/// left out.
pub fn tautulli(snapshot: &Snapshot, now: OffsetDateTime) -> Vec<Check> {
    let mut checks = Vec::new();
    match &snapshot.version {
        None => return checks,
        Some(Err(error)) => return vec![failure(TAUTULLI, error)],
        Some(Ok(version)) => {
            checks.push(Check::ok(TAUTULLI, format!("reached, the key is accepted; version {version}")));
        }
    }
    let connected = snapshot.connected.as_ref().map(|answer| match answer {
        Ok(true) => Check::ok(TAUTULLI, "connected to Plex"),
        Ok(false) => refusal(TAUTULLI, &Refusal::Disconnected),
        Err(error) => failure(TAUTULLI, error),
    });
    let watched = snapshot.watched_server.as_ref().and_then(|answer| answer.as_ref().err());
    let users = snapshot.users.as_ref().and_then(|answer| match answer {
        Ok(Some(_)) => None,
        Ok(None) => Some(refusal(TAUTULLI, &Refusal::NoRows)),
        Err(error) => Some(failure(TAUTULLI, error)),
    });
    checks.extend(connected);
    checks.extend(watched.map(|error| failure(TAUTULLI, error)));
    checks.extend(users);
    checks.extend(snapshot.recording_since.as_ref().map(|answer| recording(answer, now)));
    checks.extend(snapshot.libraries.as_ref().and_then(libraries));
    let activity = snapshot.activity.as_ref().and_then(|answer| answer.as_ref().err());
    checks.extend(activity.map(|error| failure(TAUTULLI, error)));
    checks.extend(snapshot.hidden.values().find_map(|answer| answer.as_ref().err()).map(|error| failure(TAUTULLI, error)));
    checks.extend(same_server(snapshot));
    checks
}

fn recording(answer: &Result<OffsetDateTime, Error>, now: OffsetDateTime) -> Check {
    match answer {
        Ok(begins) if now - *begins >= SHORT_RECORD => {
            Check::ok(TAUTULLI, format!("recording since {} at least", words::day(*begins)))
        }
        Ok(begins) => Check::look(
            TAUTULLI,
            format!("recording since {} only", words::day(now.min(*begins))),
            "Nothing to do: who watched nothing since is counted from that day",
        ),
        Err(error) => failure(TAUTULLI, error),
    }
}

fn libraries(answer: &Result<Vec<String>, Error>) -> Option<Check> {
    match answer {
        Ok(libraries) if libraries.is_empty() => None,
        Ok(libraries) => {
            let libraries: Vec<&str> = libraries.iter().map(String::as_str).collect();
            Some(Check::look(
                TAUTULLI,
                format!("keeps no history of {}: whoever watches only there looks idle", names(&libraries)),
                "Tautulli, Libraries, Edit, Keep History; or protect those who watch only there",
            ))
        }
        Err(error) => Some(failure(TAUTULLI, error)),
    }
}

/// Why nobody would be judged, and what to do.
fn refusal(area: &'static str, refusal: &Refusal) -> Check {
    let Error { advice, .. } = refusal.explained();
    Check::fail(area, format!("{}; a sweep acts on nobody", refusal.explained().what()), advice)
}

/// A refusal because of Plex's list. The other reasons are about Tautulli, and found there; the brake is no failure.
pub fn list_refusal(reason: &Refusal) -> Option<Check> {
    match reason {
        Refusal::NobodyOnPlex { .. } | Refusal::MostMissing { .. } => Some(refusal(PLEX, reason)),
        Refusal::Disconnected | Refusal::OtherServer { .. } | Refusal::NoRows | Refusal::TooMany { .. } => None,
    }
}

/// Whether Tautulli watches the server that is to be looked after.
fn same_server(snapshot: &Snapshot) -> Option<Check> {
    let watched = snapshot.watched_server.as_ref()?.as_ref().ok()?;
    Some(match &snapshot.server {
        Some(Ok(wanted)) if wanted.machine_identifier == watched.machine_identifier => {
            Check::ok(TAUTULLI, format!("watches {}", wanted.name))
        }
        Some(Ok(wanted)) => Check::fail(
            TAUTULLI,
            format!("watches {} and not {}; a sweep acts on nobody", another(watched, wanted), wanted.name),
            "Check TAUTULLI_URL and PLEX_SERVER_NAME",
        ),
        Some(Err(_)) | None => {
            let next = "Mend what fails above; then this shows whether it is the right server";
            Check::look(TAUTULLI, format!("watches {}", watched.name), next)
        }
    })
}

/// Two servers may have one name.
fn another(watched: &Server, wanted: &Server) -> String {
    if watched.name == wanted.name { format!("another {}", watched.name) } else { watched.name.clone() }
}

/// Who of the people on the server Tautulli can say nothing about.
pub fn unjudged(people: &People) -> Vec<Check> {
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
        let guests = people.guests.iter().filter(|guest| guest.facts.history == history);
        let guests: Vec<&str> = guests.map(|guest| guest.name.as_str()).collect();
        (!guests.is_empty()).then(|| Check::look(TAUTULLI, format!("{what} {}", names(&guests)), next))
    });
    unjudged.collect()
}
