//! Reasons for which a pass acts on nobody, or removes nobody: the evidence does not add up.

use std::fmt;

use crate::words;

/// Why a pass holds back. What it shows says what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Tautulli is cut off from Plex: it records nothing, and everybody looks idle.
    Disconnected,
    /// Tautulli watches another Plex server than the one whose people are judged.
    OtherServer {
        /// The server's name.
        server: String,
    },
    /// Tautulli's table of users is empty, which it never is: an error in its database.
    NoRows,
    /// Plex lists nobody, though people were there before.
    NobodyOnPlex {
        /// How many were.
        before: usize,
    },
    /// Plex lists less than half of those who were there before.
    MostMissing {
        /// How many it lists.
        listed: usize,
        /// How many it listed before.
        before: usize,
    },
    /// More people are due to be removed than `MAX_REMOVALS`.
    TooMany {
        /// How many are due.
        due: usize,
        /// The limit.
        limit: usize,
    },
}

impl Refusal {
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
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected => f.write_str(
                "Tautulli is not connected to Plex, so it doesn't record what people watch. \
                 Check Plex, and Tautulli's Settings, Plex Media Server",
            ),
            Self::OtherServer { server } => write!(
                f,
                "Tautulli watches another Plex server than {server}, so it says nothing about the people there. \
                 Check TAUTULLI_URL and PLEX_SERVER_NAME"
            ),
            Self::NoRows => f.write_str(
                "Tautulli's table of users is empty, which points to an error in its database. \
                 Look at Tautulli's own log",
            ),
            Self::NobodyOnPlex { before } => write!(
                f,
                "Plex lists nobody, and {} had access before. plex.tv is likely ill. If you did end all \
                 shares, there is nothing left to do here: stop the schedule",
                words::count(*before, "person", "people")
            ),
            Self::MostMissing { listed, before } => write!(
                f,
                "Plex lists only {listed} of the {before} people who had access before. plex.tv is likely ill. \
                 If the others did leave, nothing needs to be done: after a day of such lists it is believed"
            ),
            Self::TooMany { due, limit } => write!(
                f,
                "{} due to be removed, and MAX_REMOVALS is {limit}. Look at `plex-prune status`; \
                 if it is right, go ahead with `plex-prune sweep --max-removals {due}`",
                words::count(*due, "person is", "people are")
            ),
        }
    }
}
