//! `whitelist add`.

use serde_json::json;

use super::{entries, household, refused, whitelist};
use crate::support::{Fault, any, days, get};

const RITA: &str = "rita (id 1005) is on the whitelist until further notice.\n";

#[test]
fn somebody_is_named_by_username_title_address_or_id_whatever_case_and_blanks() {
    let sandbox = household();
    for who in ["rita", "RITA", " ri ta ", "Rita B.", "ritab.", "rita@EXAMPLE.test", "1005"] {
        let run = whitelist(&sandbox, &["add", who]);
        run.exits(0).stdout_has("rita (id 1005) is on the whitelist until further notice").stderr("");
        let entry = json!({"name": "rita", "id": 1005, "since": "2026-11-23T12:00:00Z"});
        assert_eq!(entries(&sandbox), [entry], "{who}");
    }
}

#[test]
fn nobody_of_that_name_gets_the_nearest_ones() {
    let sandbox = household();
    assert_eq!(
        refused(&sandbox, &["add", "rta"]),
        "nobody on Centauri is \"rta\"; nothing was changed. Nearest:\n  rita (id 1005), Rita@example.test\n"
    );
    assert_eq!(
        refused(&sandbox, &["add", "mom@example.test"]),
        "nobody on Centauri is \"mom@example.test\"; nothing was changed. Nearest:\n  \
         Mom Cat (id 1007), mom.cat@example.test\n"
    );
    assert_eq!(
        refused(&sandbox, &["add", "42"]),
        "nobody on Centauri is \"42\"; nothing was changed. Nobody has a name like that\n"
    );
    assert!(!sandbox.state_dir().exists());
}

#[test]
fn several_of_that_name_are_told_apart() {
    let sandbox = household();
    assert_eq!(
        refused(&sandbox, &["add", "MAX"]),
        "\"MAX\" could be any of these; nothing was changed. Give the Plex id:\n  \
         Max (id 1015), max.one@example.test\n  max (id 1016), max.two@example.test\n"
    );
    whitelist(&sandbox, &["add", "1016"]).exits(0).stdout("max (id 1016) is on the whitelist until further notice.\n");
}

#[test]
fn the_last_day_is_today_or_later() {
    let sandbox = household();
    let over = "--until 2026-11-22 is over: today is 2026-11-23 (UTC); nothing was changed\n";
    assert_eq!(refused(&sandbox, &["add", "rita", "--until", "2026-11-22"]), over);
    for garbage in ["tomorrow", "31.12.2026", "2026-02-30", "2026-12-31T12:00:00Z", "", "20261-12-31"] {
        let said = refused(&sandbox, &["add", "rita", "--until", garbage]);
        let expected = format!(
            "error: invalid value '{garbage}' for '--until <DATE>': expected a day like 2026-12-31, or never\n\nFor more information, \
             try '--help'.\n"
        );
        assert_eq!(said, expected);
    }
    assert!(sandbox.requests().is_empty(), "Plex is not asked for nothing");
    whitelist(&sandbox, &["add", "rita", "--until", "2026-11-23"])
        .exits(0)
        .stdout("rita (id 1005) is on the whitelist up to and including 2026-11-23 (UTC).\n");
    whitelist(&sandbox, &["add", "rita", "--until", "9999-12-31"]).exits(0);
    assert_eq!(entries(&sandbox)[0]["until"], "9999-12-31");
    whitelist(&sandbox, &["list"]).exits(0).stdout_has("9999-12-31");
}

#[test]
fn adding_twice_updates() {
    let sandbox = household();
    whitelist(&sandbox, &["add", "rita", "--until", "2026-11-30", "--note", " on a trip "])
        .exits(0)
        .stdout("rita (id 1005) is on the whitelist up to and including 2026-11-30 (UTC).\nNote: on a trip\n");
    sandbox.advance(days(1));
    let kept = "The note is as before (--note \"\" takes it off): on a trip\n";
    for (arguments, said) in [
        (
            &["add", "1005"][..],
            format!(
                "rita (id 1005) is on the whitelist up to and including 2026-11-30 (UTC), as\nbefore.\nTo keep them for \
                 good: --until never.\n{kept}"
            ),
        ),
        (
            &["add", "1005", "--until", "never"],
            format!(
                "rita (id 1005) is on the whitelist until further notice (was: up to and\nincluding 2026-11-30 (UTC)).\n{kept}"
            ),
        ),
        (
            &["add", "1005"],
            format!("rita (id 1005) is on the whitelist until further notice, as before.\n{kept}"),
        ),
        (
            &["add", "rita", "--until", "2026-12-24", "--note", "in hospital"],
            "rita (id 1005) is on the whitelist up to and including 2026-12-24 (UTC) (was:\nuntil further notice).\nNote: \
             in hospital\n"
                .to_owned(),
        ),
        (
            &["add", "rita", "--until", "2026-12-24", "--note", ""],
            "rita (id 1005) is on the whitelist up to and including 2026-12-24 (UTC), as\nbefore.\nThe note is gone.\n"
                .to_owned(),
        ),
    ] {
        whitelist(&sandbox, arguments).exits(0).stdout(&said);
    }
    let entry = json!({"name": "rita", "id": 1005, "since": "2026-11-23T12:00:00Z", "until": "2026-12-24"});
    assert_eq!(entries(&sandbox), [entry], "one entry, since the first time");
}

#[test]
fn an_entry_that_is_over_can_be_added_again() {
    let sandbox = household();
    whitelist(&sandbox, &["add", "rita", "--until", "2026-11-24"]).exits(0);
    sandbox.advance(days(7));
    whitelist(&sandbox, &["add", "rita"]).exits(0).stdout(
        "rita (id 1005) is on the whitelist until further notice (was: up to 2026-11-24\n(UTC), which is over).\n",
    );
}

#[test]
fn offline_stores_what_is_given_and_asks_nobody() {
    let sandbox = household();
    sandbox.unset_env("PLEX_TOKEN").unset_env("PLEX_SERVER_NAME").unset_env("ADMIN_EMAIL");
    let said = "rita@example.test is on the whitelist until further notice.\nPlex was not asked; `plex-prune whitelist list` \
                shows whom it matches.\n";
    whitelist(&sandbox, &["add", "rita@example.test", "--offline"]).exits(0).stdout(said).stderr("");
    whitelist(&sandbox, &["add", "Rita@Example.test", "--offline", "--note", "x"]).exits(0);
    assert!(sandbox.requests().is_empty());
    let entry = json!({"name": "rita@example.test", "since": "2026-11-23T12:00:00Z", "note": "x"});
    assert_eq!(entries(&sandbox), [entry]);
}

#[test]
fn an_entry_from_offline_becomes_the_person_s_once_they_are_looked_up() {
    let sandbox = household();
    for who in ["rita@example.test", "RITA", "max"] {
        whitelist(&sandbox, &["add", who, "--offline", "--note", who]).exits(0);
    }
    sandbox.advance(days(1));
    whitelist(&sandbox, &["add", "rita"]).exits(0).stdout(
        "rita (id 1005) is on the whitelist until further notice, as before.\nThe note is as before (--note \"\" takes it \
         off): rita@example.test\n",
    );
    // An entry that protects somebody else too stays.
    whitelist(&sandbox, &["add", "1015"]).exits(0);
    let names: Vec<_> = entries(&sandbox).iter().map(|entry| (entry["name"].clone(), entry["id"].clone())).collect();
    assert_eq!(names, [(json!("max"), json!(null)), (json!("rita"), json!(1005)), (json!("Max"), json!(1015))]);
    assert_eq!(entries(&sandbox)[1]["since"], "2026-11-23T12:00:00Z");
    // And offline again, the id is kept.
    whitelist(&sandbox, &["add", "Rita", "--offline", "--until", "2026-12-01"])
        .exits(0)
        .stdout_has("rita (id 1005) is on");
    assert_eq!(entries(&sandbox).len(), 3);
}

#[test]
fn plex_has_to_answer_or_offline_be_said() {
    let sandbox = household();
    sandbox.plex.fail(any(), Fault::status(401));
    let run = whitelist(&sandbox, &["add", "rita"]);
    run.exits(1).stdout("").stderr_has("Check PLEX_TOKEN: it must be a token of the account that owns the server\n");
    assert!(!sandbox.state_dir().exists());
    sandbox.set_env("PLEX_SERVER_NAME", "Attic").mend();
    assert!(
        refused(&sandbox, &["add", "rita"]).starts_with("PLEX_SERVER_NAME: the token's account owns no server named")
    );
}

#[test]
fn dry_runs_do_not_apply_to_the_whitelist() {
    let sandbox = household();
    sandbox.set_env("DRY_RUN", "true");
    whitelist(&sandbox, &["add", "rita"]).exits(0).stdout(RITA).stderr("");
    assert_eq!(entries(&sandbox).len(), 1);
}

#[test]
fn hostile_names_and_notes_are_refused_or_escaped() {
    let sandbox = household();
    for (arguments, said) in [
        (vec!["add".to_owned(), " ".to_owned()], "whom? Give a username, an e-mail address, a title or a Plex id\n"),
        (vec!["add".to_owned(), "x".repeat(10_000)], "nobody has a name of 10000 characters; nothing was changed\n"),
        (vec!["remove".to_owned(), "x".repeat(10_000)], "nobody has a name of 10000 characters; nothing was changed\n"),
        (
            vec!["add".to_owned(), "rita".to_owned(), "--note".to_owned(), "x".repeat(10_000)],
            "--note has 10000 characters, and 300 are the most; nothing was changed\n",
        ),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert_eq!(refused(&sandbox, &arguments), said);
    }
    let hostile = "<b>\u{1b}[31m\u{202e}\n\"'{{ x }}";
    let note = format!("{hostile}{}", "é".repeat(280));
    let run = whitelist(&sandbox, &["add", hostile, "--offline", "--note", &note]);
    run.exits(0).stdout_has("<b>\\u{1b}[31m\\u{202e}\\n\"'{{ x }} is on the whitelist until further notice.\n");
    let list = whitelist(&sandbox, &["list"]);
    list.exits(0).stdout_has("<b>\\u{1b}[31m\\u{202e}\\n\"'{{ x }}");
    for run in [run, list] {
        assert!(!run.stdout.contains(|c: char| c != '\n' && c.is_control() || c == '\u{202e}'), "{run}");
        assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{run}");
    }
    sandbox.person(1099, "\u{202e}evil\n");
    whitelist(&sandbox, &["add", "1099"])
        .exits(0)
        .stdout("\\u{202e}evil (id 1099) is on the whitelist until further notice.\n");
    assert_eq!(entries(&sandbox).len(), 2);
}

#[test]
fn while_a_pass_is_under_way_it_waits_or_says_so() {
    let sandbox = household();
    let pass = super::sandbox();
    pass.live().set_env("STATE_DIR", sandbox.state_dir().display());
    let (fault, gate) = Fault::gate_before();
    pass.plex.fail(get("/api/v2/resources"), fault).times(1);
    let running = pass.spawn(&["welcome"]);
    gate.wait();
    let holder = format!("plex-prune welcome, pid {}, since 2026-11-23T12:00:00Z", running.pid());
    for arguments in [&["add", "rita"][..], &["remove", "rita"]] {
        whitelist(&sandbox, &[&["--lock-wait", "0"], arguments].concat()).exits(75).stdout("").stderr(&format!(
            "2026-11-23T12:00:00Z error: another pass is under way ({holder}). Nothing was changed: try again when it is \
             over\n"
        ));
    }
    let waiting = sandbox.spawn(&["whitelist", "add", "rita"]);
    whitelist(&sandbox, &["list"]).exits(0);
    gate.open();
    running.wait().exits(0);
    let run = waiting.wait();
    run.exits(0).stdout(RITA);
    assert_eq!(entries(&sandbox).len(), 1);
}

#[test]
fn a_reader_who_is_gone_is_no_error() {
    let sandbox = household();
    for (arguments, left) in [(["whitelist", "add", "rita"], 1), (["whitelist", "remove", "rita"], 0)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_plex-prune"));
        let status = command.args(arguments).env_clear().envs(sandbox.env()).stdout(writer).status().unwrap();
        assert_eq!((status.code(), entries(&sandbox).len()), (Some(0), left), "{arguments:?}");
    }
}

#[test]
fn several_entries_for_one_person_become_the_one_that_holds_longest() {
    let entry = |name: &str, id: Option<u64>, since: &str, until: Option<&str>| {
        let mut entry = json!({"name": name, "since": since, "id": id, "until": until});
        entry.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        entry
    };
    let (january, march) = ("2026-01-10T12:00:00Z", "2026-03-10T12:00:00Z");
    for (by_id, by_name, until) in [
        ((january, Some("2026-12-31")), (march, None), None),
        ((march, Some("2026-12-31")), (january, None), None),
        ((january, Some("2026-12-01")), (march, Some("2026-12-31")), Some("2026-12-31")),
        ((january, Some("2026-12-31")), (march, Some("2026-11-01")), Some("2026-12-31")),
        ((january, Some("2026-10-31")), (march, Some("2026-11-01")), None),
    ] {
        let sandbox = household();
        let entries_before = [entry("rita", Some(1005), by_id.0, by_id.1), entry("rita", None, by_name.0, by_name.1)];
        sandbox.write_state(&json!({"version": 1, "whitelist": entries_before}).to_string());
        whitelist(&sandbox, &["add", "rita"]).exits(0);
        assert_eq!(entries(&sandbox), [entry("rita", Some(1005), january, until)], "{by_id:?} {by_name:?}");
    }
}
