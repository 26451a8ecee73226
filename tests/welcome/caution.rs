//! What `welcome` does when Plex can't be believed, and when the program is killed.

use crate::story::{SHARES, happened, ids, nothing_happened, plex_lists, settled, subjects};
use crate::support::{Fault, Sandbox, any, days_ago, get, hours};
use serde_json::json;

fn ada_and_bob(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1002, "bob").watched(days_ago(2));
}

#[test]
fn an_empty_list_from_plex_is_refused_and_told_once_and_nobody_is_welcomed_again() {
    let sandbox = settled(ada_and_bob);
    plex_lists(&sandbox, json!([]));
    let told = [
        "mail admin@example.test: [Centauri] Nobody was welcomed, for safety",
        "discord: Nobody was welcomed, for safety",
    ];
    for _ in 0..2 {
        let run = sandbox.run(&["welcome"]);
        run.exits(3).stderr_has("error: held back: Plex lists nobody, and 2 people had access before.");
        happened(&sandbox, &told);
        assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1002"]);
        sandbox.advance(hours(1));
    }
    sandbox.mend().run(&["welcome"]).exits(0).stderr_has("welcome for 2 people on Centauri: nobody is new\n");
    happened(&sandbox, &told);
}

#[test]
fn a_list_from_plex_that_can_not_be_read_changes_nothing_on_record() {
    let sandbox = settled(ada_and_bob);
    let before = sandbox.state()["welcomed"].clone();
    sandbox.advance(hours(1)).joins(1020, "newt");
    for fault in [
        Fault::status(500),
        Fault::html(502),
        Fault::status(401),
        Fault::json(200, json!({"users": []})),
        Fault::json(200, json!([{"id": 71001}])),
        Fault::HalfBody,
    ] {
        let what = format!("{fault:?}");
        let rule = sandbox.plex.fail(get(SHARES), fault);
        sandbox.run(&["welcome"]).exits(1);
        rule.mend();
        assert_eq!(sandbox.state()["welcomed"], before, "{what}");
        nothing_happened(&sandbox);
    }
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(subjects(&sandbox, "newt@example.test"), ["Welcome to Centauri"]);
}

#[test]
fn a_welcome_needs_no_tautulli() {
    let sandbox = settled(ada_and_bob);
    sandbox.joins(1020, "newt");
    sandbox.tautulli.fail(any(), Fault::status(500));
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(subjects(&sandbox, "newt@example.test"), ["Welcome to Centauri"]);
}

#[test]
fn a_first_pass_that_is_killed_anywhere_welcomes_nobody_who_was_there() {
    for point in 1..100 {
        let sandbox = crate::sandbox();
        ada_and_bob(&sandbox);
        sandbox.live().set_env("PLEX_PRUNE_TEST_DIE_AT", point);
        if sandbox.run(&["welcome"]).status == 0 {
            assert!(point > 2, "it was never killed");
            return;
        }
        sandbox.unset_env("PLEX_PRUNE_TEST_DIE_AT").run(&["welcome"]).exits(0);
        nothing_happened(&sandbox);
        assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1002"], "killed at {point}");
    }
    panic!("it is killed for ever");
}

#[test]
fn a_welcome_that_holds_back_has_run() {
    let sandbox = settled(ada_and_bob);
    plex_lists(&sandbox, json!([]));
    sandbox.advance(hours(1)).run(&["welcome"]).exits(3);
    assert_eq!(sandbox.state()["last_welcome_scan"], "2026-11-23T13:00:00Z");
    let passes = sandbox.mend().run(&["status", "--json"]).exits(0).json()["passes"].clone();
    assert_eq!((&passes[0]["command"], &passes[0]["overdue"]), (&json!("welcome"), &json!(false)));
}

#[test]
fn a_first_welcome_that_holds_back_is_still_to_come() {
    let sandbox = crate::sandbox();
    ada_and_bob(&sandbox);
    // A sweep was here before, and knows how many people there are.
    sandbox.live().run(&["sweep"]).exits(0);
    plex_lists(&sandbox, json!([]));
    sandbox.run(&["welcome"]).exits(3);
    assert!(sandbox.state()["last_welcome_scan"].is_null());
    sandbox.mend().forget();
    sandbox.run(&["welcome"]).exits(0).stderr_has("first pass: recorded 2 people without a mail");
    nothing_happened(&sandbox);
}
