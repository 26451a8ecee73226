//! Right before each warning and each removal, the person's newest play is asked for once more.

use crate::story::{have_access, log, minutes, nothing_happened, settled, subjects, sweep_after};
use crate::support::{Fault, Rule, Sandbox, Tautulli, cmd, days_ago};
use serde_json::{Value, json};

fn walt_and_rita(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1003, "walt").watched(days_ago(28));
    sandbox.person(1005, "rita").watched(days_ago(33));
}

#[test]
fn people_who_are_watching_now_for_the_first_time_in_weeks_are_skipped() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1003, "walt").watched(days_ago(28)).watching_now();
        sandbox.person(1005, "rita").watched(days_ago(33)).watching_now();
        sandbox.person(1006, "nick").never_watched().watching_now();
    });
    let run = sandbox.run(&["sweep"]);
    assert_eq!(log(run.exits(0)), ["sweep of 3 people on Centauri: nobody is due"]);
    nothing_happened(&sandbox);
}

#[test]
fn a_play_between_the_table_and_the_last_look_counts() {
    let sandbox = settled(walt_and_rita);
    let gates = [1005, 1003].map(|id| {
        let (fault, gate) = Fault::gate_before();
        sandbox.tautulli.fail(cmd("get_history").with("user_id", id), fault);
        (id, gate)
    });
    let sweep = sandbox.spawn(&["sweep"]);
    for (id, gate) in gates {
        gate.wait();
        sandbox.watches(id);
        gate.open();
    }
    sweep.wait().exits(0);
    nothing_happened(&sandbox);
    assert!(sandbox.on_plex(1005));
}

#[test]
fn somebody_whose_last_look_fails_is_skipped_and_the_others_are_handled() {
    let sandbox = settled(walt_and_rita);
    sandbox.person(1006, "nick").watched(days_ago(40));
    let faults = [
        Fault::status(500),
        Tautulli::crash(),
        Fault::html(502),
        Fault::AnswerLost,
        Fault::HalfBody,
        Fault::json(200, json!({"response": {"result": "error", "message": "locked", "data": {}}})),
        Fault::json(200, json!({"response": {"result": "success", "message": null, "data": {}}})),
    ];
    for fault in faults {
        let what = format!("{fault:?}");
        let rule = sandbox.tautulli.fail(cmd("get_history").with("user_id", 1005), fault);
        let run = sandbox.run(&["sweep"]);
        run.exits(1).stderr_has(
            "error: rita (id 1005) is left alone for now: Tautulli: could not read somebody's newest play: ",
        );
        rule.mend();
        assert_eq!(have_access(&sandbox, [1003, 1005, 1006]), [true, true, false], "{what}");
        assert_eq!(subjects(&sandbox, "walt@example.test").len(), 1, "{what}");
        assert!(sandbox.mails_to("rita@example.test").is_empty(), "{what}");
    }
    sweep_after(&sandbox, minutes(30), &[]).exits(0);
    assert!(!sandbox.on_plex(1005));
}

/// Tautulli answers this to every question for somebody's plays.
fn history(sandbox: &Sandbox, data: &Value) -> Rule {
    let answer = json!({"response": {"result": "success", "message": null, "data": data}});
    sandbox.tautulli.fail(cmd("get_history"), Fault::json(200, answer))
}

#[test]
fn an_empty_history_and_one_of_somebody_else_are_no_proof_of_idleness() {
    let sandbox = settled(walt_and_rita);
    let somebody_else = json!({"user_id": 1001, "date": sandbox.clock.before(days_ago(50)), "state": null});
    for data in [
        // What a database error looks like.
        json!({"recordsFiltered": 0, "recordsTotal": 0, "draw": 0, "data": [], "filter_duration": "0"}),
        json!({"recordsFiltered": 0, "recordsTotal": 900, "draw": 1, "data": [], "filter_duration": "0"}),
        json!({"recordsFiltered": 9, "recordsTotal": 9, "draw": 1, "data": [somebody_else]}),
    ] {
        let rule = history(&sandbox, &data);
        let run = sandbox.run(&["sweep"]);
        run.exits(1).stderr_has("rita (id 1005) is left alone").stderr_has("walt (id 1003) is left alone");
        rule.mend();
        nothing_happened(&sandbox);
        assert!(sandbox.on_plex(1005), "{data}");
    }
}

#[test]
fn two_failures_of_the_last_look_in_a_row_are_retried() {
    let sandbox = settled(walt_and_rita);
    sandbox.tautulli.fail(cmd("get_history"), Fault::status(503)).times(2);
    sandbox.run(&["sweep"]).exits(0).stderr_has("1 warned, 1 removed, 6 notices sent\n");
    assert_eq!(have_access(&sandbox, [1001, 1003, 1005]), [true, true, false]);
}
