use std::collections::HashSet;

use time::Duration;

use super::{
    carry_out::{Tally, carry_out, look_closer},
    pass::Pass,
};
use crate::{
    cli::{self, Cli},
    config::Environment,
    error::{Error, Exit},
    logging::EVENT,
    notify::{Access, Channel, Event, Notice, PassKind},
    people::{Guest, People},
    plan::{self, Plan},
    services::Question::{
        self, Activity, Connected, Home, Libraries, RecordingSince, Server, Shares, Users, WatchedServer,
    },
    state::{Seen, State},
    verdict::{History, Standing, Unknown},
    words,
};

/// What every sweep asks.
const FIRST: [Question; 6] = [Server, Shares, Users, Connected, WatchedServer, Libraries];
/// What else may speak for somebody who is due.
const EVIDENCE: [Question; 3] = [RecordingSince, Home, Activity];

/// Warns and removes whoever is due, after finishing what an earlier pass left unfinished.
pub fn run(args: &cli::Sweep, cli: &Cli, environment: &Environment) -> Result<Exit, Error> {
    let mut pass = Pass::begin(PassKind::Sweep, &args.dry_run, cli, environment)?;
    pass.settings.max_removals = args.max_removals.unwrap_or(pass.settings.max_removals);
    let (mut people, plan) = observe_and_plan(&mut pass)?;
    let listed = people.guests.len();
    remark(&plan);
    if !plan.holds_everything_back() {
        pass.note_sound_evidence();
    }
    if let Some(refusal) = &plan.refusal {
        pass.refuse(refusal)?;
    }
    let mut tally = Tally::default();
    let mut sent = 0;
    if plan.holds_everything_back() {
        end_scan(&mut pass)?;
        pass.deliver(true, |_| Access::Unknown)?;
    } else {
        fail_for_those_still_listed(&plan, &people, &mut pass);
        tally = carry_out(plan, &mut people, &mut pass)?;
        note_unrecorded(&people, &mut pass);
        pass.note_people(&people);
        end_scan(&mut pass)?;
        let unsure = look_at_waiting_warnings(&mut people, &mut pass);
        redate_waiting_warnings(&people, &mut pass);
        let (rules, now) = (pass.settings.rules, pass.now);
        let standing = |guest: &Guest| (!unsure.contains(&guest.id)).then(|| guest.judge(&rules, now).standing);
        sent = pass.deliver(true, |id| people.access(id, standing))?.sent;
        forget_lost_warnings(&mut pass)?;
    }
    log::info!("{}", summary(listed, &tally, sent, &people, &pass));
    Ok(pass.exit())
}

/// Asks the services; if somebody looks due, also for everything that may speak for them.
fn observe_and_plan(pass: &mut Pass) -> Result<(People, Plan), Error> {
    let mut people = pass.observe(&FIRST)?;
    let mut plan = plan::sweep(&people, &pass.snapshot, &pass.store.state, &pass.settings, pass.now);
    if !plan.holds_everything_back() && plan.needs_evidence(&pass.store.state) {
        people = pass.observe(&EVIDENCE)?;
        plan = plan::sweep(&people, &pass.snapshot, &pass.store.state, &pass.settings, pass.now);
    }
    Ok((people, plan))
}

/// With somebody due, it is not the time to be quiet about a typo.
fn remark(plan: &Plan) {
    for remark in &plan.remarks {
        match plan.is_anybody_due() {
            true => log::warn!(target: EVENT, "{remark}"),
            false => log::warn!("{remark}"),
        }
    }
}

fn fail_for_those_still_listed(plan: &Plan, people: &People, pass: &mut Pass) {
    for guest in plan.still_listed.iter().filter_map(|&id| people.get(id)) {
        let label = guest.label();
        let what = format!(
            "Plex confirmed the end of the share of {label}, and still lists it; if that stays so, end it by hand"
        );
        pass.fail("removal unfinished", guest.id, &what);
    }
}

/// Notes who Tautulli doesn't record: once it does, they count from there. What they watched meanwhile nobody can know.
fn note_unrecorded(people: &People, pass: &mut Pass) {
    let unrecorded = &mut pass.store.state.unrecorded;
    let kick_days = Duration::days(i64::from(pass.settings.rules.kick_days));
    unrecorded.retain(|_, seen| pass.now - seen.when <= kick_days);
    for guest in people.guests.iter().filter(|guest| !matches!(guest.facts.history, History::Kept(_))) {
        unrecorded.insert(guest.id, Seen { name: Some(guest.name.clone()), when: pass.now, share: None });
    }
}

/// Notes that everybody was looked at, and forgets refusals that the admin may hear of again.
fn end_scan(pass: &mut Pass) -> Result<(), Error> {
    let now = pass.now;
    if !pass.cut_short {
        pass.store.state.last_inactivity_scan = Some(now);
    }
    pass.store.state.refusals.retain(|_, refusal| refusal.since.is_some() || now - refusal.told < Duration::DAY);
    pass.store.save()
}

/// Looks once more at the people whose warning waits since an earlier pass. Returns those about whom nothing is known now.
fn look_at_waiting_warnings(people: &mut People, pass: &mut Pass) -> HashSet<u64> {
    let waits = |notice: &&Notice| {
        notice.to == Channel::Person && notice.written < pass.now && matches!(notice.event, Event::Warned { .. })
    };
    let waiting = pass.store.state.outbox.notices().iter().filter(waits).filter_map(|notice| notice.event.who());
    let waiting: HashSet<u64> = waiting.map(|who| who.id).collect();
    let mut unsure = HashSet::new();
    for id in waiting {
        let Some(guest) = people.get(id).filter(|guest| !guest.facts.revoked) else { continue };
        if pass.should_stop() {
            unsure.insert(id);
            continue;
        }
        match look_closer(guest, pass) {
            Ok(guest) => people.replace(guest),
            Err(error) => {
                log::warn!(event = "left alone", id; "the warning to {} waits: {error}", guest.label());
                unsure.insert(id);
            }
        }
    }
    unsure
}

/// With `WARN_FIRST` the time that is left counts from the delivery: a warning that waited names the day on which access
/// ends if it is delivered now.
fn redate_waiting_warnings(people: &People, pass: &mut Pass) {
    let (rules, now) = (&pass.settings.rules, pass.now);
    for event in pass.store.state.outbox.events_mut() {
        let Event::Warned { who, access_ends, days_left, .. } = event else { continue };
        if let Some(ends) = people.get(who.id).and_then(|guest| guest.judge(rules, now).access_ends) {
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

/// The pass in one line; `listed` people were looked at.
fn summary(listed: usize, tally: &Tally, sent: usize, people: &People, pass: &Pass) -> String {
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
    let standings = people.guests.iter().map(|guest| guest.judge(&pass.settings.rules, pass.now).standing);
    // Those whose ended share is still listed are told of already.
    let is_unknown = |standing: &Standing| matches!(standing, Standing::CantTell(why) if *why != Unknown::Revoked);
    match standings.filter(is_unknown).count() {
        0 => {}
        count => parts.push(format!("{count} can't be judged")),
    }
    if sent > 0 {
        parts.push(format!("{} sent", words::count(sent, "notice", "notices")));
    }
    match pass.store.state.outbox.notices().len() {
        waiting if waiting > 0 && !pass.settings.dry_run => parts.push(format!("{waiting} waiting")),
        _ => {}
    }
    let dry = if pass.settings.dry_run { "dry " } else { "" };
    let listed = words::count(listed, "person", "people");
    format!("{dry}sweep of {listed} on {}: {}", people.server.name, parts.join(", "))
}
