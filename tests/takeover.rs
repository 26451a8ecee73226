//! A file of the original daemon is migrated as it is.

use std::{collections::BTreeSet, fs::Permissions, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};

use crate::{
    sandbox,
    support::{Sandbox, SmtpTls, days, days_ago, hours, hours_ago},
};

/// A sandbox whose state is this, as the original left it.
fn with_file(file: &Value) -> Sandbox {
    let sandbox = sandbox();
    sandbox.live().write_state(&serde_json::to_string(file).unwrap());
    sandbox
}

/// A file of the original with these people on its lists.
fn original(welcomed_ids: &[u64], warned: &Value, removed: &Value) -> Value {
    json!({"welcomed": welcomed(welcomed_ids), "warned": warned, "removed": removed, "last_inactivity_scan": null})
}

fn welcomed(ids: &[u64]) -> Value {
    ids.iter()
        .map(|id| (id.to_string(), json!("2026-01-01T10:00:00.123456+00:00")))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn times_are_read_however_the_original_wrote_them() {
    let sandbox = with_file(&json!({
        "welcomed": {
            "1002": "2026-01-02T03:04:05.678901+00:00",
            "1003": "2026-01-02T03:04:05Z",
            "1004": "2026-01-02T03:04:05.678901",
            "1005": "2026-01-02T03:04:05",
            "1006": 1767323045,
            "1007": 1767323045.678901,
            "1008": "2026-01-02 04:04:05+01:00",
            "1009": "2026-01-02 03:04:05.678901",
        },
        "warned": {"1002": "2026-01-02T03:04:05.678901"},
        "removed": {"1999": {"when": 1767323045.5, "ok": true, "reason": "Inactivity for 30 days", "tautulli_deleted": true}},
        "last_inactivity_scan": "2026-01-02T03:04:05.678901+00:00",
    }));
    for id in 1002..=1009 {
        sandbox.person(id, &format!("guest{id}")).watched(days_ago(28));
    }
    sandbox.run(&["welcome"]).exits(0);
    let state = sandbox.state();
    let time = json!("2026-01-02T03:04:05Z");
    for id in 1002..=1009 {
        assert_eq!(state["welcomed"][id.to_string()]["when"], time, "{id}");
    }
    assert_eq!(state["warned"]["1002"]["when"], time);
    assert_eq!(state["removed"]["1999"]["when"], time);
    assert_eq!(state["last_inactivity_scan"], time);
}

#[test]
fn nobody_on_the_list_is_welcomed_again() {
    let sandbox = with_file(&original(&[1002, 1003], &json!({}), &json!({})));
    sandbox.person(1002, "bob").watched(days_ago(3));
    sandbox.person(1003, "carol").accepted_at_null().watched(days_ago(3));
    sandbox.joins(1004, "eve");
    sandbox.run(&["welcome"]).exits(0).stderr_has("welcome for 3 people on Centauri: 1 new");
    sandbox.run(&["sweep"]).exits(0);
    let to: Vec<String> = sandbox.mails().iter().flat_map(|mail| mail.to.clone()).collect();
    assert_eq!(to, ["eve@example.test", "admin@example.test"]);
}

#[test]
fn an_empty_file_of_the_original_is_a_fresh_start() {
    for file in [json!({}), json!({"welcomed": {}, "warned": {}, "removed": {}, "last_inactivity_scan": null})] {
        let sandbox = with_file(&file);
        sandbox.person(1002, "bob").watched(days_ago(3));
        sandbox.run(&["welcome"]).exits(0).stderr_has("first pass: recorded 1 person without a mail");
        assert_eq!(sandbox.mails().len(), 0);
    }
}

#[test]
fn a_warning_of_the_original_counts_for_this_spell_of_idleness() {
    let warned = |sandbox: &Sandbox| sandbox.mails_to("bob@example.test").len();
    let sandbox = with_file(&original(&[1002], &json!({"1002": "2026-11-22T12:00:00.5"}), &json!({})));
    sandbox.person(1002, "bob").watched(days_ago(28));
    sandbox.run(&["sweep"]).exits(0).stderr_has("nobody is due");
    assert_eq!(warned(&sandbox), 0);

    // He watches, and idles anew: that is another spell.
    sandbox.watches(1002);
    sandbox.advance(hours(1)).run(&["sweep"]).exits(0);
    sandbox.advance(days(27)).run(&["sweep"]).exits(0);
    assert_eq!(warned(&sandbox), 1);
}

#[test]
fn a_warning_of_the_original_is_a_delivered_one() {
    let sandbox = with_file(&original(&[1002], &json!({"1002": "2026-11-20T11:00:00Z"}), &json!({})));
    sandbox.person(1002, "bob").watched(days_ago(31));
    sandbox.set_env("WARN_FIRST", "true").run(&["sweep"]).exits(0);
    assert_eq!(sandbox.writes()[0], "plex DELETE /api/v2/sharings/1002");
}

#[test]
fn people_who_were_removed_and_are_back_are_new() {
    let removed = |deleted| json!({"when": "2026-10-01T10:00:00.123456+00:00", "ok": true, "reason": "Inactivity for 30 days", "tautulli_deleted": deleted});
    let sandbox = with_file(&original(
        &[1002, 1003, 1004],
        &json!({"1002": "2026-09-28T10:00:00.123456+00:00"}),
        &json!({"1002": removed(true), "1003": removed(false), "1004": removed(true)}),
    ));
    sandbox.person(1002, "bob").joined(hours_ago(2)).hidden_in_tautulli();
    sandbox.person(1003, "carol").joined(hours_ago(2));
    sandbox.run(&["welcome"]).exits(0).stderr_has("welcomed back bob (id 1002)").stderr_has("welcomed back carol");
    let writes = sandbox.writes();
    assert_eq!(writes[0], "tautulli undelete_user 1002");
    assert!(!writes.contains(&"tautulli undelete_user 1003".to_owned()), "{writes:#?}");
    assert!(sandbox.in_tautulli(1002) && sandbox.tautulli.keeps_history(1002));
    assert_eq!((sandbox.mails_to("bob@example.test").len(), sandbox.mails_to("carol@example.test").len()), (1, 1));

    // Once: and what they did before doesn't count against them. dave's removal stays on record.
    sandbox.forget().run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0).stderr_has("nobody is due");
    assert_eq!(sandbox.writes(), [""; 0]);
    let state = sandbox.state();
    assert_eq!((keys(&state["removed"]), keys(&state["warned"])), (["1004"].into(), [].into()));
}

#[test]
fn a_removal_that_lacks_only_tautulli_is_finished_without_another_mail() {
    let sandbox = with_file(&original(
        &[1002, 1003],
        &json!({}),
        &json!({"1002": {"when": "2026-11-20T10:00:00", "ok": true, "reason": "Inactivity for 30 days", "tautulli_deleted": false}}),
    ));
    sandbox.person(1002, "bob").watched(days_ago(40)).not_among_shares();
    sandbox.person(1003, "carol").watched(days_ago(3));
    sandbox
        .run(&["sweep"])
        .exits(0)
        .stderr_has("finished the removal of Plex user 1002 (id 1002): deleted from Tautulli");
    assert_eq!(sandbox.writes(), ["tautulli delete_user 1002"]);
    sandbox.forget().run(&["sweep"]).exits(0);
    assert_eq!(sandbox.writes(), [""; 0]);
}

#[test]
fn a_removal_that_failed_is_judged_anew() {
    let failed = json!({"when": "2026-11-20T10:00:00.5", "ok": false, "reason": "Inactivity for 30 days", "tautulli_deleted": false});
    let sandbox =
        with_file(&original(&[1002, 1003, 1004], &json!({}), &json!({"1002": failed, "1003": failed, "1004": failed})));
    sandbox.person(1002, "bob").watched(days_ago(40));
    sandbox.person(1003, "carol").watched(days_ago(1));
    sandbox.person(1004, "dave").watched(days_ago(40)).not_among_shares();
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(sandbox.writes(), [""; 0]);
    sandbox.run(&["sweep"]).exits(0).stderr_has("1 removed");
    let people: Vec<String> = sandbox.writes().into_iter().filter(|write| !write.contains("admin@")).collect();
    assert_eq!(people[..2], ["plex DELETE /api/v2/sharings/1002", "tautulli delete_user 1002"]);
    assert_eq!(sandbox.mails_to("bob@example.test").len(), 1);
    assert!(sandbox.on_plex(1003) && sandbox.mails_to("carol@example.test").is_empty());
    assert_eq!(keys(&sandbox.state()["removed"]), ["1002"].into());
}

/// The original's dry run wrote its removals down as if they had been done.
#[test]
fn people_whom_the_original_only_pretended_to_remove_are_judged_anew_and_not_welcomed() {
    let pretended = json!({"when": "2026-11-20T10:00:00.5", "ok": true, "reason": "Inactivity for 30 days", "tautulli_deleted": false});
    let sandbox = with_file(&original(&[1002, 1003], &json!({}), &json!({"1002": pretended, "1003": pretended})));
    sandbox.person(1002, "bob").watched(days_ago(40));
    sandbox.person(1003, "carol").watched(days_ago(1));
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(sandbox.writes(), [""; 0]);
    sandbox.run(&["status"]).exits(0).stdout_lacks("not finished");
    sandbox.run(&["sweep"]).exits(0).stderr_has("1 removed");
    assert_eq!(sandbox.writes()[0], "plex DELETE /api/v2/sharings/1002");
    assert!(sandbox.on_plex(1003) && sandbox.mails_to("carol@example.test").is_empty());
}

#[test]
fn the_file_keeps_its_keys_gets_a_version_and_reads_back() {
    let original = json!({
        "welcomed": welcomed(&[1002]),
        "warned": {"1002": "2026-11-22T12:00:00.5+00:00"},
        "removed": {"1999": {"when": "2026-10-01T10:00:00+00:00", "ok": true, "reason": "Inactivity for 30 days", "tautulli_deleted": true}},
        "last_inactivity_scan": "2026-11-22T12:00:00.5+00:00",
    });
    let sandbox = with_file(&original);
    sandbox.person(1002, "bob").watched(days_ago(28));
    sandbox.run(&["status"]).exits(0);
    sandbox.run(&["sweep", "--dry-run"]).exits(0);
    assert_eq!(sandbox.state(), original);

    sandbox.run(&["sweep"]).exits(0).stderr_lacks("warning");
    let backup = std::fs::read_to_string(sandbox.state_dir().join("state.json.bak")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&backup).unwrap(), original);
    let state = sandbox.state();
    assert_eq!(state["version"], 1);
    assert!(keys(&state).is_superset(&keys(&original)), "{state:#}");
    assert_eq!(state["welcomed"]["1002"], json!({"when": "2026-01-01T10:00:00Z"}));
    assert_eq!(state["warned"]["1002"]["when"], "2026-11-22T12:00:00Z");
    let removed = &state["removed"]["1999"];
    for key in ["when", "ok", "reason", "tautulli_deleted"] {
        let expected = if key == "when" { &json!("2026-10-01T10:00:00Z") } else { &original["removed"]["1999"][key] };
        assert_eq!(&removed[key], expected);
    }

    sandbox.advance(hours(1)).run(&["welcome"]).exits(0).stderr_lacks("warning");
    sandbox.run(&["sweep"]).exits(0).stderr_has("nobody is due");
    assert_eq!(sandbox.state()["warned"], state["warned"]);
    assert_eq!(sandbox.writes(), [""; 0]);
}

/// Stop the daemon, keep its folder and its variables, `verify`, `status`, a dry sweep, and go.
#[test]
fn the_move_goes_as_the_readme_tells_it() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").watched(days_ago(3));
    sandbox.person(1003, "walt").watched(days_ago(28));
    sandbox.person(1004, "rita").watched(days_ago(31));
    sandbox.person(1005, "bestfriend").watched(days_ago(90));
    sandbox.write_state(
        &json!({
            "welcomed": welcomed(&[1002, 1003, 1004, 1005]),
            "warned": {"1003": "2026-11-22T12:00:00.123456+00:00", "1004": "2026-11-19T12:00:00.123456+00:00"},
            "removed": {"1999": {"when": "2026-10-01T10:00:00.123456+00:00", "ok": true,
                "reason": "Inactivity for 30 days", "tautulli_deleted": true}},
            "last_inactivity_scan": "2026-11-23T11:45:00.123456+00:00",
        })
        .to_string(),
    );
    // Its container ran as root with the usual umask.
    for (path, mode) in [(sandbox.state_dir(), 0o755), (sandbox.state_path(), 0o644)] {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    // The daemon's variables, all of them, as its README shows them; and what comes with its container.
    let daemons = [
        ("WARN_DAYS", "27"),
        ("KICK_DAYS", "30"),
        ("CHECK_NEW_USERS_SECS", "120"),
        ("CHECK_INACTIVITY_SECS", "1800"),
        ("DRY_RUN", "true"),
        ("VIP_NAMES", "mom,dad,brother,bestfriend"),
        ("TZ", "America/New_York"),
        ("PYTHONUNBUFFERED", "1"),
    ];
    for (name, value) in daemons {
        sandbox.set_env(name, value);
    }
    // It knew no SMTP_TLS, and always did STARTTLS.
    sandbox.smtp_tls(SmtpTls::Starttls).unset_env("SMTP_TLS");

    sandbox.run(&["verify"]).exits(0).stdout_has("4 people on record");
    let status = sandbox.run(&["status"]).exits(0).clone();
    status.stdout_has("4 people: 1 active, 1 protected, 1 warned, 1 to be removed").stderr("");
    sandbox
        .run(&["sweep"])
        .exits(0)
        .stderr_has("would remove rita (id 1004): nothing watched for 31 days")
        .stderr_has("dry sweep of 4 people on Centauri: 0 would be warned, 1 would be removed");
    assert_eq!(sandbox.writes(), [""; 0]);

    sandbox.set_env("DRY_RUN", "false");
    sandbox.run(&["-q", "welcome"]).exits(0).stderr("");
    assert_eq!(sandbox.writes(), [""; 0]);
    sandbox.run(&["sweep"]).exits(0).stderr_has("sweep of 4 people on Centauri: 0 warned, 1 removed, 3 notices sent");
    assert_eq!(sandbox.writes()[..2], ["plex DELETE /api/v2/sharings/1004", "tautulli delete_user 1004"]);
    let state = sandbox.state();
    assert_eq!(keys(&state["removed"]), ["1004", "1999"].into());
    assert_eq!(keys(&state["warned"]), ["1003"].into());
    let mode = std::fs::metadata(sandbox.state_path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(sandbox.violations().is_empty());
}
