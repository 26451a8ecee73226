use std::{collections::HashSet, thread};

use super::{
    pass::{Pass, vouch_for_nobody},
    removal,
};
use crate::{
    cli::{self, Cli},
    config::{Environment, Settings},
    delivery::Word,
    error::{CommandError, Error, Exit},
    household::{Household, Person, both, join, keeps_ended_share, look_closer},
    logging::EVENT,
    notify::{Channel, Event},
    refusal::Refusal,
    state::{Notice, Seen, State, Warned},
    verdict::{History, Judgement, Standing},
    words,
};

/// Warns and removes whoever is due, after finishing what an earlier pass left unfinished.
pub(super) fn run(args: &cli::Sweep, cli: &Cli, environment: &Environment) -> Result<Exit, CommandError> {
    let mut pass = Pass::begin("plex-prune sweep", &args.dry_run, cli, environment)?;
    pass.settings.max_removals = args.max_removals.unwrap_or(pass.settings.max_removals);
    let mut household = match gather(&pass) {
        Ok(household) => household,
        Err(error) => {
            if error.is_outage() {
                pass.deliver_in_outage()?;
            }
            return Err(error);
        }
    };
    let people = household.people.len();
    for remark in &household.remarks {
        // With somebody due, it is not the time to be quiet about a typo.
        match household.people.iter().any(|person| is_due(person, &pass)) {
            true => log::warn!(target: EVENT, "{remark}"),
            false => log::warn!("{remark}"),
        }
    }
    let mut tally = Tally::default();
    if let Some(refusal) = household.refusal(&pass.store.state, pass.now) {
        pass.refuse(&refusal)?;
        end_scan(&mut pass)?;
        pass.deliver(vouch_for_nobody)?;
    } else {
        pass.trusts_the_evidence();
        finish_removals(&household, &mut pass)?;
        tally = act(&mut household, &mut pass)?;
        note_unrecorded(&household, &mut pass);
        pass.saw(&household.server, household.people.len());
        end_scan(&mut pass)?;
        let unsure = whom_nothing_is_known_of(&mut household, &mut pass);
        redate_waiting_warnings(&household, &mut pass);
        let (settings, now) = (pass.settings.clone(), pass.now);
        tally.sent = pass.deliver(|notice| vouch(notice, &household, &unsure, &settings, now))?.sent;
        forget_lost_warnings(&mut pass)?;
    }
    log::info!("{}", summary(people, &tally, &household, &pass));
    Ok(pass.exit())
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    due: usize,
    warned: usize,
    removed: usize,
    sent: usize,
}

/// Everybody with what is known of them. If somebody looks due, what else bears on that is asked for: since when
/// Tautulli has been recording, and who belongs to the Plex Home.
fn gather(pass: &Pass) -> Result<Household, CommandError> {
    let mut household = Household::gather(&pass.plex, &pass.tautulli, &pass.settings, &pass.store.state, pass.now)?;
    if household.refusal(&pass.store.state, pass.now).is_none()
        && household.people.iter().any(|person| is_due(person, pass))
    {
        let (begins, members) = thread::scope(|scope| {
            let members = scope.spawn(|| pass.plex.home_users());
            (pass.tautulli.recording_since(pass.now), join(members))
        });
        let (begins, members) = both(begins, members)?;
        household.record_begins(begins);
        household.in_home(&members);
    }
    Ok(household)
}

fn is_due(person: &Person, pass: &Pass) -> bool {
    matches!(person.judge(&pass.settings, pass.now).standing, Standing::Warn | Standing::Remove)
}

/// Goes on with the removals that an earlier pass began. Those whose share has not ended are judged with everybody else.
fn finish_removals(household: &Household, pass: &mut Pass) -> Result<(), Error> {
    let all: Vec<u64> = pass.store.state.removed.keys().copied().collect();
    for id in all {
        let Some(removed) = pass.store.state.removed.get(&id).cloned() else { continue };
        let listed = household.people.iter().find(|person| person.id == id);
        let name = removed.name.as_deref().unwrap_or("somebody");
        match listed {
            Some(person) if keeps_ended_share(person, &pass.store.state) => pass.fail(
                "removal unfinished",
                id,
                format_args!(
                    "Plex confirmed the end of the share of {}, and still lists it; if that stays so, end it by hand",
                    person.label()
                ),
            ),
            // To be judged; or back after an invitation, which is for `welcome` to see.
            Some(_) => {}
            None if removed.is_finished() => {}
            None if pass.only_says("removal finished", id, || format!("finish the removal of {name} (id {id})")) => {}
            None if pass.is_over() => {}
            None => {
                if !removed.ok && !removal::is_still_meant(id, &removed, pass)? {
                    continue;
                }
                if !removed.ok {
                    let plex = format!("access to {} had ended", household.server.name);
                    removal::note_share_ended(id, plex, pass)?;
                }
                removal::carry_on(id, None, &household.server, pass)?;
            }
        }
    }
    Ok(())
}

/// Warns and removes.
fn act(household: &mut Household, pass: &mut Pass) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    // Whose share Plex keeps listing after it ended is the owner's to sort out.
    let stays = |person: &&Person| !keeps_ended_share(person, &pass.store.state);
    let judged: Vec<(Person, Judgement)> = household
        .people
        .iter()
        .filter(stays)
        .map(|person| (person.clone(), person.judge(&pass.settings, pass.now)))
        .collect();
    let due = judged.iter().filter(|(_, judgement)| judgement.standing == Standing::Remove).count();
    let braked = due > pass.settings.max_removals;
    if braked {
        pass.refuse(&Refusal::TooMany { due, limit: pass.settings.max_removals })?;
    }
    for (mut person, mut judgement) in judged {
        let due = match judgement.standing {
            Standing::Warn => true,
            Standing::Remove => !braked,
            _ => false,
        };
        if due && pass.is_over() {
            tally.due += 1;
            continue;
        }
        if due {
            if let Err(error) = look_closer(&mut person, &pass.tautulli) {
                pass.fail("left alone", person.id, format_args!("{} is left alone for now: {error}", person.label()));
                tally.due += 1;
                continue;
            }
            judgement = person.judge(&pass.settings, pass.now);
            if let Some(known) = household.people.iter_mut().find(|known| known.id == person.id) {
                known.facts = person.facts.clone();
            }
        }
        tally.due += usize::from(matches!(judgement.standing, Standing::Warn | Standing::Remove));
        match judgement.standing {
            Standing::Warn => {
                warn(&person, &judgement, pass)?;
                tally.warned += 1;
            }
            Standing::Remove if braked => {}
            Standing::Remove => {
                if remove(&person, &judgement, household, pass)? {
                    tally.removed += 1;
                }
            }
            _ => stand_down(&person, &judgement, pass)?,
        }
    }
    Ok(tally)
}

fn warn(person: &Person, judgement: &Judgement, pass: &mut Pass) -> Result<(), Error> {
    let (idle_days, access_ends) = (judgement.idle_days.unwrap_or_default(), judgement.access_ends.unwrap_or(pass.now));
    let what = format!(
        "{}: nothing watched for {}; access ends {}",
        person.label(),
        words::days(idle_days),
        words::minute(access_ends)
    );
    if pass.only_says("warned", person.id, || format!("warn {what}")) {
        return Ok(());
    }
    log::info!(target: EVENT, event = "warned", id = person.id; "warned {what}");
    pass.announce(&Event::Warned {
        who: person.who(),
        idle_days,
        access_ends,
        days_left: words::days_until(access_ends, pass.now),
        last_watched: last_watched(person),
    });
    let warned = Warned { name: Some(person.name.clone()), when: pass.now, delivered: None };
    pass.store.state.warned.insert(person.id, warned);
    pass.store.save()
}

/// Removes somebody; says whether their access has ended (in a dry run: would have).
fn remove(person: &Person, judgement: &Judgement, household: &mut Household, pass: &mut Pass) -> Result<bool, Error> {
    let idle = words::days(judgement.idle_days.unwrap_or_default());
    let reason = format!("nothing watched for {idle}");
    if pass.only_says("removed", person.id, || format!("remove {}: {reason}", person.label())) {
        return Ok(true);
    }
    removal::intend(person, reason, pass)?;
    removal::carry_on(person.id, Some(person), &household.server, pass)?;
    let ended = pass.store.state.removed.get(&person.id).is_some_and(|removed| removed.ok);
    if ended {
        household.people.retain(|known| known.id != person.id);
    }
    Ok(ended)
}

/// Somebody is not due: an intent to remove them is taken back, and a warning of an earlier spell is forgotten.
fn stand_down(person: &Person, judgement: &Judgement, pass: &mut Pass) -> Result<(), Error> {
    let intended = pass.store.state.removed.get(&person.id).is_some_and(|removed| !removed.ok);
    if intended
        && !pass.only_says("removal called off", person.id, || format!("call off the removal of {}", person.label()))
    {
        removal::call_off(person.who(), why_not(person, judgement), pass)?;
    }
    if judgement.standing == Standing::Active {
        pass.store.state.warned.remove(&person.id);
    }
    Ok(())
}

/// Why somebody is neither warned nor removed, in words.
fn why_not(person: &Person, judgement: &Judgement) -> String {
    match &judgement.standing {
        Standing::Watching => "they are watching right now".to_owned(),
        Standing::Protected(_) => "they are protected now".to_owned(),
        Standing::Grace => "they joined less than 24 hours ago".to_owned(),
        Standing::CantTell(_) => "they can't be judged now".to_owned(),
        _ => match last_watched(person) {
            Some(watched) => format!("they last watched something on {}", words::day(watched)),
            None => "they are no longer idle for long enough".to_owned(),
        },
    }
}

fn last_watched(person: &Person) -> Option<time::OffsetDateTime> {
    match person.facts.history {
        // A play from before they joined is of an earlier stay.
        History::Kept(watched) => watched.filter(|watched| person.facts.joined.is_none_or(|joined| *watched >= joined)),
        _ => None,
    }
}

/// Notes whom Tautulli doesn't record: once it does, they count from there. What they watched meanwhile nobody can know.
fn note_unrecorded(household: &Household, pass: &mut Pass) {
    let unrecorded = &mut pass.store.state.unrecorded;
    let kick_days = time::Duration::days(i64::from(pass.settings.rules.kick_days));
    unrecorded.retain(|_, seen| pass.now - seen.when <= kick_days);
    for person in household.people.iter().filter(|person| !matches!(person.facts.history, History::Kept(_))) {
        unrecorded.insert(person.id, Seen { name: Some(person.name.clone()), when: pass.now, share: None });
    }
}

/// Notes that everybody was looked at, and forgets refusals that the admin may hear of again.
fn end_scan(pass: &mut Pass) -> Result<(), Error> {
    let now = pass.now;
    if !pass.cut_short {
        pass.store.state.last_inactivity_scan = Some(now);
    }
    pass.store.state.refusals.retain(|_, refusal| refusal.since.is_some() || now - refusal.told < time::Duration::DAY);
    pass.store.save()
}

/// Looks once more at the people whose warning waits since an earlier pass. Returns those about whom nothing is known now,
/// and those whose share Plex still lists after it ended: the list may lag behind.
fn whom_nothing_is_known_of(household: &mut Household, pass: &mut Pass) -> HashSet<u64> {
    let waits = |notice: &&Notice| {
        notice.to == Channel::Person && notice.written < pass.now && matches!(notice.event, Event::Warned { .. })
    };
    let waiting = pass.store.state.outbox.notices().iter().filter(waits).filter_map(|notice| notice.event.who());
    let waiting: HashSet<u64> = waiting.map(|who| who.id).collect();
    let mut unsure = HashSet::new();
    for person in &mut household.people {
        if keeps_ended_share(person, &pass.store.state) {
            unsure.insert(person.id);
        } else if waiting.contains(&person.id) {
            if pass.is_over() {
                unsure.insert(person.id);
            } else if let Err(error) = look_closer(person, &pass.tautulli) {
                log::warn!(event = "left alone", id = person.id; "the warning to {} waits: {error}", person.label());
                unsure.insert(person.id);
            }
        }
    }
    unsure
}

/// With `WARN_FIRST` the time that is left counts from the delivery: a warning that waited names the day on which access
/// ends if it is delivered now.
fn redate_waiting_warnings(household: &Household, pass: &mut Pass) {
    let (settings, now) = (&pass.settings, pass.now);
    for event in pass.store.state.outbox.events_mut() {
        let Event::Warned { who, access_ends, days_left, .. } = event else { continue };
        let person = household.people.iter().find(|person| person.id == who.id);
        if let Some(ends) = person.and_then(|person| person.judge(settings, now).access_ends) {
            *days_left = words::days_until(ends, now);
            *access_ends = ends;
        }
    }
}

/// Forgets warnings that were neither delivered nor wait any more: dropped while somebody was at a film that Tautulli then
/// found too short to record, for example. If they are still due, the next sweep gives them again.
fn forget_lost_warnings(pass: &mut Pass) -> Result<(), Error> {
    let State { warned, outbox, .. } = &mut pass.store.state;
    let waits = |id: &u64| {
        let is_of = |notice: &Notice| {
            matches!(notice.event, Event::Warned { .. } | Event::Undeliverable { .. })
                && notice.to != Channel::Discord
                && notice.event.who().is_some_and(|who| who.id == *id)
        };
        outbox.notices().iter().any(is_of)
    };
    warned.retain(|id, warning| warning.delivered.is_some() || waits(id));
    pass.store.save()
}

/// Whether a notice is still true, as far as this sweep knows.
fn vouch(
    notice: &Notice,
    household: &Household,
    unsure: &HashSet<u64>,
    settings: &Settings,
    now: time::OffsetDateTime,
) -> Word {
    let (Channel::Person, Some(who)) = (notice.to, notice.event.who()) else { return Word::Send };
    let person = household.people.iter().find(|person| person.id == who.id);
    match (&notice.event, person) {
        (Event::Removed { .. }, None) => Word::Send,
        (Event::Removed { .. }, Some(person)) if unsure.contains(&person.id) => Word::Wait,
        (Event::Removed { .. }, Some(_)) => Word::Drop("they have access".to_owned()),
        (_, None) => Word::Drop("they no longer have access".to_owned()),
        (Event::Warned { .. }, Some(person)) if unsure.contains(&person.id) => Word::Wait,
        (Event::Warned { .. }, Some(person)) => {
            let judgement = person.judge(settings, now);
            match judgement.standing {
                Standing::Warn | Standing::Warned => Word::Send,
                // Their removal is due, and only the brake or Plex is in its way: what the warning says is past.
                Standing::Remove => Word::Wait,
                _ => Word::Drop(why_not(person, &judgement)),
            }
        }
        _ => Word::Send,
    }
}

/// The pass in one line; `people` were looked at.
fn summary(people: usize, tally: &Tally, household: &Household, pass: &Pass) -> String {
    let people = words::count(people, "person", "people");
    let mut parts = Vec::new();
    let would = if pass.settings.dry_run { "would be " } else { "" };
    if pass.refused {
        parts.push("held back".to_owned());
    }
    if tally.due > 0 {
        parts.push(format!("{} {would}warned, {} {would}removed", tally.warned, tally.removed));
    } else if !pass.refused {
        parts.push("nobody is due".to_owned());
    }
    let can_not_tell =
        |person: &&Person| matches!(person.judge(&pass.settings, pass.now).standing, Standing::CantTell(_));
    match household.people.iter().filter(can_not_tell).count() {
        0 => {}
        count => parts.push(format!("{count} can't be judged")),
    }
    if tally.sent > 0 {
        parts.push(format!("{} sent", words::count(tally.sent, "notice", "notices")));
    }
    match pass.store.state.outbox.notices().len() {
        waiting if waiting > 0 && !pass.settings.dry_run => parts.push(format!("{waiting} waiting")),
        _ => {}
    }
    let dry = if pass.settings.dry_run { "dry " } else { "" };
    format!("{dry}sweep of {people} on {}: {}", household.server.name, parts.join(", "))
}
