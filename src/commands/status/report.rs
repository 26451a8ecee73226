use serde::Serialize;
use time::{Duration, OffsetDateTime};

use crate::{
    config::Settings,
    notify::Notice,
    people::{Guest, People},
    plan::Plan,
    state::{Removed, State},
    timestamp,
    verdict::{self, History, Judgement, Milestone, Protection, Unknown, Warning},
    words,
};

/// What `status --json` prints. Fields are added, never renamed or dropped, as long as `schema` is 1. Times are RFC 3339,
/// UTC.
#[derive(Debug, Serialize)]
pub struct Report {
    schema: u32,
    pub server: String,
    /// The time that the report is for.
    #[serde(with = "timestamp")]
    pub at: OffsetDateTime,
    /// Whether `at` is still to come. People are then shown as if the sweeps up to there had warned and removed them.
    pub is_forecast: bool,
    pub dry_run: bool,
    warn_days: u32,
    kick_days: u32,
    pub people: Vec<Row>,
    pub counts: Vec<Count>,
    pub passes: Vec<PassReport>,
    pub waiting: Vec<Waiting>,
    pub warnings: Vec<String>,
}

/// One person.
#[derive(Debug, Serialize)]
pub struct Row {
    id: u64,
    pub name: String,
    email: Option<String>,
    #[serde(with = "timestamp::option")]
    pub joined: Option<OffsetDateTime>,
    #[serde(with = "timestamp::option")]
    pub last_watched: Option<OffsetDateTime>,
    pub watching: bool,
    pub idle_days: Option<u32>,
    pub standing: Standing,
    /// Why they are protected, or can't be judged.
    pub reason: Option<&'static str>,
    pub next: Option<Next>,
}

/// A verdict in one word, in the order in which they are counted. In a forecast, `Remove` means by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    Active,
    Watching,
    New,
    Protected,
    Unknown,
    Warn,
    Warned,
    Remove,
}

impl Standing {
    const ALL: [Self; 8] = [
        Self::Active,
        Self::Watching,
        Self::New,
        Self::Protected,
        Self::Unknown,
        Self::Warn,
        Self::Warned,
        Self::Remove,
    ];
}

/// What happens next if nothing is watched.
#[derive(Debug, Serialize)]
pub struct Next {
    pub step: Milestone,
    #[serde(with = "timestamp")]
    pub at: OffsetDateTime,
}

/// How many people stand like this.
#[derive(Debug, Serialize)]
pub struct Count {
    pub standing: Standing,
    pub people: usize,
}

/// When a pass last ran.
#[derive(Debug, Serialize)]
pub struct PassReport {
    pub command: &'static str,
    #[serde(with = "timestamp::option")]
    pub last: Option<OffsetDateTime>,
    pub every_seconds: i64,
    pub overdue: bool,
}

/// A notice that is still to be sent.
#[derive(Debug, Serialize)]
pub struct Waiting {
    pub notice: String,
    #[serde(with = "timestamp")]
    since: OffsetDateTime,
    pub last_error: Option<String>,
}

impl Report {
    pub fn of(
        people: &People,
        plan: &Plan,
        settings: &Settings,
        state: &State,
        now: OffsetDateTime,
        at: OffsetDateTime,
    ) -> Self {
        let rows: Vec<Row> = people.guests.iter().map(|guest| row(guest, &settings.rules, now, at)).collect();
        let count = |standing| Count { standing, people: rows.iter().filter(|row| row.standing == standing).count() };
        let pass = |command, last, every: Duration| PassReport {
            command,
            last,
            every_seconds: every.whole_seconds(),
            // A dry run leaves no trace to go by.
            overdue: !settings.dry_run && is_overdue(last, every, now),
        };
        Self {
            schema: 1,
            server: people.server.name.clone(),
            at,
            is_forecast: at > now,
            dry_run: settings.dry_run,
            warn_days: settings.rules.warn_days,
            kick_days: settings.rules.kick_days,
            counts: Standing::ALL.into_iter().map(count).filter(|count| count.people > 0).collect(),
            people: rows,
            passes: vec![
                pass("welcome", state.last_welcome_scan, settings.welcome_every),
                pass("sweep", state.last_inactivity_scan, settings.sweep_every),
            ],
            waiting: state.outbox.notices().iter().map(waiting).collect(),
            warnings: warnings(people, plan, settings, state),
        }
    }
}

fn row(guest: &Guest, rules: &verdict::Rules, now: OffsetDateTime, at: OffsetDateTime) -> Row {
    let (guest, judgement) = foresee(guest, rules, now, at);
    let (standing, reason) = describe(&judgement);
    Row {
        id: guest.id,
        joined: guest.facts.joined,
        last_watched: match guest.facts.history {
            History::Kept(watched) => watched,
            History::Unknown | History::Hidden | History::NotKept => None,
        },
        watching: guest.facts.watching,
        idle_days: judgement.idle_days,
        standing,
        reason,
        next: judgement.next.map(|(step, at)| Next { step, at }),
        name: guest.name,
        email: guest.email,
    }
}

/// A person as they will be at `at` if they watch nothing from `now` on, and how they stand then: warnings that fall due
/// until then are given. For somebody who is to be removed by then, the next step tells when.
fn foresee(guest: &Guest, rules: &verdict::Rules, now: OffsetDateTime, at: OffsetDateTime) -> (Guest, Judgement) {
    let mut guest = guest.clone();
    if at <= now {
        let judgement = guest.judge(rules, at);
        return (guest, judgement);
    }
    if std::mem::take(&mut guest.facts.watching)
        && let History::Kept(_) = guest.facts.history
    {
        // Whoever watches now has, by then, last watched now.
        guest.facts.history = History::Kept(Some(now));
    }
    if let Some(warning) = &mut guest.facts.warned {
        // What waits in the outbox is on its way.
        warning.delivered.get_or_insert(now);
    }
    let mut time = now;
    let removal = loop {
        match guest.judge(rules, time).next.filter(|(_, due)| *due <= at) {
            Some((Milestone::Removal, due)) => break Some((Milestone::Removal, due)),
            Some((Milestone::Warning, due)) => {
                guest.facts.warned = Some(Warning { at: due, delivered: Some(due) });
                time = due;
            }
            Some((Milestone::ProtectionEnds | Milestone::CountingStarts, due)) => time = due,
            None => break None,
        }
    };
    let judgement = guest.judge(rules, at);
    let next = removal.or(judgement.next);
    (guest, Judgement { next, ..judgement })
}

fn describe(judgement: &Judgement) -> (Standing, Option<&'static str>) {
    use verdict::Standing as Verdict;
    match &judgement.standing {
        Verdict::Protected(protection) => (Standing::Protected, Some(protection_word(protection))),
        Verdict::Watching => (Standing::Watching, None),
        Verdict::Grace => (Standing::New, None),
        Verdict::CantTell(unknown) => (Standing::Unknown, Some(unknown_word(*unknown))),
        Verdict::Active => (Standing::Active, None),
        Verdict::Warn => (Standing::Warn, None),
        Verdict::Warned => (Standing::Warned, None),
        Verdict::Remove => (Standing::Remove, None),
    }
}

fn protection_word(protection: &Protection) -> &'static str {
    match protection {
        Protection::Owner => "owner",
        Protection::Admin => "admin",
        Protection::Vip(_) => "VIP",
        Protection::Whitelist { .. } => "whitelist",
        Protection::HomeUser => "Home user",
    }
}

fn unknown_word(unknown: Unknown) -> &'static str {
    match unknown {
        Unknown::Revoked => "share ended, still listed",
        Unknown::NotInTautulli => "not in Tautulli yet",
        Unknown::HiddenInTautulli => "deleted in Tautulli",
        Unknown::HistoryNotKept => "no history kept",
        Unknown::NoJoinDate => "no join date yet",
    }
}

/// Whether a pass is overdue: three times its cadence, for one may have been slow, and one missed.
pub fn is_overdue(last: Option<OffsetDateTime>, every: Duration, now: OffsetDateTime) -> bool {
    last.is_none_or(|last| now - last > every * 3)
}

fn waiting(notice: &Notice) -> Waiting {
    Waiting { notice: notice.label(), since: notice.written, last_error: notice.last_error.clone() }
}

fn warnings(people: &People, plan: &Plan, settings: &Settings, state: &State) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(refusal) = &plan.refusal {
        let whom = if plan.holds_everything_back() { "act on nobody" } else { "remove nobody" };
        warnings.push(format!("A sweep would {whom} now: {refusal}."));
    }
    warnings.extend(plan.remarks.iter().cloned());
    // Whose share ended and who is there is back, or said to be so below.
    let settled = |id: u64, removed: &Removed| removed.is_finished() || (removed.ok && people.get(id).is_some());
    for (id, removed) in state.removed.iter().filter(|&(&id, removed)| !settled(id, removed)) {
        let name = removed.name.as_deref().map_or("somebody".to_owned(), words::printable);
        let what = match &removed.failure {
            Some(failure) if !removed.ok => {
                format!("has failed since {}: {}", words::minute(failure.since), failure.error)
            }
            _ if !removed.ok => "is not finished: the share is still to end".to_owned(),
            _ => "is not finished: Tautulli or the notices are still to do".to_owned(),
        };
        warnings.push(format!("The removal of {name} (id {id}) {what}."));
    }
    for guest in plan.still_listed.iter().filter_map(|&id| people.get(id)) {
        warnings.push(format!(
            "Plex confirmed the end of the share of {}, and still lists it; if that stays so, end it by hand.",
            guest.label()
        ));
    }
    if state.is_fresh() && !settings.dry_run {
        warnings.push("No live `welcome` has run yet: the first one records everybody without a mail.".to_owned());
    }
    warnings
}
