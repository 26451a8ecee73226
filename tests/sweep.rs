//! `sweep`: who is warned, who is removed, and who is not.

mod dry_run;
mod last_look;
mod limit;
mod protection;
mod refusals;
mod remarks;
mod revocation;
mod warn_first;

use crate::story::{
    happened, have_access, ids, log, logged, nothing_happened, seconds, settled, subjects, sweep_after, waiting,
};
use crate::support::{Sandbox, days, days_ago, hours, hours_ago, minutes_ago};

const WARNING: &str = "Centauri: 3 days left to watch something";
const REMOVAL: &str = "Your access to Centauri has ended";

/// Somebody in every situation.
fn household(sandbox: &Sandbox) {
    sandbox.set_env("VIP_NAMES", "mom").second_server();
    sandbox.person(1001, "ada").watched(days_ago(2));
    sandbox.person(1002, "bert").watched(days_ago(40)).watching_now();
    sandbox.person(1003, "walt").watched(days_ago(28));
    sandbox.person(1004, "dora").watched(days_ago(26)).watched(days_ago(80));
    sandbox.person(1005, "rita").watched(days_ago(33)).watched(days_ago(90));
    sandbox.person(1006, "nick").joined(days_ago(45)).never_watched();
    sandbox.person(1007, "mom").watched(days_ago(90));
    sandbox.person(1008, "hugo").home_user().watched(days_ago(90));
    sandbox.person(1009, "gwen").joined(hours_ago(5)).never_watched();
    sandbox.person(1010, "tess").joined(hours_ago(30)).unknown_to_tautulli();
    sandbox.person(1011, "zoe").watched(days_ago(70)).no_history_kept();
    sandbox.person(1012, "hida").hidden_in_tautulli();
    sandbox.person(1013, "adminsecond").email("admin@example.test").watched(days_ago(200));
    sandbox.person(1014, "bella").joined(days_ago(3)).watched(days_ago(150));
    sandbox.person(1015, "early").joined(days_ago(26)).never_watched();
    sandbox.person(1016, "attic").only_on("Attic").watched(days_ago(90));
    sandbox.person(1017, "pending").not_accepted();
    sandbox.person(1018, "ended").share_deleted().watched(days_ago(90));
    sandbox.person(1019, "parted").share_left().watched(days_ago(90));
    sandbox.person(1030, "Max").watched(hours_ago(1));
    sandbox.person(1031, "max").watched(days_ago(100));
    sandbox.leaves(1031);
}

#[test]
fn exactly_the_right_people_are_warned_and_removed() {
    let sandbox = settled(household);
    let run = sandbox.run(&["sweep"]);
    run.exits(0).stdout("");
    assert_eq!(
        log(&run)[..3],
        [
            "removed nick (id 1006): nothing watched for 44 days; access to Centauri ended; deleted from Tautulli",
            "removed rita (id 1005): nothing watched for 33 days; access to Centauri ended; deleted from Tautulli",
            "warned walt (id 1003): nothing watched for 28 days; access ends 2026-11-25 12:00 UTC",
        ]
    );
    run.stderr_has(" on Centauri: 1 warned, 2 removed, 3 can't be judged, 9 notices sent\n");
    happened(
        &sandbox,
        &[
            "plex DELETE /api/v2/sharings/1006",
            "tautulli delete_user 1006",
            "plex DELETE /api/v2/sharings/1005",
            "tautulli delete_user 1005",
            "mail nick@example.test: Your access to Centauri has ended",
            "mail admin@example.test: [Centauri] Removed: nick",
            "discord: Removed: nick",
            "mail rita@example.test: Your access to Centauri has ended",
            "mail admin@example.test: [Centauri] Removed: rita",
            "discord: Removed: rita",
            "mail walt@example.test: Centauri: 2 days left to watch something",
            "mail admin@example.test: [Centauri] Warned: walt",
            "discord: Warned: walt",
        ],
    );
    assert_eq!((ids(&sandbox, "warned"), waiting(&sandbox)), (vec!["1003".to_owned()], vec![]));
    assert_eq!(ids(&sandbox, "removed"), ["1005", "1006"]);
    // Only those who are due, and bert at his film, are asked about one by one; each right before it counts.
    let steps = ["look 1006", "end 1006", "look 1005", "end 1005", "look 1003"];
    assert_eq!(looks_and_ends(&sandbox), steps);

    let run = sweep_after(sandbox.forget(), hours(1), &[]);
    logged(run.exits(0), &["sweep of 14 people on Centauri: nobody is due, 3 can't be judged"]);
    sandbox.run(&["sweep", "-q"]).exits(0).stdout("").stderr("");
    nothing_happened(&sandbox);
}

/// The questions for somebody's newest play, and the ends of shares, in their order.
fn looks_and_ends(sandbox: &Sandbox) -> Vec<String> {
    let requests = sandbox.requests();
    let steps = requests.iter().filter_map(|request| match request.param("cmd").as_deref() {
        Some("get_history") => Some(format!("look {}", request.param("user_id")?)),
        None if request.method == "DELETE" => Some(format!("end {}", request.path.rsplit('/').next()?)),
        _ => None,
    });
    steps.collect()
}

#[test]
fn quiet_says_what_happened_and_nothing_else() {
    let sandbox = settled(household);
    let run = sandbox.run(&["sweep", "-q"]);
    let first_words: Vec<&str> = log(run.exits(0)).iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(first_words, ["removed", "removed", "warned"], "{run}");
}

#[test]
fn a_warning_comes_after_27_idle_days_and_the_removal_after_30_to_the_second() {
    let people = [
        (1002, "a play, and nothing since"),
        (1003, "never a play: counted from a day after joining"),
        (1004, "a play on the first day: counted from the end of that day"),
        (1006, "a play one minute after the first day: counted from that play"),
    ];
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada");
        for (id, _) in people {
            sandbox.person(id, &format!("guest{id}")).joined(days_ago(28));
        }
        sandbox.known(1002).joined(days_ago(200)).watched(days_ago(27));
        sandbox.known(1004).watched(hours_ago(28 * 24 - 2));
        sandbox.known(1006).joined(minutes_ago(28 * 24 * 60 + 1)).watched(days_ago(27));
    });
    let mut mails: Vec<&str> = Vec::new();
    for (by, news) in
        [(-seconds(1), None), (seconds(1), Some(WARNING)), (days(3) - seconds(1), None), (seconds(1), Some(REMOVAL))]
    {
        sweep_after(&sandbox, by, &[1001]).exits(0);
        mails.extend(news);
        for (id, counted) in people {
            assert_eq!(subjects(&sandbox, &format!("guest{id}@example.test")), mails, "{counted}");
            let is_removed = news == Some(REMOVAL);
            assert_eq!((sandbox.on_plex(id), sandbox.in_tautulli(id)), (!is_removed, !is_removed), "{counted}");
        }
    }
}

#[test]
fn nobody_is_judged_in_their_first_24_hours_to_the_second() {
    // Somebody unknown to Tautulli shows when judging begins.
    let sandbox = settled(|sandbox| {
        sandbox.person(1010, "tess").joined(hours_ago(24)).unknown_to_tautulli();
    });
    for (by, more) in [(-seconds(1), ""), (seconds(1), ", 1 can't be judged")] {
        let said = format!("sweep of 1 person on Centauri: nobody is due{more}");
        logged(sweep_after(&sandbox, by, &[]).exits(0), &[&said]);
    }
    nothing_happened(&sandbox);
}

#[test]
fn other_thresholds_hold_too() {
    let sandbox = settled(|sandbox| {
        sandbox.set_env("WARN_DAYS", 1).set_env("KICK_DAYS", 2);
        sandbox.person(1003, "walt").watched(hours_ago(24));
        sandbox.person(1005, "rita").watched(hours_ago(48));
    });
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "walt@example.test"), ["Centauri: one day left to watch something"]);
    assert_eq!(have_access(&sandbox, [1003, 1005]), [true, false]);
}

#[test]
fn each_spell_of_idleness_has_one_warning_and_leaves_its_whole_time() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada");
        sandbox.person(1003, "walt").watched(days_ago(27));
    });
    let mails_after = |by, watching: &[u64]| {
        sweep_after(&sandbox, by, watching).exits(0);
        subjects(&sandbox, "walt@example.test")
    };
    assert_eq!(mails_after(seconds(0), &[1001]), [WARNING]);
    assert_eq!(mails_after(hours(36), &[1001]), [WARNING]);
    assert_eq!(mails_after(hours(12), &[1001, 1003]), [WARNING]);
    assert!(ids(&sandbox, "warned").is_empty());
    assert_eq!(mails_after(days(27) - hours(1), &[1001]), [WARNING]);
    assert_eq!(mails_after(hours(1), &[1001]), [WARNING, WARNING]);
    assert_eq!(mails_after(days(3) - hours(1), &[1001]), [WARNING, WARNING]);
    assert_eq!(mails_after(hours(1), &[1001]), [WARNING, WARNING, REMOVAL]);
    assert_eq!(have_access(&sandbox, [1001, 1003]), [true, false]);
}

#[test]
fn a_play_between_two_sweeps_begins_a_new_spell_even_if_no_sweep_sees_them_active() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1003, "walt").watched(days_ago(27));
    });
    sandbox.run(&["sweep"]).exits(0);
    sandbox.advance(hours(2)).watches(1003);
    sweep_after(&sandbox, days(28), &[]).exits(0);
    assert_eq!(subjects(&sandbox, "walt@example.test"), [WARNING, "Centauri: 2 days left to watch something"]);
}

#[test]
fn one_play_in_the_last_minute_is_enough() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1003, "walt").watched(days_ago(27));
    });
    sandbox.run(&["sweep"]).exits(0);
    sandbox.forget().advance(days(3) - seconds(60)).starts_watching(1003);
    sweep_after(&sandbox, seconds(60), &[]).exits(0);
    sandbox.advance(hours(1)).stops_watching(1003);
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    assert!(sandbox.on_plex(1003) && ids(&sandbox, "warned").is_empty());
}
