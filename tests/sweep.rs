//! `sweep`: who is warned, who is removed, and who is not.

mod brake;
mod closer_look;
mod dry_run;
mod endings;
mod protection;
mod refusals;
mod warn_first;

use crate::story::{clean, happened, ids, log, logged, nothing_happened, seconds, settled, subjects, titles, waiting};
use crate::support::{Sandbox, cmd, days, days_ago, hours, hours_ago, minutes_ago};

/// Somebody in every situation.
fn household(sandbox: &Sandbox) {
    sandbox.set_env("VIP_NAMES", "mom").second_server();
    sandbox.person(1001, "ada").watched(days_ago(2));
    sandbox.person(1002, "bert").watched(days_ago(40)).watching_now();
    sandbox.person(1003, "walt").watched(days_ago(28));
    sandbox.person(1004, "dora").watched(days_ago(26)).watched(days_ago(80));
    sandbox.person(1005, "rita").watched(days_ago(33)).watched(days_ago(90));
    sandbox.person(1006, "nick").joined(days_ago(45)).never_watched();
    sandbox.person(1007, "mom").watched(days_ago(90));
    sandbox.person(1008, "hugo").home_user().watched(days_ago(90));
    sandbox.person(1009, "gwen").joined(hours_ago(5)).never_watched();
    sandbox.person(1010, "tess").joined(hours_ago(30)).unknown_to_tautulli();
    sandbox.person(1011, "zoe").watched(days_ago(70)).no_history_kept();
    sandbox.person(1012, "hida").hidden_in_tautulli();
    sandbox.person(1013, "adminsecond").email("admin@example.test").watched(days_ago(200));
    sandbox.person(1014, "bella").joined(days_ago(3)).watched(days_ago(150));
    sandbox.person(1015, "early").joined(days_ago(26)).never_watched();
    sandbox.person(1016, "attic").only_on("Attic").watched(days_ago(90));
    sandbox.person(1017, "pending").not_accepted();
    sandbox.person(1018, "ended").share_deleted().watched(days_ago(90));
    sandbox.person(1019, "parted").share_left().watched(days_ago(90));
    sandbox.person(1030, "Max").watched(hours_ago(1));
    sandbox.person(1031, "max").watched(days_ago(100));
    sandbox.leaves(1031);
}

#[test]
fn exactly_the_right_people_are_warned_and_removed() {
    let sandbox = settled(household);
    let run = sandbox.run(&["sweep"]);
    run.exits(0).stdout("");
    assert_eq!(
        log(&run)[..3],
        [
            "removed nick (id 1006): nothing watched for 44 days; access to Centauri ended; deleted from Tautulli",
            "removed rita (id 1005): nothing watched for 33 days; access to Centauri ended; deleted from Tautulli",
            "warned walt (id 1003): nothing watched for 28 days; access ends 2026-11-25 12:00 UTC",
        ]
    );
    run.stderr_has(" on Centauri: 1 warned, 2 removed, 3 can't be judged, 9 notices sent\n");
    happened(
        &sandbox,
        &[
            "plex DELETE /api/v2/sharings/1006",
            "tautulli delete_user 1006",
            "plex DELETE /api/v2/sharings/1005",
            "tautulli delete_user 1005",
            "mail nick@example.test: Your access to Centauri has ended",
            "mail admin@example.test: [Centauri] Removed: nick",
            "discord: Removed: nick",
            "mail rita@example.test: Your access to Centauri has ended",
            "mail admin@example.test: [Centauri] Removed: rita",
            "discord: Removed: rita",
            "mail walt@example.test: Centauri: 2 days left to watch something",
            "mail admin@example.test: [Centauri] Warned: walt",
            "discord: Warned: walt",
        ],
    );
    assert_eq!((ids(&sandbox, "warned"), waiting(&sandbox)), (vec!["1003".to_owned()], vec![]));
    assert_eq!(ids(&sandbox, "removed"), ["1005", "1006"]);

    sandbox.forget().advance(minutes_ago(-30).0);
    let run = sandbox.run(&["sweep"]);
    logged(run.exits(0), &["sweep of 14 people on Centauri: nobody is due, 3 can't be judged"]);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn nobody_but_those_who_are_due_is_asked_about_one_by_one() {
    let sandbox = settled(household);
    sandbox.run(&["sweep"]).exits(0);
    let asked: Vec<String> = sandbox
        .requests()
        .iter()
        .filter(|request| request.param("cmd").as_deref() == Some("get_history"))
        .filter_map(|request| request.param("user_id"))
        .collect();
    assert_eq!(asked, ["1002", "1006", "1005", "1003"]);
    clean(&sandbox);
}

#[test]
fn quiet_says_what_happened_and_nothing_else() {
    let sandbox = settled(household);
    let run = sandbox.run(&["sweep", "-q"]);
    assert_eq!(log(run.exits(0)).len(), 3, "{run}");
    sandbox.run(&["sweep", "-q"]).exits(0).stdout("").stderr("");
    clean(&sandbox);
}

/// The times at which walt, who last watched at 0, is swept, to the second, and what he gets by then.
fn walt_over_time(sandbox: &Sandbox) {
    let step = |by, mails: &[&str]| {
        sandbox.advance(by);
        sandbox.watches(1001);
        sandbox.run(&["sweep"]).exits(0);
        assert_eq!(subjects(sandbox, "walt@example.test"), mails);
    };
    let (warning, end) = ("Centauri: 3 days left to watch something", "Your access to Centauri has ended");
    step(-seconds(1), &[]);
    step(seconds(1), &[warning]);
    step(days(3) - seconds(1), &[warning]);
    assert!(sandbox.on_plex(1003));
    step(seconds(1), &[warning, end]);
    assert!(!sandbox.on_plex(1003) && !sandbox.in_tautulli(1003));
}

#[test]
fn a_warning_comes_27_days_after_the_last_watch_and_the_removal_after_30_to_the_second() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada");
        sandbox.person(1003, "walt").watched(days_ago(27));
    });
    walt_over_time(&sandbox);
    assert_eq!(titles(&sandbox), ["Warned: walt", "Removed: walt"]);
    clean(&sandbox);
}

#[test]
fn who_never_watched_is_counted_from_a_day_after_joining_to_the_second() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada");
        sandbox.person(1003, "walt").joined(days_ago(28)).never_watched();
    });
    walt_over_time(&sandbox);
    clean(&sandbox);
}

#[test]
fn who_watched_on_the_first_day_only_is_counted_from_its_end() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada");
        sandbox.person(1003, "walt").joined(days_ago(28)).watched(hours_ago(28 * 24 - 2));
    });
    walt_over_time(&sandbox);
    clean(&sandbox);
}

#[test]
fn who_watched_a_minute_after_the_first_day_is_counted_from_there() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1003, "walt").joined(days_ago(28)).watched(minutes_ago(27 * 24 * 60 - 1));
    });
    sandbox.advance(seconds(59)).run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    sandbox.advance(seconds(1)).run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "walt@example.test").len(), 1);
    clean(&sandbox);
}

#[test]
fn nobody_is_judged_in_their_first_24_hours_to_the_second() {
    // Whom Tautulli doesn't know shows when judging begins.
    let sandbox = settled(|sandbox| {
        sandbox.person(1010, "tess").joined(hours_ago(24)).unknown_to_tautulli();
    });
    sandbox.advance(-seconds(1));
    logged(sandbox.run(&["sweep"]).exits(0), &["sweep of 1 person on Centauri: nobody is due"]);
    sandbox.advance(seconds(1));
    logged(sandbox.run(&["sweep"]).exits(0), &["sweep of 1 person on Centauri: nobody is due, 1 can't be judged"]);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn other_thresholds_hold_too() {
    let sandbox = settled(|sandbox| {
        sandbox.set_env("WARN_DAYS", 1).set_env("KICK_DAYS", 2);
        sandbox.person(1003, "walt").watched(hours_ago(24));
        sandbox.person(1005, "rita").watched(hours_ago(48));
    });
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "walt@example.test"), ["Centauri: one day left to watch something"]);
    assert!(sandbox.on_plex(1003) && !sandbox.on_plex(1005));
    clean(&sandbox);
}

#[test]
fn a_warning_is_given_once_in_each_spell_of_idleness() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1003, "walt").watched(days_ago(27));
    });
    for spell in 1..=2 {
        for _ in 0..4 {
            sandbox.run(&["sweep"]).exits(0);
            sandbox.advance(hours(12));
        }
        assert_eq!(subjects(&sandbox, "walt@example.test").len(), spell);
        assert_eq!(titles(&sandbox), vec!["Warned: walt"; spell]);
        sandbox.watches(1003);
        sandbox.run(&["sweep"]).exits(0);
        assert!(ids(&sandbox, "warned").is_empty());
        sandbox.advance(days(27));
    }
    assert!(sandbox.on_plex(1003));
    clean(&sandbox);
}

#[test]
fn who_watched_after_the_warning_between_two_sweeps_starts_from_zero() {
    // No sweep sees them active: the next one finds them idle for 27 days once more.
    let sandbox = settled(|sandbox| {
        sandbox.person(1003, "walt").watched(days_ago(27));
    });
    sandbox.run(&["sweep"]).exits(0);
    sandbox.advance(hours(2)).watches(1003);
    sandbox.advance(days(28)).run(&["sweep"]).exits(0);
    assert_eq!(
        subjects(&sandbox, "walt@example.test"),
        ["Centauri: 3 days left to watch something", "Centauri: 2 days left to watch something"]
    );
    clean(&sandbox);
}

#[test]
fn who_never_watched_is_not_blamed_for_the_time_before_tautulli_recorded() {
    let sandbox = crate::sandbox();
    sandbox.recording_since(days_ago(10));
    sandbox.person(1006, "nick").joined(days_ago(45)).never_watched();
    sandbox.live().run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    assert!(sandbox.requests().iter().any(|request| request.param("cmd").as_deref() == Some("get_plays_by_date")));
    sandbox.advance(days(40)).run(&["sweep"]).exits(0);
    assert!(!sandbox.on_plex(1006));
    clean(&sandbox);
}

#[test]
fn a_tautulli_that_can_not_say_since_when_it_records_stops_the_sweep() {
    let sandbox = settled(household);
    sandbox.tautulli.fail(cmd("get_plays_by_date"), crate::support::Fault::status(500));
    sandbox
        .run(&["sweep"])
        .exits(1)
        .stderr_has("error: Tautulli: could not read since when it has been recording: it answered 500");
    nothing_happened(&sandbox);
    clean(&sandbox);
}
