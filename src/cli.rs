//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args, Parser, Subcommand, ValueHint};
use time::{Date, OffsetDateTime, Time, format_description::well_known::Rfc3339, macros::format_description};

use crate::{clock, config::parse_switch};

/// Watch something every 30 days or lose access: keeps the guest list of a shared Plex server.
///
/// Each call does one pass and exits; cron, systemd timers or a Kubernetes CronJob give the cadence. All settings come
/// from environment variables; the README and the manual list them.
#[derive(Debug, Parser)]
#[command(version = env!("PLEX_PRUNE_VERSION"), max_term_width = 80, after_help = EXIT_CODES)]
pub struct Cli {
    /// Read settings from FILE too (NAME=VALUE lines), or from the one that PLEX_PRUNE_ENV_FILE names; the real environment
    /// wins
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub env_file: Option<PathBuf>,
    /// The folder that holds state.json, instead of STATE_DIR
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub state_dir: Option<PathBuf>,
    /// How long to wait for another pass to end
    #[arg(long, global = true, value_name = "SECONDS", default_value = "60", value_parser = parse_seconds)]
    pub lock_wait: Duration,
    /// Log every call; twice: what the libraries say as well
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Log nothing when nothing happened
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
   0  done, or nothing to do
   1  something failed; the next pass tries it again (verify: a check failed)
   2  wrong usage or configuration; nothing was touched
   3  refused for safety: nobody was removed
  75  another pass is under way; nothing was touched";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find people who joined since the last pass, and welcome them
    ///
    /// The first live pass records everybody without a mail. Who left is noted, and whoever was removed and is back is
    /// recorded by Tautulli again.
    Welcome(Welcome),
    /// Warn and remove idle people, and finish what an earlier pass left unfinished
    ///
    /// Before each warning and each removal, that person's newest play is asked for once more. If the evidence doesn't add up,
    /// or more removals are due than MAX_REMOVALS, nobody is removed: the exit code is 3, and the log says how to go ahead.
    Sweep(Sweep),
    /// Show how everybody stands and what happens next; changes nothing
    Status(Status),
    /// Check every setting and connection, and say how to mend what fails; changes nothing
    Verify(Verify),
    /// Show or change who is never removed, on top of VIP_NAMES
    Whitelist(Whitelist),
}

#[derive(Debug, Args)]
pub struct Welcome {
    #[command(flatten)]
    pub dry_run: DryRun,
}

#[derive(Debug, Args)]
pub struct Sweep {
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Remove up to N people in this pass, instead of MAX_REMOVALS
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub max_removals: Option<usize>,
}

/// `--dry-run`, which a pass has.
#[derive(Debug, Args)]
pub struct DryRun {
    /// Only say what would be done, or (=false) do it, whatever DRY_RUN says
    #[arg(
        long = "dry-run",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = parse_switch
    )]
    pub given: Option<bool>,
}

#[derive(Debug, Args)]
pub struct Status {
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// How things will stand at that time if nobody watches anything: 2026-12-24 or 2026-12-24T18:00:00Z (UTC)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub at: Option<OffsetDateTime>,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Also send a mail of each kind to ADMIN_EMAIL, marked as a test, and a message to Discord
    #[arg(long)]
    pub send_test: bool,
    /// Print JSON instead of a list
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Whitelist {
    /// What to do with the whitelist.
    #[command(subcommand)]
    pub command: WhitelistCommand,
}

/// The subcommands of `whitelist`.
#[derive(Debug, Subcommand)]
pub enum WhitelistCommand {
    /// Show everybody who is never removed, and why: whitelist, VIP_NAMES and the rest
    List {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Protect somebody; adding them again changes the entry
    Add {
        /// Username, e-mail address, title or Plex id; looked up on Plex, so that a new name changes nothing
        who: String,
        /// The last day that counts, in UTC: 2026-12-31; or never. After it they get the whole warning period
        #[arg(long, value_name = "DATE", value_parser = parse_until)]
        until: Option<Until>,
        /// Why, for whoever reads the list
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        /// Don't ask Plex: store WHO as given, and match it like an entry of VIP_NAMES
        #[arg(long)]
        offline: bool,
    },
    /// Take somebody off; the next sweep judges them like everybody else
    Remove {
        /// Name or Plex id, as the list shows it
        who: String,
    },
}

/// How long a whitelist entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// To the end of this day, UTC.
    Day(Date),
    /// For good.
    Never,
}

fn parse_until(text: &str) -> Result<Until, String> {
    if text.eq_ignore_ascii_case("never") {
        return Ok(Until::Never);
    }
    parse_day(text).map(Until::Day).map_err(|_| "expected a day like 2026-12-31, or never".to_owned())
}

fn parse_day(text: &str) -> Result<Date, String> {
    let day = format_description!("[year]-[month]-[day]");
    Date::parse(text, day).map_err(|_| "expected a day like 2026-12-31".to_owned())
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u32>().map_err(|_| "expected a whole number of seconds".to_owned())?;
    Ok(Duration::from_secs(seconds.into()))
}

fn parse_count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected a whole number, such as 12".to_owned())
}

/// Reads a day (its midnight, UTC; today means now) or an RFC 3339 time, not before now.
fn parse_time(text: &str) -> Result<OffsetDateTime, String> {
    let now = clock::now();
    if parse_day(text).is_ok_and(|day| day == now.date()) {
        return Ok(now);
    }
    let time = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| ())
        .or_else(|()| parse_day(text).map_err(drop).map(|day| day.with_time(Time::MIDNIGHT).assume_utc()))
        .map_err(|_| "expected a day like 2026-12-24 or a time like 2026-12-24T18:00:00Z".to_owned())?;
    // Tautulli's table tells when everybody last watched, and not how that was at an earlier time.
    if time < now { Err("it is past, and status only looks ahead".to_owned()) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }
}
