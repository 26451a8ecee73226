//! The program `plex-prune`; see the library for what it is made of.

use std::process::ExitCode;

fn main() -> ExitCode {
    plex_prune::main()
}
