//! Carries out the steps of a plan, or in a dry run says them: the one place where something is done about somebody.

use time::OffsetDateTime;

use super::{pass::Pass, removal};
use crate::{
    error::Error,
    notify::Event,
    people::{Guest, People},
    plan::{Plan, Step, steps_for},
    state::{Seen, Warned},
    words,
};

/// What came of a plan. In a dry run: what would have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// People who were due to be warned or removed, whether or not that was done.
    pub due: usize,
    pub warned: usize,
    pub removed: usize,
    pub welcomed: usize,
    pub left: usize,
}

/// Carries a plan out, step by step; `people` is brought up to date with what is seen and done on the way. Before somebody is
/// warned or removed, Tautulli is asked once more for their newest play.
pub fn carry_out(plan: Plan, people: &mut People, pass: &mut Pass) -> Result<Tally, Error> {
    let mut tally = Tally { due: plan.held_back.len(), ..Tally::default() };
    for step in plan.steps {
        let is_due = matches!(step, Step::Warn { .. } | Step::Remove { .. });
        let is_begun = is_due || matches!(step, Step::Resume { .. } | Step::Welcome { .. });
        if is_begun && pass.should_stop() {
            tally.due += usize::from(is_due);
            continue;
        }
        let Some(steps) = look_again(step, people, pass) else {
            tally.due += usize::from(is_due);
            continue;
        };
        for step in steps {
            tally.due += usize::from(matches!(step, Step::Warn { .. } | Step::Remove { .. }));
            let is_done = if pass.settings.dry_run {
                say(&step, people, pass);
                true
            } else {
                perform(&step, people, pass)?
            };
            match step {
                Step::Warn { .. } => tally.warned += usize::from(is_done),
                Step::Remove { .. } => tally.removed += usize::from(is_done),
                Step::Welcome { .. } => tally.welcomed += usize::from(is_done),
                Step::MarkLeft { .. } => tally.left += usize::from(is_done),
                Step::Record { .. } | Step::ForgetWarning { .. } | Step::Resume { .. } | Step::CallOff { .. } => {}
            }
        }
    }
    Ok(tally)
}

/// What is still to be done by what Tautulli says now. None if that is not known: the next pass will see.
fn look_again(step: Step, people: &mut People, pass: &mut Pass) -> Option<Vec<Step>> {
    match step {
        Step::Warn { id, .. } | Step::Remove { id, .. } => {
            let is_warning = matches!(step, Step::Warn { .. });
            let guest = people.get(id)?;
            match look_closer(guest, pass) {
                Ok(guest) => {
                    let steps = steps_for(&guest, &pass.store.state, &pass.settings, pass.now);
                    people.replace(guest);
                    // A removal that the plan did not count has passed no limit: the next sweep plans it.
                    let is_uncounted = is_warning && steps.iter().any(|step| matches!(step, Step::Remove { .. }));
                    (!is_uncounted).then_some(steps)
                }
                Err(why) => {
                    let what = format!("{} is left alone for now: {why}", guest.label());
                    pass.fail("left alone", id, &what);
                    None
                }
            }
        }
        Step::Resume { id } => removal::look_again(id, pass).map(|step| vec![step]),
        step => Some(vec![step]),
    }
}

/// Asks Tautulli once more for somebody's newest play, one that is going on included.
///
/// # Errors
/// The call failed, or contradicts what is known: nothing is known about this person for now.
pub fn look_closer(guest: &Guest, pass: &Pass) -> Result<Guest, String> {
    let play = pass.tautulli.newest_play(guest.id).map_err(|error| error.to_string())?;
    guest.with_newest_play(play)
}

/// Says what a live pass would do.
fn say(step: &Step, people: &People, pass: &Pass) {
    let id = step.id();
    let guest = people.get(id).map_or_else(String::new, Guest::label);
    let (event, what) = match step {
        Step::Welcome { back, .. } => ("welcomed", format!("welcome{} {guest}", back_word(*back))),
        Step::Warn { idle_days, access_ends, .. } => {
            ("warned", format!("warn {}", warning(&guest, *idle_days, *access_ends)))
        }
        Step::Remove { idle_days, .. } => ("removed", format!("remove {guest}: {}", reason(*idle_days))),
        Step::Resume { .. } => {
            let name = pass.store.state.removed.get(&id).and_then(|removed| removed.name.as_deref());
            ("removal finished", format!("finish the removal of {} (id {id})", name.unwrap_or("somebody")))
        }
        Step::CallOff { .. } => ("removal called off", format!("call off the removal of {}", removal::label(id, pass))),
        // Nothing that a log should hold every two minutes.
        Step::Record { .. } | Step::MarkLeft { .. } | Step::ForgetWarning { .. } => return,
    };
    pass.tell(event, id, &format!("would {what}"));
}

/// Does it; false if that did not work, which is logged.
fn perform(step: &Step, people: &mut People, pass: &mut Pass) -> Result<bool, Error> {
    let guest = people.get(step.id());
    match (step, guest) {
        (Step::Record { why, .. }, Some(guest)) => Ok(record(guest, Some(why), false, pass)),
        (Step::Welcome { back, .. }, Some(guest)) => Ok(record(guest, None, *back, pass)),
        (&Step::Warn { idle_days, access_ends, .. }, Some(guest)) => {
            warn(guest, idle_days, access_ends, pass).map(|()| true)
        }
        (Step::Remove { id, idle_days }, Some(guest)) => {
            removal::note_intent(guest, reason(*idle_days), pass)?;
            removal::finish(*id, Some(guest), &people.server, pass)?;
            let is_done = pass.store.state.removed.get(id).is_some_and(|removed| removed.ok);
            if is_done {
                people.guests.retain(|guest| guest.id != *id);
            }
            Ok(is_done)
        }
        (Step::Resume { id }, _) => removal::resume(*id, &people.server, pass).map(|()| true),
        (Step::CallOff { id, why }, _) => removal::call_off(*id, why, pass).map(|()| true),
        (Step::MarkLeft { id }, _) => Ok(mark_left(*id, pass)),
        (Step::ForgetWarning { id }, _) => Ok(pass.store.state.warned.remove(id).is_some()),
        (Step::Record { .. } | Step::Welcome { .. } | Step::Warn { .. } | Step::Remove { .. }, None) => Ok(false),
    }
}

fn reason(idle_days: u32) -> String {
    format!("nothing watched for {}", words::days(idle_days))
}

fn back_word(back: bool) -> &'static str {
    if back { " back" } else { "" }
}

fn warning(guest: &str, idle_days: u32, access_ends: OffsetDateTime) -> String {
    format!("{guest}: {}; access ends {}", reason(idle_days), words::minute(access_ends))
}

fn warn(guest: &Guest, idle_days: u32, access_ends: OffsetDateTime, pass: &mut Pass) -> Result<(), Error> {
    let id = guest.id;
    pass.tell("warned", id, &format!("warned {}", warning(&guest.label(), idle_days, access_ends)));
    pass.announce(&Event::Warned {
        who: guest.who(),
        idle_days,
        access_ends,
        days_left: words::days_until(access_ends, pass.now),
        last_watched: guest.last_watched(),
    });
    let warned = Warned { name: Some(guest.name.clone()), when: pass.now, delivered: None };
    pass.store.state.warned.insert(id, warned);
    pass.store.save()
}

/// Puts somebody on record, and welcomes them unless there is a reason not to; says whether that worked.
fn record(guest: &Guest, why_silently: Option<&str>, back: bool, pass: &mut Pass) -> bool {
    if let Err(error) = let_tautulli_record(guest, pass) {
        let what = if why_silently.is_some() { "on record" } else { "welcomed" };
        let label = guest.label();
        let what = format!("{label} is back, and is {what} once Tautulli records them again: {error}");
        pass.fail("left alone", guest.id, &what);
        return false;
    }
    let seen = Seen { name: Some(guest.name.clone()), when: pass.now, share: Some(guest.share) };
    let state = &mut pass.store.state;
    state.welcomed.insert(guest.id, seen);
    state.gone.remove(&guest.id);
    state.removed.remove(&guest.id);
    if let Some(why) = why_silently {
        log::debug!(id = guest.id; "recorded {} without a mail: {why}", guest.label());
        return true;
    }
    // It is of an earlier stay.
    state.warned.remove(&guest.id);
    let joined = guest.accepted.map_or_else(|| "at a time that Plex doesn't tell".to_owned(), words::minute);
    pass.tell("welcomed", guest.id, &format!("welcomed{} {}, who joined {joined}", back_word(back), guest.label()));
    let rules = pass.settings.rules;
    pass.announce(&Event::Joined { who: guest.who(), warn_days: rules.warn_days, kick_days: rules.kick_days });
    true
}

/// Undeletes in Tautulli whoever this program deleted there. Otherwise they would never be recorded, and in a month look idle
/// however much they watch.
fn let_tautulli_record(guest: &Guest, pass: &mut Pass) -> Result<(), Error> {
    match pass.store.state.removed.get(&guest.id) {
        // A deletion that is noted as still to do may have taken effect all the same.
        Some(removed) if removed.tautulli_deleted || pass.tautulli.is_deleted(guest.id)? => {
            pass.tautulli.undelete(guest.id)?;
            let seen = Seen { name: Some(guest.name.clone()), when: pass.now, share: None };
            pass.store.state.unrecorded.insert(guest.id, seen);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn mark_left(id: u64, pass: &mut Pass) -> bool {
    let state = &mut pass.store.state;
    let Some(seen) = state.welcomed.remove(&id) else { return false };
    log::debug!(id; "{} (id {id}) has no share any more", seen.name.as_deref().unwrap_or("somebody"));
    state.gone.insert(id, Seen { when: pass.now, ..seen });
    true
}
