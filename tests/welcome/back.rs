//! Who left, who is back, and what Tautulli must be told of them.

use crate::story::{clean, happened, ids, log, logged, nothing_happened, seconds, settled, subjects};
use crate::support::{CENTAURI, Fault, Sandbox, cmd, days, days_ago, get, hours};
use serde_json::{Value, json};

fn ada_and_bob(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1002, "bob").watched(days_ago(2));
}

/// rita was removed, and accepts a new invitation ten days later. ada is there all the time.
fn rita_is_invited_again() -> Sandbox {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    sandbox.run(&["sweep"]).exits(0);
    assert!(!sandbox.on_plex(1005) && !sandbox.in_tautulli(1005));
    sandbox.advance(days(10));
    sandbox.watches(1001);
    sandbox.run(&["sweep"]).exits(0);
    sandbox.invite_again(1005);
    sandbox.forget().advance(hours(1));
    sandbox
}

/// The shares as plex.tv lists them, of these people only.
fn shares_of(sandbox: &Sandbox, people: &[(u64, &str)], accepted_at: Value) -> Value {
    let share = |(id, name): &(u64, &str)| {
        json!({
            "id": sandbox.plex.share_id(*id, CENTAURI), "ownerId": 42, "invitedId": id, "accepted": true,
            "acceptedAt": accepted_at, "deletedAt": null, "leftAt": null, "machineIdentifier": CENTAURI,
            "invited": {"id": id, "username": name, "title": name, "email": format!("{name}@example.test")},
        })
    };
    people.iter().map(share).collect()
}

#[test]
fn who_leaves_is_marked_as_gone_quietly() {
    let sandbox = settled(ada_and_bob);
    sandbox.leaves(1002);
    sandbox.advance(hours(1));
    logged(sandbox.run(&["welcome"]).exits(0), &["welcome for 1 person on Centauri: nobody is new, 1 left"]);
    logged(sandbox.run(&["welcome"]).exits(0), &["welcome for 1 person on Centauri: nobody is new"]);
    assert_eq!((ids(&sandbox, "welcomed"), ids(&sandbox, "gone")), (vec!["1001".into()], vec!["1002".into()]));
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn who_left_and_is_back_with_a_new_share_is_welcomed_with_a_fresh_day() {
    let sandbox = settled(ada_and_bob);
    sandbox.leaves(1002);
    sandbox.advance(hours(1)).run(&["welcome"]).exits(0);
    sandbox.advance(days(100)).invite_again(1002);
    sandbox.watches(1001);
    sandbox.run(&["welcome"]).exits(0).stderr_has("welcomed bob (id 1002), who joined 2027-03-03 13:00 UTC");
    happened(
        &sandbox,
        &[
            "mail bob@example.test: Welcome to Centauri",
            "mail admin@example.test: [Centauri] Joined: bob",
            "discord: Joined: bob",
        ],
    );
    assert!(ids(&sandbox, "gone").is_empty());

    // The last play is from before, and 102 days old; it does not count against them.
    sandbox.forget().advance(days(28) - seconds(1));
    sandbox.watches(1001);
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    sandbox.advance(seconds(1)).run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "bob@example.test"), ["Centauri: 3 days left to watch something"]);
    clean(&sandbox);
}

#[test]
fn a_hole_in_plex_s_list_makes_nobody_new() {
    for accepted_at in [json!("2026-05-07T12:00:00Z"), Value::Null] {
        let sandbox = settled(ada_and_bob);
        let everybody = [(1001, "ada"), (1002, "bob")];
        let list = |people| shares_of(&sandbox, people, accepted_at.clone());
        let hole = sandbox.plex.fail(get("/api/v2/shared_servers"), Fault::json(200, list(&everybody[..1])));
        sandbox.advance(hours(1));
        logged(sandbox.run(&["welcome"]).exits(0), &["welcome for 1 person on Centauri: nobody is new, 1 left"]);
        hole.mend();
        sandbox.plex.fail(get("/api/v2/shared_servers"), Fault::json(200, list(&everybody)));
        sandbox.advance(hours(1));
        logged(sandbox.run(&["welcome"]).exits(0), &["welcome for 2 people on Centauri: nobody is new"]);
        assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1002"]);
        assert!(ids(&sandbox, "gone").is_empty());
        nothing_happened(&sandbox);
        clean(&sandbox);
    }
}

#[test]
fn who_was_removed_and_is_invited_again_is_undeleted_in_tautulli_before_the_welcome() {
    let sandbox = rita_is_invited_again();
    let run = sandbox.run(&["welcome"]);
    logged(
        run.exits(0),
        &[
            "welcomed back rita (id 1005), who joined 2026-12-03 12:00 UTC",
            "welcome for 2 people on Centauri: 1 new, 3 notices sent",
        ],
    );
    happened(
        &sandbox,
        &[
            "tautulli undelete_user 1005",
            "mail rita@example.test: Welcome to Centauri",
            "mail admin@example.test: [Centauri] Joined: rita",
            "discord: Joined: rita",
        ],
    );
    assert!(sandbox.tautulli.keeps_history(1005));
    clean(&sandbox);
}

#[test]
fn who_is_back_and_watches_daily_is_still_there_a_month_later() {
    let sandbox = rita_is_invited_again();
    sandbox.run(&["welcome"]).exits(0);
    sandbox.forget();
    for _ in 0..31 {
        sandbox.advance(days(1));
        sandbox.watches(1001);
        sandbox.watches(1005);
        sandbox.run(&["sweep"]).exits(0);
    }
    assert_eq!(sandbox.tautulli.plays(1005), 31);
    assert!(sandbox.on_plex(1005));
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn who_is_back_and_never_watches_is_warned_and_removed_again_in_due_time() {
    let sandbox = rita_is_invited_again();
    sandbox.run(&["welcome"]).exits(0);
    sandbox.forget().advance(days(28) - hours(1) - seconds(1));
    sandbox.watches(1001);
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    sandbox.advance(seconds(1)).run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "rita@example.test"), ["Centauri: 3 days left to watch something"]);
    sandbox.forget().advance(days(3) - seconds(1)).run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    sandbox.advance(seconds(1)).run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "rita@example.test"), ["Your access to Centauri has ended"]);
    assert!(!sandbox.on_plex(1005) && !sandbox.in_tautulli(1005) && sandbox.on_plex(1001));
    clean(&sandbox);
}

#[test]
fn somebody_whom_tautulli_can_not_undelete_yet_is_welcomed_by_a_later_pass() {
    let sandbox = rita_is_invited_again();
    sandbox.tautulli.fail(cmd("undelete_user"), Fault::status(500));
    let run = sandbox.run(&["welcome"]);
    run.exits(1).stderr_has("error: rita (id 1005) is back, and is welcomed once Tautulli records them again: ");
    assert!(log(&run).last().unwrap().starts_with("welcome for 2 people on Centauri: "));
    assert!(sandbox.mails().is_empty() && sandbox.posts().is_empty());
    assert!(!ids(&sandbox, "welcomed").contains(&"1005".into()));

    sandbox.mend().forget().advance(hours(1)).run(&["welcome"]).exits(0);
    assert_eq!(sandbox.writes()[0], "tautulli undelete_user 1005");
    assert_eq!(subjects(&sandbox, "rita@example.test"), ["Welcome to Centauri"]);
    assert!(sandbox.tautulli.keeps_history(1005));
    clean(&sandbox);
}

#[test]
fn an_undeletion_whose_answer_is_lost_is_looked_up_and_counts() {
    let sandbox = rita_is_invited_again();
    sandbox.tautulli.fail(cmd("undelete_user"), Fault::AnswerLost);
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(sandbox.writes()[0], "tautulli undelete_user 1005 -> answer lost");
    assert_eq!(subjects(&sandbox, "rita@example.test"), ["Welcome to Centauri"]);
    clean(&sandbox);
}

#[test]
fn who_is_back_and_whom_tautulli_does_not_have_any_more_is_still_welcomed() {
    let sandbox = rita_is_invited_again();
    sandbox.known(1005).unknown_to_tautulli();
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(subjects(&sandbox, "rita@example.test"), ["Welcome to Centauri"]);
    clean(&sandbox);
}

#[test]
fn who_is_back_and_protected_by_now_is_undeleted_in_tautulli_too() {
    let sandbox = rita_is_invited_again();
    sandbox.set_env("VIP_NAMES", "rita").run(&["welcome"]).exits(0);
    happened(&sandbox, &["tautulli undelete_user 1005"]);
    assert!(sandbox.tautulli.keeps_history(1005));
    clean(&sandbox);
}

#[test]
fn who_was_removed_before_the_first_welcome_and_is_invited_again_is_undeleted_in_tautulli_too() {
    let sandbox = crate::sandbox();
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1005, "rita").watched(days_ago(33));
    sandbox.live().run(&["sweep"]).exits(0);
    sandbox.advance(days(1)).invite_again(1005);
    sandbox.advance(hours(1)).run(&["welcome"]).exits(0);
    assert!(sandbox.in_tautulli(1005) && sandbox.tautulli.keeps_history(1005));
    clean(&sandbox);
}

#[test]
fn who_was_deleted_from_tautulli_by_a_pass_that_was_killed_is_undeleted_too() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    let (fault, gate) = Fault::gate_after();
    sandbox.tautulli.fail(cmd("delete_user"), fault);
    let sweep = sandbox.spawn(&["sweep"]);
    gate.wait();
    sweep.kill();
    drop(gate);
    assert!(!sandbox.on_plex(1005) && !sandbox.in_tautulli(1005));
    sandbox.mend().advance(hours(1)).invite_again(1005);
    sandbox.advance(hours(1)).run(&["welcome"]).exits(0);
    assert!(sandbox.in_tautulli(1005) && sandbox.tautulli.keeps_history(1005));
    clean(&sandbox);
}

#[test]
fn a_dry_run_says_who_is_back_and_tells_tautulli_nothing() {
    let sandbox = rita_is_invited_again();
    logged(
        sandbox.run(&["welcome", "--dry-run"]).exits(0),
        &["would welcome back rita (id 1005)", "dry welcome for 2 people on Centauri: 1 new"],
    );
    nothing_happened(&sandbox);
    clean(&sandbox);
}
