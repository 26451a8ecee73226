//! What a pass is to do, computed purely from what the services said, the state, the settings and the time. `status` shows
//! the plan, a dry run prints it, a live pass carries it out, and `verify` says by it who is due.

mod refusal;
#[cfg(test)]
mod tests;

use time::OffsetDateTime;

use crate::{
    config::Settings,
    notify::not_due,
    people::{Guest, Names, People, protections},
    services::Snapshot,
    state::{Removed, State},
    verdict::Standing,
};

pub use refusal::Refusal;

/// One thing to be done about one person (a Plex id).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Put somebody on record without a mail, and why.
    Record { id: u64, why: &'static str },
    /// Welcome somebody who is new; `back`: after a removal.
    Welcome { id: u64, back: bool },
    /// Note that somebody on record has no share any more.
    MarkLeft { id: u64 },
    /// Tell somebody that access ends then (UTC) if they watch nothing.
    Warn { id: u64, idle_days: u32, access_ends: OffsetDateTime },
    /// Forget a warning: the spell of idleness that it was about has ended.
    ForgetWarning { id: u64 },
    /// End somebody's access.
    Remove { id: u64, idle_days: u32 },
    /// Go on with a removal whose share Plex does not list any more.
    Resume { id: u64 },
    /// Take back the intent to remove somebody, and why.
    CallOff { id: u64, why: String },
}

impl Step {
    pub fn id(&self) -> u64 {
        match *self {
            Self::Record { id, .. }
            | Self::Welcome { id, .. }
            | Self::MarkLeft { id }
            | Self::Warn { id, .. }
            | Self::ForgetWarning { id }
            | Self::Remove { id, .. }
            | Self::Resume { id }
            | Self::CallOff { id, .. } => id,
        }
    }
}

/// What a pass is to do, and what it holds back.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the order in which they are carried out.
    pub steps: Vec<Step>,
    /// What would be done but for `refusal`.
    pub held_back: Vec<Step>,
    /// Why the pass acts on nobody, or (the brake) removes nobody.
    pub refusal: Option<Refusal>,
    /// The Plex ids of those whose share was ended, as Plex confirmed, and who are listed all the same.
    pub still_listed: Vec<u64>,
    /// What the owner should know, for it could cost somebody their access.
    pub remarks: Vec<String>,
}

impl Plan {
    /// The Plex ids of those who are due to be warned, held back or not.
    pub fn to_warn(&self) -> impl Iterator<Item = u64> {
        self.all().filter(|step| matches!(step, Step::Warn { .. })).map(Step::id)
    }

    /// The Plex ids of those who are due to be removed, held back or not.
    pub fn to_remove(&self) -> impl Iterator<Item = u64> {
        self.all().filter(|step| matches!(step, Step::Remove { .. })).map(Step::id)
    }

    pub fn is_anybody_due(&self) -> bool {
        self.to_warn().chain(self.to_remove()).next().is_some()
    }

    /// Whether nobody is acted on at all, and not just nobody removed.
    pub fn holds_everything_back(&self) -> bool {
        self.refusal.as_ref().is_some_and(|refusal| !matches!(refusal, Refusal::TooMany { .. }))
    }

    /// Whether more has to be asked before this can be carried out: everything that may speak for somebody who is due, or
    /// whose removal is gone on with though their share may not have ended.
    pub fn needs_evidence(&self, state: &State) -> bool {
        let has_ended = |id: &u64| state.removed.get(id).is_some_and(|removed| removed.ok);
        self.is_anybody_due() || self.steps.iter().any(|step| matches!(step, Step::Resume { id } if !has_ended(id)))
    }

    fn all(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().chain(&self.held_back)
    }

    fn refused(mut self, refusal: Option<Refusal>) -> Self {
        if refusal.is_some() {
            self.held_back = std::mem::take(&mut self.steps);
            self.refusal = refusal;
        }
        self
    }
}

/// The plan of a `sweep`: warnings and removals, after what an earlier pass left unfinished.
pub fn sweep(people: &People, snapshot: &Snapshot, state: &State, settings: &Settings, now: OffsetDateTime) -> Plan {
    let mut steps: Vec<Step> = state
        .removed
        .iter()
        .filter_map(|(&id, removed)| resume(id, removed, people, snapshot, state, settings, now))
        .collect();
    steps.extend(people.guests.iter().flat_map(|guest| steps_for(guest, state, settings, now)));
    let still_listed = people.guests.iter().filter(|guest| guest.facts.revoked).map(|guest| guest.id).collect();
    let libraries = snapshot.libraries.as_ref().and_then(|answer| answer.as_ref().ok()).into_iter().flatten();
    let remarks = people.unmatched(settings, state, now).into_iter().map(|entry| entry.to_string());
    let remarks = remarks.chain(libraries.map(|library| {
        format!("Tautulli keeps no history of the library \"{library}\": whoever watches only there looks idle")
    }));
    let plan = Plan { steps, still_listed, remarks: remarks.collect(), ..Plan::default() };
    match Refusal::of_evidence(people, snapshot, state, now) {
        Some(refusal) => plan.refused(Some(refusal)),
        None => plan.braked(settings.max_removals),
    }
}

impl Plan {
    /// Holds all removals back if there are more than `limit`. What was begun is finished all the same.
    fn braked(mut self, limit: usize) -> Self {
        let due = self.to_remove().count();
        if due > limit {
            let (removals, others) = self.steps.into_iter().partition(|step| matches!(step, Step::Remove { .. }));
            self.steps = others;
            self.held_back = removals;
            self.refusal = Some(Refusal::TooMany { due, limit });
        }
        self
    }
}

/// What a sweep does about somebody who has access.
pub fn steps_for(guest: &Guest, state: &State, settings: &Settings, now: OffsetDateTime) -> Vec<Step> {
    let id = guest.id;
    let judgement = guest.judge(&settings.rules, now);
    let idle_days = judgement.idle_days.unwrap_or_default();
    match judgement.standing {
        Standing::Warn => {
            vec![Step::Warn { id, idle_days, access_ends: judgement.access_ends.unwrap_or(now) }]
        }
        Standing::Remove => vec![Step::Remove { id, idle_days }],
        standing => {
            let is_intended = state.removed.get(&id).is_some_and(|removed| !removed.ok);
            let call_off = is_intended.then(|| Step::CallOff { id, why: not_due(&standing, guest.last_watched()) });
            let is_over = standing == Standing::Active && state.warned.contains_key(&id);
            call_off.into_iter().chain(is_over.then_some(Step::ForgetWarning { id })).collect()
        }
    }
}

/// What a sweep does about a removal of an earlier pass. Whoever is listed is judged with everybody else, or is back after
/// an invitation, which is for `welcome` to see.
fn resume(
    id: u64,
    removed: &Removed,
    people: &People,
    snapshot: &Snapshot,
    state: &State,
    settings: &Settings,
    now: OffsetDateTime,
) -> Option<Step> {
    if removed.is_finished() || people.get(id).is_some() {
        return None;
    }
    // The share may have ended with an answer that was lost, or Plex's list has a hole. Whoever is protected by now is not to
    // lose anything more.
    let names = removed.names.iter().chain(&removed.name).chain(&removed.email).map(String::as_str);
    let home = snapshot.home.as_ref().and_then(|answer| answer.as_ref().ok());
    let in_home = home.is_some_and(|members| members.contains(&id));
    let protections = protections(id, &Names::of(id, names), in_home, settings, state);
    let is_protected = protections.iter().any(|protection| protection.holds(&settings.rules, now));
    Some(match is_protected && !removed.ok {
        true => Step::CallOff { id, why: "they are protected now".to_owned() },
        false => Step::Resume { id },
    })
}

/// The plan of a `welcome`: who is new, and who left.
pub fn welcome(people: &People, state: &State, settings: &Settings, now: OffsetDateTime) -> Plan {
    let arrivals = people.guests.iter().filter_map(|guest| arrival(guest, state, settings, now));
    let is_gone = |id: &u64| people.get(*id).is_none() && !state.removed.contains_key(id);
    let gone = state.welcomed.keys().copied().filter(is_gone).map(|id| Step::MarkLeft { id });
    let plan = Plan { steps: arrivals.chain(gone).collect(), ..Plan::default() };
    plan.refused(Refusal::of_list(people, state, now))
}

/// What a welcome does about somebody who has access, if they are not on record.
fn arrival(guest: &Guest, state: &State, settings: &Settings, now: OffsetDateTime) -> Option<Step> {
    let id = guest.id;
    let record = |why| Some(Step::Record { id, why });
    let removed = state.removed.get(&id);
    if state.welcomed.contains_key(&id) {
        None
    } else if state.gone.get(&id).is_some_and(|gone| is_same_share(guest, gone.share, gone.when)) {
        record("the share was only missing from Plex's list for a while")
    } else if removed.is_some_and(|gone| is_same_share(guest, gone.share, gone.when)) {
        // A removal has ended it or is about to: it only looks as if they were back.
        None
    } else if let Standing::Protected(_) = guest.judge(&settings.rules, now).standing {
        record("protected")
    } else if state.is_fresh() && removed.is_none() {
        record("first pass")
    } else {
        Some(Step::Welcome { id, back: removed.is_some() })
    }
}

/// Whether somebody's share is the one that was there before, and not a new one after an invitation. Where the share was
/// not noted (an original daemon doesn't), the day they joined tells.
fn is_same_share(guest: &Guest, noted: Option<u64>, when: OffsetDateTime) -> bool {
    match noted {
        Some(share) => share == guest.share,
        None => guest.accepted.is_some_and(|accepted| accepted < when),
    }
}
