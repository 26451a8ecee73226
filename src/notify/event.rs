use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Somebody as a notice speaks of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    pub id: u64,
    /// Name fit for showing: control characters are already escaped.
    pub name: String,
    /// Address of the Plex account; Home users may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// What became of a removed person's record in Tautulli.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TautulliStep {
    Deleted,
    /// Not yet: the error of the last try. Every later sweep tries again.
    Pending(String),
}

/// A pass that acts on people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PassKind {
    Welcome,
    #[default]
    Sweep,
}

impl PassKind {
    fn is_sweep(&self) -> bool {
        *self == Self::Sweep
    }
}

impl std::fmt::Display for PassKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Welcome => "welcome",
            Self::Sweep => "sweep",
        })
    }
}

/// A mail that a person gets. Its name is that of the templates, and the event's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Letter {
    Welcome,
    Warning,
    Removal,
}

impl Letter {
    pub fn name(self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
            Self::Warning => "warning",
            Self::Removal => "removal",
        }
    }
}

/// Something that happened, with the facts as they were then. What a notice says is made from this alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    Joined {
        who: Who,
        warn_days: u32,
        kick_days: u32,
    },
    /// Somebody has been idle for so long that they are warned.
    Warned {
        who: Who,
        /// Whole days since the baseline.
        idle_days: u32,
        /// When access ends if nothing is watched, UTC.
        #[serde(with = "time::serde::rfc3339")]
        access_ends: OffsetDateTime,
        /// Whole days from the warning to `access_ends`, rounded up.
        days_left: u32,
        /// The newest play on record, UTC; none if nothing was watched since they joined.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
        last_watched: Option<OffsetDateTime>,
    },
    Removed {
        who: Who,
        /// Why, in words: "Nothing watched for 31 days".
        reason: String,
        kick_days: u32,
        /// What was ended on Plex, in words: "share on Centauri ended".
        plex: String,
        tautulli: TautulliStep,
        /// When the first try was, if that one failed and the admin was told, UTC.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
        failing_since: Option<OffsetDateTime>,
    },
    /// Somebody should have lost access, and Plex refused. The person is not told.
    RemovalFailed {
        who: Who,
        reason: String,
        /// What went wrong, and what to do, in words.
        error: String,
    },
    /// A removal that had failed (and that the admin was told of) is no longer due.
    CalledOff {
        who: Who,
        /// Why, in words: "watched something on 2026-11-20".
        why: String,
    },
    /// A sweep acted on nobody, or removed nobody, because the evidence did not add up.
    Refused {
        #[serde(default, skip_serializing_if = "PassKind::is_sweep")]
        pass: PassKind,
        /// What is wrong and what to do, in words.
        why: String,
    },
    /// Notices that could not be sent for so long that they are not tried any more.
    GaveUp {
        /// Each as the log speaks of it, with its last error.
        notices: Vec<String>,
    },
    /// The mail server refused somebody's address for good.
    Undeliverable {
        who: Who,
        mail: Letter,
        error: String,
    },
}

impl Event {
    /// The person that this is about, if it is about one.
    pub fn who(&self) -> Option<&Who> {
        match self {
            Self::Joined { who, .. }
            | Self::Warned { who, .. }
            | Self::Removed { who, .. }
            | Self::RemovalFailed { who, .. }
            | Self::CalledOff { who, .. }
            | Self::Undeliverable { who, .. } => Some(who),
            Self::Refused { .. } | Self::GaveUp { .. } => None,
        }
    }

    /// The mail that the person gets about this, if any. The admin hears of everything.
    pub fn letter(&self) -> Option<Letter> {
        match self {
            Self::Joined { .. } => Some(Letter::Welcome),
            Self::Warned { .. } => Some(Letter::Warning),
            Self::Removed { .. } => Some(Letter::Removal),
            Self::RemovalFailed { .. }
            | Self::CalledOff { .. }
            | Self::Refused { .. }
            | Self::GaveUp { .. }
            | Self::Undeliverable { .. } => None,
        }
    }

    /// The event in one or two words, as the log and the outbox listing use it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Joined { .. } => Letter::Welcome.name(),
            Self::Warned { .. } => Letter::Warning.name(),
            Self::Removed { .. } => Letter::Removal.name(),
            Self::RemovalFailed { .. } => "removal failed",
            Self::CalledOff { .. } => "removal called off",
            Self::Refused { .. } => "refusal",
            Self::GaveUp { .. } => "given up",
            Self::Undeliverable { .. } => "undeliverable",
        }
    }
}

/// Where a notice goes. Addresses are looked up when it is sent, so that a corrected setting helps what waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// The person's own address.
    Person,
    /// `ADMIN_EMAIL`.
    Admin,
    /// `DISCORD_WEBHOOK`.
    Discord,
}
