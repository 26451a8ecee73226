//! A removal, step by step, and what is left of it when a step fails. What a kill leaves is in `removal/killed.rs`.

mod holes;
mod killed;
mod resumed;

use crate::story::{ADMIN, clean, happened, ids, log, minutes, nothing_happened, settled, subjects, titles, waiting};
use crate::support::{Fault, Response, Sandbox, cmd, days, days_ago, delete};

const END: &str = "/api/v2/sharings/1005";

/// rita is due to be removed; ada and bob are not.
fn rita(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1002, "bob").watched(days_ago(2));
    sandbox.person(1005, "rita").watched(days_ago(33));
}

/// The removal, all of it.
const ALL: [&str; 5] = [
    "plex DELETE /api/v2/sharings/1005",
    "tautulli delete_user 1005",
    "mail rita@example.test: Your access to Centauri has ended",
    "mail admin@example.test: [Centauri] Removed: rita",
    "discord: Removed: rita",
];

/// rita lost access for good, and everybody heard of it once.
#[track_caller]
fn is_removed(sandbox: &Sandbox) {
    assert!(!sandbox.on_plex(1005) && !sandbox.in_tautulli(1005));
    assert_eq!(subjects(sandbox, "rita@example.test"), ["Your access to Centauri has ended"]);
    assert_eq!(subjects(sandbox, ADMIN), ["[Centauri] Removed: rita"]);
    assert_eq!(titles(sandbox), ["Removed: rita"]);
    is_finished(sandbox);
}

/// Nothing of rita's removal is owed any more.
#[track_caller]
fn is_finished(sandbox: &Sandbox) {
    let state = sandbox.state();
    let removed = &state["removed"]["1005"];
    assert_eq!(
        [&removed["ok"], &removed["tautulli_deleted"], &removed["announced"]].map(|step| step.as_bool()),
        [Some(true); 3],
        "{removed}"
    );
    assert!(waiting(sandbox).is_empty());
    assert_eq!(ids(sandbox, "welcomed"), ["1001", "1002"]);
}

#[test]
fn the_steps_come_in_order_and_once() {
    let sandbox = settled(rita);
    sandbox.run(&["sweep"]).exits(0);
    happened(&sandbox, &ALL);
    is_removed(&sandbox);
    for _ in 0..3 {
        sandbox.advance(minutes(30)).run(&["sweep"]).exits(0);
        sandbox.run(&["welcome"]).exits(0);
    }
    happened(&sandbox, &ALL);
    clean(&sandbox);
}

#[test]
fn somebody_without_an_address_is_removed_all_the_same() {
    let sandbox = settled(rita);
    sandbox.known(1005).no_email();
    sandbox.run(&["sweep"]).exits(0);
    happened(&sandbox, &[&ALL[..2], &ALL[3..]].concat());
    is_finished(&sandbox);
    clean(&sandbox);
}

#[test]
fn while_plex_refuses_the_person_keeps_access_and_the_admin_hears_of_it_once() {
    for (fault, tries, said) in [
        (Fault::status(500), 3, "it answered 500: made to fail"),
        (Fault::status(403), 1, "it answered 403: made to fail"),
        (Fault::html(502), 3, "it answered 502: an HTML page"),
        (Fault::CutBefore, 3, "the connection broke"),
    ] {
        let sandbox = settled(rita);
        sandbox.plex.fail(delete("/api/v2/sharings"), fault);
        let run = sandbox.run(&["sweep"]);
        run.exits(1).stderr_has(
            "error: removal failed: rita (id 1005) keeps access for now: plex.tv: could not end the share: ",
        );
        run.stderr_has(said);
        assert_eq!(sandbox.writes().iter().filter(|write| write.starts_with("plex DELETE")).count(), tries);
        assert!(sandbox.on_plex(1005) && sandbox.in_tautulli(1005));
        assert!(sandbox.mails_to("rita@example.test").is_empty());
        assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Removal failed: rita"]);
        assert_eq!(titles(&sandbox), ["Removal failed: rita"]);
        let text = sandbox.mails()[0].html();
        assert!(text.contains(said) && text.contains("nothing watched for 33 days"), "{text}");

        sandbox.forget();
        for _ in 0..2 {
            sandbox.advance(minutes(30)).run(&["sweep"]).exits(1);
        }
        assert!(sandbox.mails().is_empty() && sandbox.posts().is_empty());

        sandbox.mend().forget().advance(minutes(30)).run(&["sweep"]).exits(0);
        happened(&sandbox, &ALL);
        is_removed(&sandbox);
        let since = "Monday 23 November 2026, 12:00 UTC; it worked now";
        assert!(sandbox.mails_to(ADMIN)[0].html().contains(since));
        assert!(sandbox.posts()[0].to_string().contains("Failing since"));
        assert!(!sandbox.mails_to("rita@example.test")[0].text().contains("ailing"));
        clean(&sandbox);
    }
}

#[test]
fn one_refusal_does_not_keep_the_others() {
    let sandbox = settled(|sandbox| {
        rita(sandbox);
        sandbox.person(1006, "nick").watched(days_ago(40));
        sandbox.person(1007, "sven").watched(days_ago(40));
    });
    sandbox.plex.fail(delete(END), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    assert_eq!([1005, 1006, 1007].map(|id| sandbox.on_plex(id)), [true, false, false]);
    clean(&sandbox);
}

#[test]
fn an_end_whose_answer_is_lost_is_looked_up_and_is_no_failure() {
    for fault in [Fault::AnswerLost, Fault::HalfBody] {
        let sandbox = settled(rita);
        sandbox.plex.fail(delete("/api/v2/sharings"), fault);
        sandbox.run(&["sweep"]).exits(0).stderr_lacks("error:");
        assert_eq!(sandbox.writes()[0], format!("plex DELETE {END} -> answer lost"));
        assert_eq!(sandbox.writes()[1..], ALL[1..]);
        is_removed(&sandbox);
        clean(&sandbox);
    }
}

#[test]
fn an_end_that_can_neither_be_done_nor_looked_up_is_a_failure_that_the_next_pass_clears_up() {
    let sandbox = settled(rita);
    let list = "/api/v2/shared_servers";
    sandbox.plex.fail(delete("/api/v2/sharings"), Fault::AnswerLost);
    sandbox.plex.fail(crate::support::get(list), Fault::status(500)).after(1);
    sandbox.run(&["sweep"]).exits(1);
    assert!(sandbox.mails_to("rita@example.test").is_empty());
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Removal failed: rita"]);
    sandbox.mend().forget().advance(minutes(30)).run(&["sweep"]).exits(0);
    happened(&sandbox, &ALL[1..]);
    is_removed(&sandbox);
    clean(&sandbox);
}

#[test]
fn nothing_to_end_any_more_counts_as_ended() {
    let sandbox = settled(rita);
    let (fault, gate) = Fault::gate_before();
    sandbox.plex.fail(delete("/api/v2/sharings"), fault);
    let sweep = sandbox.spawn(&["sweep"]);
    gate.wait();
    sandbox.leaves(1005);
    gate.open();
    sweep.wait().exits(0).stderr_lacks("error:");
    assert_eq!(sandbox.writes()[0], format!("plex DELETE {END} -> 404"));
    is_removed(&sandbox);
    clean(&sandbox);
}

#[test]
fn nothing_to_end_while_the_share_is_still_listed_is_a_failure() {
    let sandbox = settled(rita);
    sandbox.plex.fail(delete("/api/v2/sharings"), Fault::status(404));
    sandbox.run(&["sweep"]).exits(1);
    assert!(sandbox.in_tautulli(1005) && sandbox.mails_to("rita@example.test").is_empty());
    assert_eq!(titles(&sandbox), ["Removal failed: rita"]);
    clean(&sandbox);
}

#[test]
fn who_watches_while_plex_refuses_keeps_access_and_the_admin_hears_of_it() {
    let sandbox = settled(rita);
    sandbox.plex.fail(delete("/api/v2/sharings"), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().forget().advance(minutes(60));
    sandbox.watches(1005);
    let run = sandbox.run(&["sweep"]);
    run.exits(0).stderr_has("removal called off: rita (id 1005): they last watched something on 2026-11-23\n");
    happened(
        &sandbox,
        &["mail admin@example.test: [Centauri] Removal called off: rita", "discord: Removal called off: rita"],
    );
    assert!(ids(&sandbox, "removed").is_empty() && sandbox.on_plex(1005));
    sandbox.forget().advance(minutes(30)).run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn who_is_watching_right_now_or_protected_by_now_keeps_access_too() {
    for (saved, why) in [(true, "they are watching right now"), (false, "they are protected now")] {
        let sandbox = settled(rita);
        sandbox.plex.fail(delete("/api/v2/sharings"), Fault::status(500));
        sandbox.run(&["sweep"]).exits(1);
        sandbox.mend().forget().advance(minutes(30));
        match saved {
            true => sandbox.starts_watching(1005),
            false => drop(sandbox.run(&["whitelist", "add", "rita"]).exits(0).clone()),
        }
        sandbox.run(&["sweep"]).exits(0).stderr_has(&format!("removal called off: rita (id 1005): {why}\n"));
        assert!(sandbox.on_plex(1005) && ids(&sandbox, "removed").is_empty());
        assert_eq!(titles(&sandbox), ["Removal called off: rita"]);
        clean(&sandbox);
    }
}

#[test]
fn an_end_that_tautulli_or_the_look_forbids_for_now_stays_intended_and_unsaid() {
    let sandbox = settled(rita);
    sandbox.plex.fail(delete("/api/v2/sharings"), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().forget();
    sandbox.tautulli.fail(cmd("get_history"), Fault::status(500));
    sandbox.advance(minutes(30)).run(&["sweep"]).exits(1);
    nothing_happened(&sandbox);
    assert!(sandbox.on_plex(1005));
    assert_eq!(ids(&sandbox, "removed"), ["1005"]);
    sandbox.mend().advance(minutes(30)).run(&["sweep"]).exits(0);
    assert!(sandbox.mails_to(ADMIN)[0].html().contains("Failing since"));
    is_removed(&sandbox);
    clean(&sandbox);
}

#[test]
fn tautulli_s_step_is_tried_until_it_works_and_the_notices_do_not_wait_for_it() {
    let sandbox = settled(rita);
    sandbox.tautulli.fail(cmd("delete_user"), Fault::status(500));
    let run = sandbox.run(&["sweep"]);
    run.exits(1).stderr_has(
        "error: rita (id 1005) is not deleted from Tautulli yet, and the next sweep tries again: \
         Tautulli: could not delete somebody: it answered 500",
    );
    run.stderr_has("access to Centauri ended; Tautulli is still to do\n");
    assert!(!sandbox.on_plex(1005) && sandbox.in_tautulli(1005));
    assert_eq!(subjects(&sandbox, "rita@example.test"), ["Your access to Centauri has ended"]);
    let text = sandbox.mails_to(ADMIN)[0].html();
    assert!(text.contains("access ended; Tautulli is still to do") && text.contains("it answered 500"), "{text}");

    for _ in 0..2 {
        sandbox.advance(days(1));
        sandbox.watches(1001);
        sandbox.watches(1002);
        sandbox.run(&["sweep"]).exits(1).stderr_has("is not deleted from Tautulli yet");
    }
    let run = sandbox.mend().advance(minutes(30)).run(&["sweep"]);
    assert_eq!(log(run.exits(0))[0], "finished the removal of rita (id 1005): deleted from Tautulli");
    is_removed(&sandbox);
    clean(&sandbox);
}

#[test]
fn a_deletion_whose_answer_is_lost_is_looked_up_and_is_no_failure() {
    let sandbox = settled(rita);
    sandbox.tautulli.fail(cmd("delete_user"), Fault::AnswerLost);
    sandbox.run(&["sweep"]).exits(0).stderr_lacks("error:");
    assert!(sandbox.requests().iter().any(|request| request.param("cmd").as_deref() == Some("get_user")));
    assert_eq!(sandbox.writes().iter().filter(|write| write.starts_with("tautulli")).count(), 1);
    assert!(sandbox.mails_to(ADMIN)[0].text().contains("Tautulli: deleted, history and all"));
    is_removed(&sandbox);
    clean(&sandbox);
}

#[test]
fn a_deletion_that_can_neither_be_confirmed_nor_looked_up_is_tried_again() {
    let sandbox = settled(rita);
    sandbox.tautulli.fail(cmd("delete_user"), Fault::AnswerLost);
    sandbox.tautulli.fail(cmd("get_user"), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().advance(minutes(30)).run(&["sweep"]).exits(0);
    is_removed(&sandbox);
    clean(&sandbox);
}

#[test]
fn an_end_that_plex_confirms_without_effect_is_noticed() {
    let sandbox = settled(rita);
    sandbox.plex.fail(delete("/api/v2/sharings"), Fault::Answer(Response::empty(204)));
    sandbox.tautulli.fail(cmd("delete_user"), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    let run = sandbox.advance(minutes(30)).run(&["sweep"]);
    run.exits(1).stderr_has("Plex confirmed the end of the share of rita (id 1005), and still lists it");
    clean(&sandbox);
}
