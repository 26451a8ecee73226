//! What Tautulli did not record, it can't testify to.

use super::{row, standing, sweep_daily, there};
use crate::story::{clean, ids, nothing_happened, settled, subjects};
use crate::support::{Fault, Sandbox, cmd, days, days_ago, hours, hours_ago};

/// Two who watch, and one who never did, in Tautulli's record of 400 days.
fn household(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(2)).watched(days_ago(20));
    sandbox.person(1002, "bob").watched(days_ago(33)).watched(hours_ago(30));
    sandbox.person(1006, "nick").joined(days_ago(150)).never_watched();
}

#[test]
fn a_tautulli_that_is_not_connected_or_watches_another_server_or_lost_its_table_makes_nobody_idle() {
    type Break = fn(&Sandbox);
    let breaks: [(Break, &str); 3] = [
        (|sandbox| sandbox.tautulli.connected(false), "Tautulli is not connected to Plex"),
        (
            |sandbox| sandbox.tautulli.watches_server("Elsewhere", "0f3c-elsewhere"),
            "Tautulli watches another Plex server than Centauri",
        ),
        (|sandbox| sandbox.tautulli.database_broken(true), "Tautulli's table of users is empty"),
    ];
    for (broken, why) in breaks {
        let sandbox = settled(household);
        broken(&sandbox);
        sandbox.run(&["sweep"]).exits(3).stderr_has(why);
        sandbox.run(&["sweep", "--max-removals", "100"]).exits(3).stderr_has(why);
        assert!(ids(&sandbox, "warned").is_empty() && ids(&sandbox, "removed").is_empty());
        assert_eq!(there(&sandbox, [1001, 1002, 1006]), [true; 3]);
        clean(&sandbox);
    }
}

#[test]
fn a_history_that_was_wiped_yesterday_makes_nobody_idle_for_27_days() {
    let sandbox = settled(household);
    sandbox.recording_since(days_ago(1));
    assert_eq!(sandbox.tautulli.plays(1001), 0);
    sandbox.run(&["sweep"]).exits(0);
    // The record begins with the owner's film of today; its day counts to its end.
    sweep_daily(&sandbox, 27, |_| {});
    nothing_happened(&sandbox);
    sweep_daily(&sandbox, 1, |sandbox| sandbox.watches(1001));
    assert_eq!(ids(&sandbox, "warned"), ["1002", "1006"]);
    assert_eq!(there(&sandbox, [1001, 1002, 1006]), [true; 3]);
    sweep_daily(&sandbox, 3, |_| {});
    assert_eq!(there(&sandbox, [1001, 1002, 1006]), [true, false, false]);
    clean(&sandbox);
}

#[test]
fn a_history_that_was_wiped_and_in_which_nobody_watched_since_makes_nobody_idle_ever() {
    let sandbox = settled(household);
    sandbox.tautulli.empty_record();
    sweep_daily(&sandbox, 40, |_| {});
    nothing_happened(&sandbox);
    assert_eq!(row(&sandbox, 1006)["idle_days"], 0);
    clean(&sandbox);
}

#[test]
fn a_tautulli_that_was_installed_five_days_ago_makes_nobody_idle_for_longer() {
    let sandbox = crate::sandbox();
    sandbox.live().recording_since(days_ago(5));
    household(&sandbox);
    sandbox.run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    // The first day on which anybody watched was the 19th, and it counts to its end.
    assert_eq!((row(&sandbox, 1006)["idle_days"].clone(), standing(&sandbox, 1006).0), (3.into(), "active".to_owned()));
    sandbox.tautulli.no_libraries();
    assert_eq!(row(&sandbox, 1006)["idle_days"], 0);
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn a_play_of_an_earlier_stay_is_no_reason_to_blame_anybody_for_what_was_not_recorded_in_this_one() {
    // gil left, came back 200 days ago, and has watched daily since; but Tautulli records again since five days only.
    let sandbox = crate::sandbox();
    sandbox.live().set_env("WARN_DAYS", 50).set_env("KICK_DAYS", 60);
    sandbox.person(1001, "ada").joined(days_ago(300)).watched(days_ago(1));
    sandbox.person(1015, "gil").joined(days_ago(200)).watched(days_ago(390));
    sandbox.run(&["welcome"]).exits(0);
    // The graph that says since when Tautulli records goes back for a year.
    let categories: Vec<String> = (0..365).map(|day| (sandbox.now() - days(364 - day)).date().to_string()).collect();
    let plays: Vec<u8> = (0..365).map(|day| u8::from(day > 359)).collect();
    let data = serde_json::json!({"categories": categories, "series": [{"name": "Total", "data": plays}]});
    let answer = serde_json::json!({"response": {"result": "success", "message": null, "data": data}});
    sandbox.tautulli.fail(cmd("get_plays_by_date"), Fault::json(200, answer));
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    assert!(sandbox.on_plex(1015));
    assert_eq!(standing(&sandbox, 1015).0, "active");
    clean(&sandbox);
}

/// Tautulli is cut off from Plex for three weeks, in which gil watches every day, and is back. His last play on record
/// was so many days before that.
fn after_three_weeks_off(days_before: i64) -> Sandbox {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1015, "gil").watched(days_ago(days_before));
    });
    sandbox.disconnected();
    for _ in 0..21 {
        sandbox.advance(days(1));
        (1001..=1015).for_each(|id| sandbox.watches(id));
        sandbox.run(&["sweep"]).exits(3);
    }
    assert_eq!(sandbox.tautulli.plays(1015), 1);
    sandbox.tautulli.connected(true);
    sandbox.watches(1001);
    sandbox.forget();
    sandbox
}

#[test]
fn who_watched_only_in_a_hole_of_three_weeks_is_counted_from_the_play_before_it() {
    // What was played in the hole is not on record: 21 days and those before it.
    for (days_before, idle) in [(2, "active"), (5, "active"), (6, "warn"), (8, "warn")] {
        let sandbox = after_three_weeks_off(days_before);
        assert_eq!(standing(&sandbox, 1015).0, idle);
        assert_eq!(row(&sandbox, 1015)["idle_days"], days_before + 21);
        sandbox.run(&["sweep"]).exits(0);
        assert!(sandbox.on_plex(1015));
        // Whatever they watch from now on counts.
        sandbox.advance(hours(5));
        sandbox.watches(1015);
        sandbox.forget().run(&["sweep"]).exits(0);
        nothing_happened(&sandbox);
        assert_eq!(row(&sandbox, 1015)["idle_days"], 0);
        clean(&sandbox);
    }
}

#[test]
fn with_warn_first_nobody_loses_access_by_a_hole_without_a_warning_and_one_film_is_enough() {
    for watches in [true, false] {
        let sandbox = after_three_weeks_off(12);
        sandbox.set_env("WARN_FIRST", "true").run(&["sweep"]).exits(0);
        assert_eq!(subjects(&sandbox, "gil@example.test"), ["Centauri: 3 days left to watch something"]);
        sandbox.advance(days(2));
        if watches {
            sandbox.watches(1015);
        }
        sweep_daily(&sandbox, 1, |sandbox| sandbox.watches(1001));
        assert_eq!(sandbox.on_plex(1015), watches);
        clean(&sandbox);
    }
}

#[test]
fn without_warn_first_a_hole_can_cost_access_which_is_the_limit_of_what_can_be_known() {
    // 30 days on record without a play, as on a server on which nobody watched.
    let sandbox = after_three_weeks_off(9);
    let run = sandbox.run(&["sweep"]);
    run.exits(0).stderr_has("removed gil (id 1015): nothing watched for 30 days");
    assert!(sandbox.on_plex(1001));
    clean(&sandbox);
}
