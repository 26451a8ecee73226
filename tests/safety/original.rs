//! What the original daemon did to people, when it was run against a real Tautulli.

use std::fs;

use serde_json::json;

use super::{sweep_daily, there};
use crate::story::{ADMIN, clean, happened, ids, minutes, nothing_happened, settled, subjects, titles};
use crate::support::{Fault, Sandbox, cmd, days, days_ago, delete, get, hours_ago};

const SHARES: &str = "/api/v2/shared_servers/owned/accepted";

/// Two who watch daily, and one who has been idle for 33 days.
fn three(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(hours_ago(20));
    sandbox.person(1002, "bob").watched(hours_ago(10));
    sandbox.person(1005, "rita").watched(days_ago(33));
}

#[test]
fn an_active_person_is_not_removed_for_the_idleness_of_a_namesake_who_left() {
    let sandbox = settled(|sandbox| {
        for (id, name, watched) in [(1030, "Max", hours_ago(1)), (1031, "max", days_ago(100))] {
            sandbox.person(id, name).email("").watched(watched);
        }
        sandbox.person(1032, "MAX").email("max@example.test").watched(hours_ago(2));
        sandbox.leaves(1031);
    });
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    assert_eq!(there(&sandbox, [1030, 1032]), [true, true]);
    clean(&sandbox);
}

#[test]
fn of_two_namesakes_the_idle_one_goes_and_nobody_else() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1030, "Max").watched(hours_ago(1));
        sandbox.person(1031, "max").watched(days_ago(100));
    });
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(there(&sandbox, [1030, 1031]), [true, false]);
    assert!(sandbox.in_tautulli(1030) && !sandbox.in_tautulli(1031));
    assert_eq!(sandbox.tautulli.plays(1030), 1);
    clean(&sandbox);
}

#[test]
fn a_newcomer_of_three_hours_is_not_removed_as_179_days_inactive_on_a_fresh_start() {
    for first in ["welcome", "sweep"] {
        let sandbox = crate::sandbox();
        sandbox.live().recording_since(days_ago(179));
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1009, "gwen").joined(hours_ago(3)).never_watched();
        sandbox.person(1010, "nora").accepted_at_null().never_watched();
        sandbox.run(&[first]).exits(0);
        sandbox.run(&["sweep"]).exits(0);
        assert!(sandbox.mails().is_empty(), "{:?}", sandbox.writes());
        sandbox.run(&["welcome"]).exits(0);
        sandbox.forget();
        sweep_daily(&sandbox, 26, |sandbox| sandbox.watches(1001));
        nothing_happened(&sandbox);
        assert_eq!(there(&sandbox, [1001, 1009, 1010]), [true; 3]);
        clean(&sandbox);
    }
}

#[test]
fn three_active_people_are_not_removed_because_get_history_answers_500() {
    // They are at their first film in weeks, which only their own history shows.
    let sandbox = settled(|sandbox| {
        for (id, name) in [(1001, "ada"), (1002, "bob"), (1003, "cleo")] {
            sandbox.person(id, name).watched(days_ago(35)).watching_now();
        }
    });
    for fault in [Fault::status(500), crate::support::Tautulli::crash(), Fault::html(502)] {
        let broken = sandbox.tautulli.fail(cmd("get_history"), fault);
        let run = sandbox.run(&["sweep"]);
        run.exits(1).stderr_has("cleo (id 1003) is left alone for now: ");
        nothing_happened(&sandbox);
        broken.mend();
    }
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    assert_eq!(there(&sandbox, [1001, 1002, 1003]), [true; 3]);
    clean(&sandbox);
}

#[test]
fn one_empty_list_from_plex_wipes_no_record_and_sends_no_welcome_again() {
    let sandbox = settled(three);
    let before = sandbox.state()["welcomed"].clone();
    sandbox.plex.fail(get(SHARES), Fault::json(200, json!([])));
    sandbox.run(&["welcome"]).exits(3);
    sandbox.run(&["sweep"]).exits(3);
    assert_eq!(sandbox.state()["welcomed"], before);
    assert!(ids(&sandbox, "gone").is_empty() && ids(&sandbox, "removed").is_empty());
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Nobody was removed, for safety"]);

    sandbox.mend().forget().advance(minutes(2)).run(&["welcome"]).exits(0).stderr_has("nobody is new");
    nothing_happened(&sandbox);
    assert_eq!(sandbox.state()["welcomed"], before);
    clean(&sandbox);
}

#[test]
fn nobody_is_removed_while_tautulli_is_cut_off_from_plex() {
    let sandbox = settled(three);
    sandbox.disconnected();
    for _ in 0..60 {
        sandbox.advance(days(1));
        (1001..=1002).for_each(|id| sandbox.watches(id));
        sandbox.run(&["sweep"]).exits(3);
    }
    assert_eq!(there(&sandbox, [1001, 1002, 1005]), [true; 3]);
    assert!(sandbox.writes().iter().all(|write| write.contains("for safety")), "{:?}", sandbox.writes());
    assert!(ids(&sandbox, "warned").is_empty() && ids(&sandbox, "removed").is_empty());
    clean(&sandbox);
}

#[test]
fn no_removal_is_announced_that_plex_has_refused() {
    for status in [401, 403, 410, 422, 429, 500, 503] {
        let sandbox = settled(three);
        sandbox.plex.fail(delete("/api"), Fault::status(status));
        sandbox.run(&["sweep"]).exits(1);
        assert!(sandbox.on_plex(1005) && sandbox.in_tautulli(1005), "{status}");
        assert!(sandbox.mails_to("rita@example.test").is_empty(), "{status}");
        assert_eq!(titles(&sandbox).len(), 1);
        assert!(titles(&sandbox).iter().all(|title| !title.starts_with("Removed")), "{:?}", titles(&sandbox));
        assert!(subjects(&sandbox, ADMIN).iter().all(|subject| !subject.contains("Removed")));
        assert_eq!(sandbox.state()["removed"]["1005"]["ok"], false);
        clean(&sandbox);
    }
}

#[test]
fn a_removal_that_took_effect_is_none_that_failed() {
    // Plex did it, and its answer was lost.
    let sandbox = settled(three);
    sandbox.plex.fail(delete("/api"), Fault::AnswerLost);
    sandbox.run(&["sweep"]).exits(0);
    assert!(!sandbox.on_plex(1005) && !sandbox.in_tautulli(1005));
    assert_eq!(titles(&sandbox), ["Removed: rita"]);
    assert_eq!(subjects(&sandbox, "rita@example.test"), ["Your access to Centauri has ended"]);
    clean(&sandbox);
}

#[test]
fn a_removal_of_which_nobody_knows_whether_it_took_effect_is_looked_at_again() {
    // Its answer was lost, and Plex's list can't be read either, until the next pass.
    let sandbox = settled(three);
    sandbox.plex.fail(delete("/api"), Fault::AnswerLost);
    sandbox.plex.fail(get(SHARES), Fault::status(500)).after(1);
    sandbox.run(&["sweep"]).exits(1);
    assert!(!sandbox.on_plex(1005) && sandbox.in_tautulli(1005));
    assert!(sandbox.mails_to("rita@example.test").is_empty());
    assert_eq!(titles(&sandbox).len(), 1);

    sandbox.mend().forget().advance(minutes(30)).run(&["sweep"]).exits(0);
    assert!(!sandbox.in_tautulli(1005));
    happened(
        &sandbox,
        &[
            "tautulli delete_user 1005",
            "mail rita@example.test: Your access to Centauri has ended",
            "mail admin@example.test: [Centauri] Removed: rita",
            "discord: Removed: rita",
        ],
    );
    sandbox.forget().advance(minutes(30)).run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn a_dry_run_mails_nobody_and_posts_nothing() {
    let sandbox = crate::sandbox();
    three(&sandbox);
    sandbox.person(1003, "walt").watched(days_ago(28));
    for _ in 0..3 {
        sandbox.run(&["welcome"]).exits(0);
        sandbox.joins(1020, "newt");
        let run = sandbox.run(&["sweep"]);
        run.exits(0).stderr_has("would remove rita (id 1005)").stderr_has("would warn walt (id 1003)");
        sandbox.advance(minutes(30));
    }
    nothing_happened(&sandbox);
    assert!(!sandbox.state_path().exists());
    assert!(sandbox.mails().is_empty() && sandbox.posts().is_empty() && sandbox.smtp.connections() == 0);
    clean(&sandbox);
}

#[test]
fn a_state_file_cut_short_is_not_read_as_nobody_known() {
    let sandbox = settled(three);
    sandbox.set_env("MAX_REMOVALS", 0);
    let (path, backup) = (sandbox.state_path(), sandbox.state_dir().join("state.json.bak"));
    let good = fs::read(&path).unwrap();
    let end = good.iter().rposition(|byte| *byte == b'}').unwrap();
    for cut in (0..8).map(|eighth| end * eighth / 8).chain([end]) {
        let _ = fs::remove_file(&backup);
        fs::write(&path, &good[..cut]).unwrap();
        for pass in ["welcome", "sweep"] {
            sandbox.run(&[pass]).exits(2).stderr_has("Nobody was welcomed, warned or removed");
        }
        nothing_happened(&sandbox);
        fs::write(&backup, &good).unwrap();
        sandbox.run(&["welcome"]).exits(0).stderr_has("nobody is new");
        assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1002", "1005"]);
        nothing_happened(&sandbox);
    }
    assert_eq!(there(&sandbox, [1001, 1002, 1005]), [true; 3]);
    clean(&sandbox);
}
