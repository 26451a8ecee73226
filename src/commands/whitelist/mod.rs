mod list;
mod table;

use std::io::{self, Write};

use time::{Date, OffsetDateTime};

use super::output::{self, paragraph};
use crate::{
    cli::{self, Cli, Until, WhitelistCommand},
    clock,
    config::{Environment, ExtraAuthorities, PlexConfig, Reader, Settings},
    error::{Error, Exit, Kind},
    people::{Guest, People, check_server, check_server_name, entry_means, normalize_name},
    services::{
        Question::{self, Server, Shares},
        Snapshot, http,
        plex::Plex,
    },
    state::{self, State, Store, WhitelistEntry},
    words,
};

/// Nobody's name is longer, and no note that is still read.
const LONGEST: usize = 300;
/// Names that are at least so alike (0 to 1) may have been meant.
const ALIKE: f64 = 0.7;

const QUESTIONS: [Question; 2] = [Server, Shares];

/// Shows or changes who is never removed. Needs no mail server, and of the services only Plex.
pub fn run(args: &cli::Whitelist, cli: &Cli, environment: &Environment) -> Result<Exit, Error> {
    match &args.command {
        WhitelistCommand::List { json } => list::run(*json, cli, environment),
        WhitelistCommand::Add { who, until, note, offline } => {
            let wanted = Wanted { who: who.trim(), until: *until, note: note.as_deref().map(str::trim) };
            add(&wanted, *offline, cli, environment)
        }
        WhitelistCommand::Remove { who } => remove(who.trim(), cli, environment),
    }
}

/// What `add` was asked for.
struct Wanted<'a> {
    who: &'a str,
    until: Option<Until>,
    /// Empty: the entry is to have no note (any more).
    note: Option<&'a str>,
}

impl Wanted<'_> {
    fn check(&self, now: OffsetDateTime) -> Result<(), Error> {
        somebody(self.who)?;
        if let Some(Until::Day(until)) = self.until
            && until < now.date()
        {
            let (until, today) = (words::date(until), words::date(now.date()));
            return Err(usage(format!("--until {until} is over: today is {today} (UTC); nothing was changed")));
        }
        match self.note.map_or(0, |note| note.chars().count()) {
            0..=LONGEST => Ok(()),
            long => {
                Err(usage(format!("--note has {long} characters, and {LONGEST} are the most; nothing was changed")))
            }
        }
    }
}

fn somebody(who: &str) -> Result<(), Error> {
    match who.chars().count() {
        _ if normalize_name(who).is_empty() => {
            Err(usage("whom? Give a username, an e-mail address, a title or a Plex id".to_owned()))
        }
        0..=LONGEST => Ok(()),
        long => Err(usage(format!("nobody has a name of {long} characters; nothing was changed"))),
    }
}

fn add(wanted: &Wanted<'_>, offline: bool, cli: &Cli, environment: &Environment) -> Result<Exit, Error> {
    let now = clock::now();
    wanted.check(now)?;
    let people = if offline { None } else { Some(observe(cli, environment)?) };
    let found = people.as_ref().map(|people| Ok::<_, Error>((find(wanted.who, people)?, people))).transpose()?;
    let mut store = open("plex-prune whitelist add", now, cli, environment)?;
    match found {
        Some((_, people)) => check_server(&store.state, &people.server)?,
        None => check_name(&store.state, environment)?,
    }
    let whitelist = &mut store.state.whitelist;
    let (id, name, same) = match found {
        Some((guest, people)) => (Some(guest.id), guest.name.clone(), entries_of(guest, people, whitelist)),
        None => match entry_called(wanted.who, whitelist) {
            Some(entry) => (entry.id, entry.name.clone(), vec![entry.clone()]),
            None => (None, wanted.who.to_owned(), Vec::new()),
        },
    };
    whitelist.retain(|entry| !same.contains(entry));
    let kept_until = longest(&same, now);
    let earlier = same.into_iter().min_by_key(|entry| entry.since);
    let entry = WhitelistEntry {
        name,
        id,
        since: earlier.as_ref().map_or(now, |earlier| earlier.since),
        until: match wanted.until {
            Some(Until::Day(day)) => Some(day),
            Some(Until::Never) => None,
            // As with the note: what is not said stays as it is.
            None => kept_until,
        },
        note: match wanted.note {
            Some(note) => Some(note.to_owned()).filter(|note| !note.is_empty()),
            None => earlier.as_ref().and_then(|earlier| earlier.note.clone()),
        },
    };
    whitelist.push(entry.clone());
    store.save()?;
    output::to_stdout(|out| confirm(&entry, earlier.as_ref(), wanted, offline, now, out))?;
    Ok(Exit::Done)
}

/// The last day that counts of several entries for one person: what holds longest, so that nobody loses a protection by
/// being added again. An entry that is over asks for nothing any more; none: for good.
fn longest(entries: &[WhitelistEntry], now: OffsetDateTime) -> Option<Date> {
    let mut days = entries.iter().filter(|entry| entry.is_in_force(now)).map(|entry| entry.until);
    let first = days.next()?;
    days.fold(first, |longest, day| Some(longest?.max(day?)))
}

/// The entries that mean this person and nobody else.
fn entries_of(guest: &Guest, people: &People, whitelist: &[WhitelistEntry]) -> Vec<WhitelistEntry> {
    let means = |entry: &WhitelistEntry, guest: &Guest| entry_means(entry, guest.id, &guest.names);
    let is_theirs_alone =
        |entry: &&WhitelistEntry| people.guests.iter().filter(|other| means(entry, other)).count() == 1;
    let theirs = whitelist.iter().filter(|entry| means(entry, guest));
    theirs.filter(|entry| entry.id.is_some() || is_theirs_alone(entry)).cloned().collect()
}

/// The one entry of that name or id.
fn entry_called<'a>(who: &str, whitelist: &'a [WhitelistEntry]) -> Option<&'a WhitelistEntry> {
    match whitelist.iter().filter(|entry| is_called(entry, who)).collect::<Vec<_>>().as_slice() {
        [entry] => Some(entry),
        _ => None,
    }
}

fn is_called(entry: &WhitelistEntry, who: &str) -> bool {
    normalize_name(&entry.name) == normalize_name(who) || entry.id.is_some_and(|id| id.to_string() == who)
}

fn confirm(
    entry: &WhitelistEntry,
    earlier: Option<&WhitelistEntry>,
    wanted: &Wanted<'_>,
    offline: bool,
    now: OffsetDateTime,
    out: &mut dyn Write,
) -> io::Result<()> {
    let until = until_words(entry, now);
    let before = match earlier.map(|earlier| until_words(earlier, now)) {
        Some(was) if was == until => ", as before".to_owned(),
        Some(was) => format!(" (was: {was})"),
        None => String::new(),
    };
    paragraph("", &format!("{} is on the whitelist {until}{before}.", label(entry)), out)?;
    if entry.until.is_some() && wanted.until.is_none() {
        paragraph("", "To keep them for good: --until never.", out)?;
    }
    let earlier_note = earlier.and_then(|earlier| earlier.note.as_ref());
    match &entry.note {
        Some(note) if earlier_note == Some(note) => {
            let note = words::excerpt(note);
            paragraph("", &format!("The note is as before (--note \"\" takes it off): {note}"), out)?;
        }
        Some(note) => paragraph("Note: ", &words::excerpt(note), out)?,
        None if earlier_note.is_some() => paragraph("", "The note is gone.", out)?,
        None => {}
    }
    if offline {
        paragraph("", "Plex was not asked; `plex-prune whitelist list` shows whom it matches.", out)?;
    }
    Ok(())
}

fn remove(who: &str, cli: &Cli, environment: &Environment) -> Result<Exit, Error> {
    let now = clock::now();
    somebody(who)?;
    let mut store = open("plex-prune whitelist remove", now, cli, environment)?;
    check_name(&store.state, environment)?;
    let whitelist = &mut store.state.whitelist;
    let meant: Vec<WhitelistEntry> = whitelist.iter().filter(|entry| is_called(entry, who)).cloned().collect();
    match meant.as_slice() {
        [entry] => {
            whitelist.retain(|one| one != entry);
            store.save()?;
            let who = entry.id.map_or_else(|| "WHO".to_owned(), |id| id.to_string());
            let (label, today) = (label(entry), words::date(now.date()));
            let said = format!(
                "{label} is off the whitelist: the next sweep judges them like everybody else. `plex-prune status` shows \
                 what that means for them. To leave them the whole warning period first: `plex-prune whitelist add {who} \
                 --until {today}`."
            );
            output::to_stdout(|out| paragraph("", &said, out))?;
            Ok(Exit::Done)
        }
        [] if whitelist.is_empty() => {
            let who = words::printable(who);
            Err(usage(format!("\"{who}\" is not on the whitelist: nobody is; nothing was changed")))
        }
        [] => {
            let (who, all) = (words::printable(who), items(whitelist.iter().map(label)));
            Err(usage(format!("\"{who}\" is not on the whitelist; nothing was changed. On it:{all}")))
        }
        several => Err(ambiguous(who, several.iter().map(label))),
    }
}

/// Who has access to the server, as Plex says; the state is not looked at.
fn observe(cli: &Cli, environment: &Environment) -> Result<People, Error> {
    let (settings, plex) = connect(cli, environment)?;
    let mut snapshot = Snapshot::default();
    snapshot.ask(&QUESTIONS, Some(&plex), None, clock::now());
    People::complete(&snapshot, &settings, &State::default())
}

fn connect(cli: &Cli, environment: &Environment) -> Result<(Settings, Plex), Error> {
    let mut r = Reader::new(environment);
    let settings = Settings::read(&mut r, cli.state_dir.clone());
    let (plex, authorities) = (PlexConfig::read(&mut r), ExtraAuthorities::read(&mut r));
    r.finish()?;
    Ok((settings, Plex::new(http::client(&authorities)?, plex)))
}

/// Without a word from Plex, the state must be that of `PLEX_SERVER_NAME` by its name, if that is set.
fn check_name(state: &State, environment: &Environment) -> Result<(), Error> {
    let server = PlexConfig::read_server_name(&mut Reader::new(environment));
    server.map_or(Ok(()), |server| check_server_name(state, &server))
}

/// Opens the state, and says so if that has to wait for a pass.
fn open(command: &str, now: OffsetDateTime, cli: &Cli, environment: &Environment) -> Result<Store, Error> {
    let mut r = Reader::new(environment);
    let dir = Settings::read_state_dir(&mut r, cli.state_dir.clone());
    r.finish()?;
    if cli.state_dir.is_none() && !environment.names_state_dir() {
        log::warn!("STATE_DIR is not set: this goes into {}, and passes of another user have another", dir.display());
    }
    if !cli.lock_wait.is_zero()
        && let Some(holder) = state::lock_holder(&dir)
    {
        log::info!("waiting for another pass to end ({holder})");
    }
    Store::open(&dir, command, now, cli.lock_wait).map_err(|mut error| {
        if error.kind == Kind::Busy {
            error.advice = "Nothing was changed: try again when it is over".to_owned();
        }
        error
    })
}

/// The one person who is meant.
fn find<'a>(who: &str, people: &'a People) -> Result<&'a Guest, Error> {
    let meant: Vec<&Guest> = people.guests.iter().filter(|guest| guest.names.contains(who)).collect();
    match meant.as_slice() {
        [guest] => Ok(guest),
        [] => {
            let near = nearest(who, people);
            let near = if near.is_empty() {
                "Nobody has a name like that".to_owned()
            } else {
                format!("Nearest:{}", items(near.into_iter()))
            };
            let (who, server) = (words::printable(who), &people.server.name);
            Err(usage(format!("nobody on {server} is \"{who}\"; nothing was changed. {near}")))
        }
        several => Err(ambiguous(who, several.iter().map(|guest| particulars(guest)))),
    }
}

/// The command line asks for what can't be done as it is.
fn usage(what: String) -> Error {
    Error::new(Kind::Usage, what, "")
}

fn ambiguous(who: &str, several: impl Iterator<Item = String>) -> Error {
    let (who, several) = (words::printable(who), items(several));
    usage(format!("\"{who}\" could be any of these; nothing was changed. Give the Plex id:{several}"))
}

/// Up to three people whose names come near. Of addresses only what is before the @ counts: half the world shares a domain.
fn nearest(who: &str, people: &People) -> Vec<String> {
    fn before_at(name: &str) -> &str {
        name.split_once('@').map_or(name, |(local, _)| local)
    }
    let wanted = normalize_name(who);
    let wanted = before_at(&wanted);
    let alike = |guest: &Guest| {
        guest.names.iter().map(|name| strsim::jaro_winkler(before_at(name), wanted)).fold(0.0, f64::max)
    };
    let near = people.guests.iter().map(|guest| (alike(guest), guest));
    let mut near: Vec<(f64, &Guest)> = near.filter(|(alike, _)| *alike > ALIKE).collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.iter().take(3).map(|(_, guest)| particulars(guest)).collect()
}

/// What tells people of the same name from one another: `bob (id 1002), bob@example.test`.
fn particulars(guest: &Guest) -> String {
    let email = guest.email.as_deref().map(words::printable).filter(|email| *email != guest.name);
    email.map_or_else(|| guest.label(), |email| format!("{}, {email}", guest.label()))
}

/// A line each, as they stand below a sentence.
fn items(items: impl Iterator<Item = String>) -> String {
    items.map(|item| format!("\n  {item}")).collect()
}

fn label(entry: &WhitelistEntry) -> String {
    let name = words::printable(&entry.name);
    entry.id.map_or_else(|| name.clone(), |id| format!("{name} (id {id})"))
}

fn until_words(entry: &WhitelistEntry, now: OffsetDateTime) -> String {
    match entry.until {
        None => "until further notice".to_owned(),
        Some(until) if until < now.date() => format!("up to {} (UTC), which is over", words::date(until)),
        Some(until) => format!("up to and including {} (UTC)", words::date(until)),
    }
}
