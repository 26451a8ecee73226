//! One connection a pass, secured as the owner says, and what happens when it breaks.

use super::{everything_arrived_once, rita_and_walt};
use crate::story::{ADMIN, clean, minutes, settled, subjects, titles, waiting};
use crate::support::{SmtpFault, SmtpTls, Stage};

#[test]
fn all_mails_of_a_pass_go_over_one_connection() {
    let sandbox = settled(rita_and_walt);
    sandbox.run(&["sweep"]).exits(0);
    everything_arrived_once(&sandbox);
    assert_eq!(sandbox.smtp.connections(), 1);
    sandbox.advance(minutes(30)).run(&["sweep"]).exits(0);
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(sandbox.smtp.connections(), 1, "there was nothing to send");
    clean(&sandbox);
}

#[test]
fn mails_arrive_with_starttls_with_implicit_tls_and_with_none() {
    for tls in [SmtpTls::Starttls, SmtpTls::Implicit, SmtpTls::None] {
        let sandbox = settled(rita_and_walt);
        sandbox.smtp_tls(tls);
        sandbox.run(&["sweep"]).exits(0);
        everything_arrived_once(&sandbox);
        assert!(sandbox.mails().iter().all(|mail| mail.authenticated && mail.tls == (tls != SmtpTls::None)));
        assert!(sandbox.mails().iter().all(|mail| mail.from == "plex@example.test"));
        clean(&sandbox);
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_not_trusted() {
    for tls in [SmtpTls::Starttls, SmtpTls::Implicit] {
        let sandbox = settled(rita_and_walt);
        sandbox.smtp_tls(tls).unset_env("CA_FILE");
        sandbox.run(&["sweep"]).exits(1).stderr_has("name its PEM file in CA_FILE");
        assert!(sandbox.mails().is_empty());
        assert_eq!(waiting(&sandbox).len(), 4);
        clean(&sandbox);
    }
}

#[test]
fn where_starttls_is_wanted_and_not_offered_no_mail_and_no_password_goes_out() {
    let sandbox = settled(rita_and_walt);
    for value in ["starttls", "auto"] {
        sandbox.set_env("SMTP_TLS", value).run(&["sweep"]).exits(1).stderr_has("it offers no STARTTLS");
    }
    assert!(sandbox.mails().is_empty());
    clean(&sandbox);
}

#[test]
fn a_refused_login_is_a_failure_and_says_what_to_do() {
    let sandbox = settled(rita_and_walt);
    sandbox.set_env("SMTP_PASSWORD", "not-the-password");
    let run = sandbox.run(&["sweep"]);
    run.exits(1).stderr_has(
        ": 535 5.7.8 Authentication credentials invalid; \
         check SMTP_USERNAME and SMTP_PASSWORD; some providers want an app password\n",
    );
    run.stderr_has("error: no mail could be sent: cannot log in to the mail server 127.0.0.1:")
        .stderr_lacks("not-the-password");
    assert_eq!((waiting(&sandbox).len(), titles(&sandbox).len()), (4, 2));
    sandbox.set_env("SMTP_PASSWORD", "sandbox-mail-password").advance(minutes(30)).run(&["sweep"]).exits(0);
    everything_arrived_once(&sandbox);
    clean(&sandbox);
}

#[test]
fn a_goodbye_in_the_middle_loses_nothing_and_repeats_nothing() {
    for stage in [Stage::Sender, Stage::Recipient, Stage::Data] {
        for fault in [SmtpFault::reply(421, "4.3.2 Shutting down"), SmtpFault::HangUp] {
            let sandbox = settled(rita_and_walt);
            sandbox.smtp.fail(stage, fault).after(1).times(1);
            sandbox.run(&["sweep"]).exits(1);
            assert_eq!(sandbox.mails().len(), 1, "{stage:?}");
            assert_eq!(waiting(&sandbox).len(), 3);
            sandbox.advance(minutes(30)).run(&["sweep"]).exits(0);
            everything_arrived_once(&sandbox);
            assert_eq!(sandbox.smtp.connections(), 2);
            clean(&sandbox);
        }
    }
}

#[test]
fn a_goodbye_instead_of_taking_a_mail_loses_nothing_and_repeats_nothing() {
    let sandbox = settled(rita_and_walt);
    sandbox.smtp.fail(Stage::Body, SmtpFault::reply(421, "4.3.2 Shutting down")).after(2).times(1);
    sandbox.run(&["sweep"]).exits(1);
    sandbox.advance(minutes(30)).run(&["sweep"]).exits(0);
    everything_arrived_once(&sandbox);
    clean(&sandbox);
}

#[test]
fn trouble_at_the_greeting_or_the_login_is_trouble_with_the_server() {
    for (stage, fault) in [
        (Stage::Greeting, SmtpFault::HangUp),
        (Stage::Greeting, SmtpFault::reply(554, "5.7.1 Go away")),
        (Stage::Hello, SmtpFault::HangUp),
        (Stage::Login, SmtpFault::HangUp),
        (Stage::Login, SmtpFault::reply(454, "4.7.0 Temporary authentication failure")),
    ] {
        let sandbox = settled(rita_and_walt);
        sandbox.smtp.fail(stage, fault);
        sandbox.run(&["sweep"]).exits(1).stderr_has("error: no mail could be sent: cannot ");
        assert_eq!(waiting(&sandbox).len(), 4);
        sandbox.mend().run(&["sweep"]).exits(0);
        everything_arrived_once(&sandbox);
        clean(&sandbox);
    }
}

#[test]
fn an_address_outside_ascii_gets_its_mail() {
    let sandbox = settled(rita_and_walt);
    sandbox.known(1005).email("ritä@example.test");
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "ritä@example.test"), ["Your access to Centauri has ended"]);
    assert_eq!(subjects(&sandbox, ADMIN).len(), 2);
    clean(&sandbox);
}
