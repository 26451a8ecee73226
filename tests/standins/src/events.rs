//! What happens to a household later on, for longer tests.

use super::clock::{Ago, minutes_ago};
use super::person::Person;
use super::sandbox::{CENTAURI, Sandbox};

impl Sandbox {
    /// A person has just watched a film: it began 40 minutes ago. Somebody without access watches nothing.
    pub fn watches(&self, id: u64) {
        if self.on_plex(id) {
            let started = self.clock.before(minutes_ago(40));
            self.tautulli.data().record(id, started);
        }
    }

    /// A person begins a film now, and is at it until `stops_watching`.
    pub fn starts_watching(&self, id: u64) {
        let started = self.clock.seconds();
        self.tautulli.data().sessions.push(super::tautulli::Session { user_id: id, started });
    }

    /// A person stops watching: only now is it in the history.
    pub fn stops_watching(&self, id: u64) {
        let mut tautulli = self.tautulli.data();
        let stopped: Vec<i64> =
            tautulli.sessions.iter().filter(|session| session.user_id == id).map(|session| session.started).collect();
        tautulli.sessions.retain(|session| session.user_id != id);
        for started in stopped {
            tautulli.record(id, started);
        }
    }

    /// Somebody accepts an invitation now.
    pub fn joins(&self, id: u64, name: &str) -> Person<'_> {
        self.person(id, name).joined(Ago(time::Duration::ZERO))
    }

    /// A person leaves by themselves, all servers and the Home. Tautulli keeps them, as inactive.
    pub fn leaves(&self, id: u64) {
        let mut plex = self.plex.data();
        plex.leave_home(id);
        plex.end_shares(|share| share.person == id);
        drop(plex);
        if let Some(user) = self.tautulli.data().user_mut(id) {
            user.is_active = false;
        }
    }

    /// Somebody who was there before accepts a new invitation now. Tautulli does not undo a deletion for that.
    pub fn invite_again(&self, id: u64) {
        let now = self.clock.seconds();
        let mut plex = self.plex.data();
        let account = plex.accounts.get(&id).expect("nobody who was there before");
        let (name, email) = (account.title.clone(), account.email.clone());
        plex.end_shares(|share| share.person == id && share.machine == CENTAURI);
        plex.share(id, CENTAURI, Some(now));
        drop(plex);
        self.tautulli.data().upsert(id, &name, email.as_deref());
    }

    /// A person takes another username and title at Plex. Tautulli has not heard of it yet.
    pub fn renames(&self, id: u64, name: &str) {
        let mut plex = self.plex.data();
        let account = plex.accounts.get_mut(&id).expect("the person has an account");
        account.username = Some(name.to_owned());
        name.clone_into(&mut account.title);
    }

    /// Whether a person can reach the server: by a living share, or by the Home.
    pub fn on_plex(&self, id: u64) -> bool {
        self.plex.has_share(id, CENTAURI) || self.plex.in_home(id)
    }

    /// Whether Tautulli knows a person and shows them.
    pub fn in_tautulli(&self, id: u64) -> bool {
        self.tautulli.shows(id)
    }

    /// Tautulli's record begins that long ago.
    pub fn recording_since(&self, ago: Ago) -> &Self {
        self.tautulli.recording_since(ago);
        self
    }

    /// Tautulli is not in touch with Plex.
    pub fn disconnected(&self) -> &Self {
        self.tautulli.connected(false);
        self
    }

    /// Tautulli watches another Plex server.
    pub fn other_server(&self) -> &Self {
        self.tautulli.watches_server("Elsewhere", "0f3c000000000000000000000000000000elsewhere");
        self
    }
}
