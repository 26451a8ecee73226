//! The subcommands, a file each. Only they know configuration, services, state and notices all together.

mod pass;
mod removal;
mod status;
mod status_table;
mod sweep;
mod table;
mod verify;
mod welcome;
mod whitelist;
mod whitelist_table;

use crate::{
    cli::{Cli, Command},
    config::{ConfigError, Environment},
    error::{Error, Exit},
};

/// Runs the subcommand that the command line names.
///
/// # Errors
/// It could not do its work; what failed along the way while the rest went on is in the [`Exit`].
pub fn run(cli: &Cli) -> Result<Exit, Error> {
    let mut environment = Environment::of_process();
    if let Some(file) = &cli.env_file {
        environment.add_file(file).map_err(ConfigError::from)?;
    }
    match &cli.command {
        Command::Welcome(args) => welcome::run(args, cli, &environment),
        Command::Sweep(args) => sweep::run(args, cli, &environment),
        Command::Status(args) => status::run(args, cli, &environment),
        Command::Verify(args) => verify::run(args, cli, &environment),
        Command::Whitelist(args) => whitelist::run(args, cli, &environment),
    }
}
