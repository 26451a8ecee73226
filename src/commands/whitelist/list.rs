use serde::Serialize;
use time::OffsetDateTime;

use super::{connect, table};
use crate::{
    cli::Cli,
    clock,
    commands::output::print,
    config::{Environment, Settings},
    error::{Error, Exit},
    people::{Guest, People, entry_means},
    services::{
        Question::{self, Account, Home, Server, Shares},
        Snapshot,
    },
    state::{self, State, WhitelistEntry},
    timestamp,
    verdict::Protection,
    words,
};

const QUESTIONS: [Question; 4] = [Server, Shares, Account, Home];

/// Shows everybody who is never removed, and why.
pub fn run(json: bool, cli: &Cli, environment: &Environment) -> Result<Exit, Error> {
    let now = clock::now();
    let (settings, plex) = connect(cli, environment)?;
    let state = state::read(&settings.state_dir)?;
    let mut snapshot = Snapshot::default();
    snapshot.ask(&QUESTIONS, Some(&plex), None, now);
    let people = People::complete(&snapshot, &settings, &state)?;
    print(&Report::of(&people, &settings, &state, now), json, table::write)?;
    Ok(Exit::Done)
}

/// What `whitelist list --json` prints. Fields are added, never renamed or dropped, as long as `schema` is 1. Times are
/// RFC 3339, UTC.
#[derive(Debug, Serialize)]
pub struct Report {
    schema: u32,
    pub server: String,
    pub protections: Vec<Row>,
    /// Entries that mean nobody.
    pub remarks: Vec<String>,
}

/// One reason for which somebody is never removed.
#[derive(Debug, Serialize)]
pub struct Row {
    /// whitelist, VIP_NAMES, ADMIN_EMAIL, owner, Home user.
    pub by: &'static str,
    /// The entry, where the owner wrote one.
    pub entry: Option<String>,
    /// The Plex id by which a whitelist entry holds, whatever the person is called.
    id: Option<u64>,
    /// Who it is about, of those who have access now.
    pub matches: Vec<Match>,
    /// Whether it holds: an entry may be over.
    pub holds: bool,
    #[serde(with = "timestamp::option")]
    pub since: Option<OffsetDateTime>,
    /// The last day that counts, UTC.
    pub until: Option<String>,
    pub note: Option<String>,
}

/// Somebody with access to the server.
#[derive(Debug, Serialize)]
pub struct Match {
    id: u64,
    pub name: String,
}

impl Report {
    fn of(people: &People, settings: &Settings, state: &State, now: OffsetDateTime) -> Self {
        let mut protections: Vec<Row> = state.whitelist.iter().map(|entry| Row::of_entry(entry, people, now)).collect();
        for vip in &settings.vips {
            let is_owner = people.owner.as_ref().is_some_and(|owner| owner.names.contains(vip));
            let matches = matches(people, is_owner, |guest| guest.names.contains(vip));
            protections.push(Row::new("VIP_NAMES", Some(words::printable(vip)), matches));
        }
        let admin = settings.admin.to_string();
        let is_owner = people.owner.as_ref().is_some_and(|owner| owner.names.contains(&admin));
        let is_admin = |guest: &Guest| guest.facts.protections.contains(&Protection::Admin);
        let admins = matches(people, is_owner, is_admin);
        protections.push(Row::new("ADMIN_EMAIL", Some(words::printable(&admin)), admins));
        protections.push(Row::new("owner", None, matches(people, true, |_| false)));
        if !settings.rules.prune_home_users {
            protections.push(Row::new("Home user", None, matches(people, false, |guest| guest.in_home)));
        }
        protections.retain(|row| row.entry.is_some() || !row.matches.is_empty());
        let remarks = people.unmatched(settings, state, now).iter().map(ToString::to_string).collect();
        Self { schema: 1, server: people.server.name.clone(), protections, remarks }
    }
}

fn matches(people: &People, owner: bool, is_meant: impl Fn(&Guest) -> bool) -> Vec<Match> {
    let guests = people.guests.iter().filter(|guest| is_meant(guest));
    let guests = guests.map(|guest| Match { id: guest.id, name: guest.name.clone() });
    let owner = people.owner.iter().filter(|_| owner).map(|owner| Match { id: owner.id, name: owner.name.clone() });
    owner.chain(guests).collect()
}

impl Row {
    fn new(by: &'static str, entry: Option<String>, matches: Vec<Match>) -> Self {
        Self { by, entry, id: None, matches, holds: true, since: None, until: None, note: None }
    }

    fn of_entry(entry: &WhitelistEntry, people: &People, now: OffsetDateTime) -> Self {
        let matches = matches(people, false, |guest| entry_means(entry, guest.id, &guest.names));
        Self {
            id: entry.id,
            holds: entry.is_in_force(now),
            since: Some(entry.since),
            until: entry.until.map(words::date),
            note: entry.note.as_deref().map(words::excerpt),
            ..Self::new("whitelist", Some(words::printable(&entry.name)), matches)
        }
    }
}
