//! Notices that could not be sent for a week are given up, and the admin hears of that in the next mail that gets through.

use super::Scene;
use crate::story::{ADMIN, clean, ids, minutes, nothing_happened, subjects, titles, waiting};
use crate::support::{Fault, Sandbox, any, days, hours};

/// A sweep without mail and Discord, and passes for most of a week.
fn nothing_gets_through() -> Sandbox {
    let sandbox = Scene::Sweep.set();
    sandbox.smtp.busy();
    sandbox.discord.fail(any(), Fault::html(502));
    sandbox.run(&["sweep"]).exits(1);
    for _ in 0..6 {
        sandbox.watches(1001);
        sandbox.advance(days(1)).run(&["welcome"]).exits(1);
    }
    assert_eq!(waiting(&sandbox).len(), 6);
    sandbox
}

#[test]
fn after_a_week_notices_are_given_up_and_the_admin_hears_of_it() {
    let sandbox = nothing_gets_through();
    sandbox.advance(hours(23)).run(&["welcome"]).exits(1).stderr_lacks("gave up");
    let run = sandbox.advance(hours(1)).run(&["welcome"]);
    run.exits(1).stderr_has("error: gave up the removal mail to rita (id 1005), of 2026-11-23 12:00 UTC: ");
    assert_eq!(run.stderr.matches("gave up").count(), 6, "{run}");
    assert_eq!(waiting(&sandbox), ["given-up-admin-20261130T120000Z"]);
    // The line to the admin is not given up itself.
    sandbox.advance(days(20)).run(&["welcome"]).exits(1);
    assert_eq!(waiting(&sandbox), ["given-up-admin-20261130T120000Z"]);
    sandbox.mend().forget().run(&["welcome"]).exits(0);
    assert_eq!(sandbox.writes(), ["mail admin@example.test: [Centauri] Notices given up"]);
    let text = sandbox.mails()[0].text();
    for part in ["the removal mail to rita (id 1005)", "the warning mail to walt (id 1003)", "421 4.3.2 Too busy"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    sandbox.forget().advance(minutes(2)).run(&["welcome"]).exits(0);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn what_is_late_and_not_too_late_arrives() {
    let sandbox = nothing_gets_through();
    sandbox.mend().forget().advance(hours(23)).run(&["welcome"]).exits(0);
    assert_eq!(subjects(&sandbox, "rita@example.test"), ["Your access to Centauri has ended"]);
    assert_eq!((subjects(&sandbox, ADMIN).len(), titles(&sandbox).len()), (2, 2));
    clean(&sandbox);
}

#[test]
fn a_warning_that_was_given_up_is_none_and_with_warn_first_nobody_is_removed_without_one() {
    let sandbox = Scene::Sweep.set();
    sandbox.set_env("WARN_FIRST", "true");
    sandbox.smtp.busy();
    sandbox.run(&["sweep"]).exits(1);
    for _ in 0..7 {
        sandbox.watches(1001);
        sandbox.advance(days(1)).run(&["sweep"]).exits(1);
    }
    // walt has been idle for 34 days by now, and rita for 40. Neither got a warning.
    assert_eq!([1003, 1005].map(|id| sandbox.on_plex(id)), [true; 2]);
    sandbox.mend().advance(minutes(30)).run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "walt@example.test"), ["Centauri: 3 days left to watch something"]);
    assert_eq!(subjects(&sandbox, "rita@example.test"), ["Centauri: 3 days left to watch something"]);
    assert_eq!(ids(&sandbox, "warned"), ["1003", "1005"]);
    sandbox.watches(1001);
    sandbox.advance(days(3) - minutes(1)).run(&["sweep"]).exits(0);
    assert_eq!([1003, 1005].map(|id| sandbox.on_plex(id)), [true; 2]);
    sandbox.advance(minutes(1)).run(&["sweep"]).exits(0);
    assert_eq!([1003, 1005].map(|id| sandbox.on_plex(id)), [false; 2]);
    clean(&sandbox);
}
