mod mail;
mod report;
mod services;
mod settings;
mod state;

use std::thread;

use reqwest::blocking::Client;
use time::OffsetDateTime;

use self::report::{Check, Report, names};
use super::{output, status};
use crate::{
    cli::{self, Cli},
    clock,
    config::{
        Environment, ExtraAuthorities, MailConfig, PlexConfig, Problem, ProblemKind, Reader, Settings, TautulliConfig,
    },
    error::{Error, Exit},
    people::{People, check_server},
    plan::{self, Plan},
    services::{
        Question::{
            self, Account, Activity, Connected, Home, Libraries, RecordingSince, Server, Shares, Users, Version,
            WatchedServer,
        },
        Snapshot, http,
        plex::Plex,
        tautulli::Tautulli,
    },
    state::{State, inspect},
};

/// Everything that any pass may ask.
const QUESTIONS: [Question; 11] =
    [Account, Server, Shares, Home, Version, Connected, WatchedServer, Users, RecordingSince, Libraries, Activity];

/// Checks every setting and connection, side by side, and says how to mend what fails. Changes nothing.
pub fn run(args: &cli::Verify, cli: &Cli, environment: &Environment) -> Result<Exit, Error> {
    let known = Known::read(cli, environment);
    let checks = known.check(args.send_test, environment, clock::now());
    let report = Report::of(checks);
    output::print(&report, args.json, |report, out| report.write(cli.quiet, out))?;
    Ok(if report.ok { Exit::Done } else { Exit::Failed })
}

/// The settings, each part read by itself, so that a hole in one leaves the others to be checked.
struct Known {
    settings: Part<Settings>,
    state_dir: Part<std::path::PathBuf>,
    plex: Part<PlexConfig>,
    tautulli: Part<TautulliConfig>,
    authorities: Part<ExtraAuthorities>,
    mail: Part<MailConfig>,
}

struct Part<T> {
    value: T,
    problems: Vec<Problem>,
}

impl<T> Part<T> {
    fn read(environment: &Environment, read: impl FnOnce(&mut Reader<'_>) -> T) -> Self {
        let mut r = Reader::new(environment);
        let value = read(&mut r);
        Self { value, problems: r.problems() }
    }

    /// The value, if nothing is wrong with the variables that begin with one of `names`.
    fn but_for(&self, names: &[&str]) -> Option<&T> {
        let is_wrong = |problem: &Problem| names.iter().any(|name| problem.name.starts_with(name));
        (!self.problems.iter().any(is_wrong)).then_some(&self.value)
    }
}

impl Known {
    fn read(cli: &Cli, environment: &Environment) -> Self {
        let settings = Part::read(environment, |r| Settings::read(r, cli.state_dir.clone()));
        let admin = settings.value.admin.clone();
        Self {
            settings,
            state_dir: Part::read(environment, |r| Settings::read_state_dir(r, cli.state_dir.clone())),
            plex: Part::read(environment, PlexConfig::read),
            tautulli: Part::read(environment, TautulliConfig::read),
            authorities: Part::read(environment, ExtraAuthorities::read),
            mail: Part::read(environment, |r| MailConfig::read(r, Some(&admin))),
        }
    }

    /// Everything that is wrong, with the service that can't be checked because of it.
    fn problems(&self) -> Vec<(Problem, Option<&'static str>)> {
        let of = |problems: &[Problem], service| problems.iter().map(move |one| (one.clone(), service)).collect();
        let mail = |problem: &Problem| match problem.name.as_str() {
            name if name.starts_with("SMTP_") => Some("the mail server"),
            name if name.starts_with("DISCORD_") => Some("Discord"),
            _ => None,
        };
        let all: [Vec<(Problem, Option<&'static str>)>; 5] = [
            of(&self.settings.problems, None),
            of(&self.plex.problems, Some("plex.tv")),
            of(&self.tautulli.problems, Some("Tautulli")),
            of(&self.authorities.problems, None),
            self.mail.problems.iter().map(|problem| (problem.clone(), mail(problem))).collect(),
        ];
        // A bad line in the env file is a problem of every part.
        let mut known: Vec<(Problem, Option<&'static str>)> = Vec::new();
        for (problem, service) in all.into_iter().flatten() {
            let is_file = problem.kind == ProblemKind::EnvFile;
            if !known.iter().any(|(other, _)| *other == problem) {
                known.push((problem, service.filter(|_| !is_file)));
            }
        }
        known
    }

    /// All checks, in the order in which one would mend things.
    fn check(&self, send_test: bool, environment: &Environment, now: OffsetDateTime) -> Vec<Check> {
        let settings = self.settings.but_for(&[""]);
        let state_dir = self.state_dir.but_for(&["STATE_DIR", "the env file"]);
        let found = state_dir.map(|dir| inspect(dir));
        let state = found.as_ref().and_then(|found| found.as_ref().ok()).map(|(state, _)| state);
        let nothing = ExtraAuthorities::default();
        let authorities = self.authorities.but_for(&["CA_FILE"]).unwrap_or(&nothing);
        let client = http::client(authorities);

        let with_smtp = self.mail.but_for(&["SMTP_"]);
        let (templates, samples) = match (with_smtp.and(self.mail.but_for(&["TEMPLATE_DIR"])), settings) {
            (Some(config), Some(settings)) => mail::templates(config, settings, now),
            _ => Default::default(),
        };
        let send = send_test.then_some(&samples);
        let mut by_mail = Vec::new();
        let mut on_discord = Vec::new();
        let snapshot = thread::scope(|scope| {
            if let Some(config) = with_smtp {
                scope.spawn(|| by_mail = mail::smtp(config, authorities, send, now));
            }
            if let Some((config, client)) = self.mail.but_for(&["DISCORD_"]).zip(client.as_ref().ok()) {
                scope.spawn(|| on_discord = mail::discord(config, client, send_test, now));
            }
            client.as_ref().map(|client| self.observe(client, settings, state, now)).unwrap_or_default()
        });

        let mut checks = self.check_settings(environment, client.err());
        if let Some(settings) = settings {
            checks.extend(settings::rules(settings));
        }
        let seen = settings.map(|settings| Seen::of(&snapshot, settings, state, now));
        if let Some((settings, seen)) = settings.zip(seen.as_ref()) {
            checks.extend(settings::lists(settings, state, seen.people(), now));
            checks.push(settings::due(settings, seen.people().zip(seen.plan.as_ref())));
        }
        checks.extend(services::plex(&snapshot, settings));
        let refusal = seen.as_ref().and_then(|seen| seen.plan.as_ref()).and_then(|plan| plan.refusal.as_ref());
        checks.extend(refusal.and_then(services::list_refusal));
        checks.extend(services::tautulli(&snapshot, now));
        checks.extend(seen.iter().flat_map(Seen::checks));
        checks.extend(templates);
        checks.extend(by_mail);
        checks.extend(on_discord);
        if let Some((dir, found)) = state_dir.zip(found.as_ref()) {
            checks.extend(state::state(dir, found));
        }
        if let Some((settings, state)) = settings.zip(state) {
            checks.extend(state::scheduler(settings, state, now));
        }
        checks
    }

    fn check_settings(&self, environment: &Environment, no_client: Option<Error>) -> Vec<Check> {
        let problems = self.problems();
        let mut checks = settings::problems(&problems);
        let is_missing = |(problem, _): &(Problem, _)| problem.kind == ProblemKind::Missing;
        checks.extend(settings::file(environment.file(), problems.iter().any(is_missing)));
        checks.extend(no_client.map(|error| {
            Check::fail(
                "settings",
                error.to_string(),
                "Mend this first: plex.tv, Tautulli and Discord can't be asked before",
            )
        }));
        checks
    }

    /// Asks plex.tv and Tautulli side by side.
    fn observe(
        &self,
        client: &Client,
        settings: Option<&Settings>,
        state: Option<&State>,
        now: OffsetDateTime,
    ) -> Snapshot {
        let plex = self.plex.but_for(&[""]).map(|config| Plex::new(client.clone(), config.clone()));
        let tautulli = self.tautulli.but_for(&[""]).map(|config| Tautulli::new(client.clone(), config.clone()));
        let mut snapshot = Snapshot::default();
        snapshot.ask(&QUESTIONS, plex.as_ref(), tautulli.as_ref(), now);
        let state = state.cloned().unwrap_or_default();
        if let (Some(settings), Some(tautulli), Some(Ok(Some(_)))) = (settings, &tautulli, &snapshot.users)
            && let Ok(people) = People::of(&snapshot, settings, &state)
        {
            snapshot.ask_hidden(status::unknown_to_tautulli(&people), tautulli);
        }
        snapshot
    }
}

/// What the services showed of the people, and what a sweep would do about them.
struct Seen {
    people: Option<People>,
    wrong_server: Option<Error>,
    /// None if not everything is known that a sweep would have to know.
    plan: Option<Plan>,
}

impl Seen {
    fn of(snapshot: &Snapshot, settings: &Settings, state: Option<&State>, now: OffsetDateTime) -> Self {
        let state = state.cloned().unwrap_or_default();
        let server = snapshot.server.as_ref().and_then(|answer| answer.as_ref().ok());
        let wrong_server = server.and_then(|server| check_server(&state, server).err());
        let people = People::of(snapshot, settings, &state).ok();
        let is_known = snapshot.users.is_some() && snapshot.errors().is_empty();
        let people_if_known = people.as_ref().filter(|_| is_known);
        let plan = people_if_known.map(|people| plan::sweep(people, snapshot, &state, settings, now));
        Self { people, wrong_server, plan }
    }

    fn people(&self) -> Option<&People> {
        self.people.as_ref()
    }

    /// The state of another server; who of the people Tautulli can say nothing about.
    fn checks(&self) -> Vec<Check> {
        let wrong = self.wrong_server.iter().map(|error| Check::fail("STATE_DIR", error.what(), &error.advice));
        let judged = self.people.iter().filter(|_| self.plan.is_some());
        wrong.chain(judged.flat_map(services::unjudged)).collect()
    }
}
