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

/// The whole program: reads the command line and the environment of this process, and does what they say.
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    logging::start(cli.verbose, cli.quiet);
    stop::listen();
    match commands::run(&cli) {
        Ok(exit) => exit.code().into(),
        Err(error) => {
            log::error!("{error}");
            error.code().into()
        }
    }
}
