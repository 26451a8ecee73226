//! Who is in the household: `sandbox.person(1002, "bob").joined(days_ago(70)).watched(days_ago(3));`

use super::clock::{Ago, days_ago, hours_ago, minutes_ago};
use super::plex::Account;
use super::sandbox::{ATTIC, CENTAURI, Sandbox};
use super::tautulli::Session;

/// Somebody who was put into the household. Every method changes Plex and Tautulli at once.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    sandbox: &'a Sandbox,
    id: u64,
}

impl Sandbox {
    /// A friend with a share on the server since 200 days ago, known to Tautulli, who never watched anything.
    pub fn person(&self, id: u64, name: &str) -> Person<'_> {
        let email = email_of(name);
        let account = Account {
            id,
            username: Some(name.to_owned()),
            title: name.to_owned(),
            email: Some(email.clone()),
            restricted: false,
            home: false,
        };
        {
            let mut plex = self.plex.data();
            plex.accounts.entry(id).or_insert(account);
            let joined = self.clock.before(days_ago(200));
            plex.share(id, CENTAURI, Some(joined));
        }
        self.tautulli.data().upsert(id, name, Some(&email));
        Person { sandbox: self, id }
    }

    /// Thirteen people, among them somebody for every standing that `status` knows but "warned".
    pub fn somebody_in_every_situation(&self) {
        self.person(1001, "ada").watched(days_ago(2));
        self.person(1002, "bert").watched(days_ago(40)).watching_now();
        self.person(1003, "walt").watched(days_ago(28));
        self.person(1004, "dora").watched(days_ago(27));
        self.person(1005, "rita").watched(days_ago(33));
        self.person(1006, "nick").joined(days_ago(45)).never_watched();
        self.person(1007, "mom").watched(days_ago(90));
        self.person(1008, "hugo").home_user().watched(days_ago(90));
        self.person(1009, "gwen").joined(hours_ago(5)).never_watched();
        self.person(1010, "tess").joined(hours_ago(30)).unknown_to_tautulli();
        self.person(1011, "zoe").no_history_kept();
        self.person(1012, "hiro 紘 👩‍🚀").watched(minutes_ago(90));
        self.person(1013, "adminsecond").email("admin@example.test").watched(days_ago(200));
    }

    /// Somebody who is in the household already, to say more about them.
    pub fn known(&self, id: u64) -> Person<'_> {
        Person { sandbox: self, id }
    }
}

/// An address for a name, whatever is in the name.
fn email_of(name: &str) -> String {
    let plain: String =
        name.to_lowercase().chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '.' }).collect();
    format!("{}@example.test", plain.trim_matches('.'))
}

impl Person<'_> {
    fn account(self, change: impl FnOnce(&mut Account)) -> Self {
        let mut plex = self.sandbox.plex.data();
        change(plex.accounts.get_mut(&self.id).expect("the person has an account"));
        drop(plex);
        self
    }

    fn shares(self, change: impl Fn(&mut super::plex::Share)) -> Self {
        let mut plex = self.sandbox.plex.data();
        plex.shares.iter_mut().filter(|share| share.person == self.id).for_each(change);
        drop(plex);
        self
    }

    fn tautulli(self, change: impl FnOnce(&mut super::tautulli::User)) -> Self {
        let mut tautulli = self.sandbox.tautulli.data();
        if let Some(user) = tautulli.user_mut(self.id) {
            change(user);
        }
        drop(tautulli);
        self
    }

    /// When they accepted the share.
    pub fn joined(self, ago: Ago) -> Self {
        let joined = self.sandbox.clock.before(ago);
        self.shares(|share| share.accepted_at = Some(joined))
    }

    /// plex.tv does not say when they joined.
    pub fn accepted_at_null(self) -> Self {
        self.shares(|share| share.accepted_at = None)
    }

    /// They began a film then, and watched it to its end.
    pub fn watched(self, ago: Ago) -> Self {
        let started = self.sandbox.clock.before(ago);
        self.sandbox.tautulli.data().record(self.id, started);
        self
    }

    /// Nothing of theirs is in the history.
    pub fn never_watched(self) -> Self {
        let mut tautulli = self.sandbox.tautulli.data();
        tautulli.plays.retain(|play| play.user_id != self.id);
        drop(tautulli);
        self
    }

    /// They began a film ten minutes ago, and are at it still: it is not in the table before they stop.
    pub fn watching_now(self) -> Self {
        let started = self.sandbox.clock.before(minutes_ago(10));
        self.sandbox.tautulli.data().sessions.push(Session { user_id: self.id, started });
        self
    }

    pub fn email(self, email: &str) -> Self {
        self.account(|account| account.email = Some(email.to_owned()))
            .tautulli(|user| user.email = Some(email.to_owned()))
    }

    pub fn no_email(self) -> Self {
        self.account(|account| account.email = None).tautulli(|user| user.email = None)
    }

    /// An empty address, which is not the same as none.
    pub fn empty_email(self) -> Self {
        self.email("")
    }

    /// The title at Plex, where it differs from the username.
    pub fn title(self, title: &str) -> Self {
        self.account(|account| account.title = title.to_owned()).tautulli(|user| user.title = Some(title.to_owned()))
    }

    /// What the owner calls them in Tautulli.
    pub fn friendly_name(self, name: &str) -> Self {
        self.tautulli(|user| user.friendly_name = Some(name.to_owned()))
    }

    /// Tautulli has not heard of them yet.
    pub fn unknown_to_tautulli(self) -> Self {
        let mut tautulli = self.sandbox.tautulli.data();
        tautulli.users.retain(|user| user.user_id != self.id);
        tautulli.plays.retain(|play| play.user_id != self.id);
        drop(tautulli);
        self
    }

    /// The owner told Tautulli to record them again.
    pub fn history_kept(self) -> Self {
        self.tautulli(|user| user.keep_history = true)
    }

    /// The owner undeleted them in Tautulli.
    pub fn undeleted_in_tautulli(self) -> Self {
        self.tautulli(|user| {
            user.deleted = false;
            user.keep_history = true;
        })
    }

    /// The owner told Tautulli not to record them. What was recorded before stays, as it does in Tautulli.
    pub fn no_history_kept(self) -> Self {
        self.tautulli(|user| user.keep_history = false)
    }

    /// Deleted in Tautulli: history erased, hidden, and never recorded again.
    pub fn hidden_in_tautulli(self) -> Self {
        self.sandbox.tautulli.delete(self.id);
        self
    }

    /// A share on another of the owner's servers as well. It is a year old.
    pub fn also_on(self, server: &str) -> Self {
        let machine = self.sandbox.machine(server);
        let joined = self.sandbox.clock.before(days_ago(365));
        self.sandbox.plex.data().share(self.id, &machine, Some(joined));
        self
    }

    /// A share on another of the owner's servers, and none on this one.
    pub fn only_on(self, server: &str) -> Self {
        let machine = self.sandbox.machine(server);
        self.shares(|share| share.machine.clone_from(&machine)).tautulli(|user| user.is_active = false)
    }

    /// In the owner's Plex Home, with an account of their own.
    pub fn home_user(self) -> Self {
        self.account(|account| account.home = true).tautulli(|user| user.is_home_user = true)
    }

    /// Made by the owner in their Plex Home: with a title, but neither username nor address.
    pub fn managed_user(self) -> Self {
        self.account(|account| {
            account.home = true;
            account.restricted = true;
            account.username = None;
            account.email = None;
        })
        .tautulli(|user| {
            user.is_home_user = true;
            user.is_restricted = true;
            user.email = None;
        })
    }

    /// Not in the list of shares: so some managed users are, who are in the Home only.
    pub fn not_among_shares(self) -> Self {
        let mut plex = self.sandbox.plex.data();
        plex.shares.retain(|share| share.person != self.id);
        drop(plex);
        self
    }

    /// The share is in the list still, but was ended by the owner yesterday.
    pub fn share_deleted(self) -> Self {
        let yesterday = self.sandbox.clock.before(days_ago(1));
        self.shares(|share| share.deleted_at = Some(yesterday))
    }

    /// The share is in the list still, but the person left yesterday.
    pub fn share_left(self) -> Self {
        let yesterday = self.sandbox.clock.before(days_ago(1));
        self.shares(|share| share.left_at = Some(yesterday))
    }

    /// The invitation is in the list, but was not accepted.
    pub fn not_accepted(self) -> Self {
        self.shares(|share| {
            share.accepted = false;
            share.accepted_at = None;
        })
    }
}

impl Sandbox {
    /// The owner has a second server, "Attic".
    pub fn second_server(&self) -> &Self {
        self.machine("Attic");
        self
    }

    /// The machine identifier of one of the owner's servers, which is added if need be.
    fn machine(&self, name: &str) -> String {
        let identifier = match name {
            super::sandbox::SERVER_NAME => CENTAURI.to_owned(),
            "Attic" => ATTIC.to_owned(),
            other => format!("machine-{other}"),
        };
        self.plex.add_server(name, &identifier, true);
        identifier
    }
}
