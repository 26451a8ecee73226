mod mail;
mod services;
mod settings;
mod state;

use std::{
    io::{self, Write},
    thread,
};

use serde::Serialize;

use super::{status, table};
use crate::{
    cli::{self, Cli},
    clock,
    config::{ConfigError, Environment, ExtraAuthorities, MailConfig, PlexConfig, Reader, Settings, TautulliConfig},
    error::{Error, Exit},
    household::join,
    http,
    plex::Plex,
    state::peek,
    tautulli::Tautulli,
};

/// Checks every setting and connection, side by side, and says how to mend what fails. Changes nothing.
pub(super) fn run(args: &cli::Verify, cli: &Cli, environment: &Environment) -> Result<Exit, Error> {
    let now = clock::now();
    // Each part is read by itself, so that a hole in one leaves the others to be checked.
    let settings = part(environment, |r| Settings::read(r, cli.state_dir.clone()));
    let plex = part(environment, PlexConfig::read);
    let tautulli = part(environment, TautulliConfig::read);
    let authorities = part(environment, ExtraAuthorities::read);
    let admin = settings.as_ref().ok().map(|settings| settings.admin.clone());
    let mail = part(environment, |r| MailConfig::read(r, admin.as_ref()));
    let trusted = authorities.clone().unwrap_or_default();
    let client = http::client(&trusted)?;
    let new_plex = |config: &PlexConfig| Plex::new(client.clone(), config.clone());
    let new_tautulli = |config: &TautulliConfig| Tautulli::new(client.clone(), config.clone());

    let test = args.send_test;
    let (on_plex, in_tautulli, by_mail, on_discord, household) = thread::scope(|scope| {
        let on_plex = plex.as_ref().ok().map(|config| scope.spawn(|| services::plex(&new_plex(config))));
        let in_tautulli = tautulli
            .as_ref()
            .ok()
            .map(|config| scope.spawn(|| services::tautulli(&new_tautulli(config), config, environment, now)));
        let by_mail = mail
            .as_ref()
            .ok()
            .map(|config| scope.spawn(|| mail::smtp(config, &trusted, settings.as_ref().ok(), environment, test, now)));
        let on_discord =
            mail.as_ref().ok().map(|config| scope.spawn(|| mail::discord(config, client.clone(), test, now)));
        let household = match (&settings, &plex, &tautulli) {
            (Ok(settings), Ok(plex), Ok(tautulli)) => peek(&settings.state_dir)
                .ok()
                .and_then(|state| status::gather(&new_plex(plex), &new_tautulli(tautulli), settings, &state, now).ok()),
            _ => None,
        };
        (on_plex.map(join), in_tautulli.map(join), by_mail.map(join), on_discord.map(join), household)
    });

    let mut checks = Vec::new();
    let problems = [
        settings.as_ref().err(),
        plex.as_ref().err(),
        tautulli.as_ref().err(),
        authorities.as_ref().err(),
        mail.as_ref().err(),
    ];
    checks.extend(settings::problems(problems.into_iter().flatten()));
    if let Ok(settings) = &settings {
        checks.extend(settings::settings(settings, household.as_ref(), now));
    }
    checks.extend(on_plex.unwrap_or_default());
    checks.extend(in_tautulli.unwrap_or_default());
    checks.extend(household.iter().flat_map(services::together));
    checks.extend(by_mail.unwrap_or_default());
    checks.extend(on_discord.unwrap_or_default());
    if let Ok(settings) = &settings {
        checks.extend(state::state(settings, now));
    }
    let report = Report { schema: 1, ok: checks.iter().all(|check| check.mark != Mark::Fail), checks };
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        report.write(&mut out)?;
    }
    Ok(if report.ok { Exit::Done } else { Exit::Failed })
}

fn part<T>(environment: &Environment, read: impl FnOnce(&mut Reader<'_>) -> T) -> Result<T, ConfigError> {
    let mut r = Reader::new(environment);
    let value = read(&mut r);
    r.finish().map(|()| value)
}

/// What `verify --json` prints. Fields are added, never renamed or dropped, as long as `schema` is 1.
#[derive(Debug, Serialize)]
struct Report {
    schema: u32,
    ok: bool,
    checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    area: &'static str,
    mark: Mark,
    seen: String,
    /// What to do; none where all is well.
    next: Option<String>,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Mark {
    /// It works.
    Ok,
    /// It works, but look.
    Look,
    /// It has to be mended.
    Fail,
}

impl Check {
    fn ok(area: &'static str, seen: impl Into<String>) -> Self {
        Self { area, mark: Mark::Ok, seen: seen.into(), next: None }
    }

    fn look(area: &'static str, seen: impl Into<String>, next: impl Into<String>) -> Self {
        Self { area, mark: Mark::Look, seen: seen.into(), next: Some(next.into()) }
    }

    fn fail(area: &'static str, seen: impl Into<String>, next: impl Into<String>) -> Self {
        Self { area, mark: Mark::Fail, seen: seen.into(), next: Some(next.into()) }
    }
}

impl Report {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for Check { area, mark, seen, next } in &self.checks {
            let mark = match mark {
                Mark::Ok => '✓',
                Mark::Look => '!',
                Mark::Fail => '✗',
            };
            table::paragraph(&format!("{mark} {area:<9}"), seen, out)?;
            if let Some(next) = next {
                table::paragraph(&format!("{:11}→ ", ""), next, out)?;
            }
        }
        let count = |mark| self.checks.iter().filter(|check| check.mark == mark).count();
        let (fail, look) = (count(Mark::Fail), count(Mark::Look));
        writeln!(out)?;
        match (fail, look) {
            (0, 0) => writeln!(out, "All is well."),
            (0, look) => writeln!(out, "It works. To look at: {look} (marked !)."),
            (fail, 0) => writeln!(out, "To mend: {fail} (marked ✗)."),
            (fail, look) => writeln!(out, "To mend: {fail} (marked ✗). To look at: {look} (marked !)."),
        }
    }
}
