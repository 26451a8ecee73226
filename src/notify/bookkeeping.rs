//! What the state keeps of notices: what was sent, what failed, what is given up, and whose warning arrived.

use time::{Duration, OffsetDateTime};

use super::{Channel, Event, Letter, Notice, Who};
use crate::{error::Error, logging::EVENT, state::Store, words};

/// Strikes off a notice that was sent, and notes a warning that was delivered with it.
pub fn note_sent(store: &mut Store, notice: &Notice, now: OffsetDateTime) {
    if let Some(warned) = warns(notice).and_then(|who| store.state.warned.get_mut(&who.id)) {
        warned.delivered = Some(now);
    }
    store.state.outbox.strike_off(&notice.id);
}

/// Strikes off a notice that is no longer true.
pub fn drop_untrue(store: &mut Store, notice: &Notice, why: &str) {
    log::info!(target: EVENT, event = "notice dropped", id = notice.about(); "dropped {}: {why}", notice.label());
    match notice.event {
        // Nobody was warned, so there is nothing to tell the admin either.
        Event::Warned { .. } => store.state.outbox.drop_event(&notice.event),
        _ => store.state.outbox.strike_off(&notice.id),
    }
}

pub fn note_failure(store: &mut Store, notice: &Notice, error: &Error) {
    if let Some(waiting) = store.state.outbox.get_mut(&notice.id) {
        waiting.last_error = Some(words::excerpt(&error.to_string()));
    }
}

/// A mail server that takes a mail and never says so would get it once a pass. Twice may be an accident; from then on the
/// wait doubles, so that the week until it is given up brings a handful.
pub fn postpone(store: &mut Store, notice: &Notice, now: OffsetDateTime) {
    if let Some(waiting) = store.state.outbox.get_mut(&notice.id) {
        waiting.unanswered += 1;
        let hours = waiting.unanswered.checked_sub(2).filter(|more| *more > 0).map(|more| 1 << more.min(7));
        waiting.not_before = hours.map(|hours| now.saturating_add(Duration::hours(hours)));
    }
}

/// Takes out what waits for a Discord that is no longer used.
pub fn drop_for_discord(store: &mut Store) -> Result<(), Error> {
    for notice in store.state.outbox.notices().to_vec() {
        if notice.to == Channel::Discord {
            log::info!(target: EVENT, event = "notice dropped", id = notice.about(); "dropped {}: DISCORD_WEBHOOK is no longer set", notice.label());
            store.state.outbox.strike_off(&notice.id);
        }
    }
    store.save()
}

/// Takes out what could not be sent for a week; the admin hears of it in the next mail that does get through.
pub fn give_up_old(store: &mut Store, now: OffsetDateTime) -> Result<(), Error> {
    let mut lost = Vec::new();
    for notice in store.state.outbox.notices().to_vec() {
        if now - notice.written < Duration::WEEK || matches!(notice.event, Event::GaveUp { .. }) {
            continue;
        }
        let error = notice.last_error.as_deref().unwrap_or("no pass could stand up for it");
        let what = format!("{}, of {}: {error}", notice.label(), words::minute(notice.written));
        log::error!(event = "notice given up", id = notice.about(); "gave up {what}");
        lost.push(what);
        forget_undelivered_warning(store, &notice);
        store.state.outbox.strike_off(&notice.id);
    }
    if !lost.is_empty() {
        store.state.outbox.push(&Event::GaveUp { notices: lost }, &[Channel::Admin], now);
    }
    store.save()
}

/// A warning that never arrived is none: if it is still due, the next sweep gives it again.
fn forget_undelivered_warning(store: &mut Store, notice: &Notice) {
    if let Some(who) = warns(notice)
        && store.state.warned.get(&who.id).is_some_and(|warned| warned.delivered.is_none())
    {
        store.state.warned.remove(&who.id);
    }
}

/// Whose warning counts as delivered with this notice: a mail server took it; or, for somebody who can't be reached, the
/// admin was told.
fn warns(notice: &Notice) -> Option<&Who> {
    match (&notice.event, notice.to) {
        (Event::Warned { who, .. }, Channel::Person) => Some(who),
        (Event::Warned { who, .. }, Channel::Admin) if who.email.is_none() => Some(who),
        (Event::Undeliverable { who, mail: Letter::Warning, .. }, Channel::Admin) => Some(who),
        _ => None,
    }
}
