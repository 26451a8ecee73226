//! plex.tv and Tautulli: what they are asked, and what they said in this pass. Only this folder knows their field names.

pub mod http;
pub mod plex;
pub mod tautulli;

use std::{
    collections::BTreeMap,
    thread::{self, Scope},
};

use time::OffsetDateTime;

use crate::error::Error;
use plex::{Account, Plex, Server, Share};
use tautulli::{Tautulli, User};

/// Something that plex.tv or Tautulli can be asked, one request each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    Account,
    Server,
    Shares,
    Home,
    Version,
    Connected,
    WatchedServer,
    Users,
    Libraries,
    RecordingSince,
    Activity,
}

/// What a service said, or why that is not known; none where it was not asked.
pub type Answer<T> = Option<Result<T, Error>>;

/// What plex.tv and Tautulli said in this pass.
#[derive(Default)]
pub struct Snapshot {
    /// The account that the token belongs to.
    pub account: Answer<Account>,
    /// The server named `PLEX_SERVER_NAME`.
    pub server: Answer<Server>,
    /// Everybody's accepted, living shares, on all servers of the account.
    pub shares: Answer<Vec<Share>>,
    /// The Plex ids of the members of the Plex Home.
    pub home: Answer<Vec<u64>>,
    /// Tautulli's version.
    pub version: Answer<String>,
    /// Whether Tautulli is connected to Plex, that is: whether it records.
    pub connected: Answer<bool>,
    /// The server that Tautulli watches.
    pub watched_server: Answer<Server>,
    /// Tautulli's users; none if its table has no row at all, which is an error in its database.
    pub users: Answer<Option<Vec<User>>>,
    /// The names of the libraries that Tautulli keeps no history of.
    pub libraries: Answer<Vec<String>>,
    /// Since when Tautulli has been recording, UTC.
    pub recording_since: Answer<OffsetDateTime>,
    /// The Plex ids of those who are watching now.
    pub activity: Answer<Vec<u64>>,
    /// Whether somebody whom Tautulli's table lacks is deleted there, by Plex id.
    pub hidden: BTreeMap<u64, Result<bool, Error>>,
}

impl Snapshot {
    /// Asks all questions side by side; those to a service that is not there stay unasked.
    pub fn ask(
        &mut self,
        questions: &[Question],
        plex: Option<&Plex>,
        tautulli: Option<&Tautulli>,
        now: OffsetDateTime,
    ) {
        thread::scope(|scope| {
            let asked = |question| questions.contains(&question);
            let plex = |question| plex.filter(|_| asked(question));
            let tautulli = |question| tautulli.filter(|_| asked(question));
            start(scope, &mut self.account, plex(Question::Account), Plex::account);
            start(scope, &mut self.server, plex(Question::Server), Plex::server);
            start(scope, &mut self.shares, plex(Question::Shares), Plex::shares);
            start(scope, &mut self.home, plex(Question::Home), Plex::home_users);
            start(scope, &mut self.version, tautulli(Question::Version), Tautulli::version);
            start(scope, &mut self.connected, tautulli(Question::Connected), Tautulli::is_connected);
            start(scope, &mut self.watched_server, tautulli(Question::WatchedServer), Tautulli::watched_server);
            start(scope, &mut self.users, tautulli(Question::Users), Tautulli::users);
            start(scope, &mut self.libraries, tautulli(Question::Libraries), Tautulli::unrecorded_libraries);
            let recording_since = move |tautulli: &Tautulli| tautulli.recording_since(now);
            start(scope, &mut self.recording_since, tautulli(Question::RecordingSince), recording_since);
            start(scope, &mut self.activity, tautulli(Question::Activity), Tautulli::watching);
        });
    }

    /// Asks whether the people whom Tautulli's table lacks are deleted there; up to the first failure, for each of them may
    /// take the whole time of a call.
    pub fn ask_hidden(&mut self, people: impl Iterator<Item = u64>, tautulli: &Tautulli) {
        for id in people {
            let answer = tautulli.is_deleted(id);
            let has_failed = answer.is_err();
            self.hidden.insert(id, answer);
            if has_failed {
                break;
            }
        }
    }

    /// Everything that went wrong, in the order of the fields; of one cause only the first.
    pub fn errors(&self) -> Vec<&Error> {
        fn of<T>(answer: &Answer<T>) -> Option<&Error> {
            answer.as_ref()?.as_ref().err()
        }
        let plex = [of(&self.account), of(&self.server), of(&self.shares), of(&self.home)];
        let connected = [of(&self.version), of(&self.users), of(&self.connected), of(&self.watched_server)];
        let evidence = [of(&self.recording_since), of(&self.activity)];
        let hidden = self.hidden.values().filter_map(|answer| answer.as_ref().err());
        let mut errors: Vec<&Error> = Vec::new();
        for error in plex.into_iter().chain(connected).chain(evidence).flatten().chain(hidden) {
            if !errors.iter().any(|known| known.is_like(error)) {
                errors.push(error);
            }
        }
        errors
    }

    /// Logs that nothing is known about the libraries, on which only a remark rests, unless another error tells why.
    pub fn warn_of_libraries(&self) {
        if let Some(Err(error)) = &self.libraries
            && !self.errors().iter().any(|known| known.is_like(error))
        {
            log::warn!("{error}");
        }
    }

    /// Everything that a judgement rests on is known.
    ///
    /// # Errors
    /// The first thing that is not; the others go to the log.
    pub fn complete(&self) -> Result<(), Error> {
        let errors = self.errors();
        errors.iter().skip(1).for_each(|error| log::error!("{error}"));
        errors.first().map_or(Ok(()), |error| Err((*error).clone()))
    }
}

/// Asks one question on a thread of its own.
fn start<'scope, S: Sync, T: Send>(
    scope: &'scope Scope<'scope, '_>,
    answer: &'scope mut Answer<T>,
    service: Option<&'scope S>,
    ask: impl FnOnce(&S) -> Result<T, Error> + Send + 'scope,
) {
    if let Some(service) = service {
        scope.spawn(move || *answer = Some(ask(service)));
    }
}
