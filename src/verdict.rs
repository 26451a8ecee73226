//! The rule: what is known of one person, the rules and the time go in, a judgement comes out. No I/O, no clock, no
//! randomness, so that `status`, the dry run and the live sweep can't disagree.

use serde::Serialize;
use time::{Date, Duration, OffsetDateTime, Time};

/// How long nobody is judged after joining. Their idle days count from its end.
pub const GRACE: Duration = Duration::DAY;

/// The thresholds and switches of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// `WARN_DAYS`: idle days at which somebody is warned.
    pub warn_days: u32,
    /// `KICK_DAYS`: idle days at which somebody is removed; more than `warn_days`.
    pub kick_days: u32,
    /// `WARN_FIRST`: nobody is removed who was not warned, and the warning delivered, [`Rules::notice`] earlier.
    pub warn_first: bool,
    /// `PRUNE_HOME_USERS`: Home users are judged like everybody else.
    pub prune_home_users: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { warn_days: 27, kick_days: 30, warn_first: false, prune_home_users: false }
    }
}

impl Rules {
    /// The time between a warning and the removal: KICK − WARN days.
    pub fn notice(&self) -> Duration {
        days(self.kick_days.saturating_sub(self.warn_days))
    }
}

/// Why somebody is never removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// The account that owns the server.
    Owner,
    /// The account with the address `ADMIN_EMAIL`.
    Admin,
    /// An entry of `VIP_NAMES`, as the owner wrote it.
    Vip(String),
    /// The whitelist, up to and including a day (UTC) where one is given.
    Whitelist {
        /// The last day that counts.
        until: Option<Date>,
    },
    /// A member of the owner's Plex Home.
    HomeUser,
}

impl Protection {
    /// Whether it holds at `now` (UTC).
    pub fn holds(&self, rules: &Rules, now: OffsetDateTime) -> bool {
        match self {
            Self::Owner | Self::Admin | Self::Vip(_) | Self::Whitelist { until: None } => true,
            Self::Whitelist { until: Some(day) } => now.date() <= *day,
            Self::HomeUser => !rules.prune_home_users,
        }
    }

    /// When it ends by itself, UTC.
    fn ends(&self) -> Option<OffsetDateTime> {
        match self {
            Self::Whitelist { until: Some(day) } => {
                day.next_day().map(|next| next.with_time(Time::MIDNIGHT).assume_utc())
            }
            _ => None,
        }
    }
}

/// What Tautulli can say about somebody's watching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// Tautulli has no such user (yet: it refreshes its list every few hours).
    Unknown,
    /// The owner deleted this user in Tautulli.
    Hidden,
    /// Tautulli was told not to record this user.
    NotKept,
    /// Recorded; the newest play, UTC, if there is one.
    Kept(Option<OffsetDateTime>),
}

/// A warning that was decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// When it was decided on, UTC.
    pub at: OffsetDateTime,
    /// When a mail server took it, UTC.
    pub delivered: Option<OffsetDateTime>,
}

/// What is known of one person.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Everything that may protect them; the first that holds counts.
    pub protections: Vec<Protection>,
    /// Whether a session of theirs is going on now.
    pub watching: bool,
    /// When they joined this server, UTC.
    pub joined: Option<OffsetDateTime>,
    /// Whether a removal ended this very share, and Plex lists it all the same: its list may lag behind.
    pub revoked: bool,
    /// What Tautulli says.
    pub history: History,
    /// Since when Tautulli has been recording at all, UTC; none if that is not known or doesn't matter.
    pub record_begins: Option<OffsetDateTime>,
    /// Until when Tautulli is known not to have recorded this person, UTC: told not to, or after they were deleted there.
    pub unrecorded_until: Option<OffsetDateTime>,
    /// The latest warning.
    pub warned: Option<Warning>,
}

/// Why somebody can't be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// A removal ended their share, and Plex still lists it.
    Revoked,
    /// Tautulli doesn't know them.
    NotInTautulli,
    /// Somebody deleted them in Tautulli.
    HiddenInTautulli,
    /// Tautulli keeps no history for them.
    HistoryNotKept,
    /// Plex gives no date of joining, and `welcome` has not seen them yet.
    NoJoinDate,
}

/// How somebody stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Never removed, and why.
    Protected(Protection),
    /// Watching now.
    Watching,
    /// Joined less than [`GRACE`] ago.
    Grace,
    /// Skipped, and why.
    CantTell(Unknown),
    /// Idle for less than `WARN_DAYS`.
    Active,
    /// To be warned now.
    Warn,
    /// Warned in this spell of idleness, and not to be removed yet.
    Warned,
    /// To be removed now.
    Remove,
}

/// What happens next if nothing is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Milestone {
    /// The whitelist entry ends.
    #[serde(rename = "protection ends")]
    ProtectionEnds,
    /// Grace ends: idle days start to count.
    #[serde(rename = "counting starts")]
    CountingStarts,
    #[serde(rename = "warning")]
    Warning,
    #[serde(rename = "removal")]
    Removal,
}

/// A verdict with the numbers it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub standing: Standing,
    /// Whole days since the baseline; none where nothing is counted.
    pub idle_days: Option<u32>,
    /// The next step and when it is due, UTC; none for somebody who stays as they are.
    pub next: Option<(Milestone, OffsetDateTime)>,
    /// When access ends if nothing is watched, UTC; never before now. None where nothing is counted.
    pub access_ends: Option<OffsetDateTime>,
}

/// Judges one person at `now`.
pub fn judge(facts: &Facts, rules: &Rules, now: OffsetDateTime) -> Judgement {
    let uncounted = |standing, next| Judgement { standing, idle_days: None, next, access_ends: None };
    if let Some(protection) = facts.protections.iter().find(|protection| protection.holds(rules, now)) {
        let next = protection.ends().map(|end| (Milestone::ProtectionEnds, end));
        return uncounted(Standing::Protected(protection.clone()), next);
    }
    if facts.watching {
        return Judgement { idle_days: Some(0), ..uncounted(Standing::Watching, None) };
    }
    if facts.revoked {
        return uncounted(Standing::CantTell(Unknown::Revoked), None);
    }
    // Without a date of joining, an old play may be from an earlier stay and would count against somebody who is back.
    let Some(joined) = facts.joined else {
        return uncounted(Standing::CantTell(Unknown::NoJoinDate), None);
    };
    let counting_starts = joined.saturating_add(GRACE);
    if now < counting_starts {
        return uncounted(Standing::Grace, Some((Milestone::CountingStarts, counting_starts)));
    }
    // A whitelist entry that has ended leaves the whole warning period, however long they were idle meanwhile.
    let protected_until = facts.protections.iter().filter_map(Protection::ends).max();
    let baseline = match facts.history {
        History::Unknown => return uncounted(Standing::CantTell(Unknown::NotInTautulli), None),
        History::Hidden => return uncounted(Standing::CantTell(Unknown::HiddenInTautulli), None),
        History::NotKept => return uncounted(Standing::CantTell(Unknown::HistoryNotKept), None),
        History::Kept(Some(watched)) if watched >= joined => watched.max(counting_starts),
        // Nothing watched, or only during an earlier stay. What Tautulli did not record, it can't testify to.
        History::Kept(_) => facts.record_begins.map_or(counting_starts, |begins| begins.max(counting_starts)),
    };
    let baseline = facts.unrecorded_until.map_or(baseline, |until| until.max(baseline));
    // Watching anything moves the baseline past the warning, and so ends the spell that it belongs to.
    let warned =
        facts.warned.filter(|warning| warning.at > baseline && protected_until.is_none_or(|end| warning.at >= end));
    let counted_from = protected_until.map_or(baseline, |end| baseline.max(end - days(rules.warn_days)));
    let idle_days = whole_days(baseline, now);
    Judgement { idle_days: Some(idle_days), ..judge_idle(counted_from, warned, rules, now) }
}

fn judge_idle(baseline: OffsetDateTime, warned: Option<Warning>, rules: &Rules, now: OffsetDateTime) -> Judgement {
    let idle_days = whole_days(baseline, now);
    let kick_at = baseline.saturating_add(days(rules.kick_days));
    let access_ends = if rules.warn_first {
        // A warning that is still on its way is counted as if it were delivered now: the earliest that can be promised.
        let delivered = warned.and_then(|warning| warning.delivered).unwrap_or(now);
        kick_at.max(delivered.saturating_add(rules.notice()))
    } else {
        kick_at
    };
    let standing = if idle_days < rules.warn_days {
        Standing::Active
    } else if idle_days >= rules.kick_days && access_ends <= now {
        Standing::Remove
    } else if warned.is_some() {
        Standing::Warned
    } else {
        Standing::Warn
    };
    let next = match standing {
        Standing::Active => (Milestone::Warning, baseline.saturating_add(days(rules.warn_days))),
        Standing::Warn => (Milestone::Warning, now),
        _ => (Milestone::Removal, access_ends.max(now)),
    };
    Judgement { standing, idle_days: Some(idle_days), next: Some(next), access_ends: Some(access_ends.max(now)) }
}

/// Whole days from one time to a later one; 0 if it is not later (a clock that is behind).
fn whole_days(from: OffsetDateTime, to: OffsetDateTime) -> u32 {
    u32::try_from((to - from).whole_days()).unwrap_or(0)
}

fn days(count: u32) -> Duration {
    Duration::days(i64::from(count))
}

#[cfg(test)]
pub mod households;
#[cfg(test)]
mod tests;
