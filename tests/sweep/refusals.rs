//! When the evidence doesn't add up, nobody is touched.

use super::household;
use crate::story::{
    ADMIN, clean, happened, ids, logged, minutes, nothing_happened, settled, subjects, titles, waiting,
};
use crate::support::{Fault, Mail, Sandbox, any, cmd, days, days_ago, get};
use serde_json::json;

const TOLD: [&str; 2] =
    ["mail admin@example.test: [Centauri] Nobody was removed, for safety", "discord: Nobody was removed, for safety"];

type Break = fn(&Sandbox);

const REFUSALS: [(Break, &str); 4] = [
    (
        |sandbox| {
            sandbox.disconnected();
        },
        "error: held back: Tautulli is not connected to Plex, so it doesn't record what people watch. \
         Check Plex, and Tautulli's Settings, Plex Media Server",
    ),
    (
        |sandbox| {
            sandbox.other_server();
        },
        "error: held back: Tautulli watches another Plex server than Centauri, so it says nothing about the people there. \
         Check TAUTULLI_URL and PLEX_SERVER_NAME",
    ),
    (
        |sandbox| sandbox.tautulli.database_broken(true),
        "error: held back: Tautulli's table of users is empty, which points to an error in its database. \
         Look at Tautulli's own log",
    ),
    (
        |sandbox| {
            sandbox.plex.fail(get("/api/v2/shared_servers"), Fault::json(200, json!([])));
        },
        "error: held back: Plex lists nobody, and 16 people had access before. plex.tv is likely ill. \
         If you did end all shares, there is nothing left to do here: stop the schedule",
    ),
];

#[test]
fn each_refusal_touches_nobody_says_why_and_tells_the_admin_once_a_day() {
    for (breaks, why) in REFUSALS {
        let sandbox = settled(household);
        breaks(&sandbox);
        let run = sandbox.run(&["sweep"]);
        run.exits(3).stdout("").stderr_has(&format!("{why}\n"));
        happened(&sandbox, &TOLD);
        let reason = why.strip_prefix("error: held back: ").unwrap();
        assert!(sandbox.mails()[0].html().replace("&#39;", "'").contains(reason), "{}", sandbox.mails()[0].html());
        assert!(ids(&sandbox, "warned").is_empty() && ids(&sandbox, "removed").is_empty());

        sandbox.advance(minutes(30)).run(&["sweep"]).exits(3);
        sandbox.advance(days(1) - minutes(31)).run(&["sweep"]).exits(3);
        happened(&sandbox, &TOLD);
        sandbox.advance(minutes(1)).run(&["sweep"]).exits(3);
        happened(&sandbox, &[TOLD, TOLD].concat());
        clean(&sandbox);
    }
}

#[test]
fn nobody_is_asked_about_where_the_evidence_does_not_add_up() {
    for (breaks, _) in REFUSALS {
        let sandbox = settled(household);
        breaks(&sandbox);
        sandbox.run(&["sweep"]).exits(3);
        assert!(sandbox.requests().iter().all(|request| request.param("cmd").as_deref() != Some("get_history")));
        clean(&sandbox);
    }
}

#[test]
fn once_the_evidence_adds_up_again_the_sweep_goes_on() {
    let sandbox = settled(household);
    sandbox.tautulli.database_broken(true);
    sandbox.run(&["sweep"]).exits(3);
    sandbox.tautulli.database_broken(false);
    sandbox.forget().advance(minutes(30)).run(&["sweep"]).exits(0);
    assert!(!sandbox.on_plex(1005) && !sandbox.on_plex(1006));
    clean(&sandbox);
}

#[test]
fn two_kinds_of_refusal_are_told_one_by_one() {
    let sandbox = settled(household);
    sandbox.disconnected().run(&["sweep"]).exits(3);
    sandbox.tautulli.connected(true);
    sandbox.other_server().advance(minutes(30)).run(&["sweep"]).exits(3);
    happened(&sandbox, &[TOLD, TOLD].concat());
    clean(&sandbox);
}

#[test]
fn a_tautulli_that_is_new_has_a_row_and_is_no_reason_to_refuse() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1010, "tess").unknown_to_tautulli();
    });
    sandbox.tautulli.empty_record();
    let said = "sweep of 1 person on Centauri: nobody is due, 1 can't be judged";
    logged(sandbox.run(&["sweep"]).exits(0), &[said]);
    clean(&sandbox);
}

#[test]
fn most_people_missing_from_plex_s_list_is_believed_only_after_a_day() {
    let sandbox = settled(|sandbox| {
        for id in 1..=9 {
            sandbox.person(1000 + id, &format!("guest{id}")).watched(days_ago(1));
        }
        sandbox.person(1010, "rita").watched(days_ago(33));
    });
    (1..=6).for_each(|id| sandbox.leaves(1000 + id));
    let refused = || {
        for pass in ["welcome", "sweep"] {
            sandbox
                .run(&[pass])
                .exits(3)
                .stderr_has("held back: Plex lists only 4 of the 10 people who had access before");
        }
    };
    refused();
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Nobody was removed, for safety"]);
    assert_eq!(titles(&sandbox).len(), 1);
    sandbox.advance(days(1) - minutes(1));
    refused();
    assert!(sandbox.on_plex(1010) && ids(&sandbox, "gone").is_empty());
    sandbox.advance(minutes(1)).run(&["welcome"]).exits(0).stderr_has("6 left");
    sandbox.run(&["sweep"]).exits(0);
    assert!(!sandbox.on_plex(1010));
    clean(&sandbox);
}

#[test]
fn a_service_that_can_not_be_reached_is_a_failure_and_nobody_is_touched() {
    type Down = fn(&Sandbox);
    let downs: [(Down, (&str, &str)); 5] = [
        (|sandbox| sandbox.tautulli.stop(), ("error: Tautulli: could not ", ": no connection")),
        (|sandbox| sandbox.plex.stop(), ("error: plex.tv: could not ", ": no connection")),
        (
            |sandbox| drop(sandbox.tautulli.fail(any(), Fault::html(502))),
            ("error: Tautulli: could not ", ": it answered 502"),
        ),
        (
            |sandbox| drop(sandbox.plex.fail(any(), Fault::status(503))),
            ("error: plex.tv: could not ", ": it answered 503"),
        ),
        (|sandbox| sandbox.tautulli.api_enabled(false), ("error: Tautulli: could not ", ": it answered 404")),
    ];
    for (down, (who, why)) in downs {
        let sandbox = settled(household);
        down(&sandbox);
        sandbox.run(&["sweep"]).exits(1).stderr_has(who).stderr_has(why);
        nothing_happened(&sandbox);
        clean(&sandbox);
    }
}

#[test]
fn any_of_the_answers_that_the_evidence_rests_on_may_be_the_one_that_fails() {
    for command in ["get_users_table", "server_status", "get_server_info"] {
        for fault in [Fault::status(500), Fault::json(200, json!({"response": {"result": "success", "data": {}}}))] {
            let sandbox = settled(household);
            sandbox.tautulli.fail(cmd(command), fault);
            sandbox.run(&["sweep"]).exits(1);
            nothing_happened(&sandbox);
            clean(&sandbox);
        }
    }
}

#[test]
fn what_waits_for_the_admin_is_sent_even_if_tautulli_or_plex_is_down() {
    for pass in ["sweep", "welcome"] {
        let sandbox = settled(household);
        sandbox.smtp.busy();
        sandbox.run(&["sweep"]).exits(1);
        assert_eq!(waiting(&sandbox).len(), 6);
        sandbox.mend().forget().advance(minutes(30));
        match pass {
            "sweep" => sandbox.tautulli.stop(),
            _ => sandbox.plex.stop(),
        }
        sandbox.run(&[pass]).exits(1);
        happened(
            &sandbox,
            &[
                "mail admin@example.test: [Centauri] Removed: nick",
                "mail admin@example.test: [Centauri] Removed: rita",
                "mail admin@example.test: [Centauri] Warned: walt",
            ],
        );
        assert_eq!(waiting(&sandbox).len(), 3);
        clean(&sandbox);
    }
}

#[test]
fn a_refusal_that_is_killed_anywhere_is_told_once_a_day_all_the_same() {
    for point in 1..100 {
        let sandbox = settled(household);
        sandbox.disconnected().set_env("PLEX_PRUNE_TEST_DIE_AT", point);
        if sandbox.run(&["sweep"]).status == 3 {
            assert!(point > 5, "only {point} points");
            return;
        }
        sandbox.unset_env("PLEX_PRUNE_TEST_DIE_AT").advance(minutes(30)).run(&["sweep"]).exits(3);
        let mut message_ids: Vec<String> = sandbox.mails().iter().map(Mail::message_id).collect();
        message_ids.dedup();
        assert_eq!(message_ids.len(), 1, "killed at {point}");
        // What was in flight may have come twice.
        assert!(sandbox.writes().len() <= 3, "killed at {point}: {:?}", sandbox.writes());
        sandbox.forget().advance(minutes(30)).run(&["sweep"]).exits(3);
        nothing_happened(&sandbox);
        clean(&sandbox);
    }
    panic!("it is killed for ever");
}
