mod report;
mod table;

use super::output;
use crate::{
    cli::{self, Cli},
    clock,
    config::{Environment, ExtraAuthorities, PlexConfig, Reader, Settings, TautulliConfig},
    error::{Error, Exit},
    people::People,
    plan,
    services::{
        Question::{self, Activity, Connected, Home, Libraries, RecordingSince, Server, Shares, Users, WatchedServer},
        Snapshot, http,
        plex::Plex,
        tautulli::Tautulli,
    },
    state,
    verdict::History,
};

use report::Report;
pub use report::is_overdue;

/// Everything that a sweep asks if somebody is due.
const QUESTIONS: [Question; 9] =
    [Server, Shares, Home, Users, Connected, WatchedServer, Libraries, RecordingSince, Activity];

/// Shows how everybody stands. Changes nothing, and waits for nobody's lock.
pub fn run(args: &cli::Status, cli: &Cli, environment: &Environment) -> Result<Exit, Error> {
    let now = clock::now();
    let mut r = Reader::new(environment);
    let settings = Settings::read(&mut r, cli.state_dir.clone());
    let (plex, tautulli) = (PlexConfig::read(&mut r), TautulliConfig::read(&mut r));
    let authorities = ExtraAuthorities::read(&mut r);
    r.finish()?;
    let client = http::client(&authorities)?;
    let (plex, tautulli) = (Plex::new(client.clone(), plex), Tautulli::new(client, tautulli));
    let state = state::read(&settings.state_dir)?;
    let mut snapshot = Snapshot::default();
    snapshot.ask(&QUESTIONS, Some(&plex), Some(&tautulli), now);
    snapshot.warn_of_libraries();
    let people = People::complete(&snapshot, &settings, &state)?;
    snapshot.ask_hidden(unknown_to_tautulli(&people), &tautulli);
    let people = People::complete(&snapshot, &settings, &state)?;
    let plan = plan::sweep(&people, &snapshot, &state, &settings, now);
    let report = Report::of(&people, &plan, &settings, &state, now, args.at.unwrap_or(now));
    output::print(&report, args.json, table::write)?;
    Ok(Exit::Done)
}

/// The Plex ids of those whom Tautulli's table of users lacks: it leaves out who was deleted there.
pub fn unknown_to_tautulli(people: &People) -> impl Iterator<Item = u64> {
    people.guests.iter().filter(|guest| guest.facts.history == History::Unknown).map(|guest| guest.id)
}
