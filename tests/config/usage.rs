//! The command line itself.

use std::{path::Path, process::Command};

use crate::sandbox;

#[test]
fn help_reads_well_at_80_columns() {
    let sandbox = sandbox();
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["help"],
        &["help", "sweep"],
        &["welcome", "--help"],
        &["sweep", "--help"],
        &["status", "--help"],
        &["whitelist", "--help"],
        &["whitelist", "add", "--help"],
    ] {
        let run = sandbox.run(arguments);
        run.exits(0).stderr("").stdout_has("Usage: plex-prune");
        for line in run.stdout.lines() {
            assert!(line.chars().count() <= 80, "too long: {line}\n{run}");
        }
    }
    sandbox.run(&["--help"]).stdout_has(
        "\n\nExit codes:\n   \
           0  done, or nothing to do\n   \
           1  something failed; the next pass tries it again (verify: a check failed)\n   \
           2  wrong usage or configuration; nothing was touched\n   \
           3  refused for safety: nobody was removed\n  \
          75  another pass is under way; nothing was touched\n",
    );
    sandbox.is_untouched();
}

#[test]
fn the_version_and_the_commit_are_told() {
    let git = Command::new("git").args(["rev-parse", "--short=10", "HEAD"]).output();
    let commit = git.ok().filter(|output| output.status.success() && Path::new(".git").exists());
    let commit = commit.and_then(|output| String::from_utf8(output.stdout).ok());
    let commit = commit.map(|commit| format!(" ({})", commit.trim())).unwrap_or_default();
    let version = format!("plex-prune {}{commit}\n", env!("CARGO_PKG_VERSION"));
    sandbox().run(&["--version"]).exits(0).stdout(&version).stderr("");
    sandbox().run(&["-V"]).exits(0).stdout(&version).stderr("");
}

#[test]
fn wrong_usage_says_what_would_be_right() {
    let rows: [(&[&str], &str); 9] = [
        (&["swep"], "error: unrecognized subcommand 'swep'\n\n  tip: a similar subcommand exists: 'sweep'\n"),
        (
            &["sweep", "--dry"],
            "error: unexpected argument '--dry' found\n\n  tip: a similar argument exists: '--dry-run'\n",
        ),
        (&["sweep", "--at", "2026-12-24"], "error: unexpected argument '--at' found\n"),
        (&["sweep", "-v", "-q"], "error: the argument '--verbose...' cannot be used with '--quiet'\n"),
        (
            &["sweep", "--max-removals", "all"],
            "error: invalid value 'all' for '--max-removals <N>': expected a whole number, such as 12\n",
        ),
        (
            &["sweep", "--max-removals=-1"],
            "error: invalid value '-1' for '--max-removals <N>': expected a whole number, such as 12\n",
        ),
        (
            &["sweep", "--lock-wait", "1m"],
            "error: invalid value '1m' for '--lock-wait <SECONDS>': expected a whole number of seconds\n",
        ),
        (
            &["status", "--at", "tomorrow"],
            "error: invalid value 'tomorrow' for '--at <TIME>': \
             expected a day like 2026-12-24 or a time like 2026-12-24T18:00:00Z\n",
        ),
        (&["--state-dir", "", "sweep"], "error: a value is required for '--state-dir <DIR>' but none was supplied\n"),
    ];
    let sandbox = sandbox();
    sandbox.live();
    for (arguments, says) in rows {
        let run = sandbox.run(arguments);
        run.exits(2).stdout("");
        assert!(run.stderr.starts_with(says), "should begin with:\n{says}{run}");
    }
    sandbox.is_untouched();
}

#[test]
fn without_a_command_the_help_is_shown_as_an_error() {
    sandbox().run(&[]).exits(2).stdout("").stderr_has("Usage: plex-prune [OPTIONS] <COMMAND>");
}
