//! Who has a share on the server: what plex.tv, Tautulli and the state know of them, joined by Plex id.

mod guest;
mod names;

use std::collections::{HashMap, HashSet};

use time::OffsetDateTime;

use crate::{
    config::Settings,
    error::{Error, Kind},
    notify::Access,
    services::{
        Answer, Snapshot,
        plex::{Account, Server, Share},
        tautulli::User,
    },
    state::State,
    verdict::Standing,
    words,
};

use guest::Evidence;
pub use guest::{Guest, protections};
pub use names::{Names, entry_means, normalize_name};

/// Everybody with a share on the server.
pub struct People {
    pub server: Server,
    /// By name.
    pub guests: Vec<Guest>,
    /// The account that owns the server, which is on no list of shares; none if nothing tells its names.
    pub owner: Option<Owner>,
}

/// The account that owns the server.
pub struct Owner {
    /// Plex id.
    pub id: u64,
    /// Fit for showing.
    pub name: String,
    pub names: Names,
}

impl People {
    /// Puts together what a snapshot tells. What was not asked counts as not known.
    ///
    /// # Errors
    /// The server or its shares are not known, or `state` is of another server.
    pub fn of(snapshot: &Snapshot, settings: &Settings, state: &State) -> Result<Self, Error> {
        let (server, shares) = (known(&snapshot.server)?, known(&snapshot.shares)?);
        check_server(state, server)?;
        let is_here = |share: &&Share| share.machine_identifier == server.machine_identifier;
        let (here, others): (Vec<&Share>, Vec<&Share>) = shares.iter().partition(is_here);
        let mut newest: HashMap<u64, &Share> = HashMap::new();
        for share in here {
            let known = newest.entry(share.person).or_insert(share);
            if share.accepted > known.accepted {
                *known = share;
            }
        }
        let users = ok(&snapshot.users).and_then(Option::as_deref).unwrap_or_default();
        let users: HashMap<u64, &User> = users.iter().map(|user| (user.id, user)).collect();
        // Plex may leave it out of one share, and not out of all of them.
        let owners: HashSet<u64> = shares.iter().filter_map(|share| share.owner).collect();
        let elsewhere: HashSet<u64> = others.iter().map(|share| share.person).collect();
        let ids = |answer| ok(answer).into_iter().flatten().copied().collect::<HashSet<u64>>();
        let (home, watching) = (ids(&snapshot.home), ids(&snapshot.activity));
        let guest = |share: &Share| {
            let id = share.person;
            let evidence = Evidence {
                share,
                user: users.get(&id).copied(),
                is_owner: owners.contains(&id),
                in_home: home.contains(&id),
                elsewhere: elsewhere.contains(&id),
                watching: watching.contains(&id),
                hidden: matches!(snapshot.hidden.get(&id), Some(Ok(true))),
                record_begins: ok(&snapshot.recording_since).copied(),
            };
            Guest::of(&evidence, settings, state)
        };
        let mut guests: Vec<Guest> = newest.into_values().map(guest).collect();
        guests.sort_by_cached_key(|guest| (guest.name.to_lowercase(), guest.id));
        let owner = ok(&snapshot.account).map(Owner::of_account);
        let owner = owner.or_else(|| Some(Owner::of_user(users.get(owners.iter().min()?)?)));
        Ok(Self { server: server.clone(), guests, owner })
    }

    /// Everybody, if everything that a judgement rests on is known. What is not known beside the first thing is logged.
    ///
    /// # Errors
    /// Something was asked for that is not known, or `state` is of another server.
    pub fn complete(snapshot: &Snapshot, settings: &Settings, state: &State) -> Result<Self, Error> {
        match Self::of(snapshot, settings, state) {
            Err(error) if error.kind == Kind::Usage => Err(error),
            people => snapshot.complete().and(people),
        }
    }

    pub fn get(&self, id: u64) -> Option<&Guest> {
        self.guests.iter().find(|guest| guest.id == id)
    }

    /// Puts somebody, of whom more is known by now, in the place of what was known.
    pub fn replace(&mut self, guest: Guest) {
        if let Some(known) = self.guests.iter_mut().find(|known| known.id == guest.id) {
            *known = guest;
        }
    }

    /// The access that somebody has, for the review of notices; `standing` says how they stand, if that is known.
    pub fn access(&self, id: u64, standing: impl Fn(&Guest) -> Option<Standing>) -> Access {
        match self.get(id) {
            None => Access::None,
            Some(guest) if guest.facts.revoked => Access::Revoked,
            Some(guest) => Access::Granted(standing(guest).map(|standing| (standing, guest.last_watched()))),
        }
    }

    /// Entries of the owner's lists that match nobody: a typo in one would cost somebody their access.
    pub fn unmatched(&self, settings: &Settings, state: &State, now: OffsetDateTime) -> Vec<Unmatched> {
        let is_known = |name: &str| {
            let guests = self.guests.iter().map(|guest| &guest.names);
            guests.chain(self.owner.iter().map(|owner| &owner.names)).any(|names| names.contains(name))
        };
        let server = || self.server.name.clone();
        let vips = settings.vips.iter().filter(|vip| !is_known(vip)).map(|vip| Unmatched {
            list: "VIP_NAMES",
            name: words::printable(vip),
            id: None,
            server: server(),
        });
        let entries = state.whitelist.iter().filter(|entry| {
            entry.is_in_force(now) && !self.guests.iter().any(|guest| entry_means(entry, guest.id, &guest.names))
        });
        let entries = entries.map(|entry| Unmatched {
            list: "whitelist",
            name: words::printable(&entry.name),
            id: entry.id,
            server: server(),
        });
        vips.chain(entries).collect()
    }
}

impl Owner {
    fn of_account(account: &Account) -> Self {
        let names = [&account.username, &account.email].into_iter().flatten().map(String::as_str);
        Self { id: account.id, name: account.name(), names: Names::of(account.id, names) }
    }

    fn of_user(user: &User) -> Self {
        let name = user.names.first().map_or_else(|| "the owner".to_owned(), |name| words::printable(name));
        Self { id: user.id, name, names: Names::of(user.id, user.names.iter().map(String::as_str)) }
    }
}

/// An entry of `VIP_NAMES` or of the whitelist that matches nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    list: &'static str,
    name: String,
    /// Of a whitelist entry that was looked up: the Plex id. Who left may be back, so it is no typo.
    pub id: Option<u64>,
    server: String,
}

impl Unmatched {
    /// What there is to say, without a question.
    pub fn what(&self) -> String {
        let Self { list, name, id, server } = self;
        match id {
            Some(id) => format!("{list}: {name} (id {id}) has no share on {server} now"),
            None => format!("{list}: \"{name}\" is nobody on {server}"),
        }
    }
}

impl std::fmt::Display for Unmatched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what())?;
        if self.id.is_none() { f.write_str("; is it a typo?") } else { Ok(()) }
    }
}

/// Compares machine identifiers; a state that knows of no server goes with any.
///
/// # Errors
/// They differ: what the state says of people is not true of this server.
pub fn check_server(state: &State, server: &Server) -> Result<(), Error> {
    match &state.server {
        Some(known) if known.machine_identifier != server.machine_identifier => Err(wrong_server(
            &known.name,
            &server.name,
            format!("If {} took the place of {}, make \"server\" null in state.json", server.name, known.name),
        )),
        _ => Ok(()),
    }
}

/// Compares names, where Plex is not asked. A server that was renamed has its old one in the state until the next live
/// pass.
///
/// # Errors
/// They differ.
pub fn check_server_name(state: &State, name: &str) -> Result<(), Error> {
    let asked = words::printable(name);
    match &state.server {
        Some(known) if known.name != asked => {
            let renamed = format!("If {} was renamed, run a live `welcome` first", known.name);
            Err(wrong_server(&known.name, &asked, renamed))
        }
        _ => Ok(()),
    }
}

fn wrong_server(known: &str, asked: &str, way_out: String) -> Error {
    let what = if known == asked {
        format!("the state.json there is of an earlier server {known}, with another machine identifier")
    } else {
        format!("the state.json there is of {known}, and PLEX_SERVER_NAME is {asked}")
    };
    Error::new(Kind::Usage, "STATE_DIR", format!("Each server needs a STATE_DIR of its own. {way_out}")).because(what)
}

fn ok<T>(answer: &Answer<T>) -> Option<&T> {
    answer.as_ref().and_then(|answer| answer.as_ref().ok())
}

fn known<T>(answer: &Answer<T>) -> Result<&T, Error> {
    let unasked = || Error::new(Kind::Failure, "plex.tv was not asked", "");
    answer.as_ref().ok_or_else(unasked)?.as_ref().map_err(Error::clone)
}
