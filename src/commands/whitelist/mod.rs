mod list;
mod table;

use std::io::{self, Write};

use time::{Date, OffsetDateTime};

use crate::{
    cli::{self, Cli, WhitelistCommand},
    clock,
    commands::table::paragraph,
    config::{Environment, ExtraAuthorities, PlexConfig, Reader, Settings},
    error::{CommandError, Exit, Kind, UsageError},
    household::{Guests, OtherState, Person, folded, spares},
    http,
    plex::Plex,
    state::{self, State, Store, WhitelistEntry},
    words,
};

/// Nobody's name is longer, and no note that is still read.
const LONGEST: usize = 300;

/// Shows or changes who is never removed. Needs no mail server, and of the services only Plex.
pub(super) fn run(args: &cli::Whitelist, cli: &Cli, environment: &Environment) -> Result<Exit, CommandError> {
    match &args.command {
        WhitelistCommand::List { json } => list::run(*json, cli, environment),
        WhitelistCommand::Add { who, until, note, offline } => {
            let wish = Wish { who: who.trim(), until: *until, note: note.as_deref().map(str::trim) };
            add(&wish, *offline, cli, environment)
        }
        WhitelistCommand::Remove { who } => remove(who.trim(), cli, environment),
    }
}

/// What `add` is asked for.
struct Wish<'a> {
    who: &'a str,
    until: Option<Date>,
    /// Empty: the entry shall have no note (any more).
    note: Option<&'a str>,
}

impl Wish<'_> {
    fn check(&self, now: OffsetDateTime) -> Result<(), UsageError> {
        somebody(self.who)?;
        if let Some(until) = self.until.filter(|until| *until < now.date()) {
            let (until, today) = (words::date(until), words::date(now.date()));
            return Err(UsageError(format!("--until {until} is over: today is {today} (UTC); nothing was changed")));
        }
        match self.note.map_or(0, |note| note.chars().count()) {
            0..=LONGEST => Ok(()),
            long => Err(UsageError(format!(
                "--note has {long} characters, and {LONGEST} are the most; nothing was changed"
            ))),
        }
    }
}

fn somebody(who: &str) -> Result<(), UsageError> {
    match who.chars().count() {
        _ if folded(who).is_empty() => {
            Err(UsageError("whom? Give a username, an e-mail address, a title or a Plex id".to_owned()))
        }
        0..=LONGEST => Ok(()),
        long => Err(UsageError(format!("nobody has a name of {long} characters; nothing was changed"))),
    }
}

fn add(wish: &Wish<'_>, offline: bool, cli: &Cli, environment: &Environment) -> Result<Exit, CommandError> {
    let now = clock::now();
    wish.check(now)?;
    let found = if offline {
        None
    } else {
        let (settings, plex) = connect(cli, environment)?;
        let guests = Guests::ask(&plex, &settings, &State::default())?;
        let person = find(wish.who, &guests)?.clone();
        Some((person, guests))
    };
    let mut store = open("plex-prune whitelist add", now, cli, environment)?;
    match &found {
        Some((_, guests)) => OtherState::check(&store.state, &guests.server)?,
        None => check_name(&store.state, environment)?,
    }
    let whitelist = &mut store.state.whitelist;
    let (id, name, same) = match &found {
        Some((person, guests)) => (Some(person.id), person.name.clone(), entries_of(person, guests, whitelist)),
        None => match entry_called(wish.who, whitelist) {
            Some(entry) => (entry.id, entry.name.clone(), vec![entry.clone()]),
            None => (None, wish.who.to_owned(), Vec::new()),
        },
    };
    whitelist.retain(|entry| !same.contains(entry));
    let earlier = same.into_iter().min_by_key(|entry| entry.since);
    let entry = WhitelistEntry {
        name,
        id,
        since: earlier.as_ref().map_or(now, |earlier| earlier.since),
        until: wish.until,
        note: match wish.note {
            Some(note) => Some(note.to_owned()).filter(|note| !note.is_empty()),
            None => earlier.as_ref().and_then(|earlier| earlier.note.clone()),
        },
    };
    whitelist.push(entry.clone());
    store.save()?;
    confirm(&entry, earlier.as_ref(), offline, now, &mut io::stdout().lock())?;
    Ok(Exit::Done)
}

/// The entries that mean this person and nobody else.
fn entries_of(person: &Person, guests: &Guests, whitelist: &[WhitelistEntry]) -> Vec<WhitelistEntry> {
    let alone = |entry: &WhitelistEntry| guests.people.iter().filter(|other| spares(entry, other)).count() == 1;
    let theirs = whitelist.iter().filter(|entry| spares(entry, person) && (entry.id.is_some() || alone(entry)));
    theirs.cloned().collect()
}

/// The one entry of that name or id.
fn entry_called<'a>(who: &str, whitelist: &'a [WhitelistEntry]) -> Option<&'a WhitelistEntry> {
    match whitelist.iter().filter(|entry| is_called(entry, who)).collect::<Vec<_>>().as_slice() {
        [entry] => Some(entry),
        _ => None,
    }
}

fn is_called(entry: &WhitelistEntry, who: &str) -> bool {
    folded(&entry.name) == folded(who) || entry.id.is_some_and(|id| id.to_string() == who)
}

fn confirm(
    entry: &WhitelistEntry,
    earlier: Option<&WhitelistEntry>,
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

fn remove(who: &str, cli: &Cli, environment: &Environment) -> Result<Exit, CommandError> {
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
            paragraph("", &said, &mut io::stdout().lock())?;
            Ok(Exit::Done)
        }
        [] if whitelist.is_empty() => {
            let who = words::printable(who);
            Err(UsageError(format!("\"{who}\" is not on the whitelist: nobody is; nothing was changed")).into())
        }
        [] => {
            let (who, all) = (words::printable(who), items(whitelist.iter().map(label)));
            Err(UsageError(format!("\"{who}\" is not on the whitelist; nothing was changed. On it:{all}")).into())
        }
        several => Err(ambiguous(who, several.iter().map(label)).into()),
    }
}

fn connect(cli: &Cli, environment: &Environment) -> Result<(Settings, Plex), CommandError> {
    let mut r = Reader::new(environment);
    let settings = Settings::read(&mut r, cli.state_dir.clone());
    let (plex, authorities) = (PlexConfig::read(&mut r), ExtraAuthorities::read(&mut r));
    r.finish()?;
    Ok((settings, Plex::new(http::client(&authorities)?, plex)))
}

/// Without a word from Plex, the state must be that of `PLEX_SERVER_NAME` by its name, if that is set.
fn check_name(state: &State, environment: &Environment) -> Result<(), OtherState> {
    let server = PlexConfig::read_server_name(&mut Reader::new(environment));
    server.map_or(Ok(()), |server| OtherState::check_name(state, &server))
}

/// Opens the state, and says so if that has to wait for a pass.
fn open(command: &str, now: OffsetDateTime, cli: &Cli, environment: &Environment) -> Result<Store, CommandError> {
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
    let opened = Store::open(&dir, command, now, cli.lock_wait).map_err(|mut error| {
        if error.kind == Kind::Busy {
            error.advice = "Nothing was changed: try again when it is over".to_owned();
        }
        error
    });
    Ok(opened?)
}

/// The one person who is meant.
fn find<'a>(who: &str, guests: &'a Guests) -> Result<&'a Person, UsageError> {
    let meant: Vec<&Person> = guests.people.iter().filter(|person| person.is_named(who)).collect();
    match meant.as_slice() {
        [person] => Ok(person),
        [] => {
            let near = nearest(who, guests);
            let near = if near.is_empty() {
                "Nobody has a name like that".to_owned()
            } else {
                format!("Nearest:{}", items(near.into_iter()))
            };
            let (who, server) = (words::printable(who), &guests.server.name);
            Err(UsageError(format!("nobody on {server} is \"{who}\"; nothing was changed. {near}")))
        }
        several => Err(ambiguous(who, several.iter().map(|person| particulars(person)))),
    }
}

fn ambiguous(who: &str, several: impl Iterator<Item = String>) -> UsageError {
    let (who, several) = (words::printable(who), items(several));
    UsageError(format!("\"{who}\" could be any of these; nothing was changed. Give the Plex id:{several}"))
}

/// Up to three people whose names come near.
fn nearest(who: &str, guests: &Guests) -> Vec<String> {
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
    near.iter().take(3).map(|(_, person)| particulars(person)).collect()
}

/// What tells people of the same name from one another: `bob (id 1002), bob@example.test`.
fn particulars(person: &Person) -> String {
    let email = person.email.as_deref().map(words::printable).filter(|email| *email != person.name);
    email.map_or_else(|| person.label(), |email| format!("{}, {email}", person.label()))
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
