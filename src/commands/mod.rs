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

use crate::{
    cli::{Cli, Command},
    config::Environment,
    error::{CommandError, Exit},
};

/// Runs the subcommand that the command line names.
///
/// # Errors
/// It could not do its work; what failed along the way while the rest went on is in the [`Exit`].
pub fn run(cli: &Cli, environment: &Environment) -> Result<Exit, CommandError> {
    match &cli.command {
        Command::Welcome(args) => welcome::run(args, cli, environment),
        Command::Sweep(args) => sweep::run(args, cli, environment),
        Command::Status(args) => status::run(args, cli, environment),
        Command::Verify(args) => verify::run(args, cli, environment),
        Command::Whitelist(args) => whitelist::run(args, cli, environment),
    }
}
