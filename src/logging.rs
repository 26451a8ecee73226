//! The log: one line an event, on standard error.

use std::{
    fs::File,
    io::{self, IsTerminal, Write, stderr},
    os::{fd::AsFd, unix::fs::MetadataExt},
};

use env_logger::{Builder, fmt::Formatter};
use log::{Level, Record};
use serde::Serialize;

use crate::{clock, words};

/// The log target of what happened to somebody. It is shown even with `-q`, unlike what a pass says about itself.
///
/// Such a line tells, for `LOG_FORMAT=json`, its `event`, the Plex `id` of the person, and `dry_run`.
pub const EVENT: &str = "plex_prune::event";

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Words for people.
    Text,
    /// A JSON object.
    Json,
}

/// Starts the log. `filter` (`RUST_LOG`), if there is one, decides what is shown; else `quiet` shows events and errors
/// alone, and `verbose` (once, twice) shows each call, and what the libraries have to say.
pub fn start(format: Format, filter: Option<&str>, verbose: u8, quiet: bool) {
    let usual = match (quiet, verbose) {
        (true, _) => "plex_prune=error,plex_prune::event=info",
        (false, 0) => "plex_prune=info",
        (false, 1) => "plex_prune=debug",
        (false, _) => "trace",
    };
    let (journal, terminal) = (is_journal(), stderr().is_terminal());
    Builder::new()
        .parse_filters(filter.unwrap_or(usual))
        .format(move |line, record| match format {
            Format::Text if journal => write_for_journal(line, record),
            Format::Text => write_text(line, record, !terminal),
            Format::Json => write_json(line, record, journal),
        })
        .init();
}

/// Whether a value of `RUST_LOG` can be read.
pub fn is_filter(text: &str) -> bool {
    env_filter::Builder::new().try_parse(text).is_ok()
}

/// A terminal needs no times.
fn write_text(line: &mut Formatter, record: &Record<'_>, timed: bool) -> io::Result<()> {
    if timed {
        write!(line, "{} ", words::timestamp(clock::now()))?;
    }
    let style = line.default_level_style(record.level());
    match record.level() {
        Level::Info => writeln!(line, "{}", record.args()),
        level => writeln!(line, "{style}{}:{style:#} {}", word(level), record.args()),
    }
}

/// The journal has its own times, and takes the level from a prefix (`sd-daemon(3)`): `journalctl -p err` finds errors,
/// whole, and `-p notice` what happened to somebody too.
fn write_for_journal(line: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let prefix = match record.level() {
        Level::Error => "error: ",
        Level::Warn => "warning: ",
        _ => "",
    };
    let (priority, message) = (priority(record), format!("{prefix}{}", record.args()));
    message.lines().try_for_each(|text| writeln!(line, "<{priority}>{text}"))
}

fn priority(record: &Record<'_>) -> u8 {
    match record.level() {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info if record.target() == EVENT => 5,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

fn write_json(line: &mut Formatter, record: &Record<'_>, journal: bool) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        time: String,
        level: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        event: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        dry_run: Option<bool>,
        message: String,
    }
    let value = |key: &'static str| record.key_values().get(key.into());
    let event = value("event");
    let object = Line {
        time: words::timestamp(clock::now()),
        level: word(record.level()),
        event: event.as_ref().and_then(|event| event.to_borrowed_str()),
        id: value("id").and_then(|id| id.to_u64()),
        dry_run: value("dry_run").and_then(|dry| dry.to_bool()),
        message: record.args().to_string(),
    };
    if journal {
        write!(line, "<{}>", priority(record))?;
    }
    writeln!(line, "{}", serde_json::to_string(&object)?)
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    }
}

/// Whether standard error goes to systemd's journal: `JOURNAL_STREAM` is then its device and inode (`systemd.exec(5)`).
fn is_journal() -> bool {
    let Some(stream) = std::env::var_os("JOURNAL_STREAM") else { return false };
    let file = stderr().as_fd().try_clone_to_owned().map(File::from);
    file.and_then(|file| file.metadata()).is_ok_and(|seen| stream == *format!("{}:{}", seen.dev(), seen.ino()))
}
