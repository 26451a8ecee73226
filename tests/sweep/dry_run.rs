//! A dry run says everything and does nothing.

use super::household;
use crate::story::{have_access, logged, nothing_happened, settled};
use crate::support::{Fault, cmd, days_ago};

const SAID: [&str; 4] = [
    "would remove nick (id 1006): nothing watched for 44 days",
    "would remove rita (id 1005): nothing watched for 33 days",
    "would warn walt (id 1003): nothing watched for 28 days; access ends 2026-11-25 12:00 UTC",
    "dry sweep of 16 people on Centauri: 1 would be warned, 2 would be removed, 3 can't be judged",
];

#[test]
fn unless_dry_run_is_set_to_false_a_sweep_only_talks() {
    let sandbox = crate::sandbox();
    household(&sandbox);
    for set in [false, true] {
        if set {
            sandbox.set_env("DRY_RUN", "true");
        }
        let run = sandbox.run(&["sweep"]);
        run.exits(0).stdout("");
        logged(&run, &SAID);
    }
    nothing_happened(&sandbox);
    assert!(!sandbox.state_dir().exists());
    assert_eq!(sandbox.smtp.connections() + sandbox.discord.connections(), 0);
}

#[test]
fn the_option_wins_over_the_variable() {
    let sandbox = settled(household);
    for option in ["--dry-run", "--dry-run=true"] {
        logged(sandbox.run(&["sweep", option]).exits(0), &SAID);
    }
    nothing_happened(&sandbox);
    sandbox.set_env("DRY_RUN", "true").run(&["sweep", "--dry-run=no"]).exits(0);
    assert_eq!(have_access(&sandbox, [1003, 1005, 1006]), [true, false, false]);
}

#[test]
fn a_dry_run_looks_as_closely_as_a_live_one() {
    let sandbox = crate::sandbox();
    sandbox.person(1003, "walt").watched(days_ago(28));
    sandbox.person(1005, "rita").watched(days_ago(33)).watching_now();
    sandbox.tautulli.fail(cmd("get_history").with("user_id", 1003), Fault::status(500));
    let run = sandbox.run(&["sweep"]);
    run.exits(1).stderr_has("error: walt (id 1003) is left alone for now: ").stderr_lacks("rita");
    nothing_happened(&sandbox);
}

#[test]
fn a_dry_run_changes_nothing_about_what_waits_and_what_is_unfinished() {
    let sandbox = settled(household);
    sandbox.smtp.busy();
    sandbox.tautulli.fail(cmd("delete_user"), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().forget();
    let before = sandbox.state();
    sandbox.run(&["sweep", "--dry-run"]).exits(0).stderr_has("would finish the removal of rita (id 1005)\n");
    sandbox.run(&["welcome", "--dry-run"]).exits(0);
    nothing_happened(&sandbox);
    assert_eq!((sandbox.state(), sandbox.smtp.connections()), (before, 1));
}

#[test]
fn a_dry_run_that_is_refused_informs_nobody_else() {
    let sandbox = settled(household);
    let run = sandbox.disconnected().run(&["sweep", "--dry-run"]);
    run.exits(3).stderr_has("error: held back: Tautulli is not connected");
    nothing_happened(&sandbox);
    assert_eq!(sandbox.state()["refusals"], serde_json::json!({}));
}
