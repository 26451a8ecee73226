//! Passes at once, and `status` next to them: one after the other, nothing lost, nothing done twice.

use crate::story::{ids, settled, waiting};
use crate::support::{Fault, Gate, Run, Sandbox, cmd, days_ago, get};

/// Somebody to warn, somebody to remove and somebody to welcome.
fn busy() -> Sandbox {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1003, "walt").watched(days_ago(27));
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    sandbox.joins(1020, "newt");
    sandbox
}

/// All of it, sorted.
const ALL: [&str; 11] = [
    "discord: Joined: newt",
    "discord: Removed: rita",
    "discord: Warned: walt",
    "mail admin@example.test: [Centauri] Joined: newt",
    "mail admin@example.test: [Centauri] Removed: rita",
    "mail admin@example.test: [Centauri] Warned: walt",
    "mail newt@example.test: Welcome to Centauri",
    "mail rita@example.test: Your access to Centauri has ended",
    "mail walt@example.test: Centauri: 3 days left to watch something",
    "plex DELETE /api/v2/sharings/1005",
    "tautulli delete_user 1005",
];

#[track_caller]
fn all_happened_once(sandbox: &Sandbox) {
    let mut writes = sandbox.writes();
    writes.sort();
    assert_eq!(writes, ALL);
    assert_eq!(ids(sandbox, "welcomed"), ["1001", "1003", "1020"]);
    assert_eq!((ids(sandbox, "warned"), ids(sandbox, "removed")), (vec!["1003".to_owned()], vec!["1005".to_owned()]));
    let state = sandbox.state();
    assert!(state["last_welcome_scan"].is_string() && state["last_inactivity_scan"].is_string());
    assert!(waiting(sandbox).is_empty());
}

#[test]
fn welcome_and_sweep_started_together_lose_and_repeat_nothing() {
    std::thread::scope(|scope| {
        for worker in 0..2 {
            scope.spawn(move || {
                for round in 0..10 {
                    let sandbox = busy();
                    // Who begins is left to chance, and to whoever is started first.
                    let commands = if (worker + round) % 2 == 0 { ["welcome", "sweep"] } else { ["sweep", "welcome"] };
                    for pass in commands.map(|command| sandbox.spawn(&[command])) {
                        pass.wait().exits(0);
                    }
                    all_happened_once(&sandbox);
                }
            });
        }
    });
}

#[test]
fn six_passes_at_once_are_no_more_than_two() {
    let sandbox = busy();
    let passes = ["welcome", "sweep", "welcome", "sweep", "welcome", "sweep"].map(|command| sandbox.spawn(&[command]));
    for pass in passes {
        pass.wait().exits(0);
    }
    all_happened_once(&sandbox);
}

#[test]
fn a_whitelist_entry_added_during_a_sweep_is_not_lost() {
    let sandbox = busy();
    let (gate, sweep) = held(&sandbox, "sweep");
    let add = sandbox.spawn(&["whitelist", "add", "walt"]);
    gate.open();
    sweep.wait().exits(0);
    add.wait().exits(0);
    assert_eq!(sandbox.state()["whitelist"][0]["name"], "walt");
    assert_eq!(ids(&sandbox, "removed"), ["1005"]);
}

/// A pass that waits for plex.tv, with the lock in hand.
fn held(sandbox: &Sandbox, command: &str) -> (Gate, crate::support::Running) {
    let (fault, gate) = Fault::gate_before();
    sandbox.plex.fail(get("/api/v2/resources"), fault).times(1);
    let pass = sandbox.spawn(&[command]);
    gate.wait();
    (gate, pass)
}

#[test]
fn status_never_waits_and_sees_no_half_file() {
    let sandbox = busy();
    let (fault, gate) = Fault::gate_before();
    sandbox.tautulli.fail(cmd("delete_user"), fault);
    let sweep = sandbox.spawn(&["sweep"]);
    gate.wait();
    // The share is gone, and Tautulli is at work.
    let run = sandbox.run(&["status", "--json"]);
    assert_eq!(run.exits(0).stderr_lacks("state.json").status, 0);
    gate.open();
    drop(gate);
    for pass in ["welcome", "sweep", "welcome", "sweep"].map(|command| sandbox.spawn(&[command])) {
        for _ in 0..3 {
            sandbox.run(&["status"]).exits(0).stderr_lacks("state.json");
        }
        pass.wait().exits(0);
    }
    sweep.wait().exits(0);
    all_happened_once(&sandbox);
}

#[test]
fn a_look_at_the_lock_is_no_pass() {
    let sandbox = busy();
    std::thread::scope(|scope| {
        let looks = scope.spawn(|| {
            for _ in 0..10 {
                sandbox.run(&["status"]).exits(0);
            }
        });
        while !looks.is_finished() {
            sandbox.run(&["welcome", "--lock-wait", "0"]).exits(0);
        }
    });
}

/// A sweep that plex.tv makes wait for longer than a pass may take: 20 times what a read may.
fn late(people: impl Fn(&Sandbox)) -> (Sandbox, Run) {
    let sandbox = settled(people);
    sandbox.plex.fail(get("/api/v2/resources"), Fault::too_many(7)).times(1);
    let run = sandbox.set_env("PLEX_PRUNE_TEST_TIMEOUT", 300).run(&["sweep"]);
    sandbox.unset_env("PLEX_PRUNE_TEST_TIMEOUT");
    (sandbox, run)
}

#[test]
fn a_pass_whose_time_is_over_begins_nothing_and_the_next_one_does_it() {
    let (sandbox, run) = late(|sandbox| {
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    run.exits(1).stderr_has("stopped early, as it took too long; the next pass goes on from here\n");
    run.stderr_lacks("nobody is due");
    assert!(sandbox.on_plex(1005) && sandbox.writes().is_empty());
    assert!(sandbox.state()["last_inactivity_scan"].is_null());
    sandbox.run(&["sweep"]).exits(0).stderr_has("1 removed");
}

#[test]
fn a_pass_that_left_nothing_undone_was_not_stopped_early_however_long_it_took() {
    let (sandbox, run) = late(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
    });
    run.exits(0).stderr_has("sweep of 1 person on Centauri: nobody is due\n");
    assert_eq!(sandbox.state()["last_inactivity_scan"], "2026-11-23T12:00:00Z");
}
