//! One connection a pass, secured as the owner says, and what happens when it breaks.

use super::{everything_arrived_once, next_sweep, rita_and_walt};
use crate::story::{ADMIN, settled, subjects, titles, waiting};
use crate::support::{SmtpFault, SmtpTls, Stage};

#[test]
fn all_mails_of_a_pass_go_over_one_connection() {
    let sandbox = settled(rita_and_walt);
    sandbox.run(&["sweep"]).exits(0);
    everything_arrived_once(&sandbox);
    assert!(sandbox.mails().iter().all(|mail| mail.authenticated && !mail.tls && mail.from == "plex@example.test"));
    assert_eq!(sandbox.smtp.connections(), 1);
    next_sweep(&sandbox);
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(sandbox.smtp.connections(), 1, "there was nothing to send");
}

#[test]
fn mails_arrive_with_starttls_and_with_tls_from_the_first_byte() {
    for tls in [SmtpTls::Starttls, SmtpTls::Implicit] {
        let sandbox = settled(rita_and_walt);
        sandbox.smtp_tls(tls).run(&["sweep"]).exits(0);
        everything_arrived_once(&sandbox);
        assert!(sandbox.mails().iter().all(|mail| mail.authenticated && mail.tls), "{tls:?}");
    }
}

#[test]
fn a_certificate_of_an_unknown_authority_is_not_trusted() {
    let sandbox = settled(rita_and_walt);
    for tls in [SmtpTls::Starttls, SmtpTls::Implicit] {
        sandbox.smtp_tls(tls).unset_env("CA_FILE");
        sandbox.run(&["sweep"]).exits(1).stderr_has("name its PEM file in CA_FILE");
        assert_eq!((sandbox.mails().len(), waiting(&sandbox).len()), (0, 4), "{tls:?}");
    }
}

#[test]
fn where_starttls_is_wanted_and_not_offered_no_mail_and_no_password_goes_out() {
    let sandbox = settled(rita_and_walt);
    for value in ["starttls", "auto"] {
        sandbox.set_env("SMTP_TLS", value).run(&["sweep"]).exits(1).stderr_has("it offers no STARTTLS");
    }
    assert!(sandbox.mails().is_empty() && waiting(&sandbox).len() == 4);
}

#[test]
fn a_refused_login_is_a_failure_and_says_what_to_do() {
    let sandbox = settled(rita_and_walt);
    let run = sandbox.set_env("SMTP_PASSWORD", "not-the-password").run(&["sweep"]);
    run.exits(1).stderr_has(
        ": 535 5.7.8 Authentication credentials invalid. \
         Check SMTP_USERNAME and SMTP_PASSWORD; some providers want an app password\n",
    );
    run.stderr_has("error: no mail could be sent: cannot log in to the mail server 127.0.0.1:")
        .stderr_lacks("not-the-password");
    assert_eq!((waiting(&sandbox).len(), titles(&sandbox).len()), (4, 2));
    next_sweep(sandbox.set_env("SMTP_PASSWORD", "sandbox-mail-password"));
    everything_arrived_once(&sandbox);
}

#[test]
fn a_connection_that_ends_in_the_middle_loses_nothing_and_repeats_nothing() {
    let goodbye = || SmtpFault::reply(421, "4.3.2 Shutting down");
    for (stage, fault, mails_before) in [
        (Stage::Sender, goodbye(), 1),
        (Stage::Sender, SmtpFault::HangUp, 1),
        (Stage::Recipient, goodbye(), 1),
        (Stage::Recipient, SmtpFault::HangUp, 1),
        (Stage::Data, goodbye(), 1),
        (Stage::Data, SmtpFault::HangUp, 1),
        (Stage::Body, goodbye(), 2),
    ] {
        let what = format!("{stage:?}: {fault:?}");
        let sandbox = settled(rita_and_walt);
        sandbox.smtp.fail(stage, fault).after(mails_before).times(1);
        sandbox.run(&["sweep"]).exits(1);
        assert_eq!((sandbox.mails().len(), waiting(&sandbox).len()), (mails_before, 4 - mails_before), "{what}");
        next_sweep(&sandbox);
        everything_arrived_once(&sandbox);
        assert_eq!(sandbox.smtp.connections(), 2, "{what}");
    }
}

#[test]
fn a_failure_before_the_first_mail_is_one_of_the_server() {
    let sandbox = settled(rita_and_walt);
    for (stage, fault) in [
        (Stage::Greeting, SmtpFault::HangUp),
        (Stage::Greeting, SmtpFault::reply(554, "5.7.1 Go away")),
        (Stage::Hello, SmtpFault::HangUp),
        (Stage::Login, SmtpFault::HangUp),
        (Stage::Login, SmtpFault::reply(454, "4.7.0 Temporary authentication failure")),
    ] {
        let what = format!("{stage:?}: {fault:?}");
        let rule = sandbox.smtp.fail(stage, fault);
        sandbox.run(&["sweep"]).exits(1).stderr_has("error: no mail could be sent: cannot ");
        rule.mend();
        assert_eq!(waiting(&sandbox).len(), 4, "{what}");
    }
    next_sweep(&sandbox);
    everything_arrived_once(&sandbox);
}

#[test]
fn an_address_outside_ascii_gets_its_mail() {
    let sandbox = settled(rita_and_walt);
    sandbox.known(1005).email("ritä@example.test");
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "ritä@example.test"), ["Your access to Centauri has ended"]);
    assert_eq!(subjects(&sandbox, ADMIN).len(), 2);
}
