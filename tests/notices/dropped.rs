//! Notices that wait and are no longer true when they could be sent.

use super::rita_and_walt;
use crate::story::{ADMIN, clean, minutes, nothing_happened, settled, subjects, titles, waiting};
use crate::support::{Fault, Sandbox, any, cmd, days, days_ago, hours};

/// The mail server was down during the sweep, and is up again half an hour later.
fn after_a_sweep_without_mail() -> Sandbox {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.busy();
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().forget().advance(minutes(30));
    sandbox
}

#[test]
fn a_warning_to_somebody_who_has_watched_since_is_dropped() {
    let sandbox = after_a_sweep_without_mail();
    sandbox.advance(hours(1)).watches(1003);
    let run = sandbox.run(&["sweep"]);
    run.exits(0).stderr_has("dropped the warning mail to walt (id 1003): they last watched something on 2026-11-23\n");
    assert!(sandbox.mails_to("walt@example.test").is_empty());
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Removed: rita"]);
    assert!(waiting(&sandbox).is_empty());
    clean(&sandbox);
}

#[test]
fn a_warning_to_somebody_who_is_watching_right_now_is_dropped() {
    let sandbox = after_a_sweep_without_mail();
    sandbox.starts_watching(1003);
    sandbox.advance(minutes(1)).run(&["sweep"]).exits(0);
    assert!(sandbox.mails_to("walt@example.test").is_empty());
    clean(&sandbox);
}

#[test]
fn a_warning_to_somebody_who_is_protected_has_left_or_was_removed_since_is_dropped() {
    type Since = fn(&Sandbox);
    let changes: [Since; 3] = [
        |sandbox| {
            sandbox.set_env("VIP_NAMES", "walt");
        },
        |sandbox| sandbox.leaves(1003),
        |sandbox| {
            sandbox.advance(days(4));
            sandbox.watches(1001);
        },
    ];
    for since in changes {
        let sandbox = after_a_sweep_without_mail();
        since(&sandbox);
        sandbox.run(&["sweep"]).exits(0).stderr_has("dropped the warning mail to walt (id 1003): ");
        assert!(subjects(&sandbox, "walt@example.test").iter().all(|subject| !subject.contains("left to watch")));
        assert!(waiting(&sandbox).is_empty());
        clean(&sandbox);
    }
}

#[test]
fn a_warning_waits_while_nothing_can_be_known_of_the_person() {
    let sandbox = after_a_sweep_without_mail();
    sandbox.tautulli.fail(cmd("get_history").with("user_id", 1003), Fault::status(500));
    sandbox.run(&["sweep"]).stderr_has("the warning to walt (id 1003) waits: ");
    assert!(sandbox.mails_to("walt@example.test").is_empty());
    assert_eq!(waiting(&sandbox), ["warning-1003-person-20261123T120000Z"]);
    sandbox.mend().advance(minutes(30)).run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "walt@example.test"), ["Centauri: 3 days left to watch something"]);
    clean(&sandbox);
}

#[test]
fn a_warning_waits_while_the_evidence_does_not_add_up() {
    let sandbox = after_a_sweep_without_mail();
    sandbox.disconnected().run(&["sweep"]).exits(3);
    assert!(sandbox.mails_to("walt@example.test").is_empty());
    assert!(waiting(&sandbox).contains(&"warning-1003-person-20261123T120000Z".to_owned()));
    clean(&sandbox);
}

#[test]
fn a_removal_mail_is_not_sent_to_somebody_who_has_access_again() {
    for pass in ["welcome", "sweep"] {
        let sandbox = after_a_sweep_without_mail();
        sandbox.invite_again(1005);
        sandbox.advance(minutes(2)).run(&[pass]).exits(0);
        sandbox.run(&["welcome"]).exits(0);
        assert_eq!(subjects(&sandbox, "rita@example.test"), ["Welcome to Centauri"]);
        clean(&sandbox);
    }
}

#[test]
fn the_admin_still_hears_of_the_removal_of_somebody_who_has_access_again() {
    for pass in ["welcome", "sweep"] {
        let sandbox = after_a_sweep_without_mail();
        sandbox.invite_again(1005);
        sandbox.advance(minutes(2)).run(&[pass]).exits(0);
        assert!(subjects(&sandbox, ADMIN).contains(&"[Centauri] Removed: rita".to_owned()), "after {pass}");
        clean(&sandbox);
    }
}

#[test]
fn discord_still_hears_of_the_removal_of_somebody_who_has_access_again() {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.busy();
    sandbox.discord.fail(any(), Fault::CutBefore);
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().advance(minutes(30)).invite_again(1005);
    sandbox.advance(minutes(2)).run(&["welcome"]).exits(0);
    assert!(titles(&sandbox).contains(&"Removed: rita".to_owned()));
    clean(&sandbox);
}

#[test]
fn a_welcome_to_somebody_who_has_left_again_is_dropped() {
    let sandbox = settled(rita_and_walt);
    sandbox.joins(1020, "newt");
    sandbox.smtp.busy();
    sandbox.run(&["welcome"]).exits(1);
    sandbox.leaves(1020);
    sandbox.mend().forget().advance(minutes(2)).run(&["welcome"]).exits(0);
    assert!(sandbox.mails_to("newt@example.test").is_empty());
    assert!(waiting(&sandbox).is_empty());
    clean(&sandbox);
}

#[test]
fn without_a_webhook_any_more_what_waits_for_discord_is_dropped() {
    let sandbox = settled(rita_and_walt);
    sandbox.discord.fail(any(), Fault::status(404));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.unset_env("DISCORD_WEBHOOK").advance(minutes(30)).run(&["sweep"]);
    sandbox.advance(minutes(30)).run(&["sweep"]).exits(0);
    assert!(waiting(&sandbox).is_empty());
    clean(&sandbox);
}

#[test]
fn a_removal_mail_reaches_who_is_gone_even_if_the_mail_server_was_down_for_days() {
    let sandbox = settled(|sandbox| {
        rita_and_walt(sandbox);
        sandbox.known(1003).watched(days_ago(1));
    });
    sandbox.smtp.busy();
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().forget().advance(days(6));
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(subjects(&sandbox, "rita@example.test"), ["Your access to Centauri has ended"]);
    sandbox.forget().run(&["welcome"]).exits(0);
    nothing_happened(&sandbox);
    clean(&sandbox);
}
