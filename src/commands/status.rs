use std::thread;

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::{status_table, table};
use crate::{
    cli::{self, Cli},
    clock,
    config::{Environment, ExtraAuthorities, PlexConfig, Reader, Settings, TautulliConfig},
    delivery,
    error::{CommandError, Exit},
    household::{self, Household, Person, both, join},
    http,
    plex::Plex,
    refusal::Refusal,
    state::{self, Removed, State},
    tautulli::Tautulli,
    timestamp,
    verdict::{History, Judgement, Protection, Standing, Step, Unknown, Warning},
    words,
};

/// Shows how everybody stands. Changes nothing, and waits for nobody's lock.
pub(super) fn run(args: &cli::Status, cli: &Cli, environment: &Environment) -> Result<Exit, CommandError> {
    let now = clock::now();
    let mut r = Reader::new(environment);
    let settings = Settings::read(&mut r, cli.state_dir.clone());
    let (plex, tautulli) = (PlexConfig::read(&mut r), TautulliConfig::read(&mut r));
    let authorities = ExtraAuthorities::read(&mut r);
    r.finish()?;
    let client = http::client(&authorities)?;
    let (plex, tautulli) = (Plex::new(client.clone(), plex), Tautulli::new(client, tautulli));
    let state = state::read(&settings.state_dir)?;
    let household = gather(&plex, &tautulli, &settings, &state, now)?;
    let report = Report::of(&household, &settings, &state, now, args.at.unwrap_or(now));
    table::print(&report, args.json, status_table::write)?;
    Ok(Exit::Done)
}

/// Everything that a sweep would ask for if somebody were due, and who is watching now.
pub(super) fn gather(
    plex: &Plex,
    tautulli: &Tautulli,
    settings: &Settings,
    state: &State,
    now: OffsetDateTime,
) -> Result<Household, CommandError> {
    let (household, begins, watching, members) = thread::scope(|scope| {
        let begins = scope.spawn(|| tautulli.recording_since(now));
        let watching = scope.spawn(|| tautulli.watching());
        let members = scope.spawn(|| plex.home_users());
        (Household::gather(plex, tautulli, settings, state, now), join(begins), join(watching), join(members))
    });
    let (mut household, ((begins, watching), members)) = both(household, both(both(begins, watching), members))?;
    household.record_begins(begins);
    household.watching(&watching);
    household.in_home(&members);
    for person in household.people.iter_mut().filter(|person| person.facts.history == History::Unknown) {
        if tautulli.is_deleted(person.id)? {
            person.facts.history = History::Hidden;
        }
    }
    Ok(household)
}

/// What `status --json` prints. Fields are added, never renamed or dropped, as long as `schema` is 1. Times are RFC 3339,
/// UTC.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schema: u32,
    pub(super) server: String,
    /// The time that the report is for.
    #[serde(with = "timestamp")]
    pub(super) at: OffsetDateTime,
    /// Whether `at` is still to come. People are then shown as if the sweeps up to there had warned and removed them.
    pub(super) is_forecast: bool,
    pub(super) dry_run: bool,
    warn_days: u32,
    kick_days: u32,
    pub(super) people: Vec<Row>,
    pub(super) counts: Vec<Count>,
    pub(super) passes: Vec<PassReport>,
    pub(super) waiting: Vec<Waiting>,
    pub(super) warnings: Vec<String>,
}

/// One person.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    id: u64,
    pub(super) name: String,
    email: Option<String>,
    #[serde(with = "timestamp::option")]
    pub(super) joined: Option<OffsetDateTime>,
    #[serde(with = "timestamp::option")]
    pub(super) last_watched: Option<OffsetDateTime>,
    pub(super) watching: bool,
    pub(super) idle_days: Option<u32>,
    /// One word: protected, watching, new, unknown, active, warn, warned, remove. In a forecast, remove means by then.
    pub(super) standing: &'static str,
    /// Why they are protected, or can't be judged.
    pub(super) reason: Option<String>,
    pub(super) next: Option<Next>,
}

/// What happens next if nothing is watched.
#[derive(Debug, Serialize)]
pub(super) struct Next {
    /// protection ends, counting starts, warning, removal.
    pub(super) step: &'static str,
    #[serde(with = "timestamp")]
    pub(super) at: OffsetDateTime,
}

/// How many people stand like this.
#[derive(Debug, Serialize)]
pub(super) struct Count {
    pub(super) standing: &'static str,
    pub(super) people: usize,
}

/// When a pass last ran.
#[derive(Debug, Serialize)]
pub(super) struct PassReport {
    pub(super) command: &'static str,
    #[serde(with = "timestamp::option")]
    pub(super) last: Option<OffsetDateTime>,
    pub(super) every_seconds: i64,
    pub(super) overdue: bool,
}

/// A notice that is still to be sent.
#[derive(Debug, Serialize)]
pub(super) struct Waiting {
    pub(super) notice: String,
    #[serde(with = "timestamp")]
    since: OffsetDateTime,
    pub(super) last_error: Option<String>,
}

/// Every standing with its word, in the order in which they are counted.
const STANDINGS: [&str; 8] = ["active", "watching", "new", "protected", "unknown", "warn", "warned", "remove"];

impl Report {
    fn of(household: &Household, settings: &Settings, state: &State, now: OffsetDateTime, at: OffsetDateTime) -> Self {
        let people: Vec<Row> = household
            .people
            .iter()
            .map(|person| {
                let mut person = person.clone();
                let judgement = foresee(&mut person, settings, now, at);
                let last_watched = match person.facts.history {
                    History::Kept(watched) => watched,
                    _ => None,
                };
                let (standing, reason) = describe(&judgement);
                Row {
                    id: person.id,
                    name: person.name.clone(),
                    email: person.email.clone(),
                    joined: person.facts.joined,
                    last_watched,
                    watching: person.facts.watching,
                    idle_days: judgement.idle_days,
                    standing,
                    reason,
                    next: judgement.next.map(|(step, at)| Next { step: step_word(step), at }),
                }
            })
            .collect();
        let count = |standing| Count { standing, people: people.iter().filter(|row| row.standing == standing).count() };
        let counts = STANDINGS.into_iter().map(count).filter(|count| count.people > 0).collect();
        Self {
            schema: 1,
            server: household.server.name.clone(),
            at,
            is_forecast: at > now,
            dry_run: settings.dry_run,
            warn_days: settings.rules.warn_days,
            kick_days: settings.rules.kick_days,
            people,
            counts,
            passes: vec![
                pass_report("welcome", state.last_welcome_scan, settings.welcome_every, settings.dry_run, now),
                pass_report("sweep", state.last_inactivity_scan, settings.sweep_every, settings.dry_run, now),
            ],
            waiting: state.outbox.notices().iter().map(waiting).collect(),
            warnings: warnings(household, settings, state, now),
        }
    }
}

/// Judges a person at `at`, if they watch nothing from `now` on: warnings that fall due until then are given. For
/// somebody who is to be removed by then, the next step tells when.
fn foresee(person: &mut Person, settings: &Settings, now: OffsetDateTime, at: OffsetDateTime) -> Judgement {
    if at <= now {
        return person.judge(settings, at);
    }
    if std::mem::take(&mut person.facts.watching)
        && let History::Kept(_) = person.facts.history
    {
        // Whoever watches now has, by then, last watched now.
        person.facts.history = History::Kept(Some(now));
    }
    if let Some(warning) = &mut person.facts.warned {
        // What waits in the outbox is on its way.
        warning.delivered.get_or_insert(now);
    }
    let mut time = now;
    loop {
        match person.judge(settings, time).next.filter(|(_, due)| *due <= at) {
            Some((Step::Removal, due)) => {
                return Judgement { next: Some((Step::Removal, due)), ..person.judge(settings, at) };
            }
            Some((step, due)) => {
                if step == Step::Warning {
                    person.facts.warned = Some(Warning { at: due, delivered: Some(due) });
                }
                time = due;
            }
            None => return person.judge(settings, at),
        }
    }
}

fn describe(judgement: &Judgement) -> (&'static str, Option<String>) {
    match &judgement.standing {
        Standing::Protected(protection) => ("protected", Some(protection_word(protection))),
        Standing::Watching => ("watching", None),
        Standing::Grace => ("new", None),
        Standing::CantTell(unknown) => ("unknown", Some(unknown_word(*unknown).to_owned())),
        Standing::Active => ("active", None),
        Standing::Warn => ("warn", None),
        Standing::Warned => ("warned", None),
        Standing::Remove => ("remove", None),
    }
}

fn protection_word(protection: &Protection) -> String {
    match protection {
        Protection::Owner => "owner".to_owned(),
        Protection::Admin => "admin".to_owned(),
        Protection::Vip(_) => "VIP".to_owned(),
        Protection::Whitelist { .. } => "whitelist".to_owned(),
        Protection::HomeUser => "Home user".to_owned(),
    }
}

fn unknown_word(unknown: Unknown) -> &'static str {
    match unknown {
        Unknown::NotInTautulli => "not in Tautulli yet",
        Unknown::HiddenInTautulli => "deleted in Tautulli",
        Unknown::HistoryNotKept => "no history kept",
        Unknown::NoJoinDate => "no join date yet",
    }
}

fn step_word(step: Step) -> &'static str {
    match step {
        Step::ProtectionEnds => "protection ends",
        Step::CountingStarts => "counting starts",
        Step::Warning => "warning",
        Step::Removal => "removal",
    }
}

fn pass_report(
    command: &'static str,
    last: Option<OffsetDateTime>,
    every: Duration,
    dry_run: bool,
    now: OffsetDateTime,
) -> PassReport {
    // Three times the cadence: one pass may have been slow, and one missed. A dry run leaves no trace to go by.
    let overdue = !dry_run && last.is_none_or(|last| now - last > every * 3);
    PassReport { command, last, every_seconds: every.whole_seconds(), overdue }
}

/// Whether a pass is overdue: three times its cadence, for one may have been slow, and one missed.
pub(super) fn is_overdue(last: Option<OffsetDateTime>, every: Duration, now: OffsetDateTime) -> bool {
    last.is_none_or(|last| now - last > every * 3)
}

fn waiting(notice: &state::Notice) -> Waiting {
    Waiting { notice: delivery::label(notice), since: notice.written, last_error: notice.last_error.clone() }
}

fn warnings(household: &Household, settings: &Settings, state: &State, now: OffsetDateTime) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(refusal) = household.refusal(state, now) {
        warnings.push(format!("A sweep would act on nobody now: {refusal}."));
    }
    let is_due = |person: &&Person| person.judge(settings, now).standing == Standing::Remove;
    let (due, limit) = (household.people.iter().filter(is_due).count(), settings.max_removals);
    if due > limit {
        warnings.push(format!("A sweep would remove nobody now: {}.", Refusal::TooMany { due, limit }));
    }
    warnings.extend(household.remarks.iter().cloned());
    // Whose share ended and who is there is back, or said to be so below.
    let is_there = |id: &u64| household.people.iter().any(|person| person.id == *id);
    let settled = |id: &u64, removed: &Removed| removed.is_finished() || (removed.ok && is_there(id));
    for (id, removed) in state.removed.iter().filter(|(id, removed)| !settled(id, removed)) {
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
    for person in household.people.iter().filter(|person| household::keeps_ended_share(person, state)) {
        warnings.push(format!(
            "Plex confirmed the end of the share of {}, and still lists it; if that stays so, end it by hand.",
            person.label()
        ));
    }
    if state.is_fresh() && !settings.dry_run {
        warnings.push("No live `welcome` has run yet: the first one records everybody without a mail.".to_owned());
    }
    warnings
}
