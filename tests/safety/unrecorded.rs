//! People of whom Tautulli can't say anything, and libraries of which it doesn't.

use serde_json::Value;

use super::{standing, sweep_daily};
use crate::story::{ADMIN, clean, log, nothing_happened, settled, subjects};
use crate::support::{Sandbox, days, days_ago, hours};

fn ada(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
}

/// Nobody hears of anything in two months of passes, in which ada watches daily.
#[track_caller]
fn left_alone(sandbox: &Sandbox, id: u64, reason: &str) {
    assert_eq!(standing(sandbox, id), ("unknown".to_owned(), reason.to_owned()));
    sandbox.run(&["status"]).exits(0).stdout_has(reason);
    sweep_daily(sandbox, 60, |sandbox| sandbox.watches(1001));
    nothing_happened(sandbox);
    assert!(sandbox.on_plex(id));
    assert_eq!(standing(sandbox, id), ("unknown".to_owned(), reason.to_owned()));
    clean(sandbox);
}

#[test]
fn whose_history_tautulli_does_not_keep_is_left_alone_and_status_says_so() {
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1011, "zoe").watched(days_ago(70)).no_history_kept();
    });
    left_alone(&sandbox, 1011, "no history kept");
}

#[test]
fn whom_tautulli_does_not_know_yet_is_left_alone_and_status_says_so() {
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1010, "tess").joined(days_ago(40)).unknown_to_tautulli();
    });
    left_alone(&sandbox, 1010, "not in Tautulli yet");
}

#[test]
fn whom_somebody_deleted_in_tautulli_is_neither_judged_nor_undeleted_and_status_says_so() {
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1012, "hida").watched(days_ago(70));
    });
    sandbox.tautulli.delete(1012);
    left_alone(&sandbox, 1012, "deleted in Tautulli");
    assert!(!sandbox.in_tautulli(1012) && !sandbox.tautulli.keeps_history(1012));
}

#[test]
fn not_even_an_invitation_undeletes_whom_the_owner_deleted_in_tautulli() {
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1012, "hida").watched(days_ago(70));
    });
    sandbox.tautulli.delete(1012);
    sandbox.leaves(1012);
    sandbox.run(&["welcome"]).exits(0);
    sandbox.advance(days(3)).invite_again(1012);
    sandbox.advance(hours(1)).run(&["welcome"]).exits(0).stderr_has("welcomed hida");
    assert!(!sandbox.in_tautulli(1012));
    sandbox.forget().advance(days(1));
    left_alone(&sandbox, 1012, "deleted in Tautulli");
}

#[test]
fn whom_tautulli_comes_to_know_is_judged_from_then_on() {
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1010, "tess").joined(days_ago(40)).unknown_to_tautulli();
    });
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    sandbox.advance(hours(5)).person(1010, "tess").joined(days_ago(29));
    // What she watched before, Tautulli may not have recorded.
    sandbox.run(&["sweep"]).exits(0);
    sweep_daily(&sandbox, 26, |sandbox| sandbox.watches(1001));
    nothing_happened(&sandbox);
    sweep_daily(&sandbox, 1, |sandbox| sandbox.watches(1001));
    assert_eq!(subjects(&sandbox, "tess@example.test"), ["Centauri: 3 days left to watch something"]);
    clean(&sandbox);
}

const UNRECORDED: &str = "Tautulli keeps no history of the library \"Anime\": whoever watches only there looks idle";

#[test]
fn a_library_without_history_is_pointed_out_once_in_every_sweep_and_in_status() {
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1005, "rita").watched(days_ago(33));
        sandbox.tautulli.library_without_history("Anime");
    });
    let said = |run: &crate::support::Run| log(run).iter().filter(|line| line.contains(UNRECORDED)).count();
    for arguments in [&["sweep", "--dry-run"][..], &["sweep"], &["sweep"], &["sweep", "-v"]] {
        let run = sandbox.run(arguments);
        assert_eq!(said(run.exits(0)), 1, "{run}");
        assert!(log(&run).contains(&format!("warning: {UNRECORDED}").as_str()), "{run}");
    }
    let status = sandbox.run(&["status"]).exits(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(status.matches(UNRECORDED).count(), 1, "{status}");
    let warnings = sandbox.run(&["status", "--json"]).json()["warnings"].clone();
    assert_eq!(warnings.as_array().unwrap().iter().filter(|warning| *warning == UNRECORDED).count(), 1);
    // It is a remark and no news: nobody gets a mail about it.
    assert!(subjects(&sandbox, ADMIN).iter().all(|subject| !subject.contains("Anime")));

    sandbox.disconnected();
    assert_eq!(said(sandbox.run(&["sweep"]).exits(3)), 1);
    clean(&sandbox);
}

#[test]
fn two_libraries_without_history_are_two_remarks_and_their_names_harm_nothing() {
    let sandbox = settled(ada);
    for name in ["Anime", "Kids\n\u{1b}[31m\u{202e}"] {
        sandbox.tautulli.library_without_history(name);
    }
    let run = sandbox.run(&["sweep"]);
    let warnings: Vec<&str> = log(run.exits(0)).into_iter().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(warnings.len(), 2, "{run}");
    assert!(!run.stderr.contains(['\u{1b}', '\u{202e}']), "{run}");
    let report: Value = sandbox.run(&["status", "--json"]).exits(0).json();
    assert_eq!(report["warnings"].as_array().unwrap().len(), 2);
    clean(&sandbox);
}

#[test]
fn a_table_of_libraries_that_can_not_be_read_stops_nothing() {
    use crate::support::{Fault, cmd};
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    sandbox.tautulli.fail(cmd("get_libraries_table"), Fault::status(500));
    sandbox.run(&["sweep"]).exits(0);
    assert!(!sandbox.on_plex(1005));
    clean(&sandbox);
}

/// Both are at a film every day.
fn daily(sandbox: &Sandbox) {
    sandbox.watches(1001);
    sandbox.watches(1011);
}

#[test]
fn whoever_was_not_recorded_for_long_and_is_now_is_not_blamed_for_the_time_between() {
    // The owner tells Tautulli to keep zoe's history, of whom it has one play, of 70 days ago. She watches daily.
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1011, "zoe").watched(days_ago(70)).no_history_kept();
    });
    sweep_daily(&sandbox, 30, daily);
    sandbox.known(1011).history_kept();
    sweep_daily(&sandbox, 29, |sandbox| sandbox.watches(1001));
    assert!(sandbox.on_plex(1011));
    assert_eq!(subjects(&sandbox, "zoe@example.test"), ["Centauri: 3 days left to watch something"]);
    sweep_daily(&sandbox, 1, |sandbox| sandbox.watches(1001));
    assert!(!sandbox.on_plex(1011));
    clean(&sandbox);
}

#[test]
fn whom_the_owner_undeletes_in_tautulli_is_not_blamed_for_the_time_between() {
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1011, "zoe").watched(days_ago(70));
    });
    sandbox.tautulli.delete(1011);
    sweep_daily(&sandbox, 30, daily);
    sandbox.known(1011).undeleted_in_tautulli();
    sweep_daily(&sandbox, 20, |sandbox| sandbox.watches(1001));
    nothing_happened(&sandbox);
    assert!(sandbox.on_plex(1011));
    clean(&sandbox);
}
