use std::thread;

use serde::Serialize;
use time::OffsetDateTime;

use super::{connect, table};
use crate::{
    cli::Cli,
    clock,
    commands::table::print,
    config::{Environment, Settings},
    error::{CommandError, Exit},
    household::{Guests, Person, both, is_owner, join, spares},
    plex::Account,
    state::{self, State, WhitelistEntry},
    timestamp,
    verdict::Protection,
    words,
};

/// Shows everybody who is never removed, and why.
pub(super) fn run(json: bool, cli: &Cli, environment: &Environment) -> Result<Exit, CommandError> {
    let now = clock::now();
    let (settings, plex) = connect(cli, environment)?;
    let state = state::read(&settings.state_dir)?;
    let (guests, account, members) = thread::scope(|scope| {
        let account = scope.spawn(|| plex.account());
        let members = scope.spawn(|| plex.home_users());
        (Guests::ask(&plex, &settings, &state), join(account), join(members))
    });
    let (guests, (account, members)) = both(guests, both(account, members))?;
    let people = People { guests: &guests, owner: &account, home: &members };
    print(&Report::of(&people, &settings, &state, now), json, table::write)?;
    Ok(Exit::Done)
}

/// Whom the entries may mean.
struct People<'a> {
    guests: &'a Guests,
    owner: &'a Account,
    /// The Plex ids of the Home's members.
    home: &'a [u64],
}

/// What `whitelist list --json` prints. Fields are added, never renamed or dropped, as long as `schema` is 1. Times are
/// RFC 3339, UTC.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schema: u32,
    pub(super) server: String,
    pub(super) protections: Vec<Row>,
    /// Entries that mean nobody.
    pub(super) remarks: Vec<String>,
}

/// One reason for which somebody is never removed.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// whitelist, VIP_NAMES, ADMIN_EMAIL, owner, Home user.
    pub(super) by: &'static str,
    /// The entry, where the owner wrote one.
    pub(super) entry: Option<String>,
    /// The Plex id by which a whitelist entry holds, whatever the person is called.
    id: Option<u64>,
    /// Whom it is about, of those who have access now.
    pub(super) matches: Vec<Match>,
    /// Whether it holds: an entry may be over.
    pub(super) holds: bool,
    #[serde(with = "timestamp::option")]
    pub(super) since: Option<OffsetDateTime>,
    /// The last day that counts, UTC.
    pub(super) until: Option<String>,
    pub(super) note: Option<String>,
}

/// Somebody with access to the server.
#[derive(Debug, Serialize)]
pub(super) struct Match {
    id: u64,
    pub(super) name: String,
}

impl Report {
    fn of(people: &People<'_>, settings: &Settings, state: &State, now: OffsetDateTime) -> Self {
        let mut protections: Vec<Row> = state.whitelist.iter().map(|entry| Row::spared(entry, people, now)).collect();
        for vip in &settings.vips {
            let matches = people.those(is_owner(people.owner, vip), |person| person.is_named(vip));
            protections.push(Row::new("VIP_NAMES", Some(words::printable(vip)), matches));
        }
        let admin = settings.admin.to_string();
        let is_admin = |person: &Person| person.facts.protections.contains(&Protection::Admin);
        let matches = people.those(is_owner(people.owner, &admin), is_admin);
        protections.push(Row::new("ADMIN_EMAIL", Some(words::printable(&admin)), matches));
        protections.push(Row::new("owner", None, people.those(true, |_| false)));
        if !settings.rules.prune_home_users {
            let matches = people.those(false, |person| person.in_home || people.home.contains(&person.id));
            protections.push(Row::new("Home user", None, matches));
        }
        protections.retain(|row| row.entry.is_some() || !row.matches.is_empty());
        let server = people.guests.server.name.clone();
        let means_nobody = protections.iter().filter(|row| row.holds && row.matches.is_empty());
        let remarks = means_nobody.filter_map(|row| row.remark(&server)).collect();
        Self { schema: 1, server, protections, remarks }
    }
}

impl People<'_> {
    fn those(&self, owner: bool, is_meant: impl Fn(&Person) -> bool) -> Vec<Match> {
        let people = self.guests.people.iter().filter(|person| is_meant(person));
        let people = people.map(|person| Match { id: person.id, name: person.name.clone() });
        owner.then(|| Match { id: self.owner.id, name: self.owner.name() }).into_iter().chain(people).collect()
    }
}

impl Row {
    fn new(by: &'static str, entry: Option<String>, matches: Vec<Match>) -> Self {
        Self { by, entry, id: None, matches, holds: true, since: None, until: None, note: None }
    }

    fn spared(entry: &WhitelistEntry, people: &People<'_>, now: OffsetDateTime) -> Self {
        let matches = people.those(false, |person| spares(entry, person));
        Self {
            id: entry.id,
            holds: entry.until.is_none_or(|until| now.date() <= until),
            since: Some(entry.since),
            until: entry.until.map(words::date),
            note: entry.note.as_deref().map(words::excerpt),
            ..Self::new("whitelist", Some(words::printable(&entry.name)), matches)
        }
    }

    /// A typo in an entry would cost somebody their access.
    fn remark(&self, server: &str) -> Option<String> {
        let entry = self.entry.as_ref()?;
        match (self.by, self.id) {
            ("whitelist", Some(id)) => Some(format!("whitelist: {entry} (id {id}) has no share on {server} now")),
            (by @ ("whitelist" | "VIP_NAMES"), _) => {
                Some(format!("{by}: \"{entry}\" is nobody on {server}; is it a typo?"))
            }
            _ => None,
        }
    }
}
