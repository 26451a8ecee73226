//! More than `MAX_REMOVALS` due at once: nobody is removed.

use crate::story::{ADMIN, clean, happened, ids, logged, minutes, settled, subjects, titles};
use crate::support::{Sandbox, days, days_ago};

/// Three people to remove and one to warn, with room for two.
fn three_due() -> Sandbox {
    settled(|sandbox| {
        sandbox.set_env("MAX_REMOVALS", 2);
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1003, "walt").watched(days_ago(27));
        sandbox.person(1005, "rita").watched(days_ago(33));
        sandbox.person(1006, "nick").watched(days_ago(34));
        sandbox.person(1007, "olga").watched(days_ago(35));
    })
}

const HELD_BACK: &str = "error: held back: 3 people are due to be removed, and MAX_REMOVALS is 2. Look at `plex-prune status`; \
                         if it is right, go ahead with `plex-prune sweep --max-removals 3`";

#[test]
fn too_many_removals_at_once_are_refused_and_warnings_still_go() {
    let sandbox = three_due();
    let run = sandbox.run(&["sweep"]);
    run.exits(3).stderr_has(&format!("{HELD_BACK}\n"));
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
    assert!(ids(&sandbox, "removed").is_empty());
    clean(&sandbox);
}

#[test]
fn the_admin_hears_of_the_brake_once_a_day() {
    let sandbox = three_due();
    let hears = || {
        sandbox.run(&["sweep"]).exits(3);
        let count = subjects(&sandbox, ADMIN).iter().filter(|subject| subject.ends_with("for safety")).count();
        assert_eq!(titles(&sandbox).iter().filter(|title| title.ends_with("for safety")).count(), count);
        count
    };
    assert_eq!(hears(), 1);
    sandbox.advance(minutes(30));
    assert_eq!(hears(), 1);
    sandbox.advance(days(1) - minutes(31));
    assert_eq!(hears(), 1);
    sandbox.advance(minutes(1));
    assert_eq!(hears(), 2);
    clean(&sandbox);
}

#[test]
fn the_option_lets_one_pass_go_ahead() {
    let sandbox = three_due();
    sandbox.run(&["sweep"]).exits(3);
    sandbox.run(&["sweep", "--max-removals", "2"]).exits(3);
    assert!([1005, 1006, 1007].iter().all(|id| sandbox.on_plex(*id)));
    sandbox.run(&["sweep", "--max-removals", "3"]).exits(0);
    assert!([1005, 1006, 1007].iter().all(|id| !sandbox.on_plex(*id)));
    assert!(sandbox.on_plex(1001) && sandbox.on_plex(1003));
    clean(&sandbox);
}

#[test]
fn as_many_as_are_allowed_are_no_reason_to_hold_back() {
    let sandbox = three_due();
    sandbox.set_env("MAX_REMOVALS", 3).run(&["sweep"]).exits(0).stderr_lacks("held back");
    assert!([1005, 1006, 1007].iter().all(|id| !sandbox.on_plex(*id)));
    clean(&sandbox);
}

#[test]
fn ten_are_allowed_unless_said_otherwise() {
    for (due, exit) in [(10, 0), (11, 3)] {
        let sandbox = settled(|sandbox| {
            for id in 1..=due {
                sandbox.person(1000 + id, &format!("guest{id}")).watched(days_ago(40));
            }
        });
        sandbox.run(&["sweep"]).exits(exit);
        assert_eq!(sandbox.on_plex(1001), exit == 3);
        clean(&sandbox);
    }
}

#[test]
fn no_removals_at_all_may_be_allowed() {
    let sandbox = settled(|sandbox| {
        sandbox.set_env("MAX_REMOVALS", 0);
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    let run = sandbox.run(&["sweep"]);
    run.exits(3).stderr_has("due to be removed, and MAX_REMOVALS is 0.");
    assert!(sandbox.on_plex(1005));
    clean(&sandbox);
}

#[test]
fn the_brake_shows_in_a_dry_run_as_well() {
    let sandbox = three_due();
    logged(
        sandbox.run(&["sweep", "--dry-run"]).exits(3),
        &[
            HELD_BACK,
            "would warn walt (id 1003): nothing watched for 27 days; access ends 2026-11-26 12:00 UTC",
            "dry sweep of 5 people on Centauri: held back, 1 would be warned, 0 would be removed",
        ],
    );
    assert!(sandbox.writes().is_empty());
    clean(&sandbox);
}
