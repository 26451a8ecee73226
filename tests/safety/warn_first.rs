//! `WARN_FIRST=true`: the warning comes first, and it has arrived.

use super::{row, there};
use crate::story::{clean, seconds, settled, subjects};
use crate::support::{Sandbox, days, days_ago, hours};

/// rita has been idle for 40 days, and was never warned. ada watches.
fn rita() -> Sandbox {
    settled(|sandbox| {
        sandbox.set_env("WARN_FIRST", "true");
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1005, "rita").watched(days_ago(40));
    })
}

/// What `status` says is next for rita, and when.
fn next(sandbox: &Sandbox) -> (String, String) {
    let next = row(sandbox, 1005)["next"].clone();
    (next["step"].as_str().unwrap().to_owned(), next["at"].as_str().unwrap().to_owned())
}

#[test]
fn status_names_the_day_of_the_removal_that_the_warning_allows() {
    let sandbox = rita();
    let step = |step: &str, at: &str| (step.to_owned(), at.to_owned());
    assert_eq!(next(&sandbox), step("warning", "2026-11-23T12:00:00Z"));
    // On its way: three days from whenever it arrives.
    sandbox.smtp.busy();
    sandbox.run(&["sweep"]).exits(1);
    assert_eq!(next(&sandbox), step("removal", "2026-11-26T12:00:00Z"));
    sandbox.advance(hours(30)).run(&["sweep"]).exits(1);
    assert_eq!(next(&sandbox), step("removal", "2026-11-27T18:00:00Z"));
    // Arrived: fixed.
    sandbox.mend().advance(hours(1)).run(&["sweep"]).exits(0);
    assert_eq!(next(&sandbox), step("removal", "2026-11-27T19:00:00Z"));
    sandbox.advance(days(2));
    assert_eq!(next(&sandbox), step("removal", "2026-11-27T19:00:00Z"));
    sandbox.run(&["status"]).exits(0).stdout_has("warned   removal 2026-11-27");
    assert_eq!(row(&sandbox, 1005)["standing"], "warned");

    // And that is when it happens.
    sandbox.advance(days(1) - seconds(1)).run(&["sweep"]).exits(0);
    assert!(sandbox.on_plex(1005));
    sandbox.advance(seconds(1)).run(&["sweep"]).exits(0);
    assert_eq!(there(&sandbox, [1001, 1005]), [true, false]);
    clean(&sandbox);
}

#[test]
fn a_warning_that_was_dropped_while_somebody_was_at_a_film_too_short_for_the_record_is_given_again() {
    // It never arrived, so they would be taken for warned and hear of nothing.
    let sandbox = rita();
    let down = sandbox.smtp.busy();
    sandbox.run(&["sweep"]).exits(1);
    sandbox.starts_watching(1005);
    sandbox.advance(hours(1));
    down.mend();
    sandbox.run(&["sweep"]).exits(0);
    assert!(subjects(&sandbox, "rita@example.test").is_empty());
    // Tautulli keeps nothing of a play of seconds.
    sandbox.tautulli.connected(false);
    sandbox.stops_watching(1005);
    sandbox.tautulli.connected(true);
    for _ in 0..4 {
        sandbox.advance(days(1));
        sandbox.watches(1001);
        sandbox.run(&["sweep"]).exits(0);
    }
    let warning = "Centauri: 3 days left to watch something";
    assert_eq!(subjects(&sandbox, "rita@example.test"), [warning, "Your access to Centauri has ended"]);
    clean(&sandbox);
}

#[test]
fn nobody_who_was_idle_before_the_program_came_goes_without_a_warning() {
    let sandbox = crate::sandbox();
    sandbox.live().set_env("WARN_FIRST", "true");
    for id in 1001..=1005 {
        sandbox.person(id, &format!("guest{id}")).watched(days_ago(100));
    }
    sandbox.person(1006, "nick").no_email().joined(days_ago(100)).never_watched();
    for pass in ["welcome", "sweep", "sweep"] {
        sandbox.run(&[pass]).exits(0);
    }
    sandbox.advance(days(3) - seconds(1)).run(&["sweep"]).exits(0);
    assert_eq!(there(&sandbox, [1001, 1002, 1003, 1004, 1005, 1006]), [true; 6]);
    assert_eq!(sandbox.mails().iter().filter(|mail| mail.subject().contains("days left")).count(), 5);
    sandbox.advance(seconds(1)).run(&["sweep"]).exits(0);
    assert_eq!(there(&sandbox, [1001, 1002, 1003, 1004, 1005, 1006]), [false; 6]);
    clean(&sandbox);
}

#[test]
fn the_first_welcome_forgets_no_warning_of_a_sweep_before_it() {
    let sandbox = crate::sandbox();
    sandbox.live().person(1003, "walt").watched(days_ago(28));
    for pass in ["sweep", "welcome", "sweep"] {
        sandbox.run(&[pass]).exits(0);
    }
    assert_eq!(subjects(&sandbox, "walt@example.test"), ["Centauri: 2 days left to watch something"]);
    clean(&sandbox);
}
