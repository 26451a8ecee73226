//! Addresses, senders and contents that the mail server does not take.

use super::{everything_arrived_once, rita_and_walt};
use crate::story::{ADMIN, clean, log, minutes, settled, subjects, titles, waiting};
use crate::support::SmtpFault;

#[test]
fn an_address_that_is_refused_for_good_is_reported_and_dropped_and_the_others_get_theirs() {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.refuse("rita@example.test");
    let run = sandbox.run(&["sweep"]);
    run.stderr_has(
        "error: could not send the removal mail to rita (id 1005): the mail server refuses this address for good: \
         550 5.1.1 No such user here; it is not tried again\n",
    );
    assert!(sandbox.mails_to("rita@example.test").is_empty());
    assert_eq!(subjects(&sandbox, "walt@example.test").len(), 1);
    assert_eq!(
        subjects(&sandbox, ADMIN),
        ["[Centauri] Removed: rita", "[Centauri] Warned: walt", "[Centauri] Mail refused: rita"]
    );
    let report = sandbox.mails_to(ADMIN)[2].html();
    assert!(report.contains("removal mail") && report.contains("550 5.1.1 No such user here"), "{report}");
    assert_eq!(titles(&sandbox), ["Removed: rita", "Warned: walt"]);
    assert_eq!(sandbox.smtp.connections(), 1);
    assert!(waiting(&sandbox).is_empty());

    let refused = |writes: Vec<String>| writes.iter().filter(|write| write.ends_with("-> refused")).count();
    sandbox.mend().advance(minutes(30)).run(&["sweep"]).exits(0);
    assert_eq!(refused(sandbox.writes()), 1);
    assert!(sandbox.mails_to("rita@example.test").is_empty());
    clean(&sandbox);
}

#[test]
fn what_is_not_about_the_address_is_tried_again() {
    for (code, text) in [
        (450, "4.7.1 Greylisted, try again later"),
        (451, "4.3.0 Temporary failure"),
        (452, "4.2.2 Mailbox full"),
        (552, "5.2.2 Mailbox full"),
        (550, "5.7.1 Relaying denied"),
        (554, "5.7.1 Your address is on a blocklist"),
    ] {
        let sandbox = settled(rita_and_walt);
        sandbox.smtp.fail_for("rita@example.test", SmtpFault::reply(code, text));
        let run = sandbox.run(&["sweep"]);
        run.exits(1).stderr_has("error: could not send the removal mail to rita (id 1005): ").stderr_has(text);
        assert_eq!(waiting(&sandbox), ["removal-1005-person-20261123T120000Z"]);
        assert_eq!(sandbox.mails().len(), 3);
        assert_eq!(sandbox.smtp.connections(), 1);
        sandbox.mend().advance(minutes(30)).run(&["sweep"]).exits(0);
        everything_arrived_once(&sandbox);
        clean(&sandbox);
    }
}

#[test]
fn the_admin_s_address_being_refused_keeps_the_admin_s_mails_and_sends_the_others() {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.refuse(ADMIN);
    let run = sandbox.run(&["sweep"]);
    run.exits(1);
    assert_eq!(log(&run).iter().filter(|line| line.starts_with("error:")).count(), 2, "{run}");
    assert_eq!(sandbox.mails().len(), 2);
    assert_eq!(waiting(&sandbox), ["removal-1005-admin-20261123T120000Z", "warning-1003-admin-20261123T120000Z"]);
    sandbox.mend().advance(minutes(30)).run(&["sweep"]).exits(0);
    everything_arrived_once(&sandbox);
    clean(&sandbox);
}

#[test]
fn another_address_for_the_admin_helps_what_waits() {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.refuse(ADMIN);
    sandbox.run(&["sweep"]).exits(1);
    sandbox.set_env("ADMIN_EMAIL", "owner@example.test").advance(minutes(30)).run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "owner@example.test"), ["[Centauri] Removed: rita", "[Centauri] Warned: walt"]);
    clean(&sandbox);
}

#[test]
fn a_refused_sender_or_content_keeps_the_mails_until_that_is_mended() {
    for sender in [true, false] {
        let sandbox = settled(rita_and_walt);
        let (rule, advice) = match sender {
            true => (sandbox.smtp.refuse_sender(), "check that SMTP_FROM may be used with SMTP_USERNAME"),
            false => (sandbox.smtp.refuse_content(), "554 5.7.1 Message refused as spam"),
        };
        sandbox.run(&["sweep"]).exits(1).stderr_has(advice);
        assert_eq!((waiting(&sandbox).len(), titles(&sandbox).len()), (4, 2));
        rule.mend();
        sandbox.advance(minutes(30)).run(&["sweep"]).exits(0);
        everything_arrived_once(&sandbox);
        clean(&sandbox);
    }
}

#[test]
fn an_address_that_is_none_is_reported_like_one_that_is_refused() {
    let sandbox = settled(rita_and_walt);
    sandbox.known(1005).email("rita at home");
    sandbox.run(&["sweep"]).stderr_has("\"rita at home\" is not an e-mail address; it is not tried again\n");
    assert_eq!(subjects(&sandbox, ADMIN).last().unwrap(), "[Centauri] Mail refused: rita");
    assert_eq!(subjects(&sandbox, "walt@example.test").len(), 1);
    assert!(waiting(&sandbox).is_empty());
    clean(&sandbox);
}

#[test]
fn a_welcome_to_an_address_that_is_refused_is_reported() {
    let sandbox = settled(rita_and_walt);
    sandbox.joins(1020, "newt");
    sandbox.smtp.refuse("newt@example.test");
    sandbox.run(&["welcome"]);
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Joined: newt", "[Centauri] Mail refused: newt"]);
    assert!(sandbox.mails_to(ADMIN)[1].html().contains("The welcome mail for newt can&#39;t be delivered"));
    clean(&sandbox);
}
