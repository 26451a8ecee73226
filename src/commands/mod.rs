//! The subcommands, a file each. Only they know configuration, services, state and notices all together.

mod carry_out;
mod output;
mod pass;
mod removal;
mod status;
mod sweep;
mod verify;
mod welcome;
mod whitelist;

use crate::{
    cli::{Cli, Command},
    config::Environment,
    error::{Error, Exit},
};

/// Runs the subcommand that the command line names.
///
/// # Errors
/// It could not do its work; what failed along the way while the rest went on is in the [`Exit`].
pub fn run(cli: &Cli, environment: &Environment) -> Result<Exit, Error> {
    match &cli.command {
        Command::Welcome(args) => welcome::run(args, cli, environment),
        Command::Sweep(args) => sweep::run(args, cli, environment),
        Command::Status(args) => status::run(args, cli, environment),
        Command::Verify(args) => verify::run(args, cli, environment),
        Command::Whitelist(args) => whitelist::run(args, cli, environment),
    }
}
