//! One pass at a time.

use super::names;
use crate::{
    sandbox,
    support::{Fault, Gate, Running, Sandbox, days_ago, get},
};

trait Locked {
    fn held(&self) -> (Running, Gate);
}

impl Locked for Sandbox {
    /// A `welcome` that has taken the lock and stands before a gate.
    fn held(&self) -> (Running, Gate) {
        let (fault, gate) = Fault::gate_before();
        self.plex.fail(get("/api/v2/resources"), fault).times(1);
        let first = self.live().spawn(&["welcome"]);
        gate.wait();
        (first, gate)
    }
}

#[test]
fn a_second_pass_names_the_first() {
    let sandbox = sandbox();
    let (first, gate) = sandbox.held();
    let asked = sandbox.requests().len();
    let says = format!(
        "2026-11-23T12:00:00Z warning: another pass is under way (plex-prune welcome, pid {}, since \
         2026-11-23T12:00:00Z). Nothing was touched, the next pass will do it\n",
        first.pid()
    );
    for (command, seconds) in [("sweep", "0"), ("welcome", "1")] {
        sandbox.run(&[command, "--lock-wait", seconds]).exits(75).stdout("").stderr(&says);
    }
    // The first may have sent its second request meanwhile.
    assert!(sandbox.requests().len() <= asked.max(2));
    assert_eq!(names(&sandbox.state_dir()), ["state.json.lock"]);
    gate.open();
    first.wait().exits(0);
    sandbox.run(&["sweep", "--lock-wait", "0"]).exits(0);
}

#[test]
fn a_second_pass_waits_for_the_first_and_goes_on_from_its_state() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").joined(days_ago(90));
    let (first, gate) = sandbox.held();
    let second = sandbox.spawn(&["sweep"]);
    // Takes as long as a sweep that doesn't wait would.
    sandbox.run(&["sweep", "--dry-run"]).exits(0);
    assert_eq!(sandbox.writes(), [""; 0]);
    gate.open();
    first.wait().exits(0);
    second.wait().exits(0);
    assert_eq!(sandbox.writes()[0], "plex DELETE /api/v2/sharings/1002");
    let state = sandbox.state();
    assert_eq!(
        (&state["last_welcome_scan"], &state["last_inactivity_scan"]),
        (&"2026-11-23T12:00:00Z".into(), &"2026-11-23T12:00:00Z".into())
    );
}

#[test]
fn status_and_dry_runs_wait_for_nobody() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").watched(days_ago(2));
    let (first, gate) = sandbox.held();
    for arguments in [&["status"][..], &["sweep", "--dry-run"], &["welcome", "--dry-run"]] {
        sandbox.run(&[&["--lock-wait", "0"], arguments].concat()).exits(0);
    }
    gate.open();
    first.wait().exits(0);
}

#[test]
fn what_a_dead_pass_left_locks_nobody_out() {
    let sandbox = sandbox();
    let (first, _gate) = sandbox.held();
    let pid = first.pid();
    first.kill().exits(-9);
    let lock = std::fs::read_to_string(sandbox.state_dir().join("state.json.lock")).unwrap();
    assert_eq!(lock, format!("plex-prune welcome, pid {pid}, since 2026-11-23T12:00:00Z\n"));
    sandbox.run(&["welcome", "--lock-wait", "0"]).exits(0);
}

#[test]
fn a_holder_that_has_not_said_its_name_is_one_all_the_same() {
    let sandbox = sandbox();
    sandbox.live().run(&["welcome"]).exits(0);
    let file = std::fs::File::create(sandbox.state_dir().join("state.json.lock")).unwrap();
    fs2::FileExt::lock_exclusive(&file).unwrap();
    let run = sandbox.run(&["sweep", "--lock-wait", "0"]);
    run.exits(75).stderr_has("another pass is under way (its name is not known yet). Nothing was touched");
    sandbox.run(&["verify"]).stdout_has("a pass is under way: its name is not known yet");
}
