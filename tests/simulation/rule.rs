//! Years of households through the program's own rule, without the program around it.

use plex_prune::verdict::{Facts, History, Protection, Rules, Standing, Warning, judge};
use time::{Duration, OffsetDateTime, macros::datetime};

use crate::support::model::{Due, Guest, Rule};
use crate::support::stories::{Deed, Life, Story, Tally, Trouble};

const BEGINNING: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

pub(crate) fn at(hour: i64) -> OffsetDateTime {
    BEGINNING + Duration::hours(hour)
}

/// Somebody as the services and the state know them: in dates.
#[derive(Default)]
struct Known {
    joined: Option<OffsetDateTime>,
    newest_play: Option<OffsetDateTime>,
    spared_until: Option<time::Date>,
    warned: Option<Warning>,
}

/// Lives through a story; every verdict has to be the model's.
pub(crate) fn live_through(story: &Story, tally: &mut Tally) -> Result<(), String> {
    let cut_off = cut_off_times(story);
    for (number, life) in story.lives.iter().enumerate() {
        live(story, number, life, &cut_off, tally)?;
    }
    Ok(())
}

/// Between which passes Tautulli records nothing.
fn cut_off_times(story: &Story) -> Vec<(i64, i64)> {
    let ends = story.passes.iter().skip(1).map(|(time, _, _)| *time).chain([i64::MAX]);
    let spans = story.passes.iter().zip(ends).filter(|((_, trouble, _), _)| *trouble == Trouble::CutOff);
    spans.map(|((from, _, _), to)| (*from, to)).collect()
}

fn live(story: &Story, number: usize, life: &Life, cut_off: &[(i64, i64)], tally: &mut Tally) -> Result<(), String> {
    let rule = &story.rule;
    let rules = rules(rule);
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
                    known.spared_until = Some(until);
                    let end = until.next_day().unwrap().midnight().assume_utc();
                    guest.is_spared_for((end - at(hour)).whole_hours());
                }
            }
        }
        while let Some((_, trouble, watching)) = passes.next_if(|(time, _, _)| *time == hour) {
            if guest.here {
                guest.watching = watching.get(number) == Some(&true);
                pass(rule, &rules, *trouble, hour, story, &mut guest, &mut known, tally)?;
                if std::mem::take(&mut guest.watching) && is_recording() {
                    guest.watches();
                    known.newest_play = Some(at(hour));
                }
            }
        }
    }
    Ok(())
}

fn rules(rule: &Rule) -> Rules {
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
    protections.extend(known.spared_until.map(|until| Protection::Whitelist { until: Some(until) }));
    Facts {
        protections,
        watching: guest.watching,
        joined: known.joined,
        history: if guest.kept { History::Kept(known.newest_play) } else { History::NotKept },
        record_begins: Some(at(-story.recording_since)),
        unrecorded_until: None,
        warned: known.warned,
    }
}

#[allow(clippy::too_many_arguments)]
fn pass(
    rule: &Rule,
    rules: &Rules,
    trouble: Trouble,
    hour: i64,
    story: &Story,
    guest: &mut Guest,
    known: &mut Known,
    tally: &mut Tally,
) -> Result<(), String> {
    let standing = judge(&facts(guest, known, story), rules, at(hour)).standing;
    let due = guest.due(rule);
    let judged = match standing {
        Standing::Remove => Due::Removal,
        Standing::Warn => Due::Warning,
        _ => Due::Nothing,
    };
    if judged != due {
        return Err(format!("at hour {hour} the model says {due:?}, and the rule {standing:?}, of {guest:?}"));
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
                *known = Known { joined: known.joined, spared_until: known.spared_until, ..Known::default() };
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
