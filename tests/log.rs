//! What the log looks like: in a file, in systemd's journal, as JSON.

use std::{
    fs::File,
    os::unix::fs::MetadataExt,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    sandbox,
    story::settled,
    support::{Run, Sandbox, days_ago},
};

/// The log of a run, an object a line.
fn objects(run: &Run) -> Vec<Value> {
    run.stderr.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line} is no JSON"))).collect()
}

/// The log of a run whose standard error is systemd's journal, or is said to be.
fn journal(sandbox: &Sandbox, arguments: &[&str], is_journal: bool) -> String {
    let path = sandbox.dir().join("journal");
    let file = File::create(&path).unwrap();
    let seen = file.metadata().unwrap();
    let inode = if is_journal { seen.ino() } else { seen.ino() + 1 };
    let mut program = Command::new(env!("CARGO_BIN_EXE_plex-prune"));
    program.args(arguments).env_clear().envs(sandbox.env()).env("JOURNAL_STREAM", format!("{}:{inode}", seen.dev()));
    program.stdout(Stdio::null()).stderr(file).status().unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn json_has_the_event_and_the_id_of_the_person() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1004, "dora \"d\"").email("dora@example.test").watched(days_ago(27));
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    sandbox.set_env("LOG_FORMAT", "json");
    let would = objects(&sandbox.run(&["sweep", "--dry-run"]).exits(0).clone());
    let time = "2026-11-23T12:00:00Z";
    let expected = json!([
        {"time": time, "level": "info", "event": "warned", "id": 1004, "dry_run": true,
         "message": "would warn dora \"d\" (id 1004): nothing watched for 27 days; access ends 2026-11-26 12:00 UTC"},
        {"time": time, "level": "info", "event": "removed", "id": 1005, "dry_run": true,
         "message": "would remove rita (id 1005): nothing watched for 33 days"},
        {"time": time, "level": "info", "message": "dry sweep of 2 people on Centauri: 1 would be warned, 1 would be removed"},
    ]);
    assert_eq!(Value::from(would), expected);

    let did = objects(&sandbox.run(&["-q", "sweep"]).exits(0).clone());
    let facts: Vec<_> = did.iter().map(|line| (&line["event"], &line["id"], &line["dry_run"])).collect();
    assert_eq!(
        facts,
        [(&json!("warned"), &json!(1004), &Value::Null), (&json!("removed"), &json!(1005), &Value::Null)]
    );
}

#[test]
fn json_has_the_id_of_the_person_of_a_failure() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    sandbox.smtp.refuse("rita@example.test");
    let lines = objects(&sandbox.set_env("LOG_FORMAT", "json").run(&["sweep"]).exits(0).clone());
    let facts: Vec<_> = lines.iter().map(|line| json!([line["level"], line["event"], line["id"]])).collect();
    let expected =
        [json!(["info", "removed", 1005]), json!(["error", "notice failed", 1005]), json!(["info", null, null])];
    assert_eq!(facts, expected);
}

#[test]
fn every_kind_of_line_is_json() {
    let sandbox = sandbox();
    sandbox.set_env("LOG_FORMAT", " JSON ").set_env("RUST_LOG", "trace").set_env("WARN_DAYS", "x");
    let lines = objects(&sandbox.run(&["sweep"]).exits(2).clone());
    let message =
        "a setting needs mending; nothing was touched:\n  WARN_DAYS: \"x\" is not a whole number from 1 to 3650";
    assert_eq!(lines.last().unwrap()["message"], message);
    sandbox.unset_env("WARN_DAYS");
    let levels = objects(&sandbox.run(&["-vv", "sweep"]).exits(0).clone());
    for level in ["trace", "debug", "info"] {
        assert!(levels.iter().any(|line| line["level"] == level), "{level}");
    }
}

#[test]
fn another_format_is_a_wrong_setting_like_any_other() {
    let sandbox = sandbox();
    let run = sandbox.set_env("LOG_FORMAT", "xml").set_env("WARN_DAYS", "x").run(&["sweep"]);
    run.exits(2).stderr_has("2 settings need mending").stderr_has("\n  LOG_FORMAT: \"xml\" is neither text nor json\n");
    sandbox.set_env("LOG_FORMAT", "text").unset_env("WARN_DAYS").run(&["sweep"]).exits(0);
}

#[test]
fn a_filter_that_is_empty_is_none_and_one_that_is_wrong_is_said() {
    let sandbox = sandbox();
    sandbox.person(1005, "rita").watched(days_ago(33));
    let shown = "2026-11-23T12:00:00Z would remove rita (id 1005): nothing watched for 33 days\n";
    sandbox.set_env("RUST_LOG", "").run(&["-q", "sweep"]).exits(0).stderr(shown);
    sandbox.set_env("RUST_LOG", " ").run(&["-q", "sweep"]).exits(0).stderr(shown);
    let wrong = "\n  RUST_LOG: \"plex_prune=verbose\" is not a filter like plex_prune=debug\n";
    sandbox.set_env("RUST_LOG", "plex_prune=verbose").run(&["sweep"]).exits(2).stderr_has(wrong);
    let loud = sandbox.set_env("RUST_LOG", "info").set_env("RUST_LOG_STYLE", "always").run(&["sweep"]).exits(0).clone();
    loud.stderr_lacks("\u{1b}");
}

#[test]
fn an_env_file_says_how_to_log_too() {
    let sandbox = sandbox();
    let file = sandbox.dir().join("log.env");
    std::fs::write(&file, "LOG_FORMAT=json\nRUST_LOG=plex_prune=debug\n").unwrap();
    let file = file.display().to_string();
    let lines = objects(&sandbox.run(&["--env-file", &file, "sweep"]).exits(0).clone());
    assert!(lines.iter().any(|line| line["level"] == "debug"), "{lines:?}");
    let lines = sandbox.set_env("RUST_LOG", "off").run(&["--env-file", &file, "sweep"]).exits(0).clone();
    lines.stderr("");
}

#[test]
fn the_journal_gets_levels_and_has_its_own_times() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1004, "dora").watched(days_ago(27));
    });
    sandbox.set_env("VIP_NAMES", "nobody");
    assert_eq!(
        journal(&sandbox, &["sweep"], true),
        "<4>warning: VIP_NAMES: \"nobody\" is nobody on Centauri; is it a typo?\n\
         <5>warned dora (id 1004): nothing watched for 27 days; access ends 2026-11-26 12:00 UTC\n\
         <6>sweep of 1 person on Centauri: 1 warned, 0 removed, 3 notices sent\n"
    );
    sandbox.set_env("LOG_FORMAT", "json").advance(crate::story::minutes(30));
    let objects = journal(&sandbox, &["sweep"], true);
    assert!(objects.lines().zip(["<4>{", "<6>{"]).all(|(line, begin)| line.starts_with(begin)), "{objects}");
    sandbox.unset_env("LOG_FORMAT").set_env("WARN_DAYS", "x").set_env("KICK_DAYS", "y");
    assert_eq!(
        journal(&sandbox, &["sweep"], true),
        "<3>error: 2 settings need mending; nothing was touched:\n\
         <3>  WARN_DAYS: \"x\" is not a whole number from 1 to 3650\n\
         <3>  KICK_DAYS: \"y\" is not a whole number from 2 to 3651\n"
    );
}

#[test]
fn a_file_is_not_the_journal_whatever_a_unit_around_it_is() {
    let sandbox = sandbox();
    let log = journal(&sandbox, &["sweep"], false);
    assert_eq!(log, "2026-11-23T12:00:00Z dry sweep of 0 people on Centauri: nobody is due\n");
}
