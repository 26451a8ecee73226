//! Everybody who has a share on the server, with what plex.tv, Tautulli and the state know of them, joined by Plex id.

use std::{collections::HashMap, thread};

use time::OffsetDateTime;

use crate::{
    config::Settings,
    error::Error,
    notify::Who,
    plex::{Ending, Plex, Server, Share},
    refusal::Refusal,
    state::State,
    tautulli::{Tautulli, User},
    verdict::{Facts, History, Judgement, Protection, Warning, judge},
    words,
};

/// One person with a share on the server.
#[derive(Clone, Debug)]
pub struct Person {
    /// Plex id.
    pub id: u64,
    /// Username, or what comes nearest; fit for showing.
    pub name: String,
    /// Address, if the account has one.
    pub email: Option<String>,
    /// The id of their share on this server.
    pub share: u64,
    /// When Plex says that they joined this server, UTC.
    pub accepted: Option<OffsetDateTime>,
    /// Whether they have a share on another of the owner's servers too.
    pub elsewhere: bool,
    /// Whether they belong to the owner's Plex Home.
    pub in_home: bool,
    /// What the verdict rests on.
    pub facts: Facts,
}

impl Person {
    /// The person as notices speak of them.
    pub fn who(&self) -> Who {
        Who { id: self.id, name: self.name.clone(), email: self.email.clone() }
    }

    /// The person as the log speaks of them: `bob (id 1002)`.
    pub fn label(&self) -> String {
        format!("{} (id {})", self.name, self.id)
    }

    /// How their access to this server ends, and nothing else of theirs.
    pub fn ending(&self) -> Ending {
        if self.in_home {
            Ending::Home { person: self.id }
        } else if self.elsewhere {
            Ending::OneShare { share: self.share }
        } else {
            Ending::AllShares { person: self.id }
        }
    }

    /// Judges them.
    pub fn judge(&self, settings: &Settings, now: OffsetDateTime) -> Judgement {
        judge(&self.facts, &settings.rules, now)
    }
}

/// The people on the server as plex.tv lists them: what `welcome` needs to know.
pub struct Guests {
    /// The server.
    pub server: Server,
    /// Everybody with a share on it; what Tautulli knows of them is not filled in.
    pub people: Vec<Person>,
    /// Entries of `VIP_NAMES` that match nobody.
    pub unmatched_vips: Vec<String>,
}

impl Guests {
    /// Asks plex.tv for the server and its shares, side by side.
    ///
    /// # Errors
    /// A call failed, or there is no such server.
    pub fn ask(plex: &Plex, settings: &Settings, state: &State) -> Result<Self, Error> {
        let (server, shares) = thread::scope(|scope| {
            let server = scope.spawn(|| plex.server());
            let shares = plex.shares();
            (join(server), shares)
        });
        let (server, shares) = both(server, shares)?;
        Ok(Self::of(server?, shares, settings, state))
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
        let mut unmatched_vips = settings.vips.clone();
        let mut people: Vec<Person> = newest
            .into_values()
            .map(|share| {
                let elsewhere = shares
                    .iter()
                    .any(|other| other.person == share.person && other.machine_identifier != server.machine_identifier);
                unmatched_vips.retain(|vip| !matches(vip, share));
                person(share, elsewhere, settings, state)
            })
            .collect();
        people.sort_by_cached_key(|person| (person.name.to_lowercase(), person.id));
        Self { server, people, unmatched_vips }
    }
}

/// Everybody on the server, with what they watched.
pub struct Household {
    /// The server.
    pub server: Server,
    /// Everybody with a share on it, by name.
    pub people: Vec<Person>,
    /// Entries of `VIP_NAMES` that match nobody: typos, perhaps.
    pub unmatched_vips: Vec<String>,
    connected: bool,
    watched_server: String,
    has_rows: bool,
}

impl Household {
    /// Asks plex.tv and Tautulli, five requests side by side, however many people there are.
    ///
    /// # Errors
    /// A call failed, or there is no such server.
    pub fn gather(plex: &Plex, tautulli: &Tautulli, settings: &Settings, state: &State) -> Result<Self, Error> {
        let (guests, users, connected, watched) = thread::scope(|scope| {
            let users = scope.spawn(|| tautulli.users());
            let connected = scope.spawn(|| tautulli.is_connected());
            let watched = scope.spawn(|| tautulli.watched_server());
            (Guests::ask(plex, settings, state), join(users), join(connected), join(watched))
        });
        let watched = watched.map_err(Error::from);
        let (guests, ((users, connected), watched_server)) = both(guests, both(both(users, connected), watched))?;
        let Guests { server, mut people, unmatched_vips } = guests;
        let has_rows = users.is_some();
        let users: HashMap<u64, User> = users.unwrap_or_default().into_iter().map(|user| (user.id, user)).collect();
        for person in &mut people {
            person.facts.history = match users.get(&person.id) {
                None => History::Unknown,
                Some(User { keeps_history: false, .. }) => History::NotKept,
                Some(User { last_seen, .. }) => History::Kept(*last_seen),
            };
        }
        Ok(Self { server, people, unmatched_vips, connected, watched_server, has_rows })
    }

    /// Why nobody can be judged by this, if the evidence doesn't add up.
    pub fn refusal(&self, state: &State) -> Option<Refusal> {
        if let Some(refusal) = nobody_left(self.people.len(), state) {
            Some(refusal)
        } else if !self.connected {
            Some(Refusal::Disconnected)
        } else if self.watched_server != self.server.machine_identifier {
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

/// Plex listing nobody where people were before is no reason to believe that everybody left.
pub fn nobody_left(people: usize, state: &State) -> Option<Refusal> {
    let before = state.welcomed.len();
    (people == 0 && before > 0).then_some(Refusal::NobodyOnPlex { before })
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

fn person(share: &Share, elsewhere: bool, settings: &Settings, state: &State) -> Person {
    let mut protections = Vec::new();
    if share.owner == Some(share.person) {
        protections.push(Protection::Owner);
    }
    if share.email.as_ref().is_some_and(|email| folded(email) == folded(settings.admin.as_ref())) {
        protections.push(Protection::Admin);
    }
    if let Some(vip) = settings.vips.iter().find(|vip| matches(vip, share)) {
        protections.push(Protection::Vip(words::printable(vip)));
    }
    if share.home {
        protections.push(Protection::HomeUser);
    }
    let names = [&share.username, &share.title, &share.email];
    let name = names.into_iter().flatten().map(|name| words::printable(name)).find(|name| !name.is_empty());
    Person {
        id: share.person,
        name: name.unwrap_or_else(|| format!("Plex user {}", share.person)),
        email: share.email.clone().filter(|email| !email.trim().is_empty()),
        share: share.id,
        accepted: share.accepted,
        elsewhere,
        in_home: share.home,
        facts: Facts {
            protections,
            watching: false,
            joined: share.accepted.or_else(|| state.welcomed.get(&share.person).map(|seen| seen.when)),
            history: History::Unknown,
            record_begins: None,
            warned: state
                .warned
                .get(&share.person)
                .map(|warned| Warning { at: warned.when, delivered: warned.delivered }),
        },
    }
}

/// Whether an entry of `VIP_NAMES` means this person: username, title, address or Plex id.
fn matches(vip: &str, share: &Share) -> bool {
    let wanted = folded(vip);
    [&share.username, &share.title, &share.email].into_iter().flatten().any(|name| folded(name) == wanted)
        || wanted == share.person.to_string()
}

/// A name without its blanks and in lower case: how owners write names should not cost anybody their access.
fn folded(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// The result of a thread of a scope; its panic goes on here.
pub fn join<T>(handle: thread::ScopedJoinHandle<'_, T>) -> T {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Both results.
///
/// # Errors
/// The first error; the second one, if there are two, goes to the log.
pub fn both<A, B>(a: Result<A, impl Into<Error>>, b: Result<B, impl Into<Error>>) -> Result<(A, B), Error> {
    match (a.map_err(Into::into), b.map_err(Into::into)) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(first), Err(second)) => {
            log::error!("{second}");
            Err(first)
        }
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}
