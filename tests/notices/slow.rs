//! Servers that do not answer in time. `PLEX_PRUNE_TEST_TIMEOUT` makes the program less patient than it is.

use super::{everything_arrived_once, next_sweep, rita_and_walt};
use crate::story::{nothing_happened, settled, titles, waiting};
use crate::support::{Fault, Sandbox, Stage, any, cmd, delete, get};

fn impatient() -> Sandbox {
    let sandbox = settled(rita_and_walt);
    sandbox.set_env("PLEX_PRUNE_TEST_TIMEOUT", 300);
    sandbox
}

/// The patience of the program is its own again, and everybody answers.
#[track_caller]
fn everything_arrives_later(sandbox: &Sandbox) {
    next_sweep(sandbox.mend().unset_env("PLEX_PRUNE_TEST_TIMEOUT"));
    everything_arrived_once(sandbox);
    assert!(!sandbox.on_plex(1005) && !sandbox.in_tautulli(1005));
}

#[test]
fn a_mail_server_that_says_nothing_more_delays_the_mails() {
    let sandbox = impatient();
    for stage in
        [Stage::Greeting, Stage::Hello, Stage::Login, Stage::Sender, Stage::Recipient, Stage::Data, Stage::Body]
    {
        let rule = sandbox.smtp.hang(stage);
        sandbox.run(&["sweep"]).exits(1).stderr_has("no answer in time");
        rule.mend();
        assert_eq!((waiting(&sandbox).len(), titles(&sandbox).len()), (4, 2), "{stage:?}");
    }
    everything_arrives_later(&sandbox);
}

#[test]
fn a_discord_that_says_nothing_delays_its_messages() {
    let sandbox = impatient();
    sandbox.discord.fail(any(), Fault::Hang);
    sandbox.run(&["sweep"]).exits(1);
    assert_eq!((waiting(&sandbox).len(), sandbox.mails().len()), (2, 4));
    everything_arrives_later(&sandbox);
}

#[test]
fn a_plex_or_tautulli_that_says_nothing_stops_the_sweep() {
    let sandbox = impatient();
    for rule in [
        sandbox.plex.fail(get("/api/v2/shared_servers"), Fault::Hang),
        sandbox.tautulli.fail(cmd("get_users_table"), Fault::Hang),
    ] {
        sandbox.run(&["sweep"]).exits(1).stderr_has("no answer in time");
        rule.mend();
        nothing_happened(&sandbox);
    }
    everything_arrives_later(&sandbox);
}

#[test]
fn a_removal_that_gets_no_answer_from_plex_is_done_later() {
    let sandbox = impatient();
    sandbox.plex.fail(delete("/api"), Fault::Hang);
    sandbox.run(&["sweep"]).exits(1).stderr_has("removal failed: rita (id 1005) keeps access for now: ");
    assert!(sandbox.on_plex(1005) && sandbox.mails_to("rita@example.test").is_empty());
    next_sweep(sandbox.mend().unset_env("PLEX_PRUNE_TEST_TIMEOUT"));
    assert!(!sandbox.on_plex(1005) && waiting(&sandbox).is_empty());
}

#[test]
fn a_removal_that_gets_no_answer_from_tautulli_is_finished_later() {
    let sandbox = impatient();
    sandbox.tautulli.fail(cmd("delete_user"), Fault::Hang);
    sandbox.run(&["sweep"]).exits(1);
    assert!(!sandbox.on_plex(1005) && sandbox.in_tautulli(1005));
    everything_arrives_later(&sandbox);
}
