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
    error::{Error, Exit},
};

/// Runs the subcommand that the command line names.
///
/// # Errors
/// It could not do its work; what failed along the way while the rest went on is in the [`Exit`].
pub fn run(cli: &Cli) -> Result<Exit, Error> {
    let mut environment = Environment::of_process();
    let named = environment.env_file();
    if let Some(file) = cli.env_file.as_deref().or(named.as_deref()) {
        environment.add_file(file)?;
    }
    match &cli.command {
        Command::Welcome(args) => welcome::run(args, cli, &environment),
        Command::Sweep(args) => sweep::run(args, cli, &environment),
        Command::Status(args) => status::run(args, cli, &environment),
        Command::Verify(args) => verify::run(args, cli, &environment),
        Command::Whitelist(args) => whitelist::run(args, cli, &environment),
    }
}
