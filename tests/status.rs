//! `status`: what it shows, at 80 columns and as JSON, and that it touches nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use time::Duration;

use crate::sandbox;
use crate::support::{Fault, Response, Run, Sandbox, days, days_ago, delete, hours, hours_ago};

/// Runs `status`, which must go well, and must change nothing.
#[track_caller]
fn status(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let before = sandbox.writes().len();
    let run = sandbox.run(&[&["status"], arguments].concat());
    run.exits(0).stderr("");
    assert_eq!(sandbox.writes().len(), before, "status changed something");
    assert_eq!(sandbox.violations(), [""; 0]);
    run
}

/// One person of the JSON.
#[track_caller]
fn person(report: &Value, id: u64) -> &Value {
    let people = report["people"].as_array().unwrap();
    people.iter().find(|person| person["id"] == id).expect("the person is in the report")
}

/// How many columns a line takes on a terminal.
fn columns(line: &str) -> usize {
    let mut columns = 0;
    let mut joined = false;
    for c in line.chars() {
        columns += match c {
            // What a joiner joins is drawn in one place.
            _ if joined => 0,
            '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' => 0,
            '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' => 2,
            '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}' | '\u{1f300}'..='\u{1faff}' => 2,
            _ => 1,
        };
        joined = c == '\u{200d}';
    }
    columns
}

#[track_caller]
fn fits_80_columns(run: &Run) {
    for line in run.stdout.lines() {
        assert!(columns(line) <= 80, "{} columns: {line}", columns(line));
        assert!(!line.contains(char::is_control), "a control character: {line:?}");
        assert_eq!(line, line.trim_end());
    }
}

#[test]
fn everybody_is_in_one_table_whatever_their_situation() {
    let sandbox = sandbox();
    sandbox.live().set_env("VIP_NAMES", "Mom");
    sandbox.person(1003, "walt").watched(days_ago(28));
    sandbox.run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    sandbox.advance(hours(12));
    sandbox.person(1001, "ada").watched(days_ago(2));
    sandbox.person(1002, "bert").watched(days_ago(40)).watching_now();
    sandbox.person(1004, "dora").watched(days_ago(27));
    sandbox.person(1005, "rita").watched(days_ago(33));
    sandbox.person(1006, "nick").joined(days_ago(45)).never_watched();
    sandbox.person(1007, "mom").watched(days_ago(90));
    sandbox.person(1008, "hugo").home_user().watched(days_ago(90));
    sandbox.person(1009, "gwen").joined(hours_ago(5)).never_watched();
    sandbox.person(1010, "tess").joined(hours_ago(30)).unknown_to_tautulli();
    sandbox.person(1011, "zoe").no_history_kept();
    sandbox.person(1012, "vera").watched(days_ago(50));
    sandbox.person(1013, "the boss").email("Admin@Example.test").watched(days_ago(200));
    sandbox.person(1014, "dave").hidden_in_tautulli();
    sandbox.person(1015, "nora").accepted_at_null();
    sandbox.run(&["whitelist", "add", "vera", "--until", "2026-12-31"]).exits(0);
    let run = status(&sandbox, &[]);
    run.stdout(
        "\
Centauri at 2026-11-24 00:00 UTC

who      joined     watched    idle standing      next
ada      2026-05-08 2026-11-22    2 active        warning 2026-12-19
bert     2026-05-08 now           0 watching
dave     2026-05-08 -               can't tell    deleted in Tautulli
dora     2026-05-08 2026-10-28   27 to be warned  next sweep
gwen     2026-11-23 -               new           counts from 2026-11-24
hugo     2026-05-08 2026-08-26      Home user     never removed
mom      2026-05-08 2026-08-26      VIP           never removed
nick     2026-10-10 -            44 to be removed next sweep
nora     -          -               can't tell    no join date yet
rita     2026-05-08 2026-10-22   33 to be removed next sweep
tess     2026-11-22 -               can't tell    not in Tautulli yet
the boss 2026-05-08 2026-05-08      admin         never removed
vera     2026-05-08 2026-10-05      whitelist     to 2026-12-31
walt     2026-05-07 2026-10-26   28 warned        removal 2026-11-25
zoe      2026-05-08 -               can't tell    no history kept

15 people: 1 active, 1 watching, 1 new, 4 protected, 4 can't tell, 1 to be
warned, 1 warned, 2 to be removed
live: passes warn and remove
last welcome: 2026-11-23 12:00 UTC (every 2 minutes): OVERDUE, is it scheduled?
last sweep: 2026-11-23 12:00 UTC (every 30 minutes): OVERDUE, is it scheduled?
",
    );
    fits_80_columns(&run);
}

#[test]
fn an_empty_household_is_said_to_be_empty() {
    let sandbox = sandbox();
    status(&sandbox, &[]).stdout(
        "\
Centauri at 2026-11-23 12:00 UTC

Nobody has a share on this server.

0 people
dry run: passes only say what they would do, and leave no trace here
last welcome: never (every 2 minutes)
last sweep: never (every 30 minutes)
",
    );
    let report = status(&sandbox, &["--json"]).json();
    assert_eq!((&report["people"], &report["counts"]), (&json!([]), &json!([])));
}

#[test]
fn one_person_is_one_line() {
    let sandbox = sandbox();
    sandbox.person(1001, "ada").watched(days_ago(2));
    status(&sandbox, &[]).stdout(
        "\
Centauri at 2026-11-23 12:00 UTC

who joined     watched    idle standing next
ada 2026-05-07 2026-11-21    2 active   warning 2026-12-18

1 person: 1 active
dry run: passes only say what they would do, and leave no trace here
last welcome: never (every 2 minutes)
last sweep: never (every 30 minutes)
",
    );
}

#[test]
fn two_hundred_people_are_two_hundred_lines_by_name() {
    let sandbox = sandbox();
    for id in 0..200 {
        let name = format!("{}{:03}", if id % 2 == 0 { "guest" } else { "Guest" }, 199 - id);
        sandbox.person(1000 + id, &name).watched(days_ago((id % 25) as i64));
    }
    let run = status(&sandbox, &[]);
    fits_80_columns(&run);
    let names: Vec<String> =
        run.stdout.lines().skip(3).take(200).map(|line| line.split(' ').next().unwrap().to_lowercase()).collect();
    let expected: Vec<String> = (0..200).map(|number| format!("guest{number:03}")).collect();
    assert_eq!(names, expected);
    run.stdout_has("\n200 people: 200 active\n");
}

#[test]
fn no_name_can_break_the_table() {
    let sandbox = sandbox();
    let names = [
        "x".repeat(10_000),
        "two words ".repeat(1000),
        "紘".repeat(10_000),
        "👩\u{200d}🚀".repeat(1000),
        format!("z{}", "\u{301}".repeat(10_000)),
        "line\nfeed\r\nand\ttab".to_owned(),
        "\u{1b}[31mred\u{1b}[2J\u{7}".to_owned(),
        "\u{202e}right to left\u{200f}\u{2066}".to_owned(),
        "<b>bold</b> *md* `code` | pipe".to_owned(),
        "\u{feff}\u{200b}".to_owned(),
        "   ".to_owned(),
        "{{ name }} {% raw %}".to_owned(),
    ];
    for (id, name) in (1001..).zip(&names) {
        sandbox.person(id, name).email("guest@example.test").watched(days_ago(3));
    }
    sandbox.person(1100, "gwen").joined(hours_ago(5)).never_watched();
    sandbox.person(1101, "rita").watched(days_ago(33));
    let run = status(&sandbox, &[]);
    fits_80_columns(&run);
    let rows: Vec<&str> = run.stdout.lines().skip(3).take(names.len() + 2).collect();
    for row in &rows {
        let joined = row.find(" 2026-").expect("every row has a date of joining");
        assert_eq!(columns(&row[..joined]), 15, "{row}");
    }
    run.stdout_has("\nline\\nfeed\\r\\n… 2026-05-07").stdout_has("\n\\u{1b}[31mred\\… 2026-05-07");
    let report = status(&sandbox, &["--json"]).json();
    assert_eq!(person(&report, 1008)["name"], "\\u{202e}right to left\\u{200f}\\u{2066}");
    // A name of nothing gives way to what else is known.
    assert_eq!(person(&report, 1011)["name"], "guest@example.test");
}

#[test]
fn long_warnings_and_long_server_names_are_wrapped() {
    let sandbox = sandbox();
    let name = "The server in the cellar, behind the boiler, on the left, second shelf from the top";
    sandbox.plex.add_server(name, "0f3c-cellar", true);
    sandbox.set_env("PLEX_SERVER_NAME", name).set_env("VIP_NAMES", "somebody with a name of quite some length");
    let run = status(&sandbox, &[]);
    fits_80_columns(&run);
    run.stdout_has(
        "
! A sweep would act on nobody now: Tautulli watches another Plex server than The
  server in the cellar, behind the boiler, on the left, se…, so it says nothing
  about the people there. Check TAUTULLI_URL and PLEX_SERVER_NAME.
",
    );
}

#[test]
fn a_reader_that_closes_the_pipe_is_not_an_error() {
    let sandbox = Sandbox::new("/bin/sh");
    for id in 0..200 {
        sandbox.person(1000 + id, &"guest".repeat(100)).watched(days_ago(1));
    }
    for arguments in ["", "--json"] {
        let script = format!("({} status {arguments}; echo exit $? >&2) | true", env!("CARGO_BIN_EXE_plex-prune"));
        sandbox.run(&["-c", &script]).stderr("exit 0\n");
    }
}

/// The kinds of value behind every key: what a script that reads the JSON may rely on.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), shape(value))).collect(),
        Value::Array(elements) => Value::Array(elements.first().map(shape).into_iter().collect()),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("flag"),
        Value::Null => json!("null"),
    }
}

/// Somebody in the outbox, an unfinished removal, and a name that matches nobody.
fn a_bit_of_everything(sandbox: &Sandbox) {
    sandbox.live().set_env("VIP_NAMES", "mom, Uncle Bob");
    sandbox.person(1001, "ada").watched(days_ago(2));
    sandbox.person(1007, "mom").watched(days_ago(90));
    sandbox.run(&["welcome"]).exits(0);
    sandbox.person(1005, "rita").watched(days_ago(33));
    sandbox.smtp.stop();
    sandbox.plex.fail(delete("/api/v2/sharings"), Fault::status(403));
    sandbox.run(&["sweep"]).exits(1);
}

#[test]
fn the_json_has_these_keys_and_no_others() {
    let sandbox = sandbox();
    a_bit_of_everything(&sandbox);
    let run = status(&sandbox, &["--json"]);
    let report = run.json();
    let person_shape = json!({
        "id": "number", "name": "text", "email": "text", "joined": "text", "last_watched": "text",
        "watching": "flag", "idle_days": "number", "standing": "text", "reason": "null",
        "next": {"step": "text", "at": "text"},
    });
    let expected = json!({
        "schema": "number", "server": "text", "at": "text", "is_forecast": "flag", "dry_run": "flag",
        "warn_days": "number", "kick_days": "number",
        "people": [person_shape],
        "counts": [{"standing": "text", "people": "number"}],
        "passes": [{"command": "text", "last": "text", "every_seconds": "number", "overdue": "flag"}],
        "waiting": [{"notice": "text", "since": "text", "last_error": "text"}],
        "warnings": ["text"],
    });
    assert_eq!(shape(&report), expected);
    assert_eq!(
        person(&report, 1001),
        &json!({
            "id": 1001, "name": "ada", "email": "ada@example.test", "joined": "2026-05-07T12:00:00Z",
            "last_watched": "2026-11-21T12:00:00Z", "watching": false, "idle_days": 2, "standing": "active",
            "reason": null, "next": {"step": "warning", "at": "2026-12-18T12:00:00Z"},
        })
    );
    assert_eq!(
        person(&report, 1007),
        &json!({
            "id": 1007, "name": "mom", "email": "mom@example.test", "joined": "2026-05-07T12:00:00Z",
            "last_watched": "2026-08-25T12:00:00Z", "watching": false, "idle_days": null, "standing": "protected",
            "reason": "VIP", "next": null,
        })
    );
    assert_eq!(
        report["passes"],
        json!([
            {"command": "welcome", "last": "2026-11-23T12:00:00Z", "every_seconds": 120, "overdue": false},
            {"command": "sweep", "last": "2026-11-23T12:00:00Z", "every_seconds": 1800, "overdue": false},
        ])
    );
    assert_eq!((&report["schema"], &report["at"]), (&json!(1), &json!("2026-11-23T12:00:00Z")));
    assert_eq!(status(&sandbox, &["--json"]).stdout, run.stdout, "the same again, byte for byte");
}

#[test]
fn every_standing_has_its_word_in_the_json() {
    let sandbox = sandbox();
    sandbox.live();
    sandbox.person(1003, "walt").watched(days_ago(28));
    sandbox.run(&["sweep"]).exits(0);
    sandbox.person(1001, "ada").watched(days_ago(2));
    sandbox.person(1002, "bert").watched(days_ago(40)).watching_now();
    sandbox.person(1004, "dora").watched(days_ago(27));
    sandbox.person(1005, "rita").watched(days_ago(33));
    sandbox.person(1008, "hugo").home_user();
    sandbox.person(1009, "gwen").joined(hours_ago(5)).no_email();
    sandbox.person(1010, "tess").unknown_to_tautulli();
    let report = status(&sandbox, &["--json"]).json();
    let next = |step: &str, at: &str| json!({"step": step, "at": at});
    let none = Value::Null;
    for (id, standing, reason, next) in [
        (1001, "active", None, next("warning", "2026-12-18T12:00:00Z")),
        (1002, "watching", None, none.clone()),
        (1003, "warned", None, next("removal", "2026-11-25T12:00:00Z")),
        (1004, "warn", None, next("warning", "2026-11-23T12:00:00Z")),
        (1005, "remove", None, next("removal", "2026-11-23T12:00:00Z")),
        (1008, "protected", Some("Home user"), none.clone()),
        (1009, "new", None, next("counting starts", "2026-11-24T07:00:00Z")),
        (1010, "unknown", Some("not in Tautulli yet"), none.clone()),
    ] {
        let row = person(&report, id);
        let expected = (&json!(standing), &json!(reason), &next);
        assert_eq!((&row["standing"], &row["reason"], &row["next"]), expected, "{id}");
    }
    assert_eq!(person(&report, 1009)["email"], Value::Null);
    assert_eq!(person(&report, 1002)["idle_days"], 0);
    let words = ["active", "watching", "new", "protected", "unknown", "warn", "warned", "remove"];
    let counts: Vec<Value> = words.iter().map(|word| json!({"standing": word, "people": 1})).collect();
    assert_eq!(report["counts"], json!(counts));
}

#[test]
fn a_day_means_its_midnight_and_any_zone_becomes_utc() {
    let sandbox = sandbox();
    for (at, expected) in [
        ("2026-12-24", "2026-12-24T00:00:00Z"),
        ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"),
        ("2026-12-24T18:00:00.75+02:00", "2026-12-24T16:00:00Z"),
    ] {
        let report = status(&sandbox, &["--json", "--at", at]).json();
        assert_eq!((&report["at"], &report["is_forecast"]), (&json!(expected), &json!(true)));
    }
    let report = status(&sandbox, &["--json", "--at", "2026-11-23T12:00:00Z"]).json();
    assert_eq!(report["is_forecast"], false);
    status(&sandbox, &["--at", "2026-12-24"])
        .stdout_has("Centauri at 2026-12-24 00:00 UTC, if nobody watches anything until then\n");
}

#[test]
fn a_time_that_is_past_or_none_is_refused() {
    let sandbox = sandbox();
    let expected = "expected a day like 2026-12-24 or a time like 2026-12-24T18:00:00Z";
    let past = "it is past, and status only looks ahead";
    for (at, why) in [
        ("2026-11-22", past),
        ("2026-11-23T11:59:59Z", past),
        ("1066-10-14", past),
        ("tomorrow", expected),
        ("2026-02-30", expected),
        ("2026-12-24T18:00", expected),
        ("", expected),
    ] {
        let run = sandbox.run(&["status", "--at", at]);
        run.exits(2).stdout("").stderr_has(&format!("error: invalid value '{at}' for '--at <TIME>': {why}\n"));
    }
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_forecast_lives_through_the_sweeps_up_to_then() {
    let sandbox = sandbox();
    sandbox.person(1001, "ada").watched(days_ago(2));
    sandbox.person(1002, "bert").watched(days_ago(40)).watching_now();
    sandbox.person(1003, "cleo").watched(days_ago(20));
    sandbox.person(1005, "rita").watched(days_ago(33));
    sandbox.person(1009, "gwen").joined(hours_ago(5)).never_watched();
    sandbox.person(1010, "walt").watched(days_ago(27));
    sandbox.run(&["whitelist", "add", "ada", "--until", "2026-12-01"]).exits(0);

    let soon = status(&sandbox, &["--at", "2026-12-01T12:00:00Z"]);
    soon.stdout_has(
        "\
who  joined     watched    idle standing  next
ada  2026-05-07 2026-11-21      whitelist to 2026-12-01
bert 2026-05-07 2026-11-23    8 active    warning 2026-12-20
cleo 2026-05-07 2026-11-03   28 warned    removal 2026-12-03
gwen 2026-11-23 -             7 active    warning 2026-12-21
rita 2026-05-07 2026-10-21   41 removed   on 2026-11-23
walt 2026-05-07 2026-10-27   35 removed   on 2026-11-26

6 people: 2 active, 1 protected, 1 warned, 2 removed
",
    );
    fits_80_columns(&soon);

    let late = status(&sandbox, &["--json", "--at", "2027-06-01"]).json();
    for id in [1001, 1002, 1003, 1005, 1009, 1010] {
        let row = person(&late, id);
        assert_eq!((&row["standing"], &row["watching"]), (&json!("remove"), &json!(false)));
    }
    assert_eq!(person(&late, 1002)["next"], json!({"step": "removal", "at": "2026-12-23T12:00:00Z"}));
    assert_eq!(person(&late, 1002)["last_watched"], "2026-11-23T12:00:00Z");
}

#[test]
fn a_forecast_says_what_the_sweeps_then_do() {
    let sandbox = sandbox();
    sandbox.live().set_env("WARN_FIRST", "true");
    sandbox.person(1003, "cleo").watched(days_ago(20));
    sandbox.person(1005, "rita").watched(days_ago(33));
    let step = |id: u64, at: &str| {
        let report = status(&sandbox, &["--json", "--at", at]).json();
        let row = person(&report, id);
        format!("{} {}", row["standing"].as_str().unwrap(), row["next"]["at"].as_str().unwrap())
    };
    // Nobody goes without a warning three days before.
    assert_eq!(step(1005, "2026-11-26T11:59:59Z"), "warned 2026-11-26T12:00:00Z");
    assert_eq!(step(1005, "2026-11-26T12:00:00Z"), "remove 2026-11-26T12:00:00Z");
    assert_eq!(step(1003, "2026-11-30T11:59:59Z"), "active 2026-11-30T12:00:00Z");
    assert_eq!(step(1003, "2026-11-30T12:00:00Z"), "warned 2026-12-03T12:00:00Z");
    assert_eq!(step(1003, "2026-12-03T12:00:00Z"), "remove 2026-12-03T12:00:00Z");

    sandbox.run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0).stderr_has("warned rita");
    sandbox.advance(days(3) - Duration::SECOND);
    sandbox.run(&["sweep"]).exits(0).stderr_lacks("rita");
    sandbox.advance(Duration::SECOND);
    sandbox.run(&["sweep"]).exits(0).stderr_has("removed rita");
    sandbox.advance(days(4));
    sandbox.run(&["sweep"]).exits(0).stderr_has("warned cleo");
    sandbox.advance(days(3));
    sandbox.run(&["sweep"]).exits(0).stderr_has("removed cleo");
}

#[test]
fn a_pass_is_overdue_after_more_than_three_times_its_cadence() {
    let sandbox = sandbox();
    sandbox.live().person(1001, "ada").watched(days_ago(2));
    let passes = |sandbox: &Sandbox| {
        let lines = status(sandbox, &[]).stdout;
        lines.lines().filter(|line| line.starts_with("last ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let never = "last sweep: never (every 30 minutes): is it scheduled?";
    assert_eq!(passes(&sandbox)[1], never);

    sandbox.run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    sandbox.advance(Duration::seconds(3 * 120));
    assert_eq!(
        passes(&sandbox),
        ["last welcome: 2026-11-23 12:00 UTC (every 2 minutes)", "last sweep: 2026-11-23 12:00 UTC (every 30 minutes)"]
    );
    sandbox.advance(Duration::SECOND);
    let overdue = "last welcome: 2026-11-23 12:00 UTC (every 2 minutes): OVERDUE, is it scheduled?";
    assert_eq!(passes(&sandbox)[0], overdue);
    sandbox.advance(Duration::seconds(3 * 1800 - 3 * 120 - 1));
    assert_eq!(passes(&sandbox)[1], "last sweep: 2026-11-23 12:00 UTC (every 30 minutes)");
    sandbox.advance(Duration::SECOND);
    let overdue = "last sweep: 2026-11-23 12:00 UTC (every 30 minutes): OVERDUE, is it scheduled?";
    assert_eq!(passes(&sandbox)[1], overdue);

    sandbox.set_env("CHECK_INACTIVITY_SECS", 1801);
    assert_eq!(passes(&sandbox)[1], "last sweep: 2026-11-23 12:00 UTC (every 1801 seconds)");
}

#[test]
fn a_dry_run_leaves_no_trace_so_nothing_is_overdue() {
    let sandbox = sandbox();
    let run = status(&sandbox, &[]);
    run.stdout_has("\ndry run: passes only say what they would do, and leave no trace here\n").stdout_lacks("OVERDUE");
    let report = status(&sandbox, &["--json"]).json();
    assert_eq!((&report["dry_run"], &report["passes"][0]["overdue"]), (&json!(true), &json!(false)));

    sandbox.live();
    let run = status(&sandbox, &[]);
    run.stdout_has("\nlive: passes warn and remove\n").stdout_has("never (every 2 minutes): is it scheduled?\n");
    run.stdout_has("\n! No live `welcome` has run yet: the first one records everybody without a mail.\n");
    let report = status(&sandbox, &["--json"]).json();
    assert_eq!((&report["dry_run"], &report["passes"][0]["overdue"]), (&json!(false), &json!(true)));
    assert_eq!(report["passes"][0]["last"], Value::Null);
}

#[test]
fn waiting_notices_are_listed_with_what_stands_in_their_way() {
    let sandbox = sandbox();
    sandbox.live().person(1004, "dora").watched(days_ago(27));
    sandbox.person(1003, "walt").watched(days_ago(28));
    sandbox.run(&["welcome"]).exits(0);
    let port = sandbox.smtp.port();
    sandbox.smtp.stop();
    sandbox.run(&["sweep"]).exits(1).stderr_has("(os error 111). ");
    let run = status(&sandbox, &[]);
    fits_80_columns(&run);
    run.stdout_has(
        "
4 notices are waiting to be sent:
  the warning mail to dora (id 1004)
  the admin's warning mail about dora (id 1004)
  the warning mail to walt (id 1003)
  the admin's warning mail about walt (id 1003)
    cannot connect to the mail server 127.0.0.1:",
    );
    let waiting = status(&sandbox, &["--json"]).json()["waiting"][0].clone();
    // What to do about it is another thing in a container.
    let problem = format!("cannot connect to the mail server 127.0.0.1:{port}: Connection refused (os error 111). ");
    assert!(waiting["last_error"].as_str().unwrap().starts_with(&problem), "{waiting}");
    assert_eq!(waiting["notice"], "the warning mail to dora (id 1004)");
    assert_eq!(waiting["since"], "2026-11-23T12:00:00Z");
    assert_eq!(waiting.as_object().unwrap().len(), 3);
}

#[test]
fn an_unfinished_removal_is_pointed_out() {
    let sandbox = sandbox();
    sandbox.live().person(1005, "rita").watched(days_ago(33));
    sandbox.person(1001, "ada").watched(days_ago(2));
    sandbox.run(&["welcome"]).exits(0);
    sandbox.plex.fail(delete("/api/v2/sharings"), Fault::status(403));
    sandbox.run(&["sweep"]).exits(1);
    let run = status(&sandbox, &[]);
    fits_80_columns(&run);
    run.stdout_has(
        "
! The removal of rita (id 1005) has failed since 2026-11-23 12:00 UTC: plex.tv:
  could not end the share: it answered 403: made to fail. Check PLEX_TOKEN: it
  must be a token of the account that owns the server.
",
    );

    sandbox.plex.mend();
    sandbox.tautulli.fail(crate::support::cmd("delete_user"), crate::support::Tautulli::crash());
    sandbox.run(&["sweep"]).exits(1);
    let run = status(&sandbox, &[]);
    fits_80_columns(&run);
    run.stdout_has(
        "
! The removal of rita (id 1005) is not finished: Tautulli or the notices are
  still to do.
",
    );
    sandbox.tautulli.mend();
    sandbox.run(&["sweep"]).exits(0);
    status(&sandbox, &[]).stdout_lacks("rita");
}

#[test]
fn a_vip_name_that_means_nobody_is_pointed_out() {
    let sandbox = sandbox();
    sandbox.person(1007, "mom").watched(days_ago(90));
    sandbox.set_env("VIP_NAMES", "MOM, Uncle Bob, 1007, mom@EXAMPLE.test, 99\u{1b}[31m");
    let run = status(&sandbox, &[]);
    run.stdout_has("\n! VIP_NAMES: \"Uncle Bob\" is nobody on Centauri; is it a typo?\n");
    assert_eq!(run.stdout.matches("\n! ").count(), 2);
    fits_80_columns(&run);
}

#[test]
fn a_reason_that_would_hold_a_sweep_back_is_shown() {
    let sandbox = sandbox();
    sandbox.person(1001, "ada").watched(days_ago(2));
    sandbox.disconnected();
    let run = status(&sandbox, &[]);
    fits_80_columns(&run);
    run.stdout_has(
        "
! A sweep would act on nobody now: Tautulli is not connected to Plex, so it
  doesn't record what people watch. Check Plex, and Tautulli's Settings, Plex
  Media Server.
",
    );
}

/// Every file below a folder, with its content and the time of its last change.
fn snapshot(folder: &Path) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let changed = fs::metadata(&path).unwrap().modified().unwrap();
            (path.display().to_string(), (fs::read(&path).unwrap(), changed))
        })
        .collect()
}

#[test]
fn it_leaves_the_state_as_it_was() {
    let sandbox = sandbox();
    a_bit_of_everything(&sandbox);
    fs::remove_file(sandbox.state_dir().join("state.json.lock")).unwrap();
    let before = snapshot(&sandbox.state_dir());
    for arguments in [&[][..], &["--json"], &["--at", "2027-01-01"], &["-v"]] {
        sandbox.run(&[&["status"], arguments].concat()).exits(0);
    }
    assert_eq!(snapshot(&sandbox.state_dir()), before);
}

#[test]
fn a_share_that_was_ended_and_is_still_listed_is_not_counted_as_due() {
    let sandbox = crate::story::settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    sandbox.plex.fail(delete("/api/v2/sharings"), Fault::Answer(Response::empty(204)));
    sandbox.run(&["sweep"]).exits(0);
    let report = sandbox.set_env("MAX_REMOVALS", 0).run(&["status", "--json"]).exits(0).json();
    let rita = report["people"].as_array().unwrap().iter().find(|row| row["id"] == 1005).unwrap();
    assert_eq!((&rita["standing"], &rita["reason"]), (&json!("unknown"), &json!("share ended, still listed")));
    let still_listed =
        "Plex confirmed the end of the share of rita (id 1005), and still lists it; if that stays so, end it by hand.";
    assert_eq!(report["warnings"], json!([still_listed]));
    sandbox.run(&["verify"]).stdout_has("due now: nobody\n");
}
