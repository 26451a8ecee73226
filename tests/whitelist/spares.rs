//! What the whitelist is for: the sweep.

use crate::story::{clean, nothing_happened, settled};
use crate::support::{Sandbox, days, days_ago, hours};

fn idle() -> Sandbox {
    settled(|sandbox| {
        sandbox.person(1001, "ada");
        sandbox.person(1005, "rita").watched(days_ago(28));
    })
}

fn sweep(sandbox: &Sandbox) -> String {
    sandbox.watches(1001);
    sandbox.run(&["sweep"]).exits(0).stderr.clone()
}

#[test]
fn a_sweep_respects_it_at_once_and_whatever_they_are_called_by_then() {
    let sandbox = idle();
    sandbox.run(&["whitelist", "add", "rita"]).exits(0);
    sandbox.renames(1005, "margarita");
    sandbox.advance(days(10));
    sweep(&sandbox);
    nothing_happened(&sandbox);
    sandbox.run(&["whitelist", "remove", "rita"]).exits(0);
    assert!(sweep(&sandbox).contains("removed margarita (id 1005)"));
    assert!(!sandbox.on_plex(1005));
    clean(&sandbox);
}

#[test]
fn after_the_last_day_even_somebody_who_was_warned_before_gets_the_whole_warning_period() {
    let sandbox = idle();
    assert!(sweep(&sandbox).contains("warned rita (id 1005)"));
    sandbox.run(&["whitelist", "add", "rita", "--until", "2026-12-10"]).exits(0);
    sandbox.forget().advance(days(17));
    sweep(&sandbox);
    nothing_happened(&sandbox);
    // 2026-12-11 00:00 UTC
    sandbox.advance(hours(12));
    assert!(sweep(&sandbox).contains("warned rita (id 1005)"));
    sandbox.advance(days(3) - time::Duration::SECOND);
    sweep(&sandbox);
    assert!(sandbox.on_plex(1005));
    sandbox.advance(time::Duration::SECOND);
    assert!(sweep(&sandbox).contains("removed rita (id 1005)"));
    clean(&sandbox);
}

#[test]
fn an_entry_without_an_id_protects_whoever_it_names() {
    let sandbox = idle();
    sandbox.run(&["whitelist", "add", "RITA@example.test", "--offline"]).exits(0);
    sandbox.advance(days(10));
    sweep(&sandbox);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn whoever_takes_the_name_of_somebody_on_the_list_is_not_protected_by_it() {
    let sandbox = idle();
    sandbox.run(&["whitelist", "add", "ada"]).exits(0);
    sandbox.renames(1001, "someone");
    sandbox.renames(1005, "ada");
    sandbox.advance(days(10));
    assert!(sweep(&sandbox).contains("removed ada (id 1005)"));
    assert!(sandbox.on_plex(1001));
    clean(&sandbox);
}
