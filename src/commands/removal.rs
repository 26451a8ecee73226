//! A removal, step by step. What is owed can be read off the state, so the first try and every resumption go through
//! [`finish`], and a crash between two steps costs nothing but, at most, one mail twice.

use super::pass::Pass;
use crate::{
    error::Error,
    logging::EVENT,
    notify::{Event, TautulliStep, Who},
    people::{Guest, Names},
    plan::Step,
    services::plex::{Revocation, Server},
    state::{Failure, Removed},
    words,
};

/// Writes down the intent to remove somebody, before anything else is done.
pub fn note_intent(guest: &Guest, reason: String, pass: &mut Pass) -> Result<(), Error> {
    let removed = &mut pass.store.state.removed;
    // An intent that is there already is gone on with; a removal that was done is of an earlier stay.
    if removed.get(&guest.id).is_none_or(|earlier| earlier.ok) {
        let intent = Removed {
            name: Some(guest.name.clone()),
            email: guest.email.clone(),
            names: other_names(guest),
            when: pass.now,
            reason,
            share: Some(guest.share),
            ok: false,
            plex: None,
            tautulli_deleted: false,
            announced: false,
            failure: None,
        };
        removed.insert(guest.id, intent);
    }
    pass.store.save()
}

/// What else somebody can be named by, for the owner's lists once the share is gone.
fn other_names(guest: &Guest) -> Vec<String> {
    let noted = Names::of(guest.id, [Some(guest.name.as_str()), guest.email.as_deref()].into_iter().flatten());
    let others = guest.names.iter().filter(|name| !noted.contains(name));
    others.map(words::excerpt).collect()
}

/// Whether a removal that an earlier pass began goes on: somebody who has watched since is not to lose anything more. None if
/// that is not known now.
pub fn look_again(id: u64, pass: &mut Pass) -> Option<Step> {
    let removed = pass.store.state.removed.get(&id)?;
    if removed.ok {
        return Some(Step::Resume { id });
    }
    match pass.tautulli.newest_play(id) {
        Ok(Some(play)) if play.going_on || play.started >= removed.when => {
            Some(Step::CallOff { id, why: "they have watched something since".to_owned() })
        }
        Ok(_) => Some(Step::Resume { id }),
        Err(error) => {
            let what = format!("the removal of {} waits: {error}", label(id, pass));
            pass.fail("removal unfinished", id, &what);
            None
        }
    }
}

/// Goes on with a removal whose share Plex does not list any more.
pub fn resume(id: u64, server: &Server, pass: &mut Pass) -> Result<(), Error> {
    if pass.store.state.removed.get(&id).is_some_and(|removed| !removed.ok) {
        note_share_ended(id, format!("access to {} had ended", server.name), pass)?;
    }
    finish(id, None, server, pass)
}

/// Does what is still owed of a removal: end the share, delete from Tautulli, put the notices into the outbox. Each step
/// is on disk before the next begins. `guest` is needed as long as the share has not ended.
pub fn finish(id: u64, guest: Option<&Guest>, server: &Server, pass: &mut Pass) -> Result<(), Error> {
    let Some(removed) = pass.store.state.removed.get(&id).cloned() else { return Ok(()) };
    if !removed.ok {
        let Some(guest) = guest else { return Ok(()) };
        let revocation = guest.revocation();
        if let Err(error) = pass.plex.revoke(revocation, id, server) {
            return note_failure(id, &removed, &error.to_string(), pass);
        }
        note_share_ended(id, describe(revocation, server), pass)?;
    }
    let tautulli = delete_from_tautulli(id, &removed, pass)?;
    let Some(removed) = pass.store.state.removed.get(&id).cloned() else { return Ok(()) };
    let label = label(id, pass);
    if !removed.announced {
        let plex = removed.plex.clone().unwrap_or_default();
        let rest = if tautulli == TautulliStep::Deleted { "deleted from Tautulli" } else { "Tautulli is still to do" };
        pass.tell("removed", id, &format!("removed {label}: {}; {plex}; {rest}", removed.reason));
        pass.announce(&Event::Removed {
            who: who(id, &removed),
            reason: removed.reason.clone(),
            kick_days: pass.settings.rules.kick_days,
            plex,
            tautulli,
            failing_since: removed.failure.as_ref().map(|failure| failure.since),
        });
        edit(id, pass, |removed| removed.announced = true)?;
    } else if tautulli == TautulliStep::Deleted {
        pass.tell("removal finished", id, &format!("finished the removal of {label}: deleted from Tautulli"));
    }
    Ok(())
}

fn delete_from_tautulli(id: u64, removed: &Removed, pass: &mut Pass) -> Result<TautulliStep, Error> {
    if removed.tautulli_deleted {
        return Ok(TautulliStep::Deleted);
    }
    match pass.tautulli.delete(id) {
        Ok(()) => {
            edit(id, pass, |removed| removed.tautulli_deleted = true)?;
            Ok(TautulliStep::Deleted)
        }
        Err(error) => {
            let label = label(id, pass);
            let what = format!("{label} is not deleted from Tautulli yet, and the next sweep tries again: {error}");
            pass.fail("removal unfinished", id, &what);
            Ok(TautulliStep::Pending(error.to_string()))
        }
    }
}

/// Notes that the share has ended, and that the person is no longer on record: if they come back, they are new.
fn note_share_ended(id: u64, plex: String, pass: &mut Pass) -> Result<(), Error> {
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
pub fn call_off(id: u64, why: &str, pass: &mut Pass) -> Result<(), Error> {
    let Some(removed) = pass.store.state.removed.remove(&id) else { return Ok(()) };
    let who = who(id, &removed);
    log::info!(target: EVENT, event = "removal called off", id; "removal called off: {} (id {id}): {why}", who.name);
    if removed.failure.is_some() {
        pass.announce(&Event::CalledOff { who, why: why.to_owned() });
    }
    pass.store.save()
}

/// The admin hears of the first failure; later ones are only logged.
fn note_failure(id: u64, removed: &Removed, error: &str, pass: &mut Pass) -> Result<(), Error> {
    let what = format!("removal failed: {} keeps access for now: {error}", label(id, pass));
    pass.fail("removal failed", id, &what);
    if removed.failure.is_none() {
        let (reason, error) = (removed.reason.clone(), error.to_owned());
        pass.announce(&Event::RemovalFailed { who: who(id, removed), reason, error: error.clone() });
        let since = pass.now;
        edit(id, pass, |removed| removed.failure = Some(Failure { since, error }))?;
    }
    Ok(())
}

fn edit(id: u64, pass: &mut Pass, change: impl FnOnce(&mut Removed)) -> Result<(), Error> {
    if let Some(removed) = pass.store.state.removed.get_mut(&id) {
        change(removed);
    }
    pass.store.save()
}

fn who(id: u64, removed: &Removed) -> Who {
    let name = removed.name.clone().unwrap_or_else(|| format!("Plex user {id}"));
    Who { id, name, email: removed.email.clone() }
}

/// Somebody who is being removed, as the log speaks of them.
pub fn label(id: u64, pass: &Pass) -> String {
    let removed = pass.store.state.removed.get(&id);
    let name = removed.map_or_else(|| format!("Plex user {id}"), |removed| who(id, removed).name);
    format!("{name} (id {id})")
}

fn describe(revocation: Revocation, server: &Server) -> String {
    match revocation {
        Revocation::AllShares { .. } => format!("access to {} ended", server.name),
        Revocation::OneShare { .. } => format!("access to {} ended, other servers kept", server.name),
        Revocation::Home { .. } => "taken out of the Plex Home".to_owned(),
    }
}
