//! When too many would go at once, or too few are on Plex's list.

use super::there;
use crate::story::{ADMIN, clean, ids, minutes, settled, subjects, titles};
use crate::support::{Fault, Sandbox, days, days_ago, get, hours};
use serde_json::{Value, json};

const SHARES: &str = "/api/v2/shared_servers/owned/accepted";
const PEOPLE: [u64; 10] = [1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010];

/// Nine who watch, and rita, who has been idle for 33 days.
fn ten(sandbox: &Sandbox) {
    for id in &PEOPLE[..9] {
        sandbox.person(*id, &format!("guest{id}")).watched(days_ago(1));
    }
    sandbox.person(1010, "rita").watched(days_ago(33));
}

/// Plex lists rita and two others only.
fn fraction(sandbox: &Sandbox) -> crate::support::Rule {
    let share = |id: &u64| {
        json!({
            "id": sandbox.plex.share_id(*id, crate::support::CENTAURI), "ownerId": 42, "invitedId": id,
            "accepted": true, "acceptedAt": "2026-05-07T12:00:00Z", "deletedAt": null, "leftAt": null,
            "machineIdentifier": crate::support::CENTAURI,
            "invited": {"id": id, "username": format!("guest{id}"), "title": "x", "email": null},
        })
    };
    let shares: Vec<Value> = PEOPLE[7..].iter().map(share).collect();
    sandbox.plex.fail(get(SHARES), Fault::json(200, shares.into()))
}

fn everybody_watches(sandbox: &Sandbox) {
    PEOPLE[..9].iter().for_each(|id| sandbox.watches(*id));
}

#[test]
fn a_fraction_of_plex_s_list_is_refused_and_changes_nothing_on_record() {
    let sandbox = settled(ten);
    let ill = fraction(&sandbox);
    for pass in ["sweep", "welcome", "sweep", "welcome"] {
        sandbox.run(&[pass]).exits(3).stderr_has("Plex lists only 3 of the 10 people who had access before");
        sandbox.advance(hours(5));
    }
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Nobody was removed, for safety"]);
    assert_eq!(titles(&sandbox), ["Nobody was removed, for safety"]);
    assert!(ids(&sandbox, "gone").is_empty() && ids(&sandbox, "removed").is_empty());
    assert!(there(&sandbox, PEOPLE).iter().all(|there| *there));

    ill.mend();
    sandbox.forget().run(&["welcome"]).exits(0).stderr_has("welcome for 10 people on Centauri: nobody is new\n");
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(ids(&sandbox, "removed"), ["1010"]);
    clean(&sandbox);
}

#[test]
fn a_fraction_of_plex_s_list_is_believed_after_24_hours_of_it_and_not_a_minute_earlier() {
    let sandbox = settled(ten);
    fraction(&sandbox);
    sandbox.run(&["sweep"]).exits(3);
    sandbox.advance(days(1) - minutes(1)).run(&["sweep"]).exits(3);
    sandbox.advance(minutes(1)).run(&["sweep"]).exits(0);
    assert_eq!(ids(&sandbox, "removed"), ["1010"]);
    clean(&sandbox);
}

#[test]
fn two_short_illnesses_of_plex_are_not_one_long_one() {
    // Whichever passes run: the clock of the 24 hours starts anew with the second one.
    for passes in [&["sweep"][..], &["welcome"], &["welcome", "sweep"]] {
        let sandbox = settled(ten);
        let all = |status| passes.iter().for_each(|pass| drop(sandbox.run(&[pass]).exits(status).clone()));
        sandbox.run(&["whitelist", "add", "rita"]).exits(0);
        let ill = fraction(&sandbox);
        all(3);
        ill.mend();
        sandbox.advance(hours(1));
        all(0);
        sandbox.advance(days(3));
        everybody_watches(&sandbox);
        all(0);
        fraction(&sandbox);
        all(3);
        sandbox.advance(hours(23));
        all(3);
        assert!(ids(&sandbox, "gone").is_empty(), "{passes:?}");
        clean(&sandbox);
    }
}

#[test]
fn an_empty_list_is_never_believed() {
    let sandbox = settled(ten);
    sandbox.plex.fail(get(SHARES), Fault::json(200, json!([])));
    for _ in 0..4 {
        sandbox.run(&["sweep"]).exits(3).stderr_has("Plex lists nobody, and 10 people had access before");
        sandbox.run(&["welcome"]).exits(3);
        sandbox.advance(days(1));
    }
    assert_eq!(subjects(&sandbox, ADMIN), vec!["[Centauri] Nobody was removed, for safety"; 4]);
    assert_eq!(titles(&sandbox).len(), 4);
    assert!(ids(&sandbox, "gone").is_empty());
    clean(&sandbox);
}

#[test]
fn more_than_max_removals_go_only_if_the_owner_says_so_and_only_once() {
    let sandbox = settled(|sandbox| {
        sandbox.set_env("MAX_REMOVALS", 2).person(1001, "ada").watched(days_ago(1));
        for id in 1005..=1007 {
            sandbox.person(id, &format!("guest{id}")).watched(days_ago(40));
        }
    });
    let due = [1005, 1006, 1007];
    let run = sandbox.run(&["sweep"]);
    run.exits(3).stderr_has("3 people are due to be removed, and MAX_REMOVALS is 2");
    run.stderr_has("go ahead with `plex-prune sweep --max-removals 3`");
    assert_eq!(there(&sandbox, due), [true; 3]);
    sandbox.run(&["sweep", "--max-removals", "3"]).exits(0);
    assert_eq!(there(&sandbox, due), [false; 3]);
    // The next pass has the old limit again.
    for id in 1015..=1017 {
        sandbox.person(id, &format!("guest{id}")).watched(days_ago(40));
    }
    sandbox.run(&["sweep"]).exits(3);
    assert_eq!(there(&sandbox, [1001, 1015, 1016, 1017]), [true; 4]);
    clean(&sandbox);
}

#[test]
fn who_turns_out_to_watch_does_not_let_the_others_slip_under_the_limit() {
    // Three look due, one of whom is at a film: the table is not to be trusted, and nobody goes.
    let sandbox = settled(|sandbox| {
        sandbox.set_env("MAX_REMOVALS", 2).person(1001, "ada").watched(days_ago(1));
        for id in 1005..=1007 {
            sandbox.person(id, &format!("guest{id}")).watched(days_ago(40));
        }
        sandbox.known(1007).watching_now();
    });
    sandbox.run(&["sweep"]).exits(3);
    assert_eq!(there(&sandbox, [1005, 1006, 1007]), [true; 3]);
    clean(&sandbox);
}
