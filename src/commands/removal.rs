//! A removal, step by step. What is owed can be read off the state, so the first try and every resumption go through
//! [`carry_on`], and a crash between two steps costs nothing but, at most, one mail twice.

use super::pass::Pass;
use crate::{
    error::Error,
    household::{Person, folded},
    logging::EVENT,
    notify::{Event, TautulliStep, Who},
    plex::{Ending, Server},
    state::{Failure, Removed, WhitelistEntry},
};

/// Writes down the intent to remove somebody, before anything else is done.
pub(super) fn intend(person: &Person, reason: String, pass: &mut Pass) -> Result<(), Error> {
    let removed = &mut pass.store.state.removed;
    // An intent that is there already is gone on with; a removal that was done is of an earlier stay.
    if removed.get(&person.id).is_none_or(|earlier| earlier.ok) {
        let intent = Removed {
            name: Some(person.name.clone()),
            email: person.email.clone(),
            when: pass.now,
            reason,
            names: Vec::new(),
            share: Some(person.share),
            ok: false,
            plex: None,
            tautulli_deleted: false,
            announced: false,
            failure: None,
        };
        removed.insert(person.id, intent);
    }
    pass.store.save()
}

/// Does what is still owed of a removal: end the share, delete from Tautulli, put the notices into the outbox. Each step
/// is on disk before the next begins. `person` is needed as long as the share has not ended.
pub(super) fn carry_on(id: u64, person: Option<&Person>, server: &Server, pass: &mut Pass) -> Result<(), Error> {
    let Some(removed) = pass.store.state.removed.get(&id).cloned() else { return Ok(()) };
    let who = Who { id, name: name_of(id, &removed), email: removed.email.clone() };
    if !removed.ok {
        let Some(person) = person else { return Ok(()) };
        if let Err(error) = pass.plex.end(person.ending(), id, server) {
            return note_failure(&who, &removed, error.to_string(), pass);
        }
        note_share_ended(id, describe(person.ending(), server), pass)?;
    }
    let mut tautulli = TautulliStep::Deleted;
    if !removed.tautulli_deleted {
        match pass.tautulli.delete(id) {
            Ok(()) => edit(id, pass, |removed| removed.tautulli_deleted = true)?,
            Err(error) => {
                pass.fail(
                    "removal unfinished",
                    id,
                    format_args!(
                        "{} (id {id}) is not deleted from Tautulli yet, and the next sweep tries again: {error}",
                        who.name
                    ),
                );
                tautulli = TautulliStep::Pending(error.to_string());
            }
        }
    }
    let Some(removed) = pass.store.state.removed.get(&id).cloned() else { return Ok(()) };
    if !removed.announced {
        let plex = removed.plex.clone().unwrap_or_default();
        let rest = if tautulli == TautulliStep::Deleted { "deleted from Tautulli" } else { "Tautulli is still to do" };
        log::info!(target: EVENT, event = "removed", id; "removed {} (id {id}): {}; {plex}; {rest}", who.name, removed.reason);
        pass.announce(&Event::Removed {
            who,
            reason: removed.reason.clone(),
            kick_days: pass.settings.rules.kick_days,
            plex,
            tautulli,
            failing_since: removed.failure.as_ref().map(|failure| failure.since),
        });
        edit(id, pass, |removed| removed.announced = true)?;
    } else if tautulli == TautulliStep::Deleted {
        log::info!(target: EVENT, event = "removal finished", id; "finished the removal of {} (id {id}): deleted from Tautulli", who.name);
    }
    Ok(())
}

/// Whether an intent still stands whose share Plex doesn't list any more: it may have ended with an answer that was lost,
/// or Plex's list has a hole. Whoever has watched since, or is protected by now, is not to lose anything more.
pub(super) fn is_still_meant(id: u64, removed: &Removed, pass: &mut Pass) -> Result<bool, Error> {
    let names = [removed.name.as_deref(), removed.email.as_deref()];
    let own_id = id.to_string();
    let is_named =
        |name: &str| names.into_iter().flatten().chain([own_id.as_str()]).any(|own| folded(own) == folded(name));
    let spares = |entry: &WhitelistEntry| entry.id == Some(id) || (entry.id.is_none() && is_named(&entry.name));
    let why = if pass.settings.vips.iter().any(|vip| is_named(vip)) || pass.store.state.whitelist.iter().any(spares) {
        "they are protected now"
    } else {
        match pass.tautulli.newest_play(id) {
            Ok(Some(play)) if play.going_on || play.started >= removed.when => "they have watched something since",
            Ok(_) => return Ok(true),
            Err(error) => {
                pass.fail(
                    "removal unfinished",
                    id,
                    format_args!("the removal of {} (id {id}) waits: {error}", name_of(id, removed)),
                );
                return Ok(false);
            }
        }
    };
    let who = Who { id, name: name_of(id, removed), email: removed.email.clone() };
    call_off(who, why.to_owned(), pass)?;
    Ok(false)
}

fn name_of(id: u64, removed: &Removed) -> String {
    removed.name.clone().unwrap_or_else(|| format!("Plex user {id}"))
}

/// Notes that the share has ended, and that the person is no longer on record: if they come back, they are new.
pub(super) fn note_share_ended(id: u64, plex: String, pass: &mut Pass) -> Result<(), Error> {
    let state = &mut pass.store.state;
    state.welcomed.remove(&id);
    state.warned.remove(&id);
    state.people_on_plex = state.people_on_plex.saturating_sub(1);
    edit(id, pass, |removed| {
        removed.ok = true;
        removed.plex = Some(plex);
    })
}

/// Takes an intent back: the removal is not due any more.
pub(super) fn call_off(who: Who, why: String, pass: &mut Pass) -> Result<(), Error> {
    let Some(removed) = pass.store.state.removed.remove(&who.id) else { return Ok(()) };
    log::info!(target: EVENT, event = "removal called off", id = who.id; "removal called off: {} (id {}): {why}", who.name, who.id);
    if removed.failure.is_some() {
        pass.announce(&Event::CalledOff { who, why });
    }
    pass.store.save()
}

/// The admin hears of the first failure; later ones are only logged.
fn note_failure(who: &Who, removed: &Removed, error: String, pass: &mut Pass) -> Result<(), Error> {
    pass.fail(
        "removal failed",
        who.id,
        format_args!("removal failed: {} (id {}) keeps access for now: {error}", who.name, who.id),
    );
    if removed.failure.is_none() {
        let reason = removed.reason.clone();
        pass.announce(&Event::RemovalFailed { who: who.clone(), reason, error: error.clone() });
        let since = pass.now;
        edit(who.id, pass, |removed| removed.failure = Some(Failure { since, error }))?;
    }
    Ok(())
}

fn edit(id: u64, pass: &mut Pass, change: impl FnOnce(&mut Removed)) -> Result<(), Error> {
    if let Some(removed) = pass.store.state.removed.get_mut(&id) {
        change(removed);
    }
    pass.store.save()
}

fn describe(ending: Ending, server: &Server) -> String {
    match ending {
        Ending::AllShares { .. } => format!("access to {} ended", server.name),
        Ending::OneShare { .. } => format!("access to {} ended, other servers kept", server.name),
        Ending::Home { .. } => "taken out of the Plex Home".to_owned(),
    }
}
