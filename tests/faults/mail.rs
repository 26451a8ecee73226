//! Mail and Discord go wrong: notices wait, everything else goes on.

use super::{Row, SWEEP, Scene, http_faults, impatient, run_all};
use crate::story::{minutes, waiting};
use crate::support::{Discord, Fault, Mail, Sandbox, SmtpFault, SmtpTls, Stage, any, days};

fn row(name: &str, lay: impl Fn(&Sandbox) + Send + Sync + 'static) -> Row {
    Row::new(name, Scene::Sweep, lay)
}

/// Nothing comes through.
fn at(stage: Stage, fault: fn() -> SmtpFault) -> Row {
    row(&format!("{stage:?}"), move |sandbox| {
        impatient(sandbox);
        sandbox.smtp.fail(stage, fault());
    })
    .meanwhile_all_but("mail")
}

/// Of the mails, the first is rita's.
const RITA: &str = "mail rita@example.test: Your access to Centauri has ended";

#[test]
fn mails_wait_for_the_mail_server() {
    let connecting = "no mail could be sent: cannot connect to the mail server ";
    let closing = || SmtpFault::reply(421, "4.3.2 Closing");
    let put_off = "could not send the removal mail to rita (id 1005): the mail server puts the mail off (at ";
    let refuses = "could not send the removal mail to rita (id 1005): the mail server refuses the mail (at ";
    let may_not = "could not send the removal mail to rita (id 1005): sandbox-mailer may not send ";
    let broke = "could not send the removal mail to rita (id 1005): the connection to the mail server broke (at ";
    let mut rows = vec![
        row("refused", |sandbox| {
            sandbox.set_env("SMTP_PORT", 1);
        })
        .meanwhile_all_but("mail")
        .says(connecting),
        row("no such host", |sandbox| {
            sandbox.set_env("SMTP_HOST", "nobody.invalid");
        })
        .meanwhile_all_but("mail")
        .says(connecting),
        at(Stage::Greeting, closing).says("421 4.3.2 Closing"),
        at(Stage::Greeting, || SmtpFault::Hang).says(connecting),
        at(Stage::Greeting, || SmtpFault::HangUp).says(connecting),
        at(Stage::Hello, || SmtpFault::Hang).says(connecting),
        at(Stage::Login, || SmtpFault::reply(535, "5.7.8 No")).says("cannot log in to the mail server"),
        at(Stage::Login, || SmtpFault::reply(454, "4.7.0 Later")).says("cannot log in to the mail server"),
        at(Stage::Login, || SmtpFault::Hang).says("cannot log in to the mail server"),
        at(Stage::Sender, closing).says(format!("{broke}MAIL FROM)")),
        at(Stage::Sender, || SmtpFault::reply(553, "5.7.1 Not yours")).says(format!("{may_not}as plex@example.test: ")),
        at(Stage::Sender, || SmtpFault::Hang).says(format!("{broke}MAIL FROM)")),
        at(Stage::Recipient, || SmtpFault::reply(450, "4.2.0 Greylisted")).says(format!("{put_off}RCPT TO)")),
        at(Stage::Recipient, || SmtpFault::reply(554, "5.7.1 Relay denied"))
            .says(format!("{may_not}to this address: ")),
        at(Stage::Data, || SmtpFault::reply(451, "4.3.0 Later")).says(format!("{put_off}DATA)")),
        at(Stage::Data, || SmtpFault::HangUp).says(format!("{broke}DATA)")),
        at(Stage::Body, closing).says(format!("{broke}the message)")),
        at(Stage::Body, || SmtpFault::reply(452, "4.3.1 Full")).says(format!("{put_off}the message)")),
        at(Stage::Body, || SmtpFault::reply(554, "5.7.1 Spam")).says(format!("{refuses}the message)")),
        at(Stage::Body, || SmtpFault::HangUp).says(format!("{broke}the message)")),
        at(Stage::Body, || SmtpFault::Hang).says(format!("{broke}the message)")),
    ];
    let mut other_name = row("a certificate of another name", |sandbox| {
        sandbox.authority();
        sandbox.smtp.use_tls(SmtpTls::Implicit, super::questions::of_another_name(sandbox));
        sandbox.set_env("SMTP_TLS", "implicit");
    });
    other_name.mend = |sandbox| {
        sandbox.smtp_tls(SmtpTls::Implicit);
        sandbox.set_env("CA_FILE", sandbox.dir().join("authority.pem").display());
    };
    rows.push(other_name.meanwhile_all_but("mail").says("certificate"));
    run_all(rows);
}

#[test]
fn one_mail_that_fails_does_not_keep_the_others() {
    let but_rita = |row: Row| row.meanwhile_all_but(RITA);
    let mut refused = row("550 for one", |sandbox| drop(sandbox.smtp.refuse("rita@example.test")));
    refused.finally.retain(|write| write != RITA);
    let refused = refused.harmless().and(&["mail admin@example.test: [Centauri] Mail refused: rita"]);
    run_all(vec![
        but_rita(row("450 for one", |sandbox| drop(sandbox.smtp.defer("rita@example.test")))).says("Greylisted"),
        refused.says("550 5.1.1 No such user here; it is not tried again"),
    ]);
}

#[test]
fn a_mail_that_was_taken_without_a_word_comes_once_more() {
    let row = row("taken, then cut", |sandbox| {
        sandbox.smtp.lose_answer().times(1);
    });
    let mut row = row.harmless().and(&[RITA]);
    row.exit = 1;
    run_all(vec![row.says("the connection to the mail server broke (at the message)")]);
}

#[test]
fn a_mail_server_that_never_says_that_it_took_a_mail_gets_a_handful_in_a_week() {
    let sandbox = Scene::Sweep.set();
    sandbox.smtp.fail_for("admin@example.test", SmtpFault::reply(450, "4.2.0 Later"));
    sandbox.smtp.lose_answer();
    sandbox.run(&["sweep"]).exits(1);
    let pass = |by: i64| {
        sandbox.advance(minutes(by)).run(&["welcome"]);
    };
    pass(2);
    pass(2);
    assert_eq!(sandbox.mails_to("rita@example.test").len(), 3, "two losses may be an accident");
    for _ in 0..30 {
        pass(2);
    }
    assert_eq!(sandbox.mails_to("rita@example.test").len(), 3);
    for _ in 0..54 {
        pass(180);
    }
    let ids: std::collections::BTreeSet<String> =
        sandbox.mails_to("rita@example.test").iter().map(Mail::message_id).collect();
    assert_eq!((sandbox.mails_to("rita@example.test").len(), ids.len()), (9, 1));
    // The admin hears that it was given up.
    sandbox.mend().advance(days(1)).forget().run(&["welcome"]).exits(0);
    let given_up = &sandbox.mails_to("admin@example.test")[0];
    assert_eq!(given_up.subject(), "[Centauri] Notices given up");
    assert!(
        given_up.text().contains("the removal mail to rita (id 1005), of 2026-11-23 12:00 UTC"),
        "{}",
        given_up.text()
    );
    assert!(waiting(&sandbox).is_empty());
}

#[test]
fn posts_wait_for_discord() {
    let mut rows = Vec::new();
    // A success is one, whatever is in it.
    let faults = http_faults().into_iter().filter(|(fault, ..)| !["another shape", "a page"].contains(fault));
    for (fault, make, _) in faults {
        let lay = move |sandbox: &Sandbox| {
            if fault == "hang" {
                impatient(sandbox);
            }
            sandbox.discord.fail(any(), make());
        };
        rows.push(row(&format!("Discord: {fault}"), lay).meanwhile_all_but("discord").says("error: "));
    }
    for (name, seconds) in [("at once", 0), ("much later", 86_400)] {
        let lay = move |sandbox: &Sandbox| drop(sandbox.discord.fail(any(), Discord::too_many(seconds)));
        let row = row(&format!("Discord: its own 429, {name}"), lay).meanwhile_all_but("discord");
        rows.push(row.says("nothing could be posted to Discord: "));
    }
    for address in ["http://127.0.0.1:1/api/webhooks/1/hush", "http://nobody.invalid/api/webhooks/1/hush"] {
        let lay = move |sandbox: &Sandbox| {
            sandbox.set_env("DISCORD_WEBHOOK", address);
        };
        rows.push(row(address, lay).meanwhile_all_but("discord").says("nothing could be posted to Discord: "));
    }
    let lost = row("Discord: lost", |sandbox| drop(sandbox.discord.fail(any(), Fault::AnswerLost)));
    rows.push(lost.meanwhile_all_but("discord").and(&[SWEEP[0], SWEEP[0]]));
    run_all(rows);
}
