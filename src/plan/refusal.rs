//! Reasons for which a pass acts on nobody, or removes nobody: the evidence does not add up.

use time::{Duration, OffsetDateTime};

use crate::{
    error::{Error, Kind},
    people::People,
    services::Snapshot,
    state::State,
    words,
};

/// Fewer people than this may well leave at once.
const MIN_MISSING: usize = 5;

/// Why a pass holds back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Tautulli is cut off from Plex: it records nothing, and everybody looks idle.
    Disconnected,
    /// Tautulli watches another Plex server than the one whose people are judged.
    OtherServer { server: String },
    /// Tautulli's table of users is empty, which it never is: an error in its database.
    NoRows,
    /// Plex lists nobody, though people were there before.
    NobodyOnPlex { before: usize },
    /// Plex lists less than half of those who were there before.
    MostMissing { listed: usize, before: usize },
    /// More people are due to be removed than `MAX_REMOVALS`.
    TooMany { due: usize, limit: usize },
}

impl Refusal {
    /// Why nobody can be judged by what the services said, if it doesn't add up.
    pub fn of_evidence(people: &People, snapshot: &Snapshot, state: &State, now: OffsetDateTime) -> Option<Self> {
        let watched = snapshot.watched_server.as_ref().and_then(|answer| answer.as_ref().ok());
        Self::of_list(people, state, now)
            .or_else(|| matches!(snapshot.connected, Some(Ok(false))).then_some(Self::Disconnected))
            .or_else(|| {
                let watched = watched?;
                let is_other = watched.machine_identifier != people.server.machine_identifier;
                is_other.then(|| Self::OtherServer { server: people.server.name.clone() })
            })
            .or_else(|| matches!(snapshot.users, Some(Ok(None))).then_some(Self::NoRows))
    }

    /// Whether so few people are on Plex's list that plex.tv is rather out of order than that the others left. Less than
    /// half is believed after a day of such lists; nobody at all, never.
    pub fn of_list(people: &People, state: &State, now: OffsetDateTime) -> Option<Self> {
        // The record of an original daemon has everybody who was ever there.
        let ever = state.people_on_plex.max(state.welcomed.len());
        // A removal that was interrupted may have ended their access before that was noted.
        let perhaps_ended = state.removed.values().filter(|removed| !removed.ok).count();
        let ever = ever.saturating_sub(perhaps_ended);
        if people.guests.is_empty() && ever > 0 {
            return Some(Self::NobodyOnPlex { before: ever });
        }
        let (before, listed) = (state.people_on_plex.saturating_sub(perhaps_ended), people.guests.len());
        let refusal = Self::MostMissing { listed, before };
        let since = state.refusals.get(refusal.kind()).and_then(|refused| refused.since);
        let is_believed = since.is_some_and(|since| now - since >= Duration::DAY);
        (2 * listed < before && before - listed >= MIN_MISSING && !is_believed).then_some(refusal)
    }

    /// The kind of reason, by which the state knows whether the admin was told today.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Disconnected => "tautulli-disconnected",
            Self::OtherServer { .. } => "tautulli-other-server",
            Self::NoRows => "tautulli-no-rows",
            Self::NobodyOnPlex { .. } => "plex-nobody",
            Self::MostMissing { .. } => "plex-most-missing",
            Self::TooMany { .. } => "too-many",
        }
    }

    /// What is wrong, and what to do.
    pub fn explained(&self) -> Error {
        let (what, advice) = match self {
            Self::Disconnected => (
                "Tautulli is not connected to Plex, so it doesn't record what people watch".to_owned(),
                "Check Plex, and Tautulli's Settings, Plex Media Server".to_owned(),
            ),
            Self::OtherServer { server } => (
                format!(
                    "Tautulli watches another Plex server than {server}, so it says nothing about the people there"
                ),
                "Check TAUTULLI_URL and PLEX_SERVER_NAME".to_owned(),
            ),
            Self::NoRows => (
                "Tautulli's table of users is empty, which points to an error in its database".to_owned(),
                "Look at Tautulli's own log".to_owned(),
            ),
            Self::NobodyOnPlex { before } => (
                format!("Plex lists nobody, and {} had access before", words::count(*before, "person", "people")),
                "plex.tv is likely ill. If you did end all shares, there is nothing left to do here: stop the schedule"
                    .to_owned(),
            ),
            Self::MostMissing { listed, before } => (
                format!("Plex lists only {listed} of the {before} people who had access before"),
                "plex.tv is likely ill. If the others did leave, nothing needs to be done: after a day of such lists \
                 it is believed"
                    .to_owned(),
            ),
            Self::TooMany { due, limit } => (
                format!(
                    "{} due to be removed, and MAX_REMOVALS is {limit}",
                    words::count(*due, "person is", "people are")
                ),
                format!(
                    "Look at `plex-prune status`; if it is right, go ahead with `plex-prune sweep --max-removals {due}`"
                ),
            ),
        };
        Error::new(Kind::Refused, what, advice)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.explained().fmt(f)
    }
}
