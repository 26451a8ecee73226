use time::OffsetDateTime;

use super::names::{Names, entry_means};
use crate::{
    config::Settings,
    notify::Who,
    services::{
        plex::{Revocation, Share},
        tautulli::{Play, User},
    },
    state::State,
    verdict::{Facts, History, Judgement, Protection, Rules, Warning, judge},
    words,
};

/// Somebody with a share on the server, and all that this pass knows of them.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Plex id.
    pub id: u64,
    /// Username, or what comes nearest; fit for showing.
    pub name: String,
    /// Address, if the account has one.
    pub email: Option<String>,
    pub names: Names,
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

/// What the services said of one person.
pub struct Evidence<'a> {
    pub share: &'a Share,
    /// Their row in Tautulli's table of users.
    pub user: Option<&'a User>,
    pub is_owner: bool,
    /// Whether the Plex Home lists them; some shares say so too.
    pub in_home: bool,
    pub elsewhere: bool,
    pub watching: bool,
    /// Whether Tautulli says that they are deleted there.
    pub hidden: bool,
    /// Since when Tautulli has been recording, UTC.
    pub record_begins: Option<OffsetDateTime>,
}

impl Guest {
    pub fn of(evidence: &Evidence<'_>, settings: &Settings, state: &State) -> Self {
        let Evidence { share, user, .. } = *evidence;
        let id = share.person;
        let on_plex = || [&share.username, &share.title, &share.email].into_iter().flatten().map(String::as_str);
        // After a change of name Tautulli has the old one for some hours, which may be the one on the owner's lists.
        let in_tautulli = user.iter().flat_map(|user| user.names.iter().map(String::as_str));
        let names = Names::of(id, on_plex().chain(in_tautulli));
        let in_home = share.home || evidence.in_home;
        let mut protections = protections(id, &names, in_home, settings, state);
        if evidence.is_owner {
            protections.insert(0, Protection::Owner);
        }
        let history = match user {
            None if evidence.hidden => History::Hidden,
            None => History::Unknown,
            Some(User { keeps_history: false, .. }) => History::NotKept,
            Some(User { last_seen, .. }) => History::Kept(*last_seen),
        };
        let revoked = state.removed.get(&id).is_some_and(|removed| removed.ok && removed.share == Some(share.id));
        let shown = on_plex().map(words::printable).find(|name| !name.is_empty());
        Self {
            id,
            name: shown.unwrap_or_else(|| format!("Plex user {id}")),
            email: share.email.clone().filter(|email| !email.trim().is_empty()),
            names,
            share: share.id,
            accepted: share.accepted,
            elsewhere: evidence.elsewhere,
            in_home,
            facts: Facts {
                protections,
                watching: evidence.watching,
                joined: share.accepted.or_else(|| state.welcomed.get(&id).map(|seen| seen.when)),
                revoked,
                history,
                record_begins: evidence.record_begins,
                unrecorded_until: state.unrecorded.get(&id).map(|seen| seen.when),
                warned: state.warned.get(&id).map(|warned| Warning { at: warned.when, delivered: warned.delivered }),
            },
        }
    }

    /// The same person with their newest play, which was asked for after everything else; one that is going on included.
    ///
    /// # Errors
    /// It contradicts Tautulli's table: then nothing is known about this person for now.
    pub fn with_newest_play(&self, play: Option<Play>) -> Result<Self, String> {
        let History::Kept(known) = self.facts.history else { return Ok(self.clone()) };
        let Some(play) = play else {
            let contradiction = "Tautulli contradicts itself: its table of users knows of a play, its history has none";
            return if known.is_none() { Ok(self.clone()) } else { Err(contradiction.to_owned()) };
        };
        let newest = known.map_or(play.started, |known| known.max(play.started));
        let watching = self.facts.watching || play.going_on;
        let facts = Facts { watching, history: History::Kept(Some(newest)), ..self.facts.clone() };
        Ok(Self { facts, ..self.clone() })
    }

    /// The person as notices speak of them.
    pub fn who(&self) -> Who {
        Who { id: self.id, name: self.name.clone(), email: self.email.clone() }
    }

    /// The person as the log speaks of them: `bob (id 1002)`.
    pub fn label(&self) -> String {
        format!("{} (id {})", self.name, self.id)
    }

    /// How their access to this server ends, and nothing else of theirs.
    pub fn revocation(&self) -> Revocation {
        if self.in_home {
            Revocation::Home { person: self.id }
        } else if self.elsewhere {
            Revocation::OneShare { share: self.share }
        } else {
            Revocation::AllShares { person: self.id }
        }
    }

    pub fn judge(&self, rules: &Rules, now: OffsetDateTime) -> Judgement {
        judge(&self.facts, rules, now)
    }

    /// The newest play since they joined, UTC: one from before is of an earlier stay.
    pub fn last_watched(&self) -> Option<OffsetDateTime> {
        match self.facts.history {
            History::Kept(watched) => watched.filter(|watched| self.facts.joined.is_none_or(|joined| *watched >= joined)),
            History::Unknown | History::Hidden | History::NotKept => None,
        }
    }
}

/// Everything that may protect the person with this Plex id and these names, whether it holds now or not.
pub fn protections(id: u64, names: &Names, in_home: bool, settings: &Settings, state: &State) -> Vec<Protection> {
    let admin = names.contains(settings.admin.as_ref()).then_some(Protection::Admin);
    let vip = settings.vips.iter().find(|vip| names.contains(vip));
    let vip = vip.map(|vip| Protection::Vip(words::printable(vip)));
    let entries = state.whitelist.iter().filter(|entry| entry_means(entry, id, names));
    let entries = entries.map(|entry| Protection::Whitelist { until: entry.until });
    let home = in_home.then_some(Protection::HomeUser);
    admin.into_iter().chain(vip).chain(entries).chain(home).collect()
}
