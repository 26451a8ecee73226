//! Nobody is removed who should not be: what has cost people their access, or could, a promise a test.
//!
//! More promises are kept in the files of the features:
//! - nobody is removed because of what Plex or Tautulli leave out, answer wrongly or not at all: `sweep/refusals.rs`,
//!   `services.rs`, `clock.rs`;
//! - nobody is removed who began to watch a moment ago: `sweep/last_look.rs`;
//! - nobody is removed who is protected, by whatever name: `sweep/protection.rs`, `whitelist/protects.rs`;
//! - not more people are removed at once than the owner allows: `sweep/limit.rs`;
//! - nobody loses more than their access to this server: `sweep/revocation.rs`;
//! - nobody is removed without a warning that arrived, if the owner wants that: `sweep/warn_first.rs`;
//! - nobody is judged by an earlier stay: `welcome/back.rs`;
//! - nobody is removed by a dry run: `sweep/dry_run.rs`; twice, or halfway, by a crash: `removal.rs`, `crash.rs`;
//! - nobody is forgotten because of a damaged state: `state/recovery.rs`.

mod names;
mod other_server;
mod record;

use crate::story::{ADMIN, have_access, ids, nothing_happened, settled, subjects, sweep_after, titles};
use crate::support::{Fault, Sandbox, days, days_ago, delete, hours_ago};

/// Two who watch daily, and one who has been idle for 33 days.
fn three(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(hours_ago(20));
    sandbox.person(1002, "bob").watched(hours_ago(10));
    sandbox.person(1005, "rita").watched(days_ago(33));
}

#[test]
fn nobody_is_removed_because_a_namesake_is_idle() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1030, "Max").email("").watched(hours_ago(1));
        sandbox.person(1031, "max").email("").watched(days_ago(100));
        sandbox.person(1032, "MAX").email("max@example.test").watched(hours_ago(2));
        sandbox.leaves(1031);
    });
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);

    sandbox.person(1033, "maX").watched(days_ago(100));
    sandbox.run(&["sweep"]).exits(0).stderr_has("1 removed");
    assert_eq!(have_access(&sandbox, [1030, 1032, 1033]), [true, true, false]);
    assert_eq!([1030, 1032, 1033].map(|id| sandbox.in_tautulli(id)), [true, true, false]);
    assert_eq!(sandbox.tautulli.plays(1030), 1);
}

#[test]
fn nobody_is_removed_because_they_joined_just_before_the_program_began() {
    for first in ["welcome", "sweep"] {
        let sandbox = crate::sandbox();
        sandbox.live().recording_since(days_ago(179));
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1009, "gwen").joined(hours_ago(3)).never_watched();
        sandbox.person(1010, "nora").accepted_at_null().never_watched();
        for pass in [first, "sweep", "welcome"] {
            sandbox.run(&[pass]).exits(0);
        }
        for by in [1, 25] {
            sweep_after(&sandbox, days(by), &[1001]).exits(0);
        }
        nothing_happened(&sandbox);
        assert_eq!(have_access(&sandbox, [1001, 1009, 1010]), [true; 3]);
    }
}

#[test]
fn nobody_is_removed_while_tautulli_is_cut_off_from_plex_however_long() {
    let sandbox = settled(three);
    sandbox.disconnected();
    for by in [1, 26, 3, 30] {
        sweep_after(&sandbox, days(by), &[1001, 1002]).exits(3);
    }
    assert_eq!(have_access(&sandbox, [1001, 1002, 1005]), [true; 3]);
    assert!(sandbox.writes().iter().all(|write| write.contains("for safety")), "{:?}", sandbox.writes());
    assert!(ids(&sandbox, "warned").is_empty() && ids(&sandbox, "removed").is_empty());
}

#[test]
fn nobody_is_told_of_a_removal_that_plex_refused() {
    let sandbox = settled(three);
    for status in [401, 403, 410, 422, 429, 500, 503] {
        let rule = sandbox.plex.fail(delete("/api"), Fault::status(status));
        sandbox.run(&["sweep"]).exits(1);
        rule.mend();
        assert!(sandbox.on_plex(1005) && sandbox.in_tautulli(1005), "{status}");
        assert!(sandbox.mails_to("rita@example.test").is_empty(), "{status}");
        assert_eq!(titles(&sandbox), ["Removal failed: rita"], "{status}");
        assert!(subjects(&sandbox, ADMIN).iter().all(|subject| !subject.contains("Removed")), "{status}");
        assert_eq!(sandbox.state()["removed"]["1005"]["ok"], false, "{status}");
    }
}
