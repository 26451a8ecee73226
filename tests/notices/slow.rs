//! Servers that do not answer in time. `PLEX_PRUNE_TEST_TIMEOUT` makes the program less patient than it is.

use super::{everything_arrived_once, rita_and_walt};
use crate::story::{clean, minutes, nothing_happened, settled, titles, waiting};
use crate::support::{Fault, Sandbox, Stage, any, cmd, delete, get};

fn impatient() -> Sandbox {
    let sandbox = settled(rita_and_walt);
    sandbox.set_env("PLEX_PRUNE_TEST_TIMEOUT", 300);
    sandbox
}

/// The patience of the program is its own again, and everybody answers.
fn later(sandbox: &Sandbox) {
    sandbox.mend().unset_env("PLEX_PRUNE_TEST_TIMEOUT").advance(minutes(30)).run(&["sweep"]).exits(0);
}

#[test]
fn a_mail_server_that_says_nothing_more_delays_the_mails() {
    for stage in
        [Stage::Greeting, Stage::Hello, Stage::Login, Stage::Sender, Stage::Recipient, Stage::Data, Stage::Body]
    {
        let sandbox = impatient();
        sandbox.smtp.hang(stage);
        let run = sandbox.run(&["sweep"]);
        run.exits(1).stderr_has("no answer in time");
        assert_eq!((waiting(&sandbox).len(), titles(&sandbox).len()), (4, 2), "{stage:?}");
        later(&sandbox);
        everything_arrived_once(&sandbox);
        clean(&sandbox);
    }
}

#[test]
fn a_discord_that_says_nothing_delays_its_messages() {
    let sandbox = impatient();
    sandbox.discord.fail(any(), Fault::Hang);
    sandbox.run(&["sweep"]).exits(1);
    assert_eq!((waiting(&sandbox).len(), sandbox.mails().len()), (2, 4));
    later(&sandbox);
    everything_arrived_once(&sandbox);
    clean(&sandbox);
}

#[test]
fn a_plex_or_tautulli_that_says_nothing_stops_the_sweep() {
    for plex in [true, false] {
        let sandbox = impatient();
        match plex {
            true => sandbox.plex.fail(get("/api/v2/shared_servers"), Fault::Hang),
            false => sandbox.tautulli.fail(cmd("get_users_table"), Fault::Hang),
        };
        sandbox.run(&["sweep"]).exits(1).stderr_has("no answer in time");
        nothing_happened(&sandbox);
        later(&sandbox);
        everything_arrived_once(&sandbox);
        clean(&sandbox);
    }
}

#[test]
fn a_removal_that_gets_no_answer_from_plex_leaves_the_person_there_and_is_done_later() {
    let sandbox = impatient();
    sandbox.plex.fail(delete("/api"), Fault::Hang);
    sandbox.run(&["sweep"]).exits(1).stderr_has("removal failed: rita (id 1005) keeps access for now: ");
    assert!(sandbox.on_plex(1005) && sandbox.mails_to("rita@example.test").is_empty());
    later(&sandbox);
    assert!(!sandbox.on_plex(1005) && waiting(&sandbox).is_empty());
    clean(&sandbox);
}

#[test]
fn a_removal_that_gets_no_answer_from_tautulli_is_finished_later() {
    let sandbox = impatient();
    sandbox.tautulli.fail(cmd("delete_user"), Fault::Hang);
    sandbox.run(&["sweep"]).exits(1);
    assert!(!sandbox.on_plex(1005) && sandbox.in_tautulli(1005));
    later(&sandbox);
    assert!(!sandbox.in_tautulli(1005));
    everything_arrived_once(&sandbox);
    clean(&sandbox);
}
