//! plex-prune: watch something every so often, or lose access to a shared Plex server.
//!
//! Data goes one way, and each step is a room of its own:
//! - [`config`]: the environment becomes settings.
//! - [`services`]: plex.tv and Tautulli are asked; what they said is one `Snapshot`.
//! - [`people`]: snapshot, settings and state become guests, each complete at birth.
//! - [`verdict`]: the rule judges one guest by the facts and the time. Pure.
//! - [`plan`]: guests, state and settings become steps, or a reason to hold back. Pure.
//! - [`commands`]: `status` shows the plan, a dry run prints it, a live pass carries it out.
//! - [`state`]: each step is on disk before the next begins, and so is each notice that is owed.
//! - [`notify`]: a notice is reviewed, written as a mail or message, and delivered.

mod cli;
mod clock;
mod commands;
mod config;
mod error;
mod logging;
mod notify;
mod people;
mod plan;
mod services;
mod shutdown;
mod state;
mod test_hooks;
mod timestamp;
mod verdict;
mod words;

use std::process::ExitCode;

use clap::Parser;

pub use cli::Cli;

use crate::{
    cli::Command,
    config::Environment,
    error::Kind,
};

/// The whole program: reads the command line and the environment of this process, and does what they say.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut environment = Environment::of_process();
    let env_file = cli.env_file.clone().or_else(|| environment.env_file());
    let added = env_file.map_or(Ok(()), |file| environment.add_file(&file));
    logging::start(environment.log_format(), environment.log_filter(), cli.verbose, cli.quiet);
    shutdown::listen();
    // What a person asked for was not done; a pass comes by again.
    let is_pass = matches!(cli.command, Command::Welcome(_) | Command::Sweep(_));
    match added.and_then(|()| commands::run(&cli, &environment)) {
        Ok(exit) => exit.code().into(),
        Err(error) => {
            match error.kind {
                // The next pass does it: nothing failed, and still it should be seen if it goes on.
                Kind::Busy if is_pass => {
                    log::warn!(target: logging::EVENT, event = "lock held"; "{error}")
                }
                _ => log::error!("{error}"),
            }
            error.code().into()
        }
    }
}
