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
pub mod notify;
pub mod plex;
pub mod refusal;
pub mod shutdown;
pub mod state;
pub mod tautulli;
mod test_hooks;
mod timestamp;
pub mod verdict;
pub mod words;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    cli::Command,
    config::Environment,
    error::{CommandError, Kind},
};

/// The whole program: reads the command line and the environment of this process, and does what they say.
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let mut environment = Environment::of_process();
    let env_file = cli.env_file.clone().or_else(|| environment.env_file());
    let added = env_file.map_or(Ok(()), |file| environment.add_file(&file));
    logging::start(environment.log_format(), environment.log_filter(), cli.verbose, cli.quiet);
    shutdown::listen();
    // What a person asked for was not done; a pass comes by again.
    let is_pass = matches!(cli.command, Command::Welcome(_) | Command::Sweep(_));
    match added.map_err(CommandError::from).and_then(|()| commands::run(&cli, &environment)) {
        Ok(exit) => exit.code().into(),
        Err(error) => {
            match &error {
                // The next pass does it: nothing failed, and still it should be seen if it goes on.
                CommandError::Told(error) if error.kind == Kind::Busy && is_pass => {
                    log::warn!(target: logging::EVENT, event = "lock held"; "{error}")
                }
                _ => log::error!("{error}"),
            }
            error.code().into()
        }
    }
}
