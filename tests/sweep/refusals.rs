//! When the evidence doesn't add up, nobody is touched.

use super::household;
use crate::story::{
    ADMIN, happened, have_access, ids, logged, minutes, nothing_happened, plex_lists, settled, share, subjects,
    sweep_after, titles, waiting,
};
use crate::support::{Fault, Mail, Rule, Sandbox, any, cmd, days, days_ago, get, hours};
use serde_json::json;

const TOLD: [&str; 2] =
    ["mail admin@example.test: [Centauri] Nobody was removed, for safety", "discord: Nobody was removed, for safety"];

type Break = fn(&Sandbox);

const REFUSALS: [(Break, &str); 4] = [
    (
        |sandbox| {
            sandbox.disconnected();
        },
        "Tautulli is not connected to Plex, so it doesn't record what people watch. \
         Check Plex, and Tautulli's Settings, Plex Media Server",
    ),
    (
        |sandbox| {
            sandbox.other_server();
        },
        "Tautulli watches another Plex server than Centauri, so it says nothing about the people there. \
         Check TAUTULLI_URL and PLEX_SERVER_NAME",
    ),
    (
        |sandbox| sandbox.tautulli.database_broken(true),
        "Tautulli's table of users is empty, which points to an error in its database. Look at Tautulli's own log",
    ),
    (
        |sandbox| drop(plex_lists(sandbox, json!([]))),
        "Plex lists nobody, and 16 people had access before. plex.tv is likely ill. \
         If you did end all shares, there is nothing left to do here: stop the schedule",
    ),
];

#[test]
fn each_refusal_touches_nobody_and_says_why() {
    for (break_it, why) in REFUSALS {
        let sandbox = settled(household);
        break_it(&sandbox);
        sandbox.run(&["sweep"]).exits(3).stdout("").stderr_has(&format!("error: held back: {why}\n"));
        sandbox.run(&["sweep", "--max-removals", "100"]).exits(3);
        happened(&sandbox, &TOLD);
        let html = sandbox.mails()[0].html().replace("&#39;", "'");
        assert!(html.contains(why), "{html}");
        assert!(ids(&sandbox, "warned").is_empty() && ids(&sandbox, "removed").is_empty());
        assert!(sandbox.requests().iter().all(|request| request.param("cmd").as_deref() != Some("get_history")));
    }
}

#[test]
fn each_kind_of_refusal_is_told_once_a_day_until_the_evidence_adds_up_again() {
    let sandbox = settled(household);
    let told = |times: usize| happened(&sandbox, &TOLD.repeat(times));
    sandbox.disconnected();
    for (by, times) in [(minutes(0), 1), (days(1) - minutes(1), 1), (minutes(1), 2)] {
        sweep_after(&sandbox, by, &[]).exits(3);
        told(times);
    }
    sandbox.tautulli.connected(true);
    sweep_after(sandbox.other_server(), minutes(1), &[]).exits(3);
    told(3);
    sandbox.tautulli.watches_server("Centauri", crate::support::CENTAURI);
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(have_access(&sandbox, [1005, 1006]), [false, false]);
}

#[test]
fn a_new_tautulli_s_table_is_not_empty_and_is_no_reason_to_refuse() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1010, "tess").unknown_to_tautulli();
    });
    sandbox.tautulli.empty_record();
    let said = "sweep of 1 person on Centauri: nobody is due, 1 can't be judged";
    logged(sandbox.run(&["sweep"]).exits(0), &[said]);
}

const WATCHING: [u64; 9] = [1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009];

/// Nine who watch, and rita, who has been idle for 33 days.
fn ten(sandbox: &Sandbox) {
    for id in WATCHING {
        sandbox.person(id, &format!("guest{id}")).watched(days_ago(1));
    }
    sandbox.person(1010, "rita").watched(days_ago(33));
}

/// plex.tv lists three of the ten only, rita among them.
fn three_of_ten(sandbox: &Sandbox) -> Rule {
    let listed = [(1008, "guest1008"), (1009, "guest1009"), (1010, "rita")];
    plex_lists(sandbox, listed.map(|(id, name)| share(sandbox, id, name)).to_vec())
}

#[test]
fn a_list_that_lacks_most_people_is_believed_after_24_hours_and_not_a_minute_earlier() {
    let sandbox = settled(ten);
    three_of_ten(&sandbox);
    for (by, passes) in [(minutes(0), ["sweep", "welcome"]), (days(1) - minutes(1), ["welcome", "sweep"])] {
        sandbox.advance(by);
        for pass in passes {
            let why = "held back: Plex lists only 3 of the 10 people who had access before";
            sandbox.run(&[pass]).exits(3).stderr_has(why);
        }
        assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Nobody was removed, for safety"]);
        assert_eq!(titles(&sandbox), ["Nobody was removed, for safety"]);
        assert!(ids(&sandbox, "gone").is_empty() && ids(&sandbox, "removed").is_empty() && sandbox.on_plex(1010));
    }
    sandbox.advance(minutes(1)).run(&["welcome"]).exits(0).stderr_has("7 left");
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(ids(&sandbox, "removed"), ["1010"]);
}

#[test]
fn two_short_outages_are_not_one_long_one_and_change_nothing_on_record() {
    // Whichever passes run: the 24 hours begin anew with the second outage.
    for passes in [&["sweep"][..], &["welcome"], &["welcome", "sweep"]] {
        let sandbox = settled(ten);
        sandbox.run(&["whitelist", "add", "rita"]).exits(0);
        let all = |by, exit| {
            sandbox.advance(by);
            for pass in passes {
                sandbox.run(&[pass]).exits(exit);
            }
        };
        let outage = three_of_ten(&sandbox);
        all(minutes(0), 3);
        outage.mend();
        all(hours(1), 0);
        sandbox.advance(days(3));
        WATCHING.iter().for_each(|id| sandbox.watches(*id));
        all(minutes(0), 0);
        three_of_ten(&sandbox);
        all(minutes(0), 3);
        all(hours(23), 3);
        assert!(ids(&sandbox, "gone").is_empty(), "{passes:?}");
    }
}

#[test]
fn an_empty_list_is_never_believed_and_nobody_is_welcomed_again_after_it() {
    let sandbox = settled(ten);
    let before = sandbox.state()["welcomed"].clone();
    let outage = plex_lists(&sandbox, json!([]));
    for by in [days(0), days(1), days(3)] {
        sandbox.advance(by);
        for pass in ["sweep", "welcome"] {
            let why = "error: held back: Plex lists nobody, and 10 people had access before.";
            sandbox.run(&[pass]).exits(3).stderr_has(why);
        }
    }
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Nobody was removed, for safety"; 3]);
    assert_eq!(titles(&sandbox).len(), 3);
    assert_eq!((&sandbox.state()["welcomed"], ids(&sandbox, "gone").len()), (&before, 0));
    outage.mend();
    sandbox.forget().run(&["welcome"]).exits(0).stderr_has("welcome for 10 people on Centauri: nobody is new\n");
    nothing_happened(&sandbox);
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(ids(&sandbox, "removed"), ["1010"]);
}

#[test]
fn an_answer_that_is_missing_is_a_failure_and_nobody_is_touched() {
    let sandbox = settled(household);
    let fails = |rule: &Rule, why: &str| {
        sandbox.run(&["sweep"]).exits(1).stderr_has(&format!("error: {why}"));
        rule.mend();
        nothing_happened(&sandbox);
    };
    let (plex, tautulli) = (&sandbox.plex, &sandbox.tautulli);
    fails(&plex.fail(any(), Fault::status(503)), "plex.tv: could not find the server: it answered 503");
    fails(
        &plex.fail(get("/api/v2/home/users"), Fault::status(503)),
        "plex.tv: could not read the Plex Home: it answered 503",
    );
    fails(&tautulli.fail(any(), Fault::html(502)), "Tautulli: could not read the table of users: it answered 502");
    for (command, reading) in [
        ("get_users_table", "read the table of users"),
        ("server_status", "read whether it is connected to Plex"),
        ("get_server_info", "read which server it watches"),
        ("get_plays_by_date", "read since when it has been recording"),
    ] {
        let why = format!("Tautulli: could not {reading}: ");
        let no_data = json!({"response": {"result": "success", "data": {}}});
        fails(&tautulli.fail(cmd(command), Fault::status(500)), &format!("{why}it answered 500"));
        fails(&tautulli.fail(cmd(command), Fault::json(200, no_data)), &format!("{why}its answer can't be understood"));
    }
    tautulli.api_enabled(false);
    sandbox.run(&["sweep"]).exits(1).stderr_has("error: Tautulli: could not ").stderr_has(": it answered 404");
    nothing_happened(&sandbox);
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
        sandbox.unset_env("PLEX_PRUNE_TEST_DIE_AT");
        sweep_after(&sandbox, minutes(30), &[]).exits(3);
        let mut message_ids: Vec<String> = sandbox.mails().iter().map(Mail::message_id).collect();
        message_ids.dedup();
        assert_eq!(message_ids.len(), 1, "killed at {point}");
        // What was in flight may have come twice.
        assert!(sandbox.writes().len() <= 3, "killed at {point}: {:?}", sandbox.writes());
        sweep_after(sandbox.forget(), minutes(30), &[]).exits(3);
        nothing_happened(&sandbox);
    }
    panic!("it is killed for ever");
}
