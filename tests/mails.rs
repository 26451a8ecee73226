//! What the mails and the Discord messages say.

mod looks;
mod names;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::story::{ADMIN, settled};
use crate::support::{Fault, Mail, Sandbox, days_ago, delete, minutes_ago};

/// The only mail to an address, as text and as HTML, each on one line.
#[track_caller]
fn only(sandbox: &Sandbox, address: &str) -> (Mail, String, String) {
    let mails = sandbox.mails_to(address);
    assert_eq!(mails.len(), 1, "{:?}", mails.iter().map(Mail::subject).collect::<Vec<_>>());
    (mails[0].clone(), one_line(&mails[0].text()), one_line(&mails[0].html()))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Both versions of a mail say all of this.
#[track_caller]
fn says(mail: &(Mail, String, String), parts: &[&str]) {
    let (_, text, html) = mail;
    for part in parts {
        assert!(text.contains(part), "{part:?} in {text}");
        assert!(html.contains(part), "{part:?} in {html}");
    }
}

/// The fields of a Discord message, as `name: value`.
fn fields(post: &Value) -> Vec<String> {
    let fields = post["embeds"][0]["fields"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    fields.iter().map(|field| format!("{}: {}", text(&field["name"]), text(&field["value"]))).collect()
}

fn ada(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
}

#[test]
fn the_welcome_tells_the_rule_and_where_to_watch() {
    let sandbox = settled(ada);
    sandbox.set_env("LINK_REQUESTS", "https://requests.example.test").joins(1020, "newt");
    sandbox.run(&["welcome"]).exits(0);
    let mail = only(&sandbox, "newt@example.test");
    assert_eq!(mail.0.subject(), "Welcome to Centauri");
    says(
        &mail,
        &[
            "Welcome, newt",
            "at least every 30 days",
            "24 hours",
            "After 27 days without watching, you get a warning by mail.",
        ],
    );
    says(&mail, &["https://app.plex.tv", "https://requests.example.test", "Please don"]);
    let admin = only(&sandbox, ADMIN);
    assert_eq!(admin.0.subject(), "[Centauri] Joined: newt");
    says(&admin, &["newt is new on the server.", "newt@example.test", "1020"]);
    assert_eq!(sandbox.posts()[0]["embeds"][0]["title"], "Joined: newt");
    assert_eq!(fields(&sandbox.posts()[0]), ["Name: newt", "E-mail: newt@example.test", "Plex id: 1020"]);
}

#[test]
fn the_thresholds_in_the_mails_are_those_that_hold() {
    let sandbox = settled(ada);
    sandbox.set_env("WARN_DAYS", 50).set_env("KICK_DAYS", 60).joins(1020, "newt");
    sandbox.run(&["welcome"]).exits(0);
    says(&only(&sandbox, "newt@example.test"), &["every 60 days", "After 50 days"]);
}

#[test]
fn the_warning_tells_how_long_until_when_and_since_when() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1003, "walt").watched(days_ago(28));
    });
    sandbox.run(&["sweep"]).exits(0);
    let mail = only(&sandbox, "walt@example.test");
    assert_eq!(mail.0.subject(), "Centauri: 2 days left to watch something");
    says(
        &mail,
        &[
            "Hello walt,",
            "You last watched something on Centauri on Monday 26 October 2026.",
            "Wednesday 25 November 2026, 12:00 UTC",
            "https://app.plex.tv",
        ],
    );
    let admin = only(&sandbox, ADMIN);
    assert_eq!(admin.0.subject(), "[Centauri] Warned: walt");
    says(
        &admin,
        &["walt has watched nothing for 28 days", "Monday 26 October 2026", "Wednesday 25 November 2026, 12:00 UTC"],
    );
    assert_eq!(
        fields(&sandbox.posts()[0]),
        [
            "Name: walt",
            "E-mail: walt@example.test",
            "Plex id: 1003",
            "Last watched: Monday 26 October 2026",
            "Access ends: Wednesday 25 November 2026, 12:00 UTC",
            "Days left: 2"
        ]
    );
}

#[test]
fn everybody_reads_the_same_number_of_days_left_of_which_a_part_counts_as_a_day() {
    let people = [
        (1002, days_ago(27), "3 days left"),
        (1003, minutes_ago(27 * 24 * 60 + 1), "3 days left"),
        (1004, days_ago(28), "2 days left"),
        (1005, days_ago(29), "one day left"),
    ];
    let sandbox = settled(|sandbox| {
        for (id, watched, _) in people {
            sandbox.person(id, &format!("guest{id}")).watched(watched);
        }
    });
    sandbox.run(&["sweep"]).exits(0);
    for (id, _, words) in people {
        let left = words.replace("one", "1").chars().next().unwrap();
        let subject = only(&sandbox, &format!("guest{id}@example.test")).0.subject();
        assert_eq!(subject, format!("Centauri: {words} to watch something"));
        let admins = sandbox.mails_to(ADMIN);
        let admins = admins.iter().find(|mail| mail.subject().ends_with(&format!("guest{id}"))).unwrap();
        assert!(one_line(&admins.text()).contains(&format!("Days left: {left} ")), "{}", admins.text());
        let posts = sandbox.posts();
        let post = posts.iter().find(|post| post.to_string().contains(&format!("Warned: guest{id}"))).unwrap();
        assert_eq!(fields(post).last().unwrap(), &format!("Days left: {left}"));
    }
}

#[test]
fn a_warning_to_somebody_who_never_watched_says_so() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1006, "nick").joined(days_ago(28)).never_watched();
        // A play of an earlier stay is none of this one.
        sandbox.person(1007, "olga").joined(days_ago(28)).watched(days_ago(100));
    });
    sandbox.run(&["sweep"]).exits(0);
    for address in ["nick@example.test", "olga@example.test"] {
        let (_, text, html) = only(&sandbox, address);
        assert!(text.contains("You haven't watched anything on Centauri yet."), "{text}");
        assert!(html.contains("You haven’t watched anything on Centauri yet."), "{html}");
    }
    for post in sandbox.posts() {
        assert!(fields(&post).contains(&"Last watched: nothing yet".to_owned()));
    }
}

#[test]
fn the_removal_tells_what_happened_and_how_to_come_back_and_the_admin_each_step() {
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    sandbox.set_env("LINK_CONTACT", "mailto:owner@example.test").run(&["sweep"]).exits(0);
    let mail = only(&sandbox, "rita@example.test");
    assert_eq!(mail.0.subject(), "Your access to Centauri has ended");
    says(
        &mail,
        &[
            "Hello rita,",
            "Nothing watched for 33 days. The rule here: access ends after 30 days without watching",
            "mailto:owner@example.test",
        ],
    );
    let admin = only(&sandbox, ADMIN);
    assert_eq!(admin.0.subject(), "[Centauri] Removed: rita");
    says(&admin, &["rita no longer has access to the server."]);
    assert_eq!(
        fields(&sandbox.posts()[0]),
        [
            "Name: rita",
            "E-mail: rita@example.test",
            "Plex id: 1005",
            "Result: done",
            "Reason: nothing watched for 33 days",
            "Plex: access to Centauri ended",
            "Tautulli: deleted, history and all"
        ]
    );
    for field in fields(&sandbox.posts()[0]) {
        let (name, value) = field.split_once(": ").unwrap();
        says(&admin, &[name, value]);
    }
}

#[test]
fn a_failed_removal_names_the_problem() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    sandbox.plex.fail(delete("/api"), Fault::status(403));
    sandbox.run(&["sweep"]).exits(1);
    let admin = only(&sandbox, ADMIN);
    says(
        &admin,
        &[
            "rita should have lost access and still has it.",
            "nothing watched for 33 days",
            "it answered 403: made to fail",
            "Check PLEX_TOKEN",
        ],
    );
    assert_eq!(sandbox.posts()[0]["embeds"][0]["title"], "Removal failed: rita");
}

#[test]
fn the_headers_are_those_of_an_automatic_mail_from_the_server() {
    let sandbox = settled(ada);
    sandbox.set_env("SMTP_FROM", "Zoë's Plex <plex@example.test>").joins(1020, "newt");
    sandbox.run(&["welcome"]).exits(0);
    let (mail, ..) = only(&sandbox, "newt@example.test");
    let header = |name: &str| mail.header(name).unwrap_or_default();
    assert_eq!(header("From").replace('"', ""), "Zoë's Plex <plex@example.test>");
    assert_eq!(header("To"), "newt@example.test");
    assert_eq!(header("Reply-To"), ADMIN);
    assert_eq!(header("Date"), "Mon, 23 Nov 2026 12:00:00 +0000");
    assert_eq!(header("Message-ID"), "<welcome-1020-person-20261123T120000Z@example.test>");
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert_eq!(header("MIME-Version"), "1.0");
    assert!(header("Content-Type").starts_with("multipart/alternative;"));
    assert_eq!((mail.from.as_str(), mail.to), ("plex@example.test", vec!["newt@example.test".to_owned()]));
    assert!(mail.raw.is_ascii());
    let (admin, ..) = only(&sandbox, ADMIN);
    assert_eq!(admin.header("Reply-To"), None);
    assert_eq!(admin.header("Auto-Submitted").unwrap(), "auto-generated");
}

#[test]
fn every_mail_comes_as_text_and_as_html_that_say_the_same() {
    let sandbox = settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1003, "walt").watched(days_ago(28));
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    sandbox.joins(1020, "newt");
    sandbox.run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(sandbox.mails().len(), 6);
    for mail in sandbox.mails() {
        let (text, html) = (mail.text(), mail.html());
        assert!(text.len() > 200 && html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"));
        assert!(!text.contains("{{") && !html.contains("{{") && !text.contains("{%") && !html.contains("{%"));
        assert!(!text.contains("<p") && !text.contains("&#39;"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 76), "{text}");
    }
    let ids: BTreeSet<String> = sandbox.mails().iter().map(Mail::message_id).collect();
    assert_eq!(ids.len(), 6, "every mail has a message id of its own");
}
