//! Addresses, senders and contents that the mail server does not take.

use super::{everything_arrived_once, next_sweep, rita_and_walt};
use crate::story::{ADMIN, log, settled, subjects, titles, waiting};
use crate::support::{Rule, Sandbox, SmtpFault};

#[test]
fn an_address_that_is_refused_for_good_is_reported_and_dropped_and_the_others_get_theirs() {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.refuse("rita@example.test");
    sandbox.run(&["sweep"]).stderr_has(
        "error: could not send the removal mail to rita (id 1005): the mail server refuses this address: \
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
    assert_eq!((sandbox.smtp.connections(), waiting(&sandbox).len()), (1, 0));

    next_sweep(sandbox.mend());
    assert_eq!(sandbox.writes().iter().filter(|write| write.ends_with("-> refused")).count(), 1);
    assert!(sandbox.mails_to("rita@example.test").is_empty());
}

#[test]
fn what_is_not_about_the_address_is_tried_again() {
    let sandbox = settled(rita_and_walt);
    let answers = [
        (450, "4.7.1 Greylisted, try again later"),
        (451, "4.3.0 Temporary failure"),
        (452, "4.2.2 Mailbox full"),
        (552, "5.2.2 Mailbox full"),
        (550, "5.7.1 Relaying denied"),
        (554, "5.7.1 Your address is on a blocklist"),
    ];
    for (tries, (code, text)) in (1..).zip(answers) {
        let rule = sandbox.smtp.fail_for("rita@example.test", SmtpFault::reply(code, text));
        let run = sandbox.run(&["sweep"]);
        run.exits(1).stderr_has("error: could not send the removal mail to rita (id 1005): ").stderr_has(text);
        rule.mend();
        assert_eq!(waiting(&sandbox), ["removal-1005-person-20261123T120000Z"], "{text}");
        assert_eq!((sandbox.mails().len(), sandbox.smtp.connections()), (3, tries), "{text}");
    }
    next_sweep(&sandbox);
    everything_arrived_once(&sandbox);
}

#[test]
fn a_refused_address_of_the_admin_keeps_the_admin_s_mails_until_there_is_another_and_sends_the_others() {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.refuse(ADMIN);
    let run = sandbox.run(&["sweep"]);
    assert_eq!(log(run.exits(1)).iter().filter(|line| line.starts_with("error:")).count(), 2, "{run}");
    assert_eq!(sandbox.mails().len(), 2);
    assert_eq!(waiting(&sandbox), ["removal-1005-admin-20261123T120000Z", "warning-1003-admin-20261123T120000Z"]);
    next_sweep(sandbox.set_env("ADMIN_EMAIL", "owner@example.test"));
    assert_eq!(subjects(&sandbox, "owner@example.test"), ["[Centauri] Removed: rita", "[Centauri] Warned: walt"]);
    assert_eq!((sandbox.mails().len(), waiting(&sandbox).len()), (4, 0));
}

#[test]
fn a_refused_sender_or_content_keeps_the_mails_until_that_is_fixed() {
    type Refuse = fn(&Sandbox) -> Rule;
    let refusals: [(Refuse, &str); 2] = [
        (
            |sandbox| sandbox.smtp.refuse_sender(),
            "sandbox-mailer may not send as plex@example.test: 553 5.7.1 Sender address rejected. Set SMTP_FROM",
        ),
        (|sandbox| sandbox.smtp.refuse_content(), "554 5.7.1 Message refused as spam"),
    ];
    let sandbox = settled(rita_and_walt);
    for (refuse, said) in refusals {
        let rule = refuse(&sandbox);
        sandbox.run(&["sweep"]).exits(1).stderr_has(said);
        rule.mend();
        assert_eq!((waiting(&sandbox).len(), titles(&sandbox).len()), (4, 2), "{said}");
    }
    next_sweep(&sandbox);
    everything_arrived_once(&sandbox);
}

#[test]
fn an_address_that_is_not_one_is_reported_like_one_that_is_refused() {
    let sandbox = settled(rita_and_walt);
    sandbox.known(1005).email("rita at home");
    sandbox.run(&["sweep"]).stderr_has("\"rita at home\" is not an e-mail address; it is not tried again\n");
    assert_eq!(subjects(&sandbox, ADMIN).last().unwrap(), "[Centauri] Mail refused: rita");
    assert_eq!(subjects(&sandbox, "walt@example.test").len(), 1);
    assert!(waiting(&sandbox).is_empty());
}

#[test]
fn a_welcome_to_an_address_that_is_refused_is_reported() {
    let sandbox = settled(rita_and_walt);
    sandbox.joins(1020, "newt");
    sandbox.smtp.refuse("newt@example.test");
    sandbox.run(&["welcome"]);
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Joined: newt", "[Centauri] Mail refused: newt"]);
    assert!(sandbox.mails_to(ADMIN)[1].html().contains("The welcome mail for newt can&#39;t be delivered"));
}
