//! Everybody who has a share on the server, with what plex.tv, Tautulli and the state know of them, joined by Plex id.

mod other_state;
mod person;

use std::{collections::HashMap, thread};

use time::{Duration, OffsetDateTime};

use crate::{
    config::Settings,
    error::CommandError,
    plex::{Plex, Server, Share},
    refusal::Refusal,
    state::{Spared, State},
    tautulli::{Tautulli, User},
    verdict::{History, Protection},
    words,
};

pub use other_state::OtherState;
pub use person::{Person, folded, is_owner, spares};

use person::person;

/// Fewer people than this may well leave at once.
const MANY: usize = 5;

/// The people on the server as plex.tv lists them: what `welcome` needs to know.
pub struct Guests {
    /// The server.
    pub server: Server,
    /// Everybody with a share on it; what Tautulli knows of them is not filled in.
    pub people: Vec<Person>,
    /// The Plex id of the account that shares, as the shares say.
    owner: Option<u64>,
}

impl Guests {
    /// Asks plex.tv for the server and its shares, side by side.
    ///
    /// # Errors
    /// A call failed, there is no such server, or `state` is of another one.
    pub fn ask(plex: &Plex, settings: &Settings, state: &State) -> Result<Self, CommandError> {
        let (server, shares) = thread::scope(|scope| {
            let server = scope.spawn(|| plex.server());
            let shares = plex.shares();
            (join(server), shares)
        });
        let (server, shares) = both(server, shares)?;
        let server = server?;
        OtherState::check(state, &server)?;
        Ok(Self::of(server, shares, settings, state))
    }

    fn of(server: Server, shares: Vec<Share>, settings: &Settings, state: &State) -> Self {
        let here = |share: &&Share| share.machine_identifier == server.machine_identifier;
        let mut newest: HashMap<u64, &Share> = HashMap::new();
        for share in shares.iter().filter(here) {
            let known = newest.entry(share.person).or_insert(share);
            if share.accepted > known.accepted {
                *known = share;
            }
        }
        let mut people: Vec<Person> = newest
            .into_values()
            .map(|share| {
                let is_other = |other: &Share| other.machine_identifier != server.machine_identifier;
                let elsewhere = shares.iter().any(|other| other.person == share.person && is_other(other));
                let mut person = person(share, elsewhere, settings, state);
                // Plex may leave it out of one share, and not out of all of them.
                if shares.iter().any(|any| any.owner == Some(share.person)) {
                    person.facts.protections.insert(0, Protection::Owner);
                }
                person
            })
            .collect();
        people.sort_by_cached_key(|person| (person.name.to_lowercase(), person.id));
        let owner = shares.iter().find_map(|share| share.owner);
        Self { server, people, owner }
    }
}

/// Everybody on the server, with what they watched.
pub struct Household {
    /// The server.
    pub server: Server,
    /// Everybody with a share on it, by name.
    pub people: Vec<Person>,
    /// What the owner should know, for it could cost somebody their access.
    pub remarks: Vec<String>,
    connected: bool,
    watched_server: String,
    has_rows: bool,
}

impl Household {
    /// Asks plex.tv and Tautulli, six requests side by side, however many people there are.
    ///
    /// # Errors
    /// A call failed, there is no such server, or `state` is of another one.
    pub fn gather(
        plex: &Plex,
        tautulli: &Tautulli,
        settings: &Settings,
        state: &State,
        now: OffsetDateTime,
    ) -> Result<Self, CommandError> {
        let (guests, users, connected, watched, libraries) = thread::scope(|scope| {
            let users = scope.spawn(|| tautulli.users());
            let connected = scope.spawn(|| tautulli.is_connected());
            let watched = scope.spawn(|| tautulli.watched_server());
            let libraries = scope.spawn(|| tautulli.unrecorded_libraries());
            (Guests::ask(plex, settings, state), join(users), join(connected), join(watched), join(libraries))
        });
        let tautulli = both(both(users, connected), watched);
        let (guests, ((users, connected), watched_server)) = both(guests, tautulli)?;
        // Only a remark hangs on this one.
        let unrecorded_libraries = libraries.unwrap_or_else(|error| {
            log::warn!("{error}");
            Vec::new()
        });
        let watched_server = watched_server.machine_identifier;
        let Guests { server, mut people, owner } = guests;
        let has_rows = users.is_some();
        let users: HashMap<u64, User> = users.unwrap_or_default().into_iter().map(|user| (user.id, user)).collect();
        for person in &mut people {
            if let Some(user) = users.get(&person.id) {
                person.is_also_named(&user.names, settings, state);
            }
            person.facts.history = match users.get(&person.id) {
                None => History::Unknown,
                Some(User { keeps_history: false, .. }) => History::NotKept,
                Some(User { last_seen, .. }) => History::Kept(*last_seen),
            };
        }
        let owner = owner.and_then(|id| users.get(&id));
        let mut remarks = remarks(&people, owner, &server, settings, state, now);
        remarks.extend(unrecorded_libraries.iter().map(|library| {
            format!("Tautulli keeps no history of the library {library:?}: whoever watches only there looks idle")
        }));
        Ok(Self { server, people, remarks, connected, watched_server, has_rows })
    }

    /// Whether Tautulli watches this very server.
    pub fn is_watched(&self) -> bool {
        self.watched_server == self.server.machine_identifier
    }

    /// Why nobody can be judged by this, if the evidence doesn't add up.
    pub fn refusal(&self, state: &State, now: OffsetDateTime) -> Option<Refusal> {
        if let Some(refusal) = missing(&self.people, state, now) {
            Some(refusal)
        } else if !self.connected {
            Some(Refusal::Disconnected)
        } else if !self.is_watched() {
            Some(Refusal::OtherServer { server: self.server.name.clone() })
        } else if !self.has_rows {
            Some(Refusal::NoRows)
        } else {
            None
        }
    }

    /// Notes since when Tautulli has been recording, which bears on those who watched nothing.
    pub fn record_begins(&mut self, begins: OffsetDateTime) {
        for person in &mut self.people {
            person.facts.record_begins = Some(begins);
        }
    }

    /// Notes who is watching now.
    pub fn watching(&mut self, watching: &[u64]) {
        for person in &mut self.people {
            person.facts.watching = watching.contains(&person.id);
        }
    }

    /// Notes who belongs to the Plex Home, on top of what the shares say.
    pub fn in_home(&mut self, members: &[u64]) {
        for person in self.people.iter_mut().filter(|person| members.contains(&person.id)) {
            if !person.in_home {
                person.in_home = true;
                person.facts.protections.push(Protection::HomeUser);
            }
        }
    }
}

/// Whether Plex still lists the very share that a removal ended, as Plex confirmed then.
pub fn keeps_ended_share(person: &Person, state: &State) -> bool {
    state.removed.get(&person.id).is_some_and(|removed| removed.ok && removed.share == Some(person.share))
}

/// Whether so few people are on Plex's list that plex.tv is rather ill than that the others left. Less than half is
/// believed after a day of such lists; nobody at all, never.
pub fn missing(people: &[Person], state: &State, now: OffsetDateTime) -> Option<Refusal> {
    // The record of an original daemon has everybody who was ever there.
    let ever = state.people_on_plex.max(state.welcomed.len());
    // A removal that was interrupted may have ended their access before that was noted.
    let perhaps_ended = state.removed.values().filter(|removed| !removed.ok).count();
    let ever = ever.saturating_sub(perhaps_ended);
    if people.is_empty() && ever > 0 {
        return Some(Refusal::NobodyOnPlex { before: ever });
    }
    let (before, listed) = (state.people_on_plex.saturating_sub(perhaps_ended), people.len());
    let refusal = Refusal::MostMissing { listed, before };
    let since = state.refusals.get(refusal.kind()).and_then(|refused| refused.since);
    let is_believed = since.is_some_and(|since| now - since >= Duration::DAY);
    (2 * listed < before && before - listed >= MANY && !is_believed).then_some(refusal)
}

/// Asks Tautulli once more for one person's newest play, one that is going on included, and notes it.
///
/// # Errors
/// The call failed, or contradicts the table: then nothing is known about this person for now.
pub fn look_closer(person: &mut Person, tautulli: &Tautulli) -> Result<(), String> {
    let play = tautulli.newest_play(person.id).map_err(|error| error.to_string())?;
    let History::Kept(known) = person.facts.history else { return Ok(()) };
    match play {
        Some(play) => {
            person.facts.watching |= play.going_on;
            person.facts.history = History::Kept(Some(known.map_or(play.started, |known| known.max(play.started))));
            Ok(())
        }
        None if known.is_none() => Ok(()),
        None => Err("Tautulli contradicts itself: its table of users knows of a play, its history has none".to_owned()),
    }
}

/// Entries of the owner's lists that mean nobody: a typo in one would cost somebody their access. The owner, who has no
/// share, is none.
fn remarks(
    people: &[Person],
    owner: Option<&User>,
    server: &Server,
    settings: &Settings,
    state: &State,
    now: OffsetDateTime,
) -> Vec<String> {
    let server = &server.name;
    let is_known = |name: &str| {
        people.iter().any(|person| person.is_named(name))
            || owner.is_some_and(|owner| owner.names.iter().any(|own| folded(own) == folded(name)))
    };
    let vips = settings.vips.iter().filter(|vip| !is_known(vip));
    let vips = vips.map(|vip| format!("VIP_NAMES: {:?} is nobody on {server}; is it a typo?", words::printable(vip)));
    let in_force = |entry: &&Spared| entry.until.is_none_or(|until| now.date() <= until);
    let spares_nobody = |entry: &&Spared| !people.iter().any(|person| spares(entry, person));
    let entries = state.whitelist.iter().filter(in_force).filter(spares_nobody).map(|entry| {
        let name = words::printable(&entry.name);
        match entry.id {
            Some(id) => format!("whitelist: {name} (id {id}) has no share on {server} now"),
            None => format!("whitelist: {name:?} is nobody on {server}; is it a typo?"),
        }
    });
    vips.chain(entries).collect()
}

/// The result of a thread of a scope; its panic goes on here.
pub fn join<T>(handle: thread::ScopedJoinHandle<'_, T>) -> T {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Both results.
///
/// # Errors
/// The first error; the second one, if there are two, goes to the log.
pub fn both<A, B>(
    a: Result<A, impl Into<CommandError>>,
    b: Result<B, impl Into<CommandError>>,
) -> Result<(A, B), CommandError> {
    match (a.map_err(Into::into), b.map_err(Into::into)) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(first), Err(second)) => {
            // One cause, one line.
            if !first.is_like(&second) {
                log::error!("{second}");
            }
            Err(first)
        }
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}
