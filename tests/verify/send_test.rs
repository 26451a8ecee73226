//! `verify --send-test`.

use std::fs;

use super::household;
use crate::story::{clean, happened};
use crate::support::{Fault, Run, Sandbox, SmtpFault, Stage, post};

const MAILS: [&str; 4] = [
    "mail admin@example.test: [test] Welcome to Centauri",
    "mail admin@example.test: [test] Centauri: 3 days left to watch something",
    "mail admin@example.test: [test] Your access to Centauri has ended",
    "mail admin@example.test: [test] [Centauri] Test message",
];
const POST: &str = "discord: Test message";

fn send_test(sandbox: &Sandbox) -> Run {
    sandbox.run(&["verify", "--send-test"])
}

/// What happened at the stand-ins, mails and Discord's message in an order of their own.
#[track_caller]
fn sent(sandbox: &Sandbox, mails: &[&str], posts: &[&str]) {
    let (posted, mailed): (Vec<String>, Vec<String>) =
        sandbox.writes().into_iter().partition(|write| write.starts_with("discord"));
    assert_eq!((mailed, posted), (to_strings(mails), to_strings(posts)));
    clean(sandbox);
}

fn to_strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[test]
fn the_admin_gets_one_mail_of_each_kind_and_discord_one_message() {
    let sandbox = household();
    let run = send_test(&sandbox);
    run.exits(0).stderr("").stdout_has(
        "\
✓ mail     may send as plex@example.test
✓ mail     sent: welcome, warning, removal, admin test mails to
           admin@example.test
✓ Discord  the webhook \"plex-prune\" posts to channel 1100000000000000002
✓ Discord  posted a test message
",
    );
    sent(&sandbox, &MAILS, &[POST]);
    for mail in sandbox.mails() {
        assert_eq!(mail.to, ["admin@example.test"]);
        assert!(!mail.text().is_empty() && !mail.html().is_empty());
    }
    let connections: Vec<usize> = sandbox.mails().iter().map(|mail| mail.connection).collect();
    assert_eq!(connections, [1; 4], "one connection is enough");
    assert!(!sandbox.state_dir().exists());
}

#[test]
fn without_it_nothing_is_sent() {
    let sandbox = household();
    sandbox.live().run(&["verify"]).exits(0);
    happened(&sandbox, &[]);
}

#[test]
fn it_works_live_and_without_discord_too() {
    let sandbox = household();
    sandbox.live().run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    sandbox.forget().unset_env("DISCORD_WEBHOOK");
    let state = fs::read(sandbox.state_path()).unwrap();
    send_test(&sandbox).exits(0);
    sent(&sandbox, &MAILS, &[]);
    assert_eq!(fs::read(sandbox.state_path()).unwrap(), state);
}

#[test]
fn an_address_that_is_refused_is_said_once() {
    let sandbox = household();
    sandbox.smtp.refuse("admin@example.test");
    send_test(&sandbox).exits(1).stdout_has(
        "\
✗ mail     welcome, warning, removal, admin test mails to admin@example.test:
           the mail server refuses admin@example.test: 550 5.1.1 No such user
           here
           → Check ADMIN_EMAIL.
",
    );
    sent(&sandbox, &["mail admin@example.test -> refused"; 4], &[POST]);
}

#[test]
fn what_fails_is_told_from_what_was_sent() {
    let sandbox = household();
    sandbox.smtp.refuse_content().after(1).times(1);
    send_test(&sandbox).exits(1).stdout_has(
        "\
✓ mail     sent: welcome, removal, admin test mails to admin@example.test
✗ mail     warning test mail to admin@example.test: the mail server refuses the
           mail (at the message): 554 5.7.1 Message refused as spam
           → The server's answer should say why.
",
    );
    sandbox.mend();
    sandbox.smtp.fail(Stage::Body, SmtpFault::HangUp).after(1).times(1);
    let run = send_test(&sandbox);
    run.exits(1).stdout_has("✓ mail     sent: welcome test mail to admin@example.test\n");
    run.stdout_has(
        "✗ mail     warning test mail to admin@example.test: the connection to the mail\n           server broke (at the message): ",
    );
    run.stdout_has("✗ mail     removal, admin test mails to admin@example.test: not tried any more\n");
}

#[test]
fn where_no_mail_can_go_out_that_is_said() {
    let sandbox = household();
    sandbox.set_env("SMTP_PASSWORD", "wrong");
    let none = "✗ mail     no test mail was sent\n           → Mend what fails above, and try again.\n";
    send_test(&sandbox).exits(1).stdout_has(none).stdout_has("✓ Discord  posted a test message\n");
    sent(&sandbox, &[], &[POST]);
}

#[test]
fn nobody_else_gets_the_mails_when_admin_email_is_missing() {
    let sandbox = household();
    sandbox.unset_env("ADMIN_EMAIL");
    let run = send_test(&sandbox);
    run.exits(1).stdout_has("✗ mail     no test mail was sent\n");
    run.stdout_has("✗ settings ADMIN_EMAIL: is not set; your address, which is told of everything\n");
    sent(&sandbox, &[], &[POST]);
}

#[test]
fn discord_may_refuse_the_message() {
    let sandbox = household();
    sandbox.discord.fail(post("/api"), Fault::status(403));
    send_test(&sandbox).exits(1).stdout_has(
        "\
✗ Discord  the test message: Discord answers 403 Forbidden: no explanation
           → The webhook is gone: make a new one (channel settings,
             Integrations, Webhooks) and set DISCORD_WEBHOOK.
",
    );
    sent(&sandbox, &MAILS, &[&format!("{POST} -> 403")]);
}

#[test]
fn own_templates_are_used_and_broken_ones_pointed_out() {
    let sandbox = household();
    let folder = sandbox.dir().join("templates");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("welcome.txt"), "Subject: Hello {{ name }}\n\nHello\n").unwrap();
    sandbox.set_env("TEMPLATE_DIR", folder.display());
    send_test(&sandbox).exits(0).stdout_has("✓ template welcome.txt of TEMPLATE_DIR in use\n");
    let writes = sandbox.writes();
    assert!(writes.contains(&"mail admin@example.test: [test] Hello Test Person".to_owned()), "{writes:?}");

    sandbox.forget();
    fs::write(folder.join("warning.html"), "{{ nmae }}").unwrap();
    let run = sandbox.run(&["verify"]);
    run.exits(1).stdout_has("✗ template warning.html, line 1: undefined value");
    run.stdout_has("           → Mend the file, or take it out of TEMPLATE_DIR.\n");
    send_test(&sandbox).exits(1).stdout_has("✓ mail     sent: welcome, removal, admin test mails to");
    fs::write(folder.join("warning.html"), "{% if %}").unwrap();
    let run = send_test(&sandbox);
    run.exits(1).stdout_has("✗ template warning.html, line 1: syntax error").stdout_has("no test mail was sent");
    sandbox.set_env("TEMPLATE_DIR", "/nowhere");
    let run = sandbox.run(&["verify"]);
    run.exits(1).stdout_has("✗ settings TEMPLATE_DIR: there is no folder /nowhere\n");
    run.stdout_has("✓ mail     may send as plex@example.test\n");
}
