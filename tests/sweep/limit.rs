//! More than `MAX_REMOVALS` due at once: nobody is removed.

use serde_json::json;

use crate::story::{ADMIN, happened, have_access, ids, logged, minutes, settled, sweep_after, titles};
use crate::support::{Ago, Fault, Sandbox, cmd, days, days_ago, hours};

const DUE: [u64; 3] = [1005, 1006, 1007];

/// Three people to remove and one to warn, with room for two.
fn three_due(sandbox: &Sandbox) {
    sandbox.set_env("MAX_REMOVALS", 2);
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1003, "walt").watched(days_ago(27));
    for (id, name) in DUE.into_iter().zip(["rita", "nick", "olga"]) {
        sandbox.person(id, name).watched(days_ago(40));
    }
}

const HELD_BACK: &str = "error: held back: 3 people are due to be removed, and MAX_REMOVALS is 2. Look at `plex-prune status`; \
                         if it is right, go ahead with `plex-prune sweep --max-removals 3`";

#[test]
fn too_many_removals_at_once_are_refused_once_a_day_in_a_mail_and_warnings_still_go() {
    let sandbox = settled(three_due);
    sandbox.run(&["sweep"]).exits(3).stderr_has(&format!("{HELD_BACK}\n"));
    happened(
        &sandbox,
        &[
            "mail admin@example.test: [Centauri] Nobody was removed, for safety",
            "discord: Nobody was removed, for safety",
            "mail walt@example.test: Centauri: 3 days left to watch something",
            "mail admin@example.test: [Centauri] Warned: walt",
            "discord: Warned: walt",
        ],
    );
    let html = sandbox.mails_to(ADMIN)[0].html();
    assert!(html.contains("go ahead with `plex-prune sweep --max-removals 3`"), "{html}");
    for (by, times) in [(days(1) - minutes(1), 1), (minutes(1), 2)] {
        sweep_after(&sandbox, by, &[]).exits(3);
        assert_eq!(titles(&sandbox).iter().filter(|title| title.ends_with("for safety")).count(), times);
        assert_eq!(sandbox.mails_to(ADMIN).len(), 1 + times);
    }
    assert!(ids(&sandbox, "removed").is_empty());
}

#[test]
fn the_option_lets_one_pass_go_ahead_and_the_next_has_the_old_limit_again() {
    let sandbox = settled(three_due);
    sandbox.run(&["sweep", "--max-removals", "2"]).exits(3);
    assert_eq!(have_access(&sandbox, DUE), [true; 3]);
    sandbox.run(&["sweep", "--max-removals", "3"]).exits(0);
    assert_eq!(have_access(&sandbox, DUE), [false; 3]);
    for id in 1015..=1017 {
        sandbox.person(id, &format!("guest{id}")).watched(days_ago(40));
    }
    sandbox.run(&["sweep"]).exits(3);
    assert_eq!(have_access(&sandbox, [1001, 1003, 1015, 1016, 1017]), [true; 5]);
}

#[test]
fn as_many_as_are_allowed_are_removed_and_ten_are_unless_said_otherwise() {
    for (limit, due, is_refused) in [(None, 10, false), (None, 11, true), (Some(3), 3, false), (Some(0), 1, true)] {
        let sandbox = settled(|sandbox| {
            for id in 1..=due {
                sandbox.person(1000 + id, &format!("guest{id}")).watched(days_ago(40));
            }
        });
        if let Some(limit) = limit {
            sandbox.set_env("MAX_REMOVALS", limit);
        }
        let run = sandbox.run(&["sweep"]);
        run.exits(if is_refused { 3 } else { 0 });
        let said = format!(" due to be removed, and MAX_REMOVALS is {}.", limit.unwrap_or(10));
        assert_eq!(run.stderr.contains(&said), is_refused, "{run}");
        assert!((1..=due).all(|id| sandbox.on_plex(1000 + id) == is_refused), "{limit:?}: {run}");
    }
}

#[test]
fn somebody_who_turns_out_to_watch_counts_as_due_for_the_limit() {
    // Three look due, one of whom is at a film: the table is not to be trusted, and nobody goes.
    let sandbox = settled(three_due);
    sandbox.known(1007).watching_now();
    // Only their history tells; Tautulli's activity would have shown it before.
    let nothing = json!({"response": {"result": "success", "message": null, "data": {}}});
    sandbox.tautulli.fail(cmd("get_activity"), Fault::json(200, nothing));
    sandbox.run(&["sweep"]).exits(3);
    assert_eq!(have_access(&sandbox, DUE), [true; 3]);
}

#[test]
fn the_limit_shows_in_a_dry_run_as_well() {
    let sandbox = settled(three_due);
    logged(
        sandbox.run(&["sweep", "--dry-run"]).exits(3),
        &[
            HELD_BACK,
            "would warn walt (id 1003): nothing watched for 27 days; access ends 2026-11-26 12:00 UTC",
            "dry sweep of 5 people on Centauri: held back, 1 would be warned, 0 would be removed",
        ],
    );
    assert!(sandbox.writes().is_empty());
}

#[test]
fn a_warning_that_turns_into_a_removal_at_the_last_look_waits_for_the_next_sweep() {
    // The table knows of no play, so walt counts from the end of the first recorded day: 29 days ago. His history has
    // one of that very day, 30 days ago.
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1003, "walt").never_watched();
    });
    sandbox.set_env("MAX_REMOVALS", 0).recording_since(Ago(days(30) + hours(11)));
    let played = (sandbox.now() - days(30) - hours(10)).unix_timestamp();
    let row = json!({"user_id": 1003, "date": played, "state": null});
    let data = json!({"recordsFiltered": 1, "recordsTotal": 9, "data": [row]});
    let history = json!({"response": {"result": "success", "message": null, "data": data}});
    sandbox.tautulli.fail(cmd("get_history").with("user_id", 1003), Fault::json(200, history));
    sandbox.run(&["sweep"]).exits(0).stderr_has("0 warned, 0 removed");
    assert_eq!(have_access(&sandbox, [1001, 1003]), [true; 2]);
}
