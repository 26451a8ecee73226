mod advice;
mod mail;
mod report;
mod services;
mod settings;
mod state;

use std::thread;

use reqwest::blocking::Client;
use time::OffsetDateTime;

use self::report::{Check, Report, names};
use super::{status, table};
use crate::{
    cli::{self, Cli},
    clock,
    config::{
        Environment, ExtraAuthorities, MailConfig, PlexConfig, Problem, ProblemKind, Reader, Settings, TautulliConfig,
    },
    error::{CommandError, Exit},
    household::{Guests, Household, Person, join},
    http,
    plex::Plex,
    state::{State, inspect},
    tautulli::Tautulli,
};

/// Checks every setting and connection, side by side, and says how to mend what fails. Changes nothing.
pub(super) fn run(args: &cli::Verify, cli: &Cli, environment: &Environment) -> Result<Exit, CommandError> {
    let known = Known::read(cli, environment);
    let checks = known.check(args.send_test, environment, clock::now());
    let report = Report::of(checks);
    table::print(&report, args.json, |report, out| report.write(cli.quiet, out))?;
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
        let (evidence, by_mail, on_discord) = thread::scope(|scope| {
            let by_mail =
                with_smtp.map(|config| scope.spawn(move || mail::smtp(config, authorities, environment, send, now)));
            let on_discord = self.mail.but_for(&["DISCORD_"]).zip(client.as_ref().ok());
            let on_discord =
                on_discord.map(|(config, client)| scope.spawn(move || mail::discord(config, client, send_test, now)));
            let evidence = client.as_ref().ok().map(|client| self.gather(client, settings, state, environment, now));
            (evidence.unwrap_or_default(), by_mail.map(join), on_discord.map(join))
        });

        let problems = self.problems();
        let mut checks = settings::problems(&problems);
        let is_missing = |(problem, _): &(Problem, _)| problem.kind == ProblemKind::Missing;
        checks.extend(settings::file(environment.file(), problems.iter().any(is_missing)));
        checks.extend(client.err().map(|error| {
            Check::fail(
                "settings",
                error.to_string(),
                "Mend this first: plex.tv, Tautulli and Discord can't be asked before",
            )
        }));
        if let Some(settings) = settings {
            checks.extend(settings::rules(settings));
            let people = evidence.people.as_ref().map(|(server, people)| (server.as_str(), people.as_slice()));
            checks.extend(settings::lists(settings, state, people, evidence.on_plex.owner.as_ref(), now));
            checks.push(settings::due(settings, evidence.household.as_ref(), now));
        }
        checks.extend(evidence.into_checks(state, now));
        checks.extend(templates);
        checks.extend(by_mail.unwrap_or_default());
        checks.extend(on_discord.unwrap_or_default());
        if let Some((dir, found)) = state_dir.zip(found.as_ref()) {
            checks.extend(state::state(dir, found));
        }
        if let Some((settings, state)) = settings.zip(state) {
            checks.extend(state::scheduler(settings, state, now));
        }
        checks
    }

    /// Asks plex.tv and Tautulli side by side; then, if both are well, for everybody.
    fn gather(
        &self,
        client: &Client,
        settings: Option<&Settings>,
        state: Option<&State>,
        environment: &Environment,
        now: OffsetDateTime,
    ) -> Evidence {
        let plex = self.plex.but_for(&[""]).map(|config| Plex::new(client.clone(), config.clone()));
        let config = self.tautulli.but_for(&[""]);
        let tautulli = config.map(|config| Tautulli::new(client.clone(), config.clone()));
        let prunes_home = settings.map(|settings| settings.rules.prune_home_users);
        let (on_plex, in_tautulli) = thread::scope(|scope| {
            let in_tautulli = tautulli.as_ref().zip(config);
            let in_tautulli = in_tautulli
                .map(|(tautulli, config)| scope.spawn(move || services::tautulli(tautulli, config, environment, now)));
            (plex.as_ref().map(|plex| services::plex(plex, prunes_home)), in_tautulli.map(join))
        });
        let plex_is_well = on_plex.as_ref().is_some_and(|seen| seen.server.is_some() && !seen.is_ill);
        let tautulli_is_well = in_tautulli.as_ref().is_some_and(|seen| !seen.is_ill);
        let mut evidence = Evidence {
            on_plex: on_plex.unwrap_or_default(),
            in_tautulli: in_tautulli.unwrap_or_default(),
            ..Evidence::default()
        };
        let (Some(plex), Some(settings), true) = (&plex, settings, plex_is_well) else { return evidence };
        let nothing = State::default();
        let state = state.unwrap_or(&nothing);
        match &tautulli {
            Some(tautulli) if tautulli_is_well => match status::gather(plex, tautulli, settings, state, now) {
                Ok(household) => {
                    evidence.people = Some((household.server.name.clone(), household.people.clone()));
                    evidence.household = Some(household);
                }
                Err(error) => evidence.trouble = Some(trouble(error)),
            },
            _ => match Guests::ask(plex, settings, state) {
                Ok(guests) => evidence.people = Some((guests.server.name, guests.people)),
                Err(error) => evidence.trouble = Some(trouble(error)),
            },
        }
        evidence
    }
}

/// What plex.tv and Tautulli showed.
#[derive(Default)]
struct Evidence {
    on_plex: services::OnPlex,
    in_tautulli: services::InTautulli,
    /// The server's name, and the people on it.
    people: Option<(String, Vec<Person>)>,
    household: Option<Household>,
    /// What failed though both services were well just before.
    trouble: Option<Check>,
}

fn trouble(error: CommandError) -> Check {
    match error {
        CommandError::OtherState(other) => Check::fail("STATE_DIR", other.what(), other.advice()),
        error => Check::fail("people", error.to_string(), "Run verify again"),
    }
}

impl Evidence {
    fn into_checks(self, state: Option<&State>, now: OffsetDateTime) -> Vec<Check> {
        let Self { on_plex, in_tautulli, household, trouble, .. } = self;
        let same_server = services::same_server(on_plex.server.as_ref(), in_tautulli.watched.as_ref());
        let mut checks = on_plex.checks;
        let refusal = household.as_ref().zip(state).and_then(|(household, state)| household.refusal(state, now));
        // The other reasons are about Tautulli, and found already.
        let refusal = refusal.filter(|refusal| refusal.kind().starts_with("plex-"));
        checks.extend(refusal.map(|refusal| services::refusal("plex.tv", &refusal)));
        checks.extend(in_tautulli.checks);
        checks.extend(same_server);
        checks.extend(household.iter().flat_map(services::unjudged));
        checks.extend(trouble);
        checks
    }
}
