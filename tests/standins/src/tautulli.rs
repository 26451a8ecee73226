//! Tautulli 2.17: its users, its history, and what it records.
//!
//! How it answers is in `tautulli_commands.rs`. What is kept here follows Tautulli's own code (`plexpy/users.py`,
//! `plexpy/datafactory.py`, `plexpy/graphs.py`): times are seconds since the epoch.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::json;
use time::{Date, OffsetDateTime, Time};

use super::clock::{Ago, Clock};
use super::faults::Fault;
use super::http::Server;
use super::journal::Journal;
use super::plex::OWNER_ID;

/// How long every play lasts.
const PLAY: i64 = 2400;

/// A row of Tautulli's table of users.
#[derive(Clone, Debug)]
pub struct User {
    pub row_id: u64,
    /// The id at Plex; 0 is "Local", nobody's.
    pub user_id: u64,
    pub username: String,
    /// What the owner calls them, if they said so in Tautulli.
    pub friendly_name: Option<String>,
    /// The title at Plex, if it differs from the username.
    pub title: Option<String>,
    pub email: Option<String>,
    pub is_active: bool,
    pub is_home_user: bool,
    pub is_restricted: bool,
    pub keep_history: bool,
    pub deleted: bool,
}

impl User {
    pub fn name(&self) -> &str {
        self.friendly_name.as_deref().unwrap_or(&self.username)
    }
}

/// A play that is over.
#[derive(Clone, Debug)]
pub struct Play {
    pub id: u64,
    pub user_id: u64,
    pub started: i64,
    pub stopped: i64,
}

/// A play that is going on.
#[derive(Clone, Debug)]
pub struct Session {
    pub user_id: u64,
    pub started: i64,
}

pub struct Data {
    pub api_key: String,
    /// The path in front of `/api/v2`, as `/tautulli`; mostly empty.
    pub prefix: String,
    pub users: Vec<User>,
    pub plays: Vec<Play>,
    pub sessions: Vec<Session>,
    pub connected: bool,
    pub server: (String, String),
    pub api_enabled: bool,
    pub database_broken: bool,
    /// Name, type, and whether their plays are recorded.
    pub libraries: Vec<(String, String, bool)>,
    recording_since: i64,
    /// Up to which day the owner's daily film is in the history.
    owner_watched_until: Date,
    next_play: u64,
}

impl Data {
    pub fn user(&self, user_id: u64) -> Option<&User> {
        self.users.iter().find(|user| user.user_id == user_id)
    }

    pub fn user_mut(&mut self, user_id: u64) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.user_id == user_id)
    }

    /// Adds a user, or brings a known one back to the server. Like Tautulli, it never undoes a deletion.
    pub fn upsert(&mut self, user_id: u64, username: &str, email: Option<&str>) {
        if let Some(known) = self.user_mut(user_id) {
            known.is_active = true;
            return;
        }
        let row_id = 200 + self.users.len() as u64;
        self.users.push(User {
            row_id,
            user_id,
            username: username.to_owned(),
            friendly_name: None,
            title: None,
            email: email.map(str::to_owned),
            is_active: true,
            is_home_user: false,
            is_restricted: false,
            keep_history: true,
            deleted: false,
        });
    }

    /// A play, which is recorded only if Tautulli was at it then and keeps this person's history.
    pub fn record(&mut self, user_id: u64, started: i64) {
        let kept = self.user(user_id).is_some_and(|user| user.keep_history);
        if kept && self.connected && started >= self.recording_since {
            self.next_play += 1;
            self.plays.push(Play { id: self.next_play, user_id, started, stopped: started + PLAY });
        }
    }

    /// The owner watches a film every morning: it shows since when Tautulli has been recording.
    pub fn catch_up(&mut self, now: OffsetDateTime) {
        while self.owner_watched_until < now.date() {
            let day = self.owner_watched_until.next_day().unwrap();
            let morning = OffsetDateTime::new_utc(day, Time::from_hms(7, 0, 0).unwrap());
            if morning > now {
                return;
            }
            self.owner_watched_until = day;
            self.record(OWNER_ID, morning.unix_timestamp());
        }
    }

    pub fn last_seen(&self, user_id: u64) -> Option<&Play> {
        let theirs = self.plays.iter().filter(|play| play.user_id == user_id);
        theirs.max_by_key(|play| play.started)
    }
}

/// The stand-in. Faults are laid down with `fail`.
pub struct Tautulli {
    server: Server,
    data: Arc<Mutex<Data>>,
    clock: Clock,
}

impl Deref for Tautulli {
    type Target = Server;
    fn deref(&self) -> &Server {
        &self.server
    }
}

/// What the server's threads hold on to.
pub struct TautulliService {
    pub data: Arc<Mutex<Data>>,
    pub clock: Clock,
    pub journal: Arc<Journal>,
}

impl Tautulli {
    pub fn start(api_key: &str, server: (&str, &str), clock: &Clock, journal: &Arc<Journal>) -> Self {
        let since = clock.before(Ago(time::Duration::days(400)));
        let mut data = Data {
            api_key: api_key.to_owned(),
            prefix: String::new(),
            users: Vec::new(),
            plays: Vec::new(),
            sessions: Vec::new(),
            connected: true,
            server: (server.0.to_owned(), server.1.to_owned()),
            api_enabled: true,
            database_broken: false,
            libraries: vec![
                ("Movies".to_owned(), "movie".to_owned(), true),
                ("TV Shows".to_owned(), "show".to_owned(), true),
            ],
            recording_since: since,
            owner_watched_until: day_before(since),
            next_play: 0,
        };
        // Every Tautulli has this row: for plays without an account.
        data.upsert(0, "Local", None);
        data.upsert(OWNER_ID, "owner", Some("owner@example.test"));
        let data = Arc::new(Mutex::new(data));
        let service = TautulliService { data: Arc::clone(&data), clock: clock.clone(), journal: Arc::clone(journal) };
        let server = Server::start(Arc::new(service), Arc::clone(journal));
        Self { server, data, clock: clock.clone() }
    }

    /// What happened up to the sandbox's now, to look at or to change.
    pub fn data(&self) -> MutexGuard<'_, Data> {
        let mut data = self.data.lock().unwrap();
        data.catch_up(self.clock.now());
        data
    }

    /// For `TAUTULLI_URL`.
    pub fn base(&self) -> String {
        format!("{}{}", self.url(), self.data().prefix)
    }

    /// Serves below a path, as behind a proxy: `/tautulli`.
    pub fn prefix(&self, prefix: &str) {
        self.data().prefix = prefix.to_owned();
    }

    /// Its record begins that long ago: what was before is gone. The owner's daily film goes back as far.
    pub fn recording_since(&self, ago: Ago) {
        let (since, now) = (self.clock.before(ago), self.clock.now());
        let mut data = self.data();
        let connected = std::mem::replace(&mut data.connected, true);
        data.recording_since = since;
        data.owner_watched_until = day_before(since);
        data.plays.retain(|play| play.started >= since && play.user_id != OWNER_ID);
        data.catch_up(now);
        data.connected = connected;
    }

    /// Nothing was ever recorded, and nothing is before somebody watches; the owner's daily film included.
    pub fn empty_record(&self) {
        let now = self.clock.now();
        let mut data = self.data();
        data.recording_since = now.unix_timestamp();
        data.owner_watched_until = Date::MAX;
        data.plays.clear();
    }

    /// Whether it is in touch with Plex. When it is not, nothing is recorded.
    pub fn connected(&self, connected: bool) {
        self.data().connected = connected;
    }

    /// Watches another Plex server.
    pub fn watches_server(&self, name: &str, identifier: &str) {
        self.data().server = (name.to_owned(), identifier.to_owned());
    }

    /// Its database fails inside of commands, which then answer success with nothing in it.
    pub fn database_broken(&self, broken: bool) {
        self.data().database_broken = broken;
    }

    pub fn api_enabled(&self, enabled: bool) {
        self.data().api_enabled = enabled;
    }

    /// No libraries yet: the graphs have no series then.
    pub fn no_libraries(&self) {
        self.data().libraries.clear();
    }

    /// Adds a library whose plays are not recorded.
    pub fn library_without_history(&self, name: &str) {
        let library = (name.to_owned(), "movie".to_owned(), false);
        self.data().libraries.push(library);
    }

    /// What a command that breaks down inside answers.
    pub fn crash() -> Fault {
        let message = "Check the logs for errors";
        Fault::json(500, json!({"response": {"result": "error", "message": message, "data": {}}}))
    }

    /// Whether it knows a person and shows them.
    pub fn shows(&self, user_id: u64) -> bool {
        self.data().user(user_id).is_some_and(|user| !user.deleted)
    }

    /// Whether a person's plays are recorded.
    pub fn keeps_history(&self, user_id: u64) -> bool {
        self.data().user(user_id).is_some_and(|user| user.keep_history)
    }

    /// How many plays of a person are recorded.
    pub fn plays(&self, user_id: u64) -> usize {
        let data = self.data();
        data.plays.iter().filter(|play| play.user_id == user_id).count()
    }

    /// Deletes a user the way `delete_user` does: the history is erased, the person hidden, and never recorded again.
    pub fn delete(&self, user_id: u64) {
        self.data().delete(user_id);
    }
}

impl Data {
    pub fn delete(&mut self, user_id: u64) {
        self.plays.retain(|play| play.user_id != user_id);
        if let Some(user) = self.user_mut(user_id) {
            user.deleted = true;
            user.keep_history = false;
        }
    }
}

fn day_before(seconds: i64) -> Date {
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
    time.date().previous_day().unwrap()
}
