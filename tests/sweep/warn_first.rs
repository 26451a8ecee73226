//! `WARN_FIRST=true`: nobody is removed without a delivered warning, KICK − WARN days earlier.

use crate::story::{ADMIN, clean, ids, nothing_happened, seconds, settled, subjects};
use crate::support::{Sandbox, SmtpFault, days, days_ago, hours};

const WARNING: &str = "Centauri: 3 days left to watch something";
const END: &str = "Your access to Centauri has ended";

/// rita has been idle for 40 days, and was never warned. ada watches every day.
fn rita() -> Sandbox {
    settled(|sandbox| {
        sandbox.set_env("WARN_FIRST", "true");
        sandbox.person(1001, "ada");
        sandbox.person(1005, "rita").watched(days_ago(40));
    })
}

/// A sweep, after `by`.
fn sweep(sandbox: &Sandbox, by: time::Duration) -> crate::support::Run {
    sandbox.advance(by);
    sandbox.watches(1001);
    sandbox.run(&["sweep"])
}

/// rita is removed `by` from now, and not a second earlier.
#[track_caller]
fn removed_in(sandbox: &Sandbox, by: time::Duration) {
    sandbox.forget();
    sweep(sandbox, by - seconds(1)).exits(0);
    assert!(sandbox.on_plex(1005), "too early");
    sweep(sandbox, seconds(1)).exits(0);
    assert!(!sandbox.on_plex(1005), "too late");
}

#[test]
fn who_was_never_warned_is_warned_first_and_removed_three_days_later() {
    let sandbox = rita();
    let run = sweep(&sandbox, seconds(0));
    run.exits(0).stderr_has("warned rita (id 1005): nothing watched for 40 days; access ends 2026-11-26 12:00 UTC\n");
    assert_eq!(subjects(&sandbox, "rita@example.test"), [WARNING]);
    removed_in(&sandbox, days(3));
    assert_eq!(subjects(&sandbox, "rita@example.test"), [END]);
    clean(&sandbox);
}

#[test]
fn who_was_warned_in_time_is_removed_after_30_days() {
    let sandbox = settled(|sandbox| {
        sandbox.set_env("WARN_FIRST", "true");
        sandbox.person(1001, "ada");
        sandbox.person(1005, "rita").watched(days_ago(27));
    });
    sweep(&sandbox, seconds(0)).exits(0);
    removed_in(&sandbox, days(3));
    clean(&sandbox);
}

#[test]
fn a_warning_of_an_earlier_spell_does_not_count() {
    let sandbox = rita();
    sweep(&sandbox, seconds(0)).exits(0);
    sandbox.forget().advance(hours(1));
    sandbox.watches(1005);
    // No sweep in between.
    sweep(&sandbox, days(40)).exits(0);
    assert_eq!(subjects(&sandbox, "rita@example.test"), [WARNING]);
    removed_in(&sandbox, days(3));
    clean(&sandbox);
}

#[test]
fn a_mail_server_that_is_down_delays_the_removal() {
    let sandbox = rita();
    sandbox.smtp.busy();
    sweep(&sandbox, seconds(0)).exits(1);
    for _ in 0..4 {
        sweep(&sandbox, days(1)).exits(1);
    }
    assert!(sandbox.on_plex(1005));
    sandbox.smtp.mend();
    sweep(&sandbox, hours(1)).exits(0);
    assert_eq!(sandbox.mails_to("rita@example.test").len(), 1);
    removed_in(&sandbox, days(3));
    clean(&sandbox);
}

#[test]
fn a_warning_that_was_delayed_names_the_day_on_which_access_really_ends() {
    let sandbox = rita();
    sandbox.smtp.busy();
    sweep(&sandbox, seconds(0)).exits(1);
    sandbox.smtp.mend();
    sweep(&sandbox, days(4)).exits(0);
    let mails = sandbox.mails_to("rita@example.test");
    let text = mails[0].text();
    assert!(text.contains("Monday 30 November 2026, 12:00 UTC"), "{text}");
    assert_eq!(subjects(&sandbox, "rita@example.test"), [WARNING]);
    clean(&sandbox);
}

#[test]
fn a_warning_to_somebody_without_an_address_counts_once_the_admin_was_told() {
    let sandbox = rita();
    sandbox.known(1005).no_email();
    let rule = sandbox.smtp.refuse(ADMIN);
    sweep(&sandbox, seconds(0)).exits(1);
    sweep(&sandbox, days(5)).exits(1);
    assert!(sandbox.on_plex(1005));
    rule.mend();
    sweep(&sandbox, hours(1)).exits(0);
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Warned: rita"]);
    removed_in(&sandbox, days(3));
    clean(&sandbox);
}

#[test]
fn a_warning_to_an_address_that_is_refused_counts_once_the_admin_was_told() {
    let sandbox = rita();
    sandbox.smtp.refuse("rita@example.test");
    let rule = sandbox.smtp.fail_for(ADMIN, SmtpFault::reply(450, "4.7.1 Later"));
    sweep(&sandbox, seconds(0)).exits(1);
    sweep(&sandbox, days(5)).exits(1);
    assert!(sandbox.on_plex(1005));
    rule.mend();
    sweep(&sandbox, hours(1)).exits(0);
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Warned: rita", "[Centauri] Mail refused: rita"]);
    removed_in(&sandbox, days(3));
    clean(&sandbox);
}

#[test]
fn an_address_that_is_none_counts_once_the_admin_was_told() {
    let sandbox = rita();
    sandbox.known(1005).email("rita at home");
    sweep(&sandbox, seconds(0)).exits(0);
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Warned: rita", "[Centauri] Mail refused: rita"]);
    removed_in(&sandbox, days(3));
    clean(&sandbox);
}

#[test]
fn a_warning_that_only_discord_took_does_not_count() {
    let sandbox = rita();
    sandbox.smtp.busy();
    for _ in 0..5 {
        sweep(&sandbox, days(1)).exits(1);
    }
    assert_eq!(sandbox.posts().len(), 1);
    assert!(sandbox.on_plex(1005));
    clean(&sandbox);
}

#[test]
fn who_watches_after_the_warning_stays_and_is_forgotten_as_warned() {
    let sandbox = rita();
    sweep(&sandbox, seconds(0)).exits(0);
    sandbox.forget().advance(days(2));
    sandbox.watches(1005);
    sweep(&sandbox, days(2)).exits(0);
    nothing_happened(&sandbox);
    assert!(ids(&sandbox, "warned").is_empty() && sandbox.on_plex(1005));
    clean(&sandbox);
}

/// A week and a day pass, with a sweep a day.
fn a_long_time(sandbox: &Sandbox) {
    for _ in 0..8 {
        sweep(sandbox, days(1));
        assert!(sandbox.on_plex(1005));
    }
    sandbox.mend();
}

#[test]
fn a_warning_that_the_mail_server_did_not_take_for_a_week_is_still_owed_before_the_removal() {
    let sandbox = rita();
    sandbox.smtp.busy();
    sweep(&sandbox, seconds(0)).exits(1);
    a_long_time(&sandbox);
    sweep(&sandbox, hours(1));
    sweep(&sandbox, hours(1)).exits(0);
    assert_eq!(sandbox.mails_to("rita@example.test").len(), 1);
    assert!(sandbox.on_plex(1005));
    sweep(&sandbox, days(3)).exits(0);
    assert!(!sandbox.on_plex(1005));
    clean(&sandbox);
}

#[test]
fn a_warning_that_the_admin_could_not_be_told_of_for_a_week_does_not_protect_for_ever() {
    for address in [None, Some("rita at home")] {
        let sandbox = rita();
        match address {
            Some(address) => sandbox.known(1005).email(address),
            None => sandbox.known(1005).no_email(),
        };
        sandbox.smtp.busy();
        sweep(&sandbox, seconds(0)).exits(1);
        a_long_time(&sandbox);
        sweep(&sandbox, hours(1));
        sweep(&sandbox, hours(1)).exits(0);
        assert!(subjects(&sandbox, ADMIN).contains(&"[Centauri] Warned: rita".to_owned()), "{address:?}");
        assert!(sandbox.on_plex(1005));
        sweep(&sandbox, days(3)).exits(0);
        assert!(!sandbox.on_plex(1005), "{address:?}");
        clean(&sandbox);
    }
}
