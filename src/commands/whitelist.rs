use std::io::Write;

use serde::Serialize;
use time::{Date, OffsetDateTime};

use super::whitelist_table;
use crate::{
    cli::{self, Cli, WhitelistCommand},
    clock,
    config::{Environment, ExtraAuthorities, PlexConfig, Reader, Settings},
    error::{Error, Exit, UsageError},
    household::{Guests, Person, folded, spares},
    http,
    plex::Plex,
    state::{self, Spared, Store},
    verdict::Protection,
    words,
};

/// Shows or changes who is never removed. Needs no mail server, and of the services only Plex.
pub(super) fn run(args: &cli::Whitelist, cli: &Cli, environment: &Environment) -> Result<Exit, Error> {
    match &args.command {
        WhitelistCommand::List { json } => list(*json, cli, environment),
        WhitelistCommand::Add { who, until, note, offline } => {
            let entry = Wish { who: who.trim(), until: *until, note: note.as_deref() };
            add(&entry, *offline, cli, environment)
        }
        WhitelistCommand::Remove { who } => remove(who.trim(), cli, environment),
    }
}

/// What `add` is asked for.
struct Wish<'a> {
    who: &'a str,
    until: Option<Date>,
    note: Option<&'a str>,
}

fn add(wish: &Wish<'_>, offline: bool, cli: &Cli, environment: &Environment) -> Result<Exit, Error> {
    let now = clock::now();
    if let Some(until) = wish.until.filter(|until| *until < now.date()) {
        let (until, today) = (words::date(until), words::date(now.date()));
        return Err(UsageError(format!("--until {until} is over: today is {today} (UTC); nothing was changed")).into());
    }
    if folded(wish.who).is_empty() {
        return Err(UsageError("whom? Give a username, an e-mail address, a title or a Plex id".to_owned()).into());
    }
    let (dir, found) = if offline {
        let mut r = Reader::new(environment);
        let dir = Settings::read_state_dir(&mut r, cli.state_dir.clone());
        r.finish()?;
        (dir, None)
    } else {
        let (settings, plex) = connect(cli, environment)?;
        let guests = Guests::ask(&plex, &settings, &state::peek(&settings.state_dir)?, now)?;
        let person = find(wish.who, &guests)?;
        (settings.state_dir, Some((person.id, person.name.clone())))
    };
    let mut store = Store::open(&dir, "plex-prune whitelist add", now, cli.lock_wait)?;
    let (id, name) = match found {
        Some((id, name)) => (Some(id), name),
        None => (None, wish.who.to_owned()),
    };
    let whitelist = &mut store.state.whitelist;
    let is_same = |entry: &Spared| match id {
        Some(id) => entry.id == Some(id),
        None => entry.id.is_none() && folded(&entry.name) == folded(&name),
    };
    let earlier = whitelist.iter().position(is_same).map(|place| whitelist.remove(place));
    let entry = Spared {
        name,
        id,
        since: earlier.as_ref().map_or(now, |earlier| earlier.since),
        until: wish.until,
        note: wish.note.map(str::to_owned).or_else(|| earlier.as_ref().and_then(|earlier| earlier.note.clone())),
    };
    let who = label(&entry);
    let until = until_words(&entry, now);
    let was = earlier.map(|earlier| until_words(&earlier, now)).filter(|was| *was != until);
    let was = was.map_or(String::new(), |was| format!(" (was: {was})"));
    whitelist.push(entry);
    store.save()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{who} is on the whitelist {until}{was}.")?;
    if offline {
        writeln!(out, "Plex was not asked; `plex-prune whitelist list` shows whom it matches.")?;
    }
    Ok(Exit::Done)
}

fn remove(who: &str, cli: &Cli, environment: &Environment) -> Result<Exit, Error> {
    let mut r = Reader::new(environment);
    let dir = Settings::read_state_dir(&mut r, cli.state_dir.clone());
    r.finish()?;
    let mut store = Store::open(&dir, "plex-prune whitelist remove", clock::now(), cli.lock_wait)?;
    let whitelist = &mut store.state.whitelist;
    let is_meant =
        |entry: &&Spared| folded(&entry.name) == folded(who) || entry.id.is_some_and(|id| id.to_string() == who);
    let meant: Vec<String> = whitelist.iter().filter(is_meant).map(label).collect();
    let all: Vec<String> = whitelist.iter().map(label).collect();
    let who = words::printable(who);
    match meant.as_slice() {
        [label] => {
            let label = label.clone();
            whitelist.retain(|entry| !is_meant(&entry));
            store.save()?;
            let mut out = std::io::stdout().lock();
            writeln!(out, "{label} is off the whitelist: the next sweep judges them like everybody else.")?;
            writeln!(out, "`plex-prune status` shows what that means for them.")?;
            Ok(Exit::Done)
        }
        [] if all.is_empty() => Err(UsageError(format!("{who:?} is not on the whitelist: it is empty")).into()),
        [] => Err(UsageError(format!("{who:?} is not on the whitelist. On it are: {}", all.join(", "))).into()),
        several => {
            let several = several.join(", ");
            Err(UsageError(format!("{who:?} could be any of these; give the Plex id: {several}; nothing was changed"))
                .into())
        }
    }
}

fn list(json: bool, cli: &Cli, environment: &Environment) -> Result<Exit, Error> {
    let now = clock::now();
    let (settings, plex) = connect(cli, environment)?;
    let state = state::peek(&settings.state_dir)?;
    let guests = Guests::ask(&plex, &settings, &state, now)?;
    let report = Report {
        schema: 1,
        remarks: guests.remarks.clone(),
        server: guests.server.name.clone(),
        protections: protections(&guests, &settings, &state, now),
    };
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &report).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        whitelist_table::write(&report, &mut out)?;
    }
    Ok(Exit::Done)
}

/// What `whitelist list --json` prints. Fields are added, never renamed or dropped, as long as `schema` is 1.
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
    /// Whom it protects now.
    pub(super) matches: Vec<Match>,
    /// Whether it holds: an entry may be over.
    pub(super) holds: bool,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(super) since: Option<OffsetDateTime>,
    /// The last day that counts, UTC.
    pub(super) until: Option<String>,
    pub(super) note: Option<String>,
}

/// Somebody with a share on the server.
#[derive(Debug, Serialize)]
pub(super) struct Match {
    pub(super) id: u64,
    pub(super) name: String,
}

impl Row {
    fn new(by: &'static str, entry: Option<String>, matches: Vec<Match>) -> Self {
        Self { by, entry, matches, holds: true, since: None, until: None, note: None }
    }
}

fn protections(guests: &Guests, settings: &Settings, state: &state::State, now: OffsetDateTime) -> Vec<Row> {
    let those = |is_meant: &dyn Fn(&Person) -> bool| -> Vec<Match> {
        let people = guests.people.iter().filter(|person| is_meant(person));
        people.map(|person| Match { id: person.id, name: person.name.clone() }).collect()
    };
    let have = |protection: Protection| move |person: &Person| person.facts.protections.contains(&protection);
    let mut rows: Vec<Row> = state
        .whitelist
        .iter()
        .map(|entry| Row {
            holds: entry.until.is_none_or(|until| now.date() <= until),
            since: Some(entry.since),
            until: entry.until.map(words::date),
            note: entry.note.as_deref().map(words::printable),
            ..Row::new("whitelist", Some(words::printable(&entry.name)), those(&|person| spares(entry, person)))
        })
        .collect();
    for vip in &settings.vips {
        rows.push(Row::new("VIP_NAMES", Some(words::printable(vip)), those(&|person| person.is_named(vip))));
    }
    rows.push(Row::new("ADMIN_EMAIL", Some(settings.admin.to_string()), those(&have(Protection::Admin))));
    rows.push(Row::new("owner", None, those(&have(Protection::Owner))));
    if !settings.rules.prune_home_users {
        rows.push(Row::new("Home user", None, those(&have(Protection::HomeUser))));
    }
    rows.retain(|row| row.entry.is_some() || !row.matches.is_empty());
    rows
}

fn connect(cli: &Cli, environment: &Environment) -> Result<(Settings, Plex), Error> {
    let mut r = Reader::new(environment);
    let settings = Settings::read(&mut r, cli.state_dir.clone());
    let (plex, authorities) = (PlexConfig::read(&mut r), ExtraAuthorities::read(&mut r));
    r.finish()?;
    Ok((settings, Plex::new(http::client(&authorities)?, plex)))
}

/// The one person who is meant.
fn find<'a>(who: &str, guests: &'a Guests) -> Result<&'a Person, UsageError> {
    let meant: Vec<&Person> = guests.people.iter().filter(|person| person.is_named(who)).collect();
    let server = &guests.server.name;
    match meant.as_slice() {
        [person] => Ok(person),
        [] => {
            let near = nearest(who, guests);
            let near =
                if near.is_empty() { "Nobody has a name like that".to_owned() } else { format!("Nearest: {near}") };
            Err(UsageError(format!("nobody on {server} is {:?}; nothing was changed. {near}", words::printable(who))))
        }
        several => {
            let several: Vec<String> = several.iter().map(|person| person.label()).collect();
            let (who, several) = (words::printable(who), several.join(", "));
            Err(UsageError(format!("{who:?} could be any of these; give the Plex id: {several}; nothing was changed")))
        }
    }
}

/// Up to three people whose names come near.
fn nearest(who: &str, guests: &Guests) -> String {
    let wanted = folded(who);
    let closeness =
        |person: &Person| person.names().map(|name| strsim::jaro_winkler(name, &wanted)).fold(0.0, f64::max);
    let mut near: Vec<(f64, &Person)> = guests
        .people
        .iter()
        .map(|person| (closeness(person), person))
        .filter(|(closeness, _)| *closeness > 0.7)
        .collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.iter().take(3).map(|(_, person)| person.label()).collect::<Vec<_>>().join(", ")
}

fn label(entry: &Spared) -> String {
    let name = words::printable(&entry.name);
    entry.id.map_or_else(|| name.clone(), |id| format!("{name} (id {id})"))
}

fn until_words(entry: &Spared, now: OffsetDateTime) -> String {
    match entry.until {
        None => "until further notice".to_owned(),
        Some(until) if until < now.date() => format!("up to {} (UTC), which is over", words::date(until)),
        Some(until) => format!("up to and including {} (UTC)", words::date(until)),
    }
}
