//! What Tautulli did not record is held against nobody.

use crate::story::{have_access, ids, nothing_happened, row, settled, standing, subjects, sweep_after};
use crate::support::{Fault, Sandbox, cmd, days, days_ago, hours, hours_ago};
use serde_json::json;
use time::Duration;

const WARNING: &str = "Centauri: 3 days left to watch something";

fn ada(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
}

/// A sweep after `by`, in which ada watches.
fn later(sandbox: &Sandbox, by: Duration) {
    sweep_after(sandbox, by, &[1001]).exits(0);
}

/// Two who watch, and one who never did, in Tautulli's record of 400 days.
fn household(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(2)).watched(days_ago(20));
    sandbox.person(1002, "bob").watched(days_ago(33)).watched(hours_ago(30));
    sandbox.person(1006, "nick").joined(days_ago(150)).never_watched();
}

#[test]
fn nobody_is_idle_for_longer_than_the_history_goes_back_after_it_was_wiped() {
    let sandbox = settled(household);
    sandbox.recording_since(days_ago(1));
    assert_eq!(sandbox.tautulli.plays(1001), 0);
    // The record begins with the owner's film of today; its day counts to its end.
    for by in [0, 27] {
        sweep_after(&sandbox, days(by), &[]).exits(0);
        nothing_happened(&sandbox);
    }
    later(&sandbox, days(1));
    assert_eq!(ids(&sandbox, "warned"), ["1002", "1006"]);
    assert_eq!(have_access(&sandbox, [1001, 1002, 1006]), [true; 3]);
    sweep_after(&sandbox, days(3), &[]).exits(0);
    assert_eq!(have_access(&sandbox, [1001, 1002, 1006]), [true, false, false]);
}

#[test]
fn nobody_is_idle_by_a_history_in_which_there_is_nothing() {
    let sandbox = settled(household);
    sandbox.tautulli.empty_record();
    for by in [0, 28, 12] {
        sweep_after(&sandbox, days(by), &[]).exits(0);
    }
    nothing_happened(&sandbox);
    assert_eq!(row(&sandbox, 1006)["idle_days"], 0);
}

#[test]
fn nobody_is_idle_for_longer_than_tautulli_has_been_installed() {
    let sandbox = crate::sandbox();
    sandbox.live().recording_since(days_ago(5));
    household(&sandbox);
    sandbox.run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    // The first day on which anybody watched was the 19th, and it counts to its end.
    let nick = row(&sandbox, 1006);
    assert_eq!((&nick["idle_days"], &nick["standing"]), (&json!(3), &json!("active")));
    sandbox.tautulli.no_libraries();
    assert_eq!(row(&sandbox, 1006)["idle_days"], 0);
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
}

#[test]
fn nobody_is_idle_since_a_play_of_an_earlier_stay() {
    // gil left, came back 200 days ago, and has watched daily since; but Tautulli records again since five days only.
    let sandbox = crate::sandbox();
    sandbox.live().set_env("WARN_DAYS", 50).set_env("KICK_DAYS", 60);
    sandbox.person(1001, "ada").joined(days_ago(300)).watched(days_ago(1));
    sandbox.person(1015, "gil").joined(days_ago(200)).watched(days_ago(390));
    sandbox.run(&["welcome"]).exits(0);
    // The graph that says since when Tautulli records goes back for a year.
    let categories: Vec<String> = (0..365).map(|day| (sandbox.now() - days(364 - day)).date().to_string()).collect();
    let plays: Vec<u8> = (0..365).map(|day| u8::from(day > 359)).collect();
    let data = json!({"categories": categories, "series": [{"name": "Total", "data": plays}]});
    let answer = json!({"response": {"result": "success", "message": null, "data": data}});
    sandbox.tautulli.fail(cmd("get_plays_by_date"), Fault::json(200, answer));
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    assert_eq!(standing(&sandbox, 1015), "active");
}

/// Tautulli is cut off from Plex for three weeks, in which everybody watches every day, and is back. Of each of these
/// people a last play is on record, so many days before that.
fn after_three_weeks_off(people: &[(u64, i64)]) -> Sandbox {
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        for (id, days_before) in people {
            sandbox.person(*id, &format!("guest{id}")).watched(days_ago(*days_before));
        }
    });
    sandbox.disconnected();
    let everybody: Vec<u64> = people.iter().map(|(id, _)| *id).chain([1001]).collect();
    for by in [1, 20] {
        sweep_after(&sandbox, days(by), &everybody).exits(3);
    }
    assert_eq!(sandbox.tautulli.plays(people[0].0), 1);
    sandbox.tautulli.connected(true);
    sandbox.watches(1001);
    sandbox.forget();
    sandbox
}

#[test]
fn people_who_watched_in_a_gap_of_the_record_are_counted_from_the_play_before_it() {
    // What was played in the gap is not on record: 21 days and those before it.
    let people = [(1012, 2), (1015, 5), (1016, 6), (1018, 8)];
    let sandbox = after_three_weeks_off(&people);
    for ((id, days_before), expected) in people.into_iter().zip(["active", "active", "warn", "warn"]) {
        let row = row(&sandbox, id);
        assert_eq!((&row["standing"], &row["idle_days"]), (&json!(expected), &json!(days_before + 21)));
    }
    sandbox.run(&["sweep"]).exits(0);
    // Whatever they watch from now on counts.
    sweep_after(sandbox.forget(), hours(5), &[1012, 1015, 1016, 1018]).exits(0);
    nothing_happened(&sandbox);
    assert_eq!(have_access(&sandbox, [1012, 1015, 1016, 1018]), [true; 4]);
    assert_eq!(row(&sandbox, 1018)["idle_days"], 0);
}

#[test]
fn with_warn_first_nobody_is_removed_by_a_gap_without_a_warning_after_which_one_play_is_enough() {
    let sandbox = after_three_weeks_off(&[(1015, 12), (1016, 12)]);
    sandbox.set_env("WARN_FIRST", "true").run(&["sweep"]).exits(0);
    for address in ["guest1015@example.test", "guest1016@example.test"] {
        assert_eq!(subjects(&sandbox, address), [WARNING]);
    }
    sandbox.advance(days(2)).watches(1015);
    later(&sandbox, days(1));
    assert_eq!(have_access(&sandbox, [1001, 1015, 1016]), [true, true, false]);
}

#[test]
fn without_warn_first_a_gap_can_cost_access_which_is_the_limit_of_what_can_be_known() {
    // 30 days on record without a play, as on a server on which nobody watched.
    let sandbox = after_three_weeks_off(&[(1015, 9)]);
    sandbox.run(&["sweep"]).exits(0).stderr_has("removed guest1015 (id 1015): nothing watched for 30 days");
    assert!(sandbox.on_plex(1001));
}

#[test]
fn nobody_is_judged_whose_plays_tautulli_does_not_record_and_status_says_so() {
    let people = [(1010, "not in Tautulli yet"), (1011, "no history kept"), (1012, "deleted in Tautulli")];
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1010, "tess").joined(days_ago(40)).unknown_to_tautulli();
        sandbox.person(1011, "zoe").watched(days_ago(70)).no_history_kept();
        sandbox.person(1012, "hida").watched(days_ago(70)).hidden_in_tautulli();
    });
    for by in [0, 1, 27, 3, 29] {
        later(&sandbox, days(by));
        sandbox.run(&["welcome"]).exits(0);
    }
    nothing_happened(&sandbox);
    let status = sandbox.run(&["status"]).exits(0).clone();
    for (id, reason) in people {
        assert!(sandbox.on_plex(id));
        assert_eq!(standing(&sandbox, id), format!("unknown: {reason}"));
        status.stdout_has(reason);
    }
    assert!(!sandbox.in_tautulli(1012) && !sandbox.tautulli.keeps_history(1012));
}

#[test]
fn not_even_an_invitation_undeletes_somebody_whom_the_owner_deleted_in_tautulli() {
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1012, "hida").watched(days_ago(70)).hidden_in_tautulli();
    });
    sandbox.leaves(1012);
    sandbox.run(&["welcome"]).exits(0);
    sandbox.advance(days(3)).invite_again(1012);
    sandbox.advance(hours(1)).run(&["welcome"]).exits(0).stderr_has("welcomed hida");
    assert!(!sandbox.in_tautulli(1012));
    sandbox.forget();
    for by in [1, 28, 31] {
        later(&sandbox, days(by));
    }
    nothing_happened(&sandbox);
    assert_eq!(standing(&sandbox, 1012), "unknown: deleted in Tautulli");
}

#[test]
fn nobody_is_blamed_for_the_time_in_which_tautulli_did_not_record_them() {
    // All of them watch daily, and none of it is on record before Tautulli is told to keep it, after 30 days.
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1010, "tess").joined(days_ago(40)).unknown_to_tautulli();
        sandbox.person(1011, "zoe").watched(days_ago(70)).no_history_kept();
        sandbox.person(1012, "hida").watched(days_ago(70)).hidden_in_tautulli();
    });
    let people = [1010, 1011, 1012];
    for by in [0, 30] {
        people.iter().for_each(|id| sandbox.watches(*id));
        later(&sandbox, days(by));
    }
    sandbox.person(1010, "tess").joined(days_ago(70));
    sandbox.known(1011).history_kept();
    sandbox.known(1012).undeleted_in_tautulli();
    let mails = || ["tess", "zoe", "hida"].map(|name| subjects(&sandbox, &format!("{name}@example.test")));
    for (by, expected) in [(0, &[][..]), (26, &[]), (1, &[WARNING]), (2, &[WARNING])] {
        later(&sandbox, days(by));
        assert_eq!(mails(), [expected; 3]);
        assert_eq!(have_access(&sandbox, people), [true; 3]);
    }
    later(&sandbox, days(1));
    assert_eq!(have_access(&sandbox, people), [false; 3]);
}
