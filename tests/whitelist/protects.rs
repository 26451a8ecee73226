//! What the whitelist is for: the sweep.

use time::Duration;

use crate::story::{have_access, minutes, nothing_happened, settled, sweep_after};
use crate::support::{Sandbox, days, days_ago, hours};

/// rita is to be warned.
fn ada_and_rita() -> Sandbox {
    settled(|sandbox| {
        sandbox.person(1001, "ada");
        sandbox.person(1005, "rita").watched(days_ago(28));
    })
}

/// What a sweep says after `by`, in which ada watches.
fn sweep(sandbox: &Sandbox, by: Duration) -> String {
    sweep_after(sandbox, by, &[1001]).exits(0).stderr.clone()
}

#[test]
fn an_entry_protects_at_once_until_it_is_removed_whatever_they_are_called_by_then() {
    let sandbox = ada_and_rita();
    sandbox.run(&["whitelist", "add", "RITA"]).exits(0);
    sandbox.renames(1005, "margarita");
    sandbox.known(1005).email("margarita@example.test");
    // Somebody else takes the name, and is not protected by it.
    sandbox.person(1008, "rita").email("other@example.test").watched(days_ago(33));
    assert!(sweep(&sandbox, days(10)).contains("removed rita (id 1008)"));
    assert_eq!(have_access(&sandbox, [1001, 1005, 1008]), [true, true, false]);
    sandbox.run(&["whitelist", "remove", "rita"]).exits(0);
    assert!(sweep(&sandbox, days(0)).contains("removed margarita (id 1005)"));
    assert!(!sandbox.on_plex(1005));
}

#[test]
fn an_entry_protects_through_its_last_day_and_then_leaves_the_whole_warning_period() {
    // Whether they were warned before or not.
    for warned_before in [true, false] {
        let sandbox = ada_and_rita();
        if warned_before {
            assert!(sweep(&sandbox, days(0)).contains("warned rita (id 1005)"));
        }
        sandbox.run(&["whitelist", "add", "rita", "--until", "2026-12-10"]).exits(0);
        sandbox.forget();
        sweep(&sandbox, days(17) + hours(12) - minutes(1));
        nothing_happened(&sandbox);
        let said = "warned rita (id 1005): nothing watched for 45 days; access ends 2026-12-14 00:00 UTC";
        assert!(sweep(&sandbox, minutes(1)).contains(said));
        sweep(&sandbox, days(3) - Duration::SECOND);
        assert!(sandbox.on_plex(1005));
        assert!(sweep(&sandbox, Duration::SECOND).contains("removed rita (id 1005)"));
    }
}

#[test]
fn an_entry_without_an_id_protects_whoever_it_names() {
    let sandbox = ada_and_rita();
    sandbox.run(&["whitelist", "add", "RITA@example.test", "--offline"]).exits(0);
    sweep(&sandbox, days(10));
    nothing_happened(&sandbox);
    sandbox.run(&["whitelist", "remove", "rita@example.test"]).exits(0);
    assert!(sweep(&sandbox, days(0)).contains("removed rita (id 1005)"));
    assert_eq!(have_access(&sandbox, [1001, 1005]), [true, false]);
}
