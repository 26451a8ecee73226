//! Right before each warning and each removal, the person's newest play is asked for once more.

use crate::story::{clean, happened, log, nothing_happened, seconds, settled, subjects};
use crate::support::{Fault, Sandbox, cmd, days_ago};
use serde_json::json;

fn walt_and_rita(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1003, "walt").watched(days_ago(28));
    sandbox.person(1005, "rita").watched(days_ago(33));
}

#[test]
fn who_is_watching_now_for_the_first_time_in_weeks_is_left_in_peace() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1003, "walt").watched(days_ago(28)).watching_now();
        sandbox.person(1005, "rita").watched(days_ago(33)).watching_now();
        sandbox.person(1006, "nick").never_watched().watching_now();
    });
    let run = sandbox.run(&["sweep"]);
    assert_eq!(log(run.exits(0)), ["sweep of 3 people on Centauri: nobody is due"]);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn a_play_between_the_table_and_the_look_saves() {
    for id in [1003, 1005] {
        let sandbox = settled(|sandbox| {
            let days = if id == 1003 { 28 } else { 33 };
            sandbox.person(id, "somebody").watched(days_ago(days));
        });
        let (fault, gate) = Fault::gate_before();
        sandbox.tautulli.fail(cmd("get_history").with("user_id", id), fault);
        let sweep = sandbox.spawn(&["sweep"]);
        gate.wait();
        sandbox.watches(id);
        gate.open();
        sweep.wait().exits(0);
        nothing_happened(&sandbox);
        assert!(sandbox.on_plex(id));
        clean(&sandbox);
    }
}

#[test]
fn somebody_about_whom_the_look_fails_stays_and_the_others_are_handled() {
    let faults: [fn() -> Fault; 6] = [
        || Fault::status(500),
        || Fault::html(502),
        || Fault::AnswerLost,
        || Fault::HalfBody,
        || Fault::json(200, json!({"response": {"result": "error", "message": "locked", "data": {}}})),
        || Fault::json(200, json!({"response": {"result": "success", "message": null, "data": {}}})),
    ];
    for fault in faults {
        let sandbox = settled(walt_and_rita);
        sandbox.person(1006, "nick").watched(days_ago(40));
        sandbox.tautulli.fail(cmd("get_history").with("user_id", 1005), fault());
        let run = sandbox.run(&["sweep"]);
        run.exits(1).stderr_has(
            "error: rita (id 1005) is left alone for now: Tautulli: could not read somebody's newest play: ",
        );
        assert_eq!([1003, 1005, 1006].map(|id| sandbox.on_plex(id)), [true, true, false]);
        assert_eq!(subjects(&sandbox, "walt@example.test").len(), 1);
        assert!(sandbox.mails_to("rita@example.test").is_empty());

        sandbox.mend().advance(seconds(1800)).run(&["sweep"]).exits(0);
        assert!(!sandbox.on_plex(1005));
        clean(&sandbox);
    }
}

#[test]
fn a_database_error_that_looks_like_success_is_no_absence() {
    let nothing = json!({"recordsFiltered": 0, "recordsTotal": 0, "draw": 0, "data": [], "filter_duration": "0"});
    let empty = json!({"recordsFiltered": 0, "recordsTotal": 900, "draw": 1, "data": [], "filter_duration": "0"});
    for data in [nothing, empty] {
        let sandbox = settled(walt_and_rita);
        let answer = json!({"response": {"result": "success", "message": null, "data": data}});
        sandbox.tautulli.fail(cmd("get_history"), Fault::json(200, answer));
        let run = sandbox.run(&["sweep"]);
        run.exits(1).stderr_has("rita (id 1005) is left alone").stderr_has("walt (id 1003) is left alone");
        nothing_happened(&sandbox);
        assert!(sandbox.on_plex(1005));
        clean(&sandbox);
    }
}

#[test]
fn a_history_of_somebody_else_is_no_answer() {
    let sandbox = settled(walt_and_rita);
    let row = json!({"user_id": 1001, "date": sandbox.clock.before(days_ago(50)), "state": null});
    let data = json!({"recordsFiltered": 9, "recordsTotal": 9, "draw": 1, "data": [row]});
    let answer = json!({"response": {"result": "success", "message": null, "data": data}});
    sandbox.tautulli.fail(cmd("get_history"), Fault::json(200, answer));
    sandbox.run(&["sweep"]).exits(1);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn each_removal_comes_right_after_its_own_look() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1005, "rita").watched(days_ago(33));
        sandbox.person(1006, "nick").watched(days_ago(40));
    });
    sandbox.run(&["sweep"]).exits(0);
    let steps: Vec<String> = sandbox
        .requests()
        .iter()
        .filter_map(|request| match request.param("cmd").as_deref() {
            Some("get_history") => Some(format!("look {}", request.param("user_id")?)),
            None if request.method == "DELETE" => Some(format!("end {}", request.path.rsplit('/').next()?)),
            _ => None,
        })
        .collect();
    assert_eq!(steps, ["look 1006", "end 1006", "look 1005", "end 1005"]);
    clean(&sandbox);
}

#[test]
fn a_passing_trouble_with_the_look_costs_nothing() {
    let sandbox = settled(walt_and_rita);
    sandbox.tautulli.fail(cmd("get_history"), Fault::status(503)).times(2);
    sandbox.run(&["sweep"]).exits(0);
    happened(
        &sandbox,
        &[
            "plex DELETE /api/v2/sharings/1005",
            "tautulli delete_user 1005",
            "mail rita@example.test: Your access to Centauri has ended",
            "mail admin@example.test: [Centauri] Removed: rita",
            "discord: Removed: rita",
            "mail walt@example.test: Centauri: 2 days left to watch something",
            "mail admin@example.test: [Centauri] Warned: walt",
            "discord: Warned: walt",
        ],
    );
    clean(&sandbox);
}
