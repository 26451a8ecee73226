//! plex.tv, as far as the program needs it; it stands for clients.plex.tv as well.
//!
//! What it answers is in `plex_json.rs`; who has access to what is here.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

use super::clock::Clock;
use super::http::Server;
use super::journal::Journal;

/// The account that the token belongs to.
pub const OWNER_ID: u64 = 42;

/// A person's account at Plex.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: u64,
    /// None for managed Home users.
    pub username: Option<String>,
    pub title: String,
    pub email: Option<String>,
    /// A managed Home user.
    pub restricted: bool,
    /// In the owner's Plex Home.
    pub home: bool,
}

/// A server that the owner can see.
#[derive(Clone, Debug)]
pub struct Machine {
    pub name: String,
    pub identifier: String,
    pub owned: bool,
}

/// One person's access to one server. Times are seconds since the epoch.
#[derive(Clone, Debug)]
pub struct Share {
    pub id: u64,
    pub machine: String,
    pub person: u64,
    pub accepted: bool,
    pub accepted_at: Option<i64>,
    pub deleted_at: Option<i64>,
    pub left_at: Option<i64>,
}

impl Share {
    pub fn lives(&self) -> bool {
        self.accepted && self.deleted_at.is_none() && self.left_at.is_none()
    }
}

/// How the list of Home users comes back: all of these were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HomeAnswer {
    /// `{"users": […]}` with a Home, an error without one.
    Auto,
    /// A bare array.
    Bare,
    /// `{"users": […]}`.
    Wrapped,
    /// An empty body, with 200.
    Nothing,
}

pub struct Data {
    pub token: String,
    pub accounts: BTreeMap<u64, Account>,
    pub machines: Vec<Machine>,
    pub shares: Vec<Share>,
    pub home_answer: HomeAnswer,
    next_share: u64,
}

impl Data {
    /// Gives a person a share, with a number that was never used before.
    pub fn share(&mut self, person: u64, machine: &str, accepted_at: Option<i64>) {
        self.next_share += 1;
        self.shares.push(Share {
            id: self.next_share,
            machine: machine.to_owned(),
            person,
            accepted: true,
            accepted_at,
            deleted_at: None,
            left_at: None,
        });
    }

    pub fn is_home_user(&self, person: u64) -> bool {
        self.accounts.get(&person).is_some_and(|account| account.home)
    }

    /// Ends the shares that are meant, but never those of Home users: their access hangs on the Home. Returns whether there were any.
    pub fn end_shares(&mut self, meant: impl Fn(&Share) -> bool) -> bool {
        let accounts = &self.accounts;
        let before = self.shares.len();
        self.shares.retain(|share| {
            let home = accounts.get(&share.person).is_some_and(|account| account.home);
            home || !meant(share)
        });
        self.shares.len() < before
    }

    /// Takes a person out of the Home, which ends their access. Returns whether they were in it.
    pub fn leave_home(&mut self, person: u64) -> bool {
        let was = person != OWNER_ID && self.is_home_user(person);
        if was {
            if let Some(account) = self.accounts.get_mut(&person) {
                account.home = false;
            }
            self.shares.retain(|share| share.person != person);
        }
        was
    }
}

/// The stand-in. Faults are laid down with `fail`.
pub struct Plex {
    server: Server,
    data: Arc<Mutex<Data>>,
}

impl Deref for Plex {
    type Target = Server;
    fn deref(&self) -> &Server {
        &self.server
    }
}

/// What the server's threads hold on to.
pub struct PlexService {
    pub data: Arc<Mutex<Data>>,
    pub clock: Clock,
    pub journal: Arc<Journal>,
}

impl Plex {
    pub fn start(token: &str, machine: (&str, &str), clock: &Clock, journal: &Arc<Journal>) -> Self {
        let owner = Account {
            id: OWNER_ID,
            username: Some("owner".to_owned()),
            title: "owner".to_owned(),
            email: Some("owner@example.test".to_owned()),
            restricted: false,
            home: false,
        };
        let (name, identifier) = machine;
        let data = Arc::new(Mutex::new(Data {
            token: token.to_owned(),
            accounts: BTreeMap::from([(OWNER_ID, owner)]),
            machines: vec![Machine { name: name.to_owned(), identifier: identifier.to_owned(), owned: true }],
            shares: Vec::new(),
            home_answer: HomeAnswer::Auto,
            next_share: 71_000,
        }));
        let service =
            Arc::new(PlexService { data: Arc::clone(&data), clock: clock.clone(), journal: Arc::clone(journal) });
        let server = Server::start(service, Arc::clone(journal));
        Self { server, data }
    }

    pub fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap()
    }

    pub fn home_answers(&self, answer: HomeAnswer) {
        self.data().home_answer = answer;
    }

    /// A server that the owner can see: one more of their own, or somebody else's.
    pub fn add_server(&self, name: &str, identifier: &str, owned: bool) {
        let mut data = self.data();
        if !data.machines.iter().any(|known| known.identifier == identifier) {
            data.machines.push(Machine { name: name.to_owned(), identifier: identifier.to_owned(), owned });
        }
    }

    /// Nobody has a share any more, as far as plex.tv says.
    pub fn forget_all_shares(&self) {
        self.data().shares.clear();
    }

    /// Whether a person has a living share on the server.
    pub fn has_share(&self, person: u64, machine: &str) -> bool {
        let data = self.data();
        data.shares.iter().any(|share| share.person == person && share.machine == machine && share.lives())
    }

    pub fn in_home(&self, person: u64) -> bool {
        self.data().is_home_user(person)
    }

    /// The number of a person's share on the server.
    pub fn share_id(&self, person: u64, machine: &str) -> Option<u64> {
        let data = self.data();
        data.shares.iter().find(|share| share.person == person && share.machine == machine).map(|share| share.id)
    }
}
