//! plex-prune: watch something every so often, or lose access to a shared Plex server.
//!
//! Data goes one way: [`config`] → what [`plex`] and [`tautulli`] say → [`household`] → [`verdict`] → [`commands`], which
//! act, and write what they did and still owe into the [`state`] → [`delivery`] of the notices ([`notify`]).

pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod delivery;
pub mod error;
pub mod household;
pub mod http;
pub mod logging;
mod moment;
pub mod notify;
pub mod plex;
pub mod refusal;
mod rehearsal;
pub mod state;
pub mod stop;
pub mod tautulli;
pub mod verdict;
pub mod words;

use std::process::ExitCode;

use clap::Parser;

use crate::{config::Environment, error::CommandError, state::StateError};

/// The whole program: reads the command line and the environment of this process, and does what they say.
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let mut environment = Environment::of_process();
    let env_file = cli.env_file.clone().or_else(|| environment.env_file());
    let added = env_file.map_or(Ok(()), |file| environment.add_file(&file));
    logging::start(environment.log_format(), environment.log_filter(), cli.verbose, cli.quiet);
    stop::listen();
    match added.map_err(CommandError::from).and_then(|()| commands::run(&cli, &environment)) {
        Ok(exit) => exit.code().into(),
        Err(error) => {
            match &error {
                // The next pass does it: nothing failed, and still it should be seen if it goes on.
                CommandError::State(StateError::Busy { .. }) => {
                    log::warn!(target: logging::EVENT, event = "lock held"; "{error}")
                }
                _ => log::error!("{error}"),
            }
            error.code().into()
        }
    }
}
