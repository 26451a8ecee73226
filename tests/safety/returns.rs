//! Spells of idleness, and stays, one after the other.

use super::sweep_daily;
use crate::story::{clean, happened, ids, nothing_happened, settled, subjects};
use crate::support::{Fault, Sandbox, cmd, days, days_ago, hours};

const WARNING: &str = "Centauri: 3 days left to watch something";
const END: &str = "Your access to Centauri has ended";
const WELCOME: &str = "Welcome to Centauri";

fn ada_and_rita(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1005, "rita").watched(days_ago(33));
}

fn ada_watches(sandbox: &Sandbox) {
    sandbox.watches(1001);
}

fn both_watch(sandbox: &Sandbox) {
    ada_watches(sandbox);
    sandbox.watches(1005);
}

/// rita accepts an invitation, and is welcomed an hour later.
fn comes_back(sandbox: &Sandbox) {
    sandbox.invite_again(1005);
    sandbox.forget().advance(hours(1)).run(&["welcome"]).exits(0);
    assert_eq!(subjects(sandbox, "rita@example.test"), [WELCOME]);
    assert!(sandbox.in_tautulli(1005) && sandbox.tautulli.keeps_history(1005));
    sandbox.forget();
}

#[test]
fn removed_invited_again_and_watching_daily_stays() {
    let sandbox = settled(ada_and_rita);
    sandbox.run(&["sweep"]).exits(0);
    assert!(!sandbox.on_plex(1005) && !sandbox.in_tautulli(1005));
    sweep_daily(&sandbox, 10, ada_watches);
    comes_back(&sandbox);
    sweep_daily(&sandbox, 62, both_watch);
    nothing_happened(&sandbox);
    assert_eq!((sandbox.tautulli.plays(1005), sandbox.on_plex(1005)), (62, true));
    clean(&sandbox);
}

#[test]
fn removed_while_tautulli_failed_invited_again_and_watching_daily_stays() {
    let sandbox = settled(ada_and_rita);
    let broken = sandbox.tautulli.fail(cmd("delete_user"), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    assert!(!sandbox.on_plex(1005));
    sandbox.advance(hours(1));
    comes_back(&sandbox);
    broken.mend();
    sweep_daily(&sandbox, 35, both_watch);
    nothing_happened(&sandbox);
    assert_eq!((sandbox.tautulli.plays(1005), sandbox.on_plex(1005)), (36, true));
    clean(&sandbox);
}

#[test]
fn invited_again_and_never_watching_is_warned_and_removed_again_as_often_as_that_happens() {
    let sandbox = settled(ada_and_rita);
    sandbox.run(&["sweep"]).exits(0);
    for _ in 0..3 {
        sweep_daily(&sandbox, 2, ada_watches);
        comes_back(&sandbox);
        sweep_daily(&sandbox, 27, ada_watches);
        nothing_happened(&sandbox);
        sweep_daily(&sandbox, 1, ada_watches);
        assert_eq!(subjects(&sandbox, "rita@example.test"), [WARNING]);
        sweep_daily(&sandbox, 2, ada_watches);
        assert!(sandbox.on_plex(1005));
        sweep_daily(&sandbox, 1, ada_watches);
        assert!(!sandbox.on_plex(1005));
        assert_eq!(subjects(&sandbox, "rita@example.test"), [WARNING, END]);
    }
    clean(&sandbox);
}

#[test]
fn who_left_and_is_back_is_not_judged_by_what_was_before() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1005, "rita").watched(days_ago(29));
    });
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "rita@example.test").len(), 1);
    sandbox.leaves(1005);
    sweep_daily(&sandbox, 1, ada_watches);
    comes_back(&sandbox);
    // The warning of the earlier stay is none in this one.
    sweep_daily(&sandbox, 27, ada_watches);
    nothing_happened(&sandbox);
    sweep_daily(&sandbox, 1, ada_watches);
    assert_eq!(subjects(&sandbox, "rita@example.test"), [WARNING]);
    clean(&sandbox);
}

#[test]
fn who_left_and_is_back_between_two_passes_is_not_judged_by_what_was_before() {
    let sandbox = settled(ada_and_rita);
    sandbox.leaves(1005);
    sandbox.invite_again(1005);
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    sweep_daily(&sandbox, 27, ada_watches);
    nothing_happened(&sandbox);
    sweep_daily(&sandbox, 1, ada_watches);
    assert_eq!(subjects(&sandbox, "rita@example.test"), [WARNING]);
    clean(&sandbox);
}

#[test]
fn two_spells_of_idleness_are_two_warnings_and_each_leaves_its_whole_time() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1003, "walt").watched(days_ago(26));
    });
    sweep_daily(&sandbox, 1, ada_watches);
    assert_eq!(subjects(&sandbox, "walt@example.test"), [WARNING]);
    // One episode, two days after the warning.
    sweep_daily(&sandbox, 2, ada_watches);
    sandbox.watches(1003);
    sweep_daily(&sandbox, 26, ada_watches);
    assert_eq!(subjects(&sandbox, "walt@example.test"), [WARNING]);
    assert!(ids(&sandbox, "warned").is_empty());
    sweep_daily(&sandbox, 1, ada_watches);
    assert_eq!(subjects(&sandbox, "walt@example.test"), [WARNING, WARNING]);
    sweep_daily(&sandbox, 2, ada_watches);
    assert!(sandbox.on_plex(1003));
    sweep_daily(&sandbox, 1, ada_watches);
    assert!(!sandbox.on_plex(1003));
    assert_eq!(subjects(&sandbox, "walt@example.test"), [WARNING, WARNING, END]);
    clean(&sandbox);
}

#[test]
fn one_episode_in_the_last_minute_is_enough() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1003, "walt").watched(days_ago(27));
    });
    sandbox.run(&["sweep"]).exits(0);
    sandbox.forget().advance(days(3) - time::Duration::MINUTE);
    sandbox.starts_watching(1003);
    sandbox.advance(time::Duration::MINUTE).run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    sandbox.advance(hours(1)).stops_watching(1003);
    sandbox.run(&["sweep"]).exits(0);
    happened(&sandbox, &[]);
    assert!(sandbox.on_plex(1003) && ids(&sandbox, "warned").is_empty());
    clean(&sandbox);
}

#[test]
fn who_is_back_and_whom_tautulli_could_not_undelete_for_weeks_is_not_blamed_for_that_time() {
    // rita watches daily, and nothing of it is on record, because this program deleted her there.
    let sandbox = settled(ada_and_rita);
    sandbox.run(&["sweep"]).exits(0);
    sandbox.invite_again(1005);
    let broken = sandbox.tautulli.fail(cmd("undelete_user"), Fault::status(400));
    for _ in 0..35 {
        sandbox.advance(days(1));
        both_watch(&sandbox);
        sandbox.run(&["welcome"]).exits(1);
        sandbox.run(&["sweep"]).exits(0);
    }
    broken.mend();
    sandbox.run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    assert!(sandbox.on_plex(1005));
    sweep_daily(&sandbox, 26, ada_watches);
    assert!(sandbox.on_plex(1005));
    clean(&sandbox);
}

#[test]
fn who_is_back_while_no_pass_ran_for_weeks_is_not_blamed_for_what_was_not_recorded() {
    let sandbox = settled(ada_and_rita);
    sandbox.run(&["sweep"]).exits(0);
    sandbox.invite_again(1005);
    for _ in 0..40 {
        sandbox.advance(days(1));
        both_watch(&sandbox);
    }
    sandbox.run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    assert!(sandbox.on_plex(1005));
    clean(&sandbox);
}
