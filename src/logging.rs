//! The log: one line an event, on standard error.

use std::io::{IsTerminal, Write, stderr};

use env_logger::{Builder, Env};
use log::Level;

use crate::{clock, words};

/// The log target of what happened to somebody. It is shown even with `-q`, unlike what a pass says about itself.
pub const EVENT: &str = "plex_prune::event";

/// Starts the log. `RUST_LOG`, if set, decides what is shown; else `quiet` shows events and errors alone, and `verbose`
/// (once, twice) shows each call, and what the libraries have to say.
pub fn start(verbose: u8, quiet: bool) {
    let filter = match (quiet, verbose) {
        (true, _) => "plex_prune=error,plex_prune::event=info",
        (false, 0) => "plex_prune=info",
        (false, 1) => "plex_prune=debug",
        (false, _) => "trace",
    };
    // A terminal needs no times, and journald has its own.
    let timed = !stderr().is_terminal() && std::env::var_os("JOURNAL_STREAM").is_none();
    Builder::from_env(Env::default().default_filter_or(filter))
        .format(move |line, record| {
            if timed {
                write!(line, "{} ", words::timestamp(clock::now()))?;
            }
            let style = line.default_level_style(record.level());
            let (word, message) = (word(record.level()), record.args());
            if word.is_empty() {
                writeln!(line, "{message}")
            } else {
                writeln!(line, "{style}{word}:{style:#} {message}")
            }
        })
        .init();
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "",
        Level::Debug => "debug",
        Level::Trace => "trace",
    }
}
