//! Plex's list has a hole or lags behind, while a removal is under way.

use serde_json::{Value, json};

use crate::story::{ADMIN, clean, minutes, settled, subjects};
use crate::support::{CENTAURI, Fault, Response, Rule, Sandbox, cmd, days_ago, delete, get};

/// rita has been idle for 33 days; the others watch.
fn household(sandbox: &Sandbox) {
    for (id, name) in [(1001, "ada"), (1002, "bob"), (1003, "carol")] {
        sandbox.person(id, name).watched(days_ago(1));
    }
    sandbox.person(1005, "rita").watched(days_ago(33));
}

/// Plex lists these people only, whoever has a share.
fn lists_only(sandbox: &Sandbox, people: &[(u64, &str)]) -> Rule {
    let share = |(id, name): &(u64, &str)| {
        json!({
            "id": sandbox.plex.share_id(*id, CENTAURI).unwrap_or(71_099), "ownerId": 42, "invitedId": id, "accepted": true,
            "acceptedAt": "2026-05-07T12:00:00Z", "deletedAt": null, "leftAt": null, "machineIdentifier": CENTAURI,
            "invited": {"id": id, "username": name, "title": name, "email": format!("{name}@example.test")},
        })
    };
    let shares: Value = people.iter().map(share).collect();
    sandbox.plex.fail(get("/api/v2/shared_servers/owned"), Fault::json(200, shares))
}

const OTHERS: [(u64, &str); 3] = [(1001, "ada"), (1002, "bob"), (1003, "carol")];

/// Plex has refused rita's removal, and then leaves her out of its list.
fn refused_and_left_out() -> (Sandbox, Rule) {
    let sandbox = settled(household);
    sandbox.plex.fail(delete("/api"), Fault::status(403));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().forget().advance(minutes(30));
    let hole = lists_only(&sandbox, &OTHERS);
    (sandbox, hole)
}

#[track_caller]
fn rita_has_lost_nothing(sandbox: &Sandbox) {
    assert!(sandbox.on_plex(1005) && sandbox.in_tautulli(1005));
    assert_eq!(subjects(sandbox, "rita@example.test"), [""; 0]);
    assert!(sandbox.state()["removed"]["1005"].is_null());
    assert_eq!(subjects(sandbox, ADMIN), ["[Centauri] Removal called off: rita"]);
    clean(sandbox);
}

#[test]
fn who_is_missing_from_the_list_and_has_watched_since_the_intent_loses_nothing() {
    let (sandbox, _hole) = refused_and_left_out();
    sandbox.advance(minutes(60));
    sandbox.watches(1005);
    sandbox
        .run(&["sweep"])
        .exits(0)
        .stderr_has("removal called off: rita (id 1005): they have watched something since");
    rita_has_lost_nothing(&sandbox);
}

#[test]
fn who_is_missing_from_the_list_and_watching_now_loses_nothing() {
    let (sandbox, _hole) = refused_and_left_out();
    sandbox.starts_watching(1005);
    sandbox.run(&["sweep"]).exits(0);
    rita_has_lost_nothing(&sandbox);
}

#[test]
fn who_is_missing_from_the_list_and_protected_by_now_loses_nothing() {
    let (sandbox, _hole) = refused_and_left_out();
    sandbox.set_env("VIP_NAMES", "Rita");
    sandbox.run(&["sweep"]).exits(0).stderr_has("removal called off: rita (id 1005): they are protected now");
    rita_has_lost_nothing(&sandbox);
}

#[test]
fn who_is_missing_from_the_list_waits_while_tautulli_does_not_answer() {
    let (sandbox, _hole) = refused_and_left_out();
    sandbox.tautulli.fail(cmd("get_history"), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1).stderr_has("error: the removal of rita (id 1005) waits: Tautulli: could not read");
    assert!(sandbox.in_tautulli(1005));
    assert_eq!(sandbox.state()["removed"]["1005"]["ok"], false);
    assert_eq!(subjects(&sandbox, "rita@example.test"), [""; 0]);
}

#[test]
fn who_is_missing_from_the_list_and_idle_as_before_is_taken_for_removed() {
    let (sandbox, _hole) = refused_and_left_out();
    sandbox.run(&["sweep"]).exits(0).stderr_has("removed rita (id 1005): nothing watched for 33 days");
    assert!(!sandbox.in_tautulli(1005));
}

#[test]
fn a_removal_mail_waits_for_a_list_that_lags_behind() {
    let sandbox = settled(household);
    sandbox.smtp.busy();
    let everybody = [OTHERS[0], OTHERS[1], OTHERS[2], (1005, "rita")];
    // What Plex lists before the removal is what it goes on listing for a while.
    let share = sandbox.plex.share_id(1005, CENTAURI);
    sandbox.run(&["sweep"]).exits(1);
    assert!(!sandbox.on_plex(1005) && share.is_some());
    sandbox.write_state(&sandbox.state().to_string().replace(&share.unwrap().to_string(), "71099"));
    let lag = lists_only(&sandbox, &everybody);
    sandbox.smtp.mend();
    for pass in ["welcome", "sweep"] {
        sandbox.advance(minutes(2)).run(&[pass]);
        assert_eq!(subjects(&sandbox, "rita@example.test"), [""; 0], "after {pass}");
    }
    lag.mend();
    sandbox.advance(minutes(2)).run(&["welcome"]).exits(0);
    assert_eq!(subjects(&sandbox, "rita@example.test"), ["Your access to Centauri has ended"]);
    clean(&sandbox);
}

#[test]
fn a_share_that_plex_goes_on_listing_is_not_removed_again_and_again() {
    let sandbox = settled(household);
    sandbox.plex.fail(delete("/api/v2/sharings"), Fault::Answer(Response::empty(204)));
    sandbox.tautulli.fail(cmd("delete_user"), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.forget();
    for _ in 0..3 {
        let run = sandbox.advance(minutes(30)).run(&["sweep"]);
        run.exits(1).stderr_has("Plex confirmed the end of the share of rita (id 1005), and still lists it");
    }
    let again = |write: &&String| write.starts_with("plex DELETE") || write.contains("rita");
    assert_eq!(sandbox.writes().iter().filter(again).collect::<Vec<_>>(), [""; 0]);
    sandbox.run(&["status"]).exits(0).stdout_has("! Plex confirmed the end of the share of rita (id 1005)");
    clean(&sandbox);
}

#[test]
fn killed_after_most_were_removed_the_next_pass_does_not_take_plex_for_ill() {
    for names in [vec!["ada"], vec![]] {
        let sandbox = settled(|sandbox| {
            for (id, name) in (1001..).zip(&names) {
                sandbox.person(id, name).watched(days_ago(1));
            }
            for id in 1011..1019 {
                sandbox.person(id, &format!("guest{id}")).watched(days_ago(40));
            }
        });
        // The sweep is killed at the last of them, when the others are removed and nothing else is noted.
        let (fault, gate) = Fault::gate_before();
        sandbox.tautulli.fail(cmd("delete_user").with("user_id", 1018), fault).times(1);
        let sweep = sandbox.spawn(&["sweep"]);
        gate.wait();
        sweep.kill();
        drop(gate);
        sandbox.advance(minutes(30)).run(&["sweep"]).exits(0).stderr_lacks("held back");
        assert!((1011..1019).all(|id| !sandbox.on_plex(id) && !sandbox.in_tautulli(id)));
        for id in 1011..1019 {
            let mails = subjects(&sandbox, &format!("guest{id}@example.test")).len();
            assert!((1..=2).contains(&mails), "{id}: {mails}");
        }
        clean(&sandbox);
    }
}

#[test]
fn a_first_welcome_after_a_sweep_forgets_no_warning() {
    let sandbox = crate::sandbox();
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1003, "walt").watched(days_ago(27));
    sandbox.live();
    for pass in ["sweep", "welcome", "sweep", "welcome", "sweep"] {
        sandbox.run(&[pass]).exits(0);
        sandbox.advance(minutes(30));
    }
    assert_eq!(subjects(&sandbox, "walt@example.test"), ["Centauri: 3 days left to watch something"]);
    clean(&sandbox);
}
