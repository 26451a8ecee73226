//! Notices that wait and are no longer true when they could be sent.

use super::{next_sweep, rita_and_walt};
use crate::story::{ADMIN, minutes, nothing_happened, settled, subjects, titles, waiting};
use crate::support::{Fault, Sandbox, any, cmd, days, days_ago, hours};

const WARNING: &str = "warning-1003-person-20261123T120000Z";

/// The mail server was down during the sweep, and is up again half an hour later.
fn after_a_sweep_without_mail() -> Sandbox {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.busy();
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().forget().advance(minutes(30));
    sandbox
}

#[test]
fn a_warning_is_dropped_if_the_person_watches_is_protected_has_left_or_was_removed_since() {
    type Since = fn(&Sandbox);
    let changes: [(&str, Since); 5] = [
        ("they last watched something on 2026-11-23\n", |sandbox| sandbox.advance(hours(1)).watches(1003)),
        ("", |sandbox| sandbox.starts_watching(1003)),
        ("", |sandbox| {
            sandbox.set_env("VIP_NAMES", "walt");
        }),
        ("", |sandbox| sandbox.leaves(1003)),
        ("", |sandbox| sandbox.advance(days(4)).watches(1001)),
    ];
    for (why, since) in changes {
        let sandbox = after_a_sweep_without_mail();
        since(&sandbox);
        let said = format!("dropped the warning mail to walt (id 1003): {why}");
        sandbox.advance(minutes(1)).run(&["sweep"]).exits(0).stderr_has(&said);
        assert!(subjects(&sandbox, "walt@example.test").iter().all(|subject| !subject.contains("left to watch")));
        assert_eq!(subjects(&sandbox, ADMIN)[0], "[Centauri] Removed: rita");
        assert!(subjects(&sandbox, ADMIN).iter().all(|subject| !subject.contains("Warned")));
        assert!(waiting(&sandbox).is_empty());
    }
}

#[test]
fn a_warning_waits_while_nothing_can_be_known_of_the_person() {
    let sandbox = after_a_sweep_without_mail();
    sandbox.tautulli.fail(cmd("get_history").with("user_id", 1003), Fault::status(500));
    sandbox.run(&["sweep"]).stderr_has("the warning to walt (id 1003) waits: ");
    assert!(sandbox.mails_to("walt@example.test").is_empty());
    assert_eq!(waiting(&sandbox), [WARNING]);
    next_sweep(sandbox.mend());
    assert_eq!(subjects(&sandbox, "walt@example.test"), ["Centauri: 3 days left to watch something"]);
}

#[test]
fn a_warning_waits_while_the_evidence_does_not_add_up() {
    let sandbox = after_a_sweep_without_mail();
    sandbox.disconnected().run(&["sweep"]).exits(3);
    assert!(sandbox.mails_to("walt@example.test").is_empty());
    assert!(waiting(&sandbox).contains(&WARNING.to_owned()));
}

#[test]
fn somebody_who_has_access_again_gets_no_removal_mail_and_the_admin_and_discord_hear_of_the_removal() {
    for pass in ["welcome", "sweep"] {
        let sandbox = settled(rita_and_walt);
        sandbox.smtp.busy();
        sandbox.discord.fail(any(), Fault::CutBefore);
        sandbox.run(&["sweep"]).exits(1);
        sandbox.mend().advance(minutes(30)).invite_again(1005);
        sandbox.advance(minutes(2)).run(&[pass]).exits(0);
        assert!(subjects(&sandbox, ADMIN).contains(&"[Centauri] Removed: rita".to_owned()), "after {pass}");
        assert!(titles(&sandbox).contains(&"Removed: rita".to_owned()), "after {pass}");
        sandbox.run(&["welcome"]).exits(0);
        assert_eq!(subjects(&sandbox, "rita@example.test"), ["Welcome to Centauri"], "after {pass}");
    }
}

#[test]
fn a_welcome_to_somebody_who_has_left_again_is_dropped() {
    let sandbox = settled(rita_and_walt);
    sandbox.joins(1020, "newt");
    sandbox.smtp.busy();
    sandbox.run(&["welcome"]).exits(1);
    sandbox.leaves(1020);
    sandbox.mend().forget().advance(minutes(2)).run(&["welcome"]).exits(0);
    assert!(sandbox.mails_to("newt@example.test").is_empty() && waiting(&sandbox).is_empty());
}

#[test]
fn what_waits_for_discord_is_dropped_when_there_is_no_webhook_any_more() {
    let sandbox = settled(rita_and_walt);
    sandbox.discord.fail(any(), Fault::status(404));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.unset_env("DISCORD_WEBHOOK").run(&["sweep"]);
    next_sweep(&sandbox);
    assert!(waiting(&sandbox).is_empty());
}

#[test]
fn a_removal_mail_is_sent_even_if_the_mail_server_was_down_for_days() {
    let sandbox = settled(|sandbox| {
        rita_and_walt(sandbox);
        sandbox.known(1003).watched(days_ago(1));
    });
    sandbox.smtp.busy();
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().forget().advance(days(6)).run(&["welcome"]).exits(0);
    assert_eq!(subjects(&sandbox, "rita@example.test"), ["Your access to Centauri has ended"]);
    sandbox.forget().run(&["welcome"]).exits(0);
    nothing_happened(&sandbox);
}

#[test]
fn nothing_is_given_up_by_a_clock_that_no_service_has_confirmed() {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.busy();
    sandbox.run(&["sweep"]).exits(1);
    let before = waiting(&sandbox);
    sandbox.plex.stop();
    sandbox.tautulli.stop();
    let ahead = (sandbox.now() + days(8)).format(&time::format_description::well_known::Rfc3339).unwrap();
    sandbox.set_env("PLEX_PRUNE_TEST_NOW", ahead);
    for pass in ["welcome", "sweep"] {
        sandbox.run(&[pass]).exits(1).stderr_lacks("gave up");
        assert_eq!(waiting(&sandbox), before, "after {pass}");
    }
}

#[test]
fn a_welcome_that_misses_somebody_on_plex_s_list_leaves_their_warning_waiting() {
    let sandbox = after_a_sweep_without_mail();
    let others = crate::story::share(&sandbox, 1001, "ada");
    crate::story::plex_lists(&sandbox, serde_json::json!([others]));
    sandbox.run(&["welcome"]).exits(0);
    assert!(waiting(&sandbox).contains(&WARNING.to_owned()), "{:?}", waiting(&sandbox));
    next_sweep(sandbox.mend());
    assert_eq!(subjects(&sandbox, "walt@example.test"), ["Centauri: 3 days left to watch something"]);
}
