//! Who left, who is back, and what Tautulli must be told of them.

use serde_json::{Value, json};

use crate::story::{
    happened, have_access, ids, log, logged, nothing_happened, plex_lists, seconds, settled, share, subjects,
    sweep_after,
};
use crate::support::{Fault, Sandbox, cmd, days, days_ago, hours};

const RITA: u64 = 1005;
const WELCOME: &str = "Welcome to Centauri";
const WARNING: &str = "Centauri: 3 days left to watch something";
const REMOVAL: &str = "Your access to Centauri has ended";

fn ada_and_bob(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1002, "bob").watched(days_ago(2));
}

fn ada_and_rita(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(RITA, "rita").watched(days_ago(33));
}

/// rita was removed, and accepts a new invitation ten days later. ada is there all the time.
fn rita_is_invited_again() -> Sandbox {
    let sandbox = settled(ada_and_rita);
    sandbox.run(&["sweep"]).exits(0);
    assert!(!sandbox.on_plex(RITA) && !sandbox.in_tautulli(RITA));
    sweep_after(&sandbox, days(10), &[1001]).exits(0);
    sandbox.invite_again(RITA);
    sandbox.forget().advance(hours(1));
    sandbox
}

/// The next `welcome` welcomes rita, and Tautulli records her.
#[track_caller]
fn is_welcomed(sandbox: &Sandbox) {
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(subjects(sandbox, "rita@example.test"), [WELCOME]);
    assert!(sandbox.in_tautulli(RITA) && sandbox.tautulli.keeps_history(RITA));
    sandbox.forget();
}

/// rita, who was welcomed an hour after her return and never watches, is warned and removed in due time, to the second.
#[track_caller]
fn is_warned_and_removed_again(sandbox: &Sandbox) {
    sweep_after(sandbox, days(28) - hours(1) - seconds(1), &[1001]).exits(0);
    nothing_happened(sandbox);
    sweep_after(sandbox, seconds(1), &[]).exits(0);
    assert_eq!(subjects(sandbox, "rita@example.test"), [WARNING]);
    sweep_after(sandbox.forget(), days(3) - seconds(1), &[1001]).exits(0);
    nothing_happened(sandbox);
    sweep_after(sandbox, seconds(1), &[]).exits(0);
    assert_eq!(subjects(sandbox, "rita@example.test"), [REMOVAL]);
    assert_eq!(have_access(sandbox, [1001, RITA]), [true, false]);
    assert!(!sandbox.in_tautulli(RITA));
}

#[test]
fn people_who_leave_are_marked_as_gone_quietly() {
    let sandbox = settled(ada_and_bob);
    sandbox.leaves(1002);
    sandbox.advance(hours(1));
    logged(sandbox.run(&["welcome"]).exits(0), &["welcome for 1 person on Centauri: nobody is new, 1 left"]);
    logged(sandbox.run(&["welcome"]).exits(0), &["welcome for 1 person on Centauri: nobody is new"]);
    assert_eq!((ids(&sandbox, "welcomed"), ids(&sandbox, "gone")), (vec!["1001".into()], vec!["1002".into()]));
    nothing_happened(&sandbox);
}

#[test]
fn people_who_left_and_are_back_are_welcomed_and_not_judged_by_what_was_before() {
    let sandbox = settled(|sandbox| {
        ada_and_bob(sandbox);
        sandbox.known(1002).never_watched().watched(days_ago(29));
    });
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "bob@example.test").len(), 1, "the warning of this stay is none of the next one");
    sandbox.leaves(1002);
    sandbox.advance(hours(1)).run(&["welcome"]).exits(0);
    sandbox.forget().advance(days(100)).invite_again(1002);
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
    sweep_after(sandbox.forget(), days(28) - seconds(1), &[1001]).exits(0);
    nothing_happened(&sandbox);
    sweep_after(&sandbox, seconds(1), &[]).exits(0);
    assert_eq!(subjects(&sandbox, "bob@example.test"), [WARNING]);
}

#[test]
fn people_who_left_and_are_back_between_two_passes_are_not_judged_by_what_was_before() {
    let sandbox = settled(ada_and_rita);
    sandbox.leaves(RITA);
    sandbox.invite_again(RITA);
    for by in [days(0), days(28) - seconds(1)] {
        sweep_after(&sandbox, by, &[1001]).exits(0);
    }
    nothing_happened(&sandbox);
    sweep_after(&sandbox, seconds(1), &[]).exits(0);
    assert_eq!(subjects(&sandbox, "rita@example.test"), [WARNING]);
}

#[test]
fn somebody_who_is_missing_from_plex_s_list_for_a_while_is_not_new() {
    for accepted_at in [json!("2026-05-07T12:00:00Z"), Value::Null] {
        let sandbox = settled(ada_and_bob);
        let mut listed = [share(&sandbox, 1001, "ada"), share(&sandbox, 1002, "bob")];
        listed.iter_mut().for_each(|share| share["acceptedAt"] = accepted_at.clone());
        let only_ada = plex_lists(&sandbox, listed[..1].to_vec());
        sandbox.advance(hours(1));
        logged(sandbox.run(&["welcome"]).exits(0), &["welcome for 1 person on Centauri: nobody is new, 1 left"]);
        only_ada.mend();
        plex_lists(&sandbox, listed.to_vec());
        sandbox.advance(hours(1));
        logged(sandbox.run(&["welcome"]).exits(0), &["welcome for 2 people on Centauri: nobody is new"]);
        assert_eq!((ids(&sandbox, "welcomed").len(), ids(&sandbox, "gone").len()), (2, 0));
        nothing_happened(&sandbox);
    }
}

#[test]
fn people_who_were_removed_and_are_invited_again_are_undeleted_in_tautulli_before_the_welcome() {
    let sandbox = rita_is_invited_again();
    logged(
        sandbox.run(&["welcome", "--dry-run"]).exits(0),
        &["would welcome back rita (id 1005)", "dry welcome for 2 people on Centauri: 1 new"],
    );
    nothing_happened(&sandbox);
    logged(
        sandbox.run(&["welcome"]).exits(0),
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
    assert!(sandbox.tautulli.keeps_history(RITA));
}

#[test]
fn people_who_are_back_and_watch_stay() {
    let sandbox = rita_is_invited_again();
    is_welcomed(&sandbox);
    for (plays, by) in (1..).zip([1, 26, 26, 5, 4]) {
        sweep_after(&sandbox, days(by), &[1001, RITA]).exits(0);
        assert_eq!(sandbox.tautulli.plays(RITA), plays);
    }
    nothing_happened(&sandbox);
    assert!(sandbox.on_plex(RITA));
}

#[test]
fn people_who_are_back_and_never_watch_are_warned_and_removed_again_as_often_as_that_happens() {
    let sandbox = rita_is_invited_again();
    is_welcomed(&sandbox);
    is_warned_and_removed_again(&sandbox);
    sweep_after(&sandbox, days(2), &[1001]).exits(0);
    sandbox.invite_again(RITA);
    is_welcomed(sandbox.forget().advance(hours(1)));
    is_warned_and_removed_again(&sandbox);
}

#[test]
fn people_who_were_removed_while_tautulli_failed_are_recorded_again_as_well() {
    let sandbox = settled(ada_and_rita);
    sandbox.tautulli.fail(cmd("delete_user"), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.advance(hours(1)).invite_again(RITA);
    is_welcomed(sandbox.forget().advance(hours(1)));
    sandbox.mend();
    for (plays, by) in (2..).zip([1, 26, 8]) {
        sweep_after(&sandbox, days(by), &[1001, RITA]).exits(0);
        assert_eq!(sandbox.tautulli.plays(RITA), plays);
    }
    nothing_happened(&sandbox);
    assert!(sandbox.on_plex(RITA));
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
    assert_eq!(subjects(&sandbox, "rita@example.test"), [WELCOME]);
    assert!(sandbox.tautulli.keeps_history(RITA));
}

#[test]
fn nobody_is_blamed_for_the_weeks_in_which_tautulli_could_not_undelete_them() {
    // rita watches daily, and nothing of it is on record, because this program deleted her there.
    let sandbox = settled(ada_and_rita);
    sandbox.run(&["sweep"]).exits(0);
    sandbox.invite_again(RITA);
    let broken = sandbox.tautulli.fail(cmd("undelete_user"), Fault::status(400));
    for by in [1, 26, 4, 4] {
        sandbox.advance(days(by)).run(&["welcome"]).exits(1);
        sweep_after(&sandbox, days(0), &[1001, RITA]).exits(0);
    }
    broken.mend();
    sandbox.run(&["welcome"]).exits(0);
    for by in [0, 26] {
        sweep_after(&sandbox, days(by), &[1001]).exits(0);
        assert!(sandbox.on_plex(RITA));
    }
}

#[test]
fn nobody_is_blamed_for_the_weeks_in_which_no_pass_ran_to_undelete_them() {
    let sandbox = settled(ada_and_rita);
    sandbox.run(&["sweep"]).exits(0);
    sandbox.invite_again(RITA);
    sandbox.advance(days(40)).watches(1001);
    sandbox.watches(RITA);
    sandbox.run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(have_access(&sandbox, [1001, RITA]), [true, true]);
}

#[test]
fn an_undeletion_whose_answer_is_lost_is_looked_up_and_counts() {
    let sandbox = rita_is_invited_again();
    sandbox.tautulli.fail(cmd("undelete_user"), Fault::AnswerLost);
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(sandbox.writes()[0], "tautulli undelete_user 1005 -> answer lost");
    assert_eq!(subjects(&sandbox, "rita@example.test"), [WELCOME]);
}

#[test]
fn people_who_are_back_and_unknown_to_tautulli_by_now_are_still_welcomed() {
    let sandbox = rita_is_invited_again();
    sandbox.known(RITA).unknown_to_tautulli();
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(subjects(&sandbox, "rita@example.test"), [WELCOME]);
}

#[test]
fn people_who_are_back_and_protected_by_now_are_undeleted_in_tautulli_too() {
    let sandbox = rita_is_invited_again();
    sandbox.set_env("VIP_NAMES", "rita").run(&["welcome"]).exits(0);
    happened(&sandbox, &["tautulli undelete_user 1005"]);
    assert!(sandbox.tautulli.keeps_history(RITA));
}

#[test]
fn people_who_were_removed_before_the_first_welcome_are_undeleted_in_tautulli_too() {
    let sandbox = crate::sandbox();
    ada_and_rita(&sandbox);
    sandbox.live().run(&["sweep"]).exits(0);
    sandbox.forget().advance(days(1)).invite_again(RITA);
    is_welcomed(sandbox.advance(hours(1)));
}

#[test]
fn people_who_were_deleted_from_tautulli_by_a_pass_that_was_killed_are_undeleted_too() {
    let sandbox = settled(ada_and_rita);
    let (fault, gate) = Fault::gate_after();
    sandbox.tautulli.fail(cmd("delete_user"), fault);
    let sweep = sandbox.spawn(&["sweep"]);
    gate.wait();
    sweep.kill();
    drop(gate);
    assert!(!sandbox.on_plex(RITA) && !sandbox.in_tautulli(RITA));
    sandbox.mend().advance(hours(1)).invite_again(RITA);
    sandbox.advance(hours(1)).run(&["welcome"]).exits(0);
    assert!(sandbox.in_tautulli(RITA) && sandbox.tautulli.keeps_history(RITA));
}
