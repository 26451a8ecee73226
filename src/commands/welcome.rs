use std::collections::HashSet;

use time::OffsetDateTime;

use super::pass::{Pass, vouch_for_nobody};
use crate::{
    cli::{self, Cli},
    config::Environment,
    delivery::Word,
    error::{CommandError, Exit},
    household::{self, Guests, Person, keeps_ended_share},
    http::ServiceError,
    logging::EVENT,
    notify::{Channel, Event},
    state::{Notice, Seen},
    verdict::Standing,
    words,
};

/// Finds people who joined since the last pass, welcomes them, and notes who left.
pub(super) fn run(args: &cli::Welcome, cli: &Cli, environment: &Environment) -> Result<Exit, CommandError> {
    let mut pass = Pass::begin("plex-prune welcome", &args.dry_run, cli, environment)?;
    let guests = match Guests::ask(&pass.plex, &pass.settings, &pass.store.state) {
        Ok(guests) => guests,
        Err(error) => {
            if error.is_outage() {
                pass.deliver_in_outage()?;
            }
            return Err(error);
        }
    };
    if let Some(refusal) = household::missing(&guests.people, &pass.store.state, pass.now) {
        pass.refuse(&refusal)?;
        pass.deliver(vouch_for_nobody)?;
        return Ok(pass.exit());
    }
    let first = pass.store.state.is_fresh();
    let mut welcomed = 0;
    for person in &guests.people {
        let recorded = match Arrival::of(person, first, &pass) {
            Arrival::Known => continue,
            Arrival::Recorded(why) => Some(why),
            Arrival::New => None,
        };
        if pass.settings.dry_run {
            if recorded.is_none() {
                let back = back(person, &pass);
                pass.only_says("welcomed", person.id, || format!("welcome{back} {}", person.label()));
                welcomed += 1;
            }
        } else if recorded.is_some() || !pass.is_over() {
            // Whom a stopped pass doesn't come to is still new in the next one.
            welcomed += usize::from(admit(person, recorded, &mut pass) && recorded.is_none());
        }
    }
    let left = note_who_left(&guests.people, &mut pass);
    pass.trusts_the_evidence();
    if first {
        let people = words::count(guests.people.len(), "person", "people");
        if pass.settings.dry_run {
            // Nothing that a log should hold every two minutes.
            log::info!("would record {people} without a mail: this is the first pass");
        } else {
            log::info!(target: EVENT, event = "first pass"; "first pass: recorded {people} without a mail; whoever joins from now on is welcomed");
        }
    }
    if first || !pass.cut_short {
        pass.store.state.last_welcome_scan = Some(pass.now);
    }
    pass.saw(&guests.server, guests.people.len());
    pass.store.save()?;
    let state = &pass.store.state;
    let lagging = guests.people.iter().filter(|person| keeps_ended_share(person, state)).map(|person| person.id);
    let lagging: HashSet<u64> = lagging.collect();
    let sent = pass.deliver(|notice| vouch(notice, &guests.people, &lagging))?.sent;
    let dry = if pass.settings.dry_run { "dry " } else { "" };
    let people = words::count(guests.people.len(), "person", "people");
    let nobody = welcomed == 0 && !pass.cut_short;
    let mut parts = vec![if nobody { "nobody is new".to_owned() } else { format!("{welcomed} new") }];
    if left > 0 {
        parts.push(format!("{left} left"));
    }
    if sent > 0 {
        parts.push(format!("{} sent", words::count(sent, "notice", "notices")));
    }
    log::info!("{dry}welcome for {people} on {}: {}", guests.server.name, parts.join(", "));
    Ok(pass.exit())
}

/// What somebody on Plex's list is to this pass.
enum Arrival {
    /// On record.
    Known,
    /// To be recorded without a mail, and why.
    Recorded(&'static str),
    /// To be welcomed.
    New,
}

impl Arrival {
    fn of(person: &Person, first: bool, pass: &Pass) -> Self {
        let state = &pass.store.state;
        if state.welcomed.contains_key(&person.id) {
            Self::Known
        } else if state.gone.get(&person.id).is_some_and(|gone| is_same_share(person, gone.share, gone.when)) {
            Self::Recorded("the share was only missing from Plex's list for a while")
        } else if state.removed.get(&person.id).is_some_and(|gone| is_same_share(person, gone.share, gone.when)) {
            // A removal has ended it or is about to: it only looks as if they were back.
            Self::Known
        } else if let Standing::Protected(_) = person.judge(&pass.settings, pass.now).standing {
            Self::Recorded("protected")
        } else if first && !state.removed.contains_key(&person.id) {
            Self::Recorded("first pass")
        } else {
            Self::New
        }
    }
}

/// Whether somebody's share is the one that was there before, and not a new one after an invitation. Where the share was
/// not noted (an original daemon doesn't), the day they joined tells.
fn is_same_share(person: &Person, noted: Option<u64>, when: OffsetDateTime) -> bool {
    match noted {
        Some(share) => share == person.share,
        None => person.accepted.is_some_and(|accepted| accepted < when),
    }
}

/// Records somebody, and welcomes them unless they are only `recorded`; says whether that worked.
fn admit(person: &Person, recorded: Option<&str>, pass: &mut Pass) -> bool {
    let back = back(person, pass);
    if let Err(error) = let_tautulli_record(person, pass) {
        let what = if recorded.is_some() { "on record" } else { "welcomed" };
        pass.fail(
            "left alone",
            person.id,
            format_args!("{} is back, and is {what} once Tautulli records them again: {error}", person.label()),
        );
        return false;
    }
    record(person, pass);
    if let Some(why) = recorded {
        log::debug!(id = person.id; "recorded {} without a mail: {why}", person.label());
        return true;
    }
    // It is of an earlier stay.
    pass.store.state.warned.remove(&person.id);
    log::info!(target: EVENT, event = "welcomed", id = person.id; "welcomed{back} {}, who joined {}", person.label(), match person.accepted {
        Some(accepted) => words::minute(accepted),
        None => "at a time that Plex doesn't tell".to_owned(),
    });
    let rules = pass.settings.rules;
    pass.announce(&Event::Joined { who: person.who(), warn_days: rules.warn_days, kick_days: rules.kick_days });
    true
}

/// What a welcome says more to somebody who was removed before.
fn back(person: &Person, pass: &Pass) -> &'static str {
    if pass.store.state.removed.contains_key(&person.id) { " back" } else { "" }
}

/// Undeletes in Tautulli whom this program deleted there. Otherwise they would never be recorded, and in a month look idle
/// however much they watch.
fn let_tautulli_record(person: &Person, pass: &mut Pass) -> Result<(), ServiceError> {
    match pass.store.state.removed.get(&person.id) {
        // A deletion that is noted as still to do may have taken effect all the same.
        Some(removed) if removed.tautulli_deleted || pass.tautulli.is_deleted(person.id)? => {
            pass.tautulli.undelete(person.id)?;
            let seen = Seen { name: Some(person.name.clone()), when: pass.now, share: None };
            pass.store.state.unrecorded.insert(person.id, seen);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn record(person: &Person, pass: &mut Pass) {
    let seen = Seen { name: Some(person.name.clone()), when: pass.now, share: Some(person.share) };
    let state = &mut pass.store.state;
    state.welcomed.insert(person.id, seen);
    state.gone.remove(&person.id);
    state.removed.remove(&person.id);
}

/// Marks whoever is on record and not on Plex's list any more; returns how many.
fn note_who_left(people: &[Person], pass: &mut Pass) -> usize {
    let state = &mut pass.store.state;
    let is_gone = |id: &u64| !people.iter().any(|person| person.id == *id) && !state.removed.contains_key(id);
    let gone: Vec<u64> = state.welcomed.keys().copied().filter(is_gone).collect();
    for id in &gone {
        if let Some(seen) = state.welcomed.remove(id) {
            log::debug!(id; "{} (id {id}) has no share any more", seen.name.as_deref().unwrap_or("somebody"));
            state.gone.insert(*id, Seen { when: pass.now, ..seen });
        }
    }
    gone.len()
}

/// A `welcome` knows who is on Plex, not what they watched: warnings wait for the sweep.
/// `lagging` are those whose share Plex still lists after it ended.
fn vouch(notice: &Notice, people: &[Person], lagging: &HashSet<u64>) -> Word {
    let (Channel::Person, Some(who)) = (notice.to, notice.event.who()) else { return Word::Send };
    let has_share = people.iter().any(|person| person.id == who.id);
    match &notice.event {
        Event::Removed { .. } if lagging.contains(&who.id) => Word::Wait,
        Event::Joined { .. } if has_share => Word::Send,
        Event::Joined { .. } => Word::Drop("they have left".to_owned()),
        Event::Removed { .. } if has_share => Word::Drop("they have access".to_owned()),
        Event::Removed { .. } => Word::Send,
        _ => Word::Wait,
    }
}
