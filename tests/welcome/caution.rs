//! What `welcome` does when Plex is ill.

use crate::story::{ADMIN, clean, ids, logged, nothing_happened, settled, subjects, titles};
use crate::support::{Fault, Sandbox, any, days_ago, get, hours};
use serde_json::json;

const SHARES: &str = "/api/v2/shared_servers/owned/accepted";

fn ada_and_bob(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1002, "bob").watched(days_ago(2));
}

#[test]
fn an_empty_list_from_plex_is_refused_and_leads_to_no_second_welcome() {
    let sandbox = settled(ada_and_bob);
    sandbox.plex.fail(get(SHARES), Fault::json(200, json!([])));
    let run = sandbox.run(&["welcome"]);
    run.exits(3).stderr_has("error: held back: Plex lists nobody, and 2 people had access before.");
    assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1002"]);
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Nobody was removed, for safety"]);
    assert_eq!(titles(&sandbox), ["Nobody was removed, for safety"]);

    sandbox.forget().advance(hours(1)).run(&["welcome"]).exits(3);
    nothing_happened(&sandbox);
    sandbox.mend().advance(hours(1));
    logged(sandbox.run(&["welcome"]).exits(0), &["welcome for 2 people on Centauri: nobody is new"]);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn a_plex_that_can_not_be_read_changes_nothing_on_record() {
    let answers = [
        Fault::status(500),
        Fault::html(502),
        Fault::status(401),
        Fault::json(200, json!({"users": []})),
        Fault::json(200, json!([{"id": 71001}])),
        Fault::HalfBody,
    ];
    for fault in answers {
        let sandbox = settled(ada_and_bob);
        let before = sandbox.state()["welcomed"].clone();
        sandbox.joins(1020, "newt");
        sandbox.plex.fail(get(SHARES), fault);
        sandbox.advance(hours(1)).run(&["welcome"]).exits(1);
        assert_eq!(sandbox.state()["welcomed"], before);
        nothing_happened(&sandbox);
        sandbox.mend().run(&["welcome"]).exits(0);
        assert_eq!(subjects(&sandbox, "newt@example.test"), ["Welcome to Centauri"]);
        clean(&sandbox);
    }
}

#[test]
fn a_welcome_needs_no_tautulli() {
    let sandbox = settled(ada_and_bob);
    sandbox.joins(1020, "newt");
    sandbox.tautulli.fail(any(), Fault::status(500));
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(subjects(&sandbox, "newt@example.test"), ["Welcome to Centauri"]);
    clean(&sandbox);
}

#[test]
fn a_server_that_the_account_does_not_own_is_a_matter_of_configuration() {
    let sandbox = settled(ada_and_bob);
    sandbox.set_env("PLEX_SERVER_NAME", "A friend's server").run(&["welcome"]).exits(2).stderr_has("PLEX_SERVER_NAME");
    nothing_happened(&sandbox);
    clean(&sandbox);
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
        clean(&sandbox);
    }
    panic!("it is killed for ever");
}
