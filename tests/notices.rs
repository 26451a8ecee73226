//! Mails and Discord messages: written down before they are sent, sent once, and not lost.

mod connection;
mod dropped;
mod refused;
mod slow;

use crate::story::{ADMIN, happened, log, minutes, nothing_happened, settled, subjects, sweep_after, titles, waiting};
use crate::support::{Discord, Fault, Mail, Sandbox, any, days, days_ago, hours};

/// rita is to be removed, walt to be warned.
fn rita_and_walt(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1003, "walt").watched(days_ago(27));
    sandbox.person(1005, "rita").watched(days_ago(33));
}

/// The next sweep, half an hour later, goes well.
fn next_sweep(sandbox: &Sandbox) {
    sweep_after(sandbox, minutes(30), &[]).exits(0);
}

/// The subjects of all mails and the titles of all messages, each once.
#[track_caller]
fn everything_arrived_once(sandbox: &Sandbox) {
    assert_eq!(subjects(sandbox, "rita@example.test"), ["Your access to Centauri has ended"]);
    assert_eq!(subjects(sandbox, "walt@example.test").len(), 1);
    assert_eq!(subjects(sandbox, ADMIN), ["[Centauri] Removed: rita", "[Centauri] Warned: walt"]);
    assert_eq!(titles(sandbox), ["Removed: rita", "Warned: walt"]);
    assert!(waiting(sandbox).is_empty());
}

#[test]
fn while_the_mail_server_is_down_mails_wait_and_the_pass_goes_on() {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.busy();
    let run = sandbox.run(&["sweep"]);
    run.exits(1).stderr_has("error: no mail could be sent: cannot connect to the mail server 127.0.0.1:");
    // Said once, not once a mail.
    assert_eq!(log(&run).iter().filter(|line| line.starts_with("error:")).count(), 1, "{run}");
    assert!(!sandbox.on_plex(1005) && !sandbox.in_tautulli(1005));
    assert_eq!(titles(&sandbox), ["Removed: rita", "Warned: walt"]);
    assert_eq!(
        waiting(&sandbox),
        [
            "removal-1005-person-20261123T120000Z",
            "removal-1005-admin-20261123T120000Z",
            "warning-1003-person-20261123T120000Z",
            "warning-1003-admin-20261123T120000Z"
        ]
    );
    let state = sandbox.state();
    assert!(state["outbox"][0]["last_error"].as_str().unwrap().contains("421 4.3.2 Too busy"));

    sweep_after(&sandbox, minutes(30), &[]).exits(1);
    let run = sweep_after(sandbox.mend(), minutes(30), &[]);
    run.exits(0).stderr_has("sent the removal mail to rita (id 1005), waiting since 2026-11-23 12:00 UTC\n");
    run.stderr_has("4 notices sent\n");
    everything_arrived_once(&sandbox);
    let id = sandbox.mails_to("rita@example.test")[0].message_id();
    assert_eq!(id, "<removal-1005-person-20261123T120000Z@example.test>");
}

#[test]
fn either_pass_sends_what_waits_but_warnings_wait_for_the_sweep() {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.busy();
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().forget().advance(minutes(2)).run(&["welcome"]).exits(0);
    happened(
        &sandbox,
        &[
            "mail rita@example.test: Your access to Centauri has ended",
            "mail admin@example.test: [Centauri] Removed: rita",
            "mail admin@example.test: [Centauri] Warned: walt",
        ],
    );
    next_sweep(sandbox.forget());
    happened(&sandbox, &["mail walt@example.test: Centauri: 3 days left to watch something"]);
}

#[test]
fn while_discord_is_down_its_messages_wait_and_mails_go() {
    let sandbox = settled(rita_and_walt);
    for fault in [Fault::status(500), Fault::CutBefore, Fault::html(502), Discord::too_many(3600)] {
        let rule = sandbox.discord.fail(any(), fault);
        sandbox.run(&["sweep"]).exits(1).stderr_has("error: ").stderr_lacks("sandbox-webhook");
        rule.mend();
        assert_eq!(sandbox.mails().len(), 4);
        let posts = ["removal-1005-discord-20261123T120000Z", "warning-1003-discord-20261123T120000Z"];
        assert_eq!(waiting(&sandbox), posts);
    }
    next_sweep(&sandbox);
    everything_arrived_once(&sandbox);
}

#[test]
fn a_short_wait_that_discord_asks_for_is_kept() {
    let sandbox = settled(rita_and_walt);
    sandbox.discord.fail(any(), Discord::too_many(1)).times(1);
    sandbox.run(&["sweep"]).exits(0);
    everything_arrived_once(&sandbox);
}

#[test]
fn mail_and_discord_being_down_together_lose_nothing() {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.busy();
    sandbox.discord.fail(any(), Fault::CutBefore);
    for _ in 0..2 {
        sweep_after(&sandbox, minutes(30), &[]).exits(1);
    }
    assert_eq!(waiting(&sandbox).len(), 6);
    next_sweep(sandbox.mend());
    everything_arrived_once(&sandbox);
}

#[test]
fn a_mail_that_may_have_arrived_is_sent_again_with_the_same_message_id() {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.lose_answer().times(1);
    sandbox.run(&["sweep"]).exits(1).stderr_has("error: could not send the removal mail to rita (id 1005): ");
    assert_eq!(waiting(&sandbox).len(), 4);
    next_sweep(&sandbox);
    let ids: Vec<String> = sandbox.mails_to("rita@example.test").iter().map(Mail::message_id).collect();
    assert_eq!(ids, ["<removal-1005-person-20261123T120000Z@example.test>"; 2]);
    assert_eq!((subjects(&sandbox, ADMIN).len(), titles(&sandbox).len()), (2, 2));
}

#[test]
fn a_mail_that_did_not_arrive_is_sent_later() {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.lose_mail().times(1);
    sandbox.run(&["sweep"]).exits(1);
    next_sweep(&sandbox);
    everything_arrived_once(&sandbox);
}

#[test]
fn a_delayed_warning_counts_the_days_from_when_it_is_sent() {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.busy();
    sandbox.run(&["sweep"]).exits(1);
    sweep_after(sandbox.mend(), days(1) + hours(2), &[]).exits(0);
    assert_eq!(subjects(&sandbox, "walt@example.test"), ["Centauri: 2 days left to watch something"]);
}

#[test]
fn a_welcome_waits_for_the_mail_server_as_well_and_is_not_given_twice() {
    let sandbox = settled(rita_and_walt);
    sandbox.joins(1020, "newt");
    sandbox.smtp.busy();
    for _ in 0..2 {
        sandbox.run(&["welcome"]).exits(1);
    }
    sandbox.mend().run(&["welcome"]).exits(0);
    assert_eq!(subjects(&sandbox, "newt@example.test"), ["Welcome to Centauri"]);
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Joined: newt"]);
    assert_eq!(titles(&sandbox), ["Joined: newt"]);
    sandbox.forget().run(&["welcome"]).exits(0);
    nothing_happened(&sandbox);
}
