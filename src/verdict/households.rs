//! Years of random households through the rule, and through the plan, against a naive model of both.

use plex_prune_standins::{
    model::{Due, Guest, Rule},
    stories::{Deed, Life, Story, Tally, Trouble, any_rule, run, story},
};
use time::{Duration, OffsetDateTime, macros::datetime};

use super::{Facts, History, Protection, Rules, Standing, Warning, judge};

const BEGINNING: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

pub fn at(hour: i64) -> OffsetDateTime {
    BEGINNING + Duration::hours(hour)
}

/// Somebody as the services and the state know them: in dates.
#[derive(Default)]
pub struct Known {
    pub joined: Option<OffsetDateTime>,
    pub newest_play: Option<OffsetDateTime>,
    pub protected_until: Option<time::Date>,
    pub warned: Option<Warning>,
}

/// What the program would do about somebody in this story at this hour.
pub type Decide = fn(&Guest, &Known, &Story, i64) -> Due;

const YEAR: i64 = 365 * 24;

#[test]
fn thousands_of_households_live_through_a_year_by_the_rule_and_by_a_naive_model_of_it() {
    let by_the_rule = |story: &Story, tally: &mut Tally| live_through(story, tally, by_the_rule);
    let tally = run(2000, 1, story(any_rule(40), YEAR, 4, 20..=30), by_the_rule);
    assert!(tally.warnings > 5000 && tally.removals > 2500 && tally.returns > 1000, "{tally:?}");
}

fn by_the_rule(guest: &Guest, known: &Known, story: &Story, hour: i64) -> Due {
    match judge(&facts(guest, known, story), &rules(&story.rule), at(hour)).standing {
        Standing::Remove => Due::Removal,
        Standing::Warn => Due::Warning,
        _ => Due::Nothing,
    }
}

/// Lives through a story; what is decided about everybody in each pass has to be what the model says.
pub fn live_through(story: &Story, tally: &mut Tally, decide: Decide) -> Result<(), String> {
    let cut_off = cut_off_times(story);
    for (number, life) in story.lives.iter().enumerate() {
        live(story, number, life, &cut_off, tally, decide)?;
    }
    Ok(())
}

/// Between which passes Tautulli records nothing.
fn cut_off_times(story: &Story) -> Vec<(i64, i64)> {
    let ends = story.passes.iter().skip(1).map(|(time, _, _)| *time).chain([i64::MAX]);
    let spans = story.passes.iter().zip(ends).filter(|((_, trouble, _), _)| *trouble == Trouble::CutOff);
    spans.map(|((from, _, _), to)| (*from, to)).collect()
}

fn live(
    story: &Story,
    number: usize,
    life: &Life,
    cut_off: &[(i64, i64)],
    tally: &mut Tally,
    decide: Decide,
) -> Result<(), String> {
    let rule = &story.rule;
    let mut guest = Guest { vip: life.vip, kept: life.kept, ..Guest::default() };
    let mut known = Known::default();
    let oldest = life.watched_before.iter().chain(&life.joined_before).max().copied().unwrap_or_default();
    let mut deeds = life.deeds.iter().peekable();
    let mut passes = story.passes.iter().peekable();
    let end = story.passes.last().map_or(0, |(time, _, _)| *time);
    for hour in -oldest..=end {
        if hour > -oldest {
            guest.hour(rule, hour > -story.recording_since);
        }
        if hour <= 0 && life.joined_before == Some(-hour) {
            guest.joins();
            guest.home = life.home;
            known.joined = Some(at(hour));
        }
        let is_recording =
            || hour >= -story.recording_since && !cut_off.iter().any(|(from, to)| (*from..*to).contains(&hour));
        if hour <= 0 && life.watched_before.contains(&-hour) && is_recording() {
            // Before they joined this is of an earlier stay.
            guest.watches();
            known.newest_play = Some(at(hour));
        }
        while let Some((_, deed)) = deeds.next_if(|(time, _)| *time == hour) {
            match deed {
                Deed::Watches if is_recording() && guest.here => {
                    guest.watches();
                    known.newest_play = Some(at(hour));
                }
                Deed::Watches => {}
                Deed::ComesOrGoes if guest.here => guest.goes(),
                Deed::ComesOrGoes => {
                    tally.returns += usize::from(known.joined.is_some());
                    guest.joins();
                    known.joined = Some(at(hour));
                }
                Deed::Spared(days) => {
                    let until = at(hour).date() + Duration::days(*days);
                    known.protected_until = Some(until);
                    let end = until.next_day().unwrap().midnight().assume_utc();
                    guest.is_spared_for((end - at(hour)).whole_hours());
                }
            }
        }
        while let Some((_, trouble, watching)) = passes.next_if(|(time, _, _)| *time == hour) {
            if guest.here {
                guest.watching = watching.get(number) == Some(&true);
                pass(story, (hour, *trouble), &mut guest, &mut known, tally, decide)?;
                if std::mem::take(&mut guest.watching) && is_recording() {
                    guest.watches();
                    known.newest_play = Some(at(hour));
                }
            }
        }
    }
    Ok(())
}

pub fn rules(rule: &Rule) -> Rules {
    Rules {
        warn_days: u32::try_from(rule.warn).unwrap(),
        kick_days: u32::try_from(rule.kick).unwrap(),
        warn_first: rule.warn_first,
        prune_home_users: rule.prune_home,
    }
}

/// What a sweep knows of somebody.
fn facts(guest: &Guest, known: &Known, story: &Story) -> Facts {
    let mut protections = Vec::new();
    if guest.vip {
        protections.push(Protection::Vip("vip".to_owned()));
    }
    if guest.home {
        protections.push(Protection::HomeUser);
    }
    protections.extend(known.protected_until.map(|until| Protection::Whitelist { until: Some(until) }));
    Facts {
        protections,
        watching: guest.watching,
        joined: known.joined,
        revoked: false,
        history: if guest.kept { History::Kept(known.newest_play) } else { History::NotKept },
        record_begins: Some(at(-story.recording_since)),
        unrecorded_until: None,
        warned: known.warned,
    }
}

fn pass(
    story: &Story,
    (hour, trouble): (i64, Trouble),
    guest: &mut Guest,
    known: &mut Known,
    tally: &mut Tally,
    decide: Decide,
) -> Result<(), String> {
    let rule = &story.rule;
    let (due, decided) = (guest.due(rule), decide(guest, known, story, hour));
    if decided != due {
        return Err(format!("at hour {hour} the model says {due:?}, and the program {decided:?}, of {guest:?}"));
    }
    if matches!(trouble, Trouble::Plex | Trouble::Tautulli | Trouble::History | Trouble::CutOff) {
        return Ok(());
    }
    match due {
        Due::Removal => {
            guest.had_their_chances(rule)?;
            if trouble != Trouble::End {
                tally.removals += 1;
                guest.goes();
                // The program deletes them from Tautulli.
                *known = Known { joined: known.joined, protected_until: known.protected_until, ..Known::default() };
            }
            return Ok(());
        }
        Due::Warning => {
            tally.warnings += 1;
            guest.warned = true;
            known.warned = Some(Warning { at: at(hour), delivered: None });
        }
        Due::Nothing => {}
    }
    let is_owed = guest.warned && guest.told.is_none() && !guest.is_protected(rule) && !guest.watching;
    if is_owed && trouble != Trouble::Mail {
        guest.told = Some(0);
        if let Some(warned) = &mut known.warned {
            warned.delivered = Some(at(hour));
        }
    }
    Ok(())
}
