//! `WARN_FIRST=true`: nobody is removed without a delivered warning, KICK − WARN days earlier.

use super::{REMOVAL, WARNING};
use crate::story::{ADMIN, have_access, ids, nothing_happened, row, seconds, settled, subjects, sweep_after};
use crate::support::{Rule, Run, Sandbox, SmtpFault, days, days_ago, hours};
use serde_json::json;
use time::Duration;

/// rita was never warned, and has been idle for so many days. ada watches.
fn rita_idle_for(idle: i64) -> Sandbox {
    settled(|sandbox| {
        sandbox.set_env("WARN_FIRST", "true");
        sandbox.person(1001, "ada");
        sandbox.person(1005, "rita").watched(days_ago(idle));
    })
}

/// She has been idle for much longer than 30 days.
fn rita() -> Sandbox {
    rita_idle_for(40)
}

/// A sweep, after `by`.
fn sweep(sandbox: &Sandbox, by: Duration) -> Run {
    sweep_after(sandbox, by, &[1001])
}

/// The mails to rita.
fn mails(sandbox: &Sandbox) -> Vec<String> {
    subjects(sandbox, "rita@example.test")
}

/// rita is removed `by` from now, and not a second earlier.
#[track_caller]
fn is_removed_in(sandbox: &Sandbox, by: Duration) {
    sandbox.forget();
    sweep(sandbox, by - seconds(1)).exits(0);
    assert!(sandbox.on_plex(1005), "too early");
    sweep(sandbox, seconds(1)).exits(0);
    assert_eq!(have_access(sandbox, [1001, 1005]), [true, false], "too late");
}

#[test]
fn people_who_were_never_warned_are_warned_first_and_removed_three_days_later() {
    let sandbox = rita();
    let run = sweep(&sandbox, seconds(0));
    run.exits(0).stderr_has("warned rita (id 1005): nothing watched for 40 days; access ends 2026-11-26 12:00 UTC\n");
    assert_eq!(mails(&sandbox), [WARNING]);
    is_removed_in(&sandbox, days(3));
    assert_eq!(mails(&sandbox), [REMOVAL]);
}

#[test]
fn everybody_who_was_idle_before_the_program_came_is_warned_first() {
    let sandbox = crate::sandbox();
    sandbox.live().set_env("WARN_FIRST", "true");
    for id in 1001..=1005 {
        sandbox.person(id, &format!("guest{id}")).watched(days_ago(100));
    }
    sandbox.person(1006, "nick").no_email().joined(days_ago(100)).never_watched();
    let everybody = [1001, 1002, 1003, 1004, 1005, 1006];
    for pass in ["welcome", "sweep"] {
        sandbox.run(&[pass]).exits(0);
    }
    sweep_after(&sandbox, days(3) - seconds(1), &[]).exits(0);
    assert_eq!(have_access(&sandbox, everybody), [true; 6]);
    assert_eq!(sandbox.mails().iter().filter(|mail| mail.subject() == WARNING).count(), 5);
    sweep_after(&sandbox, seconds(1), &[]).exits(0);
    assert_eq!(have_access(&sandbox, everybody), [false; 6]);
}

#[test]
fn people_who_were_warned_in_time_are_removed_after_30_days() {
    let sandbox = rita_idle_for(27);
    sweep(&sandbox, seconds(0)).exits(0);
    is_removed_in(&sandbox, days(3));
}

#[test]
fn a_warning_of_an_earlier_spell_of_idleness_does_not_count() {
    let sandbox = rita();
    sweep(&sandbox, seconds(0)).exits(0);
    sandbox.forget().advance(hours(1)).watches(1005);
    // No sweep in between.
    sweep(&sandbox, days(40)).exits(0);
    assert_eq!(mails(&sandbox), [WARNING]);
    is_removed_in(&sandbox, days(3));
}

#[test]
fn people_who_watch_after_the_warning_stay_and_are_not_on_record_as_warned() {
    let sandbox = rita();
    sweep(&sandbox, seconds(0)).exits(0);
    sandbox.forget().advance(days(2)).watches(1005);
    sweep(&sandbox, days(2)).exits(0);
    nothing_happened(&sandbox);
    assert!(ids(&sandbox, "warned").is_empty() && sandbox.on_plex(1005));
}

#[test]
fn while_the_mail_server_is_down_nobody_is_removed_and_the_warning_names_the_day_that_holds() {
    let sandbox = rita();
    sandbox.smtp.busy();
    sweep(&sandbox, seconds(0)).exits(1);
    sweep(&sandbox, days(4)).exits(1);
    // Discord took its message, which doesn't count.
    assert_eq!((sandbox.on_plex(1005), sandbox.posts().len()), (true, 1));
    sandbox.mend();
    sweep(&sandbox, hours(1)).exits(0);
    assert_eq!(mails(&sandbox), [WARNING]);
    let text = sandbox.mails_to("rita@example.test")[0].text();
    assert!(text.contains("Monday 30 November 2026, 13:00 UTC"), "{text}");
    is_removed_in(&sandbox, days(3));
}

#[test]
fn a_warning_that_can_not_reach_the_person_counts_once_the_admin_was_told() {
    type Unreachable = fn(&Sandbox);
    type AdminOutage = fn(&Sandbox) -> Rule;
    let (warned, refused) = ("[Centauri] Warned: rita", "[Centauri] Mail refused: rita");
    let rows: [(&str, Unreachable, AdminOutage, &[&str]); 3] = [
        (
            "no address",
            |sandbox| {
                sandbox.known(1005).no_email();
            },
            |sandbox| sandbox.smtp.refuse(ADMIN),
            &[warned],
        ),
        (
            "a refused address",
            |sandbox| drop(sandbox.smtp.refuse("rita@example.test")),
            |sandbox| sandbox.smtp.fail_for(ADMIN, SmtpFault::reply(450, "4.7.1 Later")),
            &[warned, refused],
        ),
        (
            "not an address",
            |sandbox| {
                sandbox.known(1005).email("rita at home");
            },
            |sandbox| sandbox.smtp.refuse(ADMIN),
            &[warned, refused],
        ),
    ];
    for (row, unreachable, admin_outage, told) in rows {
        let sandbox = rita();
        unreachable(&sandbox);
        let outage = admin_outage(&sandbox);
        for by in [days(0), days(5)] {
            sweep(&sandbox, by).exits(1);
            assert!(sandbox.on_plex(1005), "{row}");
        }
        outage.mend();
        sweep(&sandbox, hours(1)).exits(0);
        assert_eq!(subjects(&sandbox, ADMIN), told, "{row}");
        is_removed_in(&sandbox, days(3));
    }
}

#[test]
fn a_warning_that_waited_for_more_than_a_week_is_still_owed_before_the_removal() {
    for address in [Some("rita@example.test"), None, Some("rita at home")] {
        let sandbox = rita();
        match address {
            Some(address) => sandbox.known(1005).email(address),
            None => sandbox.known(1005).no_email(),
        };
        sandbox.smtp.busy();
        for by in [0, 7, 1] {
            sweep(&sandbox, days(by));
            assert!(sandbox.on_plex(1005), "{address:?}");
        }
        sandbox.mend();
        sweep(&sandbox, hours(1));
        sweep(&sandbox, hours(1)).exits(0);
        match address {
            Some("rita@example.test") => assert_eq!(mails(&sandbox), [WARNING]),
            _ => assert!(subjects(&sandbox, ADMIN).contains(&"[Centauri] Warned: rita".to_owned()), "{address:?}"),
        }
        assert!(sandbox.on_plex(1005), "{address:?}");
        sweep(&sandbox, days(3)).exits(0);
        assert!(!sandbox.on_plex(1005), "{address:?}");
    }
}

#[test]
fn status_names_the_day_of_the_removal_that_the_warning_allows() {
    let sandbox = rita();
    let next_is = |step: &str, at: &str| assert_eq!(row(&sandbox, 1005)["next"], json!({"step": step, "at": at}));
    next_is("warning", "2026-11-23T12:00:00Z");
    // On its way: three days from whenever it arrives.
    sandbox.smtp.busy();
    sweep(&sandbox, hours(0)).exits(1);
    next_is("removal", "2026-11-26T12:00:00Z");
    sweep(&sandbox, hours(30)).exits(1);
    next_is("removal", "2026-11-27T18:00:00Z");
    // Arrived: fixed.
    sweep(sandbox.mend(), hours(1)).exits(0);
    sandbox.advance(days(2));
    next_is("removal", "2026-11-27T19:00:00Z");
    sandbox.run(&["status"]).exits(0).stdout_has("warned   removal 2026-11-27");
    // And that is when it happens.
    is_removed_in(&sandbox, days(1));
}

#[test]
fn a_warning_that_was_dropped_during_a_play_too_short_for_the_record_is_given_again() {
    // It never arrived, so they would be taken for warned and hear of nothing.
    let sandbox = rita();
    sandbox.smtp.busy();
    sweep(&sandbox, hours(0)).exits(1);
    sandbox.starts_watching(1005);
    sweep(sandbox.mend(), hours(1)).exits(0);
    assert!(mails(&sandbox).is_empty());
    // Tautulli keeps nothing of a play of seconds.
    sandbox.tautulli.connected(false);
    sandbox.stops_watching(1005);
    sandbox.tautulli.connected(true);
    sweep(&sandbox, days(1)).exits(0);
    assert_eq!(mails(&sandbox), [WARNING]);
    is_removed_in(&sandbox, days(3));
}
