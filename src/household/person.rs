//! One person of the household, and whom a name means.

use time::OffsetDateTime;

use crate::{
    config::Settings,
    notify::Who,
    plex::{Account, Ending, Share},
    state::{State, WhitelistEntry},
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
    /// Everything they can be named by: username, title, address, id; see [`folded`].
    names: Vec<String>,
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

    /// Whether the owner means this person by a name in `VIP_NAMES`, on the whitelist or on the command line.
    pub fn is_named(&self, name: &str) -> bool {
        self.names.contains(&folded(name))
    }

    /// The names that they can be named by, in small letters without blanks.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Notes what Tautulli calls them: after a change of name it has the old one for some hours, which may be the one on
    /// the owner's lists.
    pub(super) fn is_also_named(&mut self, names: &[String], settings: &Settings, state: &State) {
        for name in names.iter().map(|name| folded(name)).filter(|name| !name.is_empty()) {
            if !self.names.contains(&name) {
                self.names.push(name);
            }
        }
        for protection in listed(self, settings, state) {
            if !self.facts.protections.contains(&protection) {
                self.facts.protections.push(protection);
            }
        }
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

pub(super) fn person(share: &Share, elsewhere: bool, settings: &Settings, state: &State) -> Person {
    let shown = [&share.username, &share.title, &share.email];
    let shown = shown.into_iter().flatten().map(|name| words::printable(name)).find(|name| !name.is_empty());
    let id = share.person.to_string();
    let names = [&share.username, &share.title, &share.email].into_iter().flatten().chain([&id]);
    let mut person = Person {
        id: share.person,
        name: shown.unwrap_or_else(|| format!("Plex user {id}")),
        email: share.email.clone().filter(|email| !email.trim().is_empty()),
        names: names.map(|name| folded(name)).filter(|name| !name.is_empty()).collect(),
        share: share.id,
        accepted: share.accepted,
        elsewhere,
        in_home: share.home,
        facts: Facts {
            protections: Vec::new(),
            watching: false,
            joined: share.accepted.or_else(|| state.welcomed.get(&share.person).map(|seen| seen.when)),
            history: History::Unknown,
            record_begins: None,
            unrecorded_until: state.unrecorded.get(&share.person).map(|seen| seen.when),
            warned: state
                .warned
                .get(&share.person)
                .map(|warned| Warning { at: warned.when, delivered: warned.delivered }),
        },
    };
    person.facts.protections = protections(&person, share, settings, state);
    person
}

/// Everything that may protect somebody, whether it holds now or not.
fn protections(person: &Person, share: &Share, settings: &Settings, state: &State) -> Vec<Protection> {
    let mut protections = Vec::new();
    if share.email.as_ref().is_some_and(|email| folded(email) == folded(settings.admin.as_ref())) {
        protections.push(Protection::Admin);
    }
    protections.extend(listed(person, settings, state));
    if share.home {
        protections.push(Protection::HomeUser);
    }
    protections
}

/// What the owner's lists protect somebody by.
fn listed(person: &Person, settings: &Settings, state: &State) -> Vec<Protection> {
    let vip = settings.vips.iter().find(|vip| person.is_named(vip));
    let vip = vip.map(|vip| Protection::Vip(words::printable(vip)));
    let spared = state.whitelist.iter().filter(|entry| spares(entry, person));
    vip.into_iter().chain(spared.map(|entry| Protection::Whitelist { until: entry.until })).collect()
}

/// Whether an entry of the whitelist means this person.
pub fn spares(entry: &WhitelistEntry, person: &Person) -> bool {
    entry.id.map_or_else(|| person.is_named(&entry.name), |id| id == person.id)
}

/// Whether a name means the account that owns the server, which is on no list of shares.
pub fn is_owner(owner: &Account, name: &str) -> bool {
    let id = owner.id.to_string();
    let names = [owner.username.as_deref(), owner.email.as_deref(), Some(id.as_str())];
    names.into_iter().flatten().any(|own| folded(own) == folded(name))
}

/// A name without its blanks and in lower case: how owners write names should not cost anybody their access.
pub fn folded(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}
