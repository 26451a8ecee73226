use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;
use time::{Date, OffsetDateTime};

use crate::{notify::Outbox, services::plex::Server, timestamp};

/// The version of the file that this program writes. The original daemon's file has none.
pub const VERSION: u32 = 1;

/// What one pass leaves for the next: `state.json`, key for key. Plex ids are the keys of all maps; times are UTC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The format's version; 0 for a file of the original daemon until it is written again.
    pub version: u32,
    /// The server that this is the state of, once a live pass has seen it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Server>,
    /// When the last live `welcome` ended its look at Plex.
    #[serde(with = "timestamp::option")]
    pub last_welcome_scan: Option<OffsetDateTime>,
    /// When the last live `sweep` ended its look at everybody.
    #[serde(with = "timestamp::option")]
    pub last_inactivity_scan: Option<OffsetDateTime>,
    /// How many people Plex listed in the last live pass.
    pub people_on_plex: usize,
    /// Everybody on record: when `welcome` first saw them.
    #[serde(deserialize_with = "time_or_entry")]
    pub welcomed: BTreeMap<u64, Seen>,
    /// The latest warning of each person.
    #[serde(deserialize_with = "time_or_entry")]
    pub warned: BTreeMap<u64, Warned>,
    /// Removals: finished ones, and those under way ([`Removed::is_finished`]).
    pub removed: BTreeMap<u64, Removed>,
    /// People who left by themselves: when that was noticed.
    #[serde(deserialize_with = "time_or_entry")]
    pub gone: BTreeMap<u64, Seen>,
    /// People that Tautulli did not record: when that was last so.
    #[serde(deserialize_with = "time_or_entry", skip_serializing_if = "BTreeMap::is_empty")]
    pub unrecorded: BTreeMap<u64, Seen>,
    /// People who are never removed, on top of `VIP_NAMES`.
    pub whitelist: Vec<WhitelistEntry>,
    /// Why a pass held back, by the kind of reason.
    pub refusals: BTreeMap<String, RefusalRecord>,
    /// Notices that are still to be sent.
    pub outbox: Outbox,
}

impl State {
    /// Whether nobody was ever recorded: the first live `welcome` then records everybody without a mail.
    pub fn is_fresh(&self) -> bool {
        self.last_welcome_scan.is_none() && self.welcomed.is_empty()
    }

    /// Turns what the original daemon wrote into what this program would have written.
    ///
    /// The original never took anybody off its `welcomed` list, and kept removals that Plex had refused. Here, whoever
    /// was removed is off record, so that they are new when they are back; and a removal that never happened is no
    /// removal: if it is still due, the rule says so again. The original mailed a warning before it noted it down.
    pub fn migrate(&mut self) {
        // Even if nobody stays on record below, this is not a first pass.
        self.last_welcome_scan = self.last_welcome_scan.or(self.welcomed.values().map(|seen| seen.when).max());
        self.removed.retain(|_, removed| removed.ok);
        let removed = &self.removed;
        self.welcomed.retain(|id, seen| removed.get(id).is_none_or(|removed| removed.when < seen.when));
        for warned in self.warned.values_mut() {
            warned.delivered = Some(warned.when);
        }
        self.version = VERSION;
    }
}

/// Somebody that a `welcome` pass saw, or missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Here and below: their name then, for the reader of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(with = "timestamp")]
    pub when: OffsetDateTime,
    /// The id of their share, by which an old share that shows up again is told from a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<u64>,
}

impl From<OffsetDateTime> for Seen {
    fn from(when: OffsetDateTime) -> Self {
        Self { name: None, when, share: None }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warned {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was decided on.
    #[serde(with = "timestamp")]
    pub when: OffsetDateTime,
    /// When the mail server took it (for somebody without an address: the admin's mail about it).
    #[serde(default, with = "timestamp::option")]
    pub delivered: Option<OffsetDateTime>,
}

impl From<OffsetDateTime> for Warned {
    fn from(when: OffsetDateTime) -> Self {
        Self { name: None, when, delivered: None }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhitelistEntry {
    /// As Plex called them then; or as the owner wrote it, if Plex was not asked.
    pub name: String,
    /// Plex id. Without one, the name is matched like an entry of `VIP_NAMES`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    #[serde(with = "timestamp")]
    pub since: OffsetDateTime,
    /// The last day that counts, in UTC; none: until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "day::option")]
    pub until: Option<Date>,
    /// Why, as the owner puts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl WhitelistEntry {
    /// Whether it holds on the day of `now` (UTC).
    pub fn is_in_force(&self, now: OffsetDateTime) -> bool {
        self.until.is_none_or(|until| now.date() <= until)
    }
}

time::serde::format_description!(day, Date, "[year]-[month]-[day]");

/// A removal, from the intent on. Its fields say what is left to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For the mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// When it was decided on.
    #[serde(with = "timestamp")]
    pub when: OffsetDateTime,
    #[serde(default)]
    pub reason: String,
    /// Everything that the owner could have named them by, normalized; so that an entry which protects them is still found
    /// after the share is gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The share that is to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<u64>,
    /// Whether the share has ended.
    pub ok: bool,
    /// What was ended on Plex, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plex: Option<String>,
    #[serde(default)]
    pub tautulli_deleted: bool,
    /// Whether the notices about it are in the outbox, or were sent.
    #[serde(default = "announced_by_default")]
    pub announced: bool,
    /// The first failure that the admin was told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Removed {
    /// Whether nothing is left to do.
    pub fn is_finished(&self) -> bool {
        self.ok && self.tautulli_deleted && self.announced
    }
}

// The original announced a removal before it wrote it down, and knows no such key.
fn announced_by_default() -> bool {
    true
}

/// A removal that Plex refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    #[serde(with = "timestamp")]
    pub since: OffsetDateTime,
    pub error: String,
}

/// A reason for which a pass held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalRecord {
    /// Since when each pass has met it; none if the last one did not.
    #[serde(default, with = "timestamp::option")]
    pub since: Option<OffsetDateTime>,
    /// When the admin was last told of it.
    #[serde(with = "timestamp")]
    pub told: OffsetDateTime,
    pub why: String,
}

/// Reads a map of entries, each either as this program writes it or as the original does: a plain time.
fn time_or_entry<'de, T, D>(deserializer: D) -> Result<BTreeMap<u64, T>, D::Error>
where
    T: Deserialize<'de> + From<OffsetDateTime>,
    D: Deserializer<'de>,
{
    let entries = BTreeMap::<u64, Value>::deserialize(deserializer)?;
    let read = |(id, entry): (u64, Value)| {
        let read = if entry.is_object() { T::deserialize(entry) } else { timestamp::deserialize(entry).map(T::from) };
        read.map(|entry| (id, entry)).map_err(|error| de::Error::custom(format!("entry {id}: {error}")))
    };
    entries.into_iter().map(read).collect()
}
