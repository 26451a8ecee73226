//! Names are other people's words: nothing in them means anything in a mail, a header, Discord or the log.

use super::only;
use crate::story::{ADMIN, clean, log, settled};
use crate::support::{Sandbox, days_ago};
use serde_json::json;

/// Somebody joins, somebody is warned, and somebody is removed, all of that name.
fn all_named(name: &str) -> Sandbox {
    let sandbox = settled(|sandbox| {
        sandbox.person(1003, name).email("walt@example.test").watched(days_ago(28));
        sandbox.person(1005, name).email("rita@example.test").watched(days_ago(33));
    });
    sandbox.joins(1020, name).email("newt@example.test");
    sandbox.run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!((sandbox.mails().len(), sandbox.posts().len()), (6, 3));
    sandbox
}

#[test]
fn html_in_a_name_is_shown_and_not_obeyed() {
    let name = r#"<script>alert("x")</script>&'<b>"#;
    let sandbox = all_named(name);
    for mail in sandbox.mails() {
        let html = mail.html();
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;&lt;b&gt;"), "{html}");
        assert!(mail.text().contains(name), "{}", mail.text());
    }
    clean(&sandbox);
}

#[test]
fn template_marks_in_a_name_are_shown_and_not_obeyed() {
    let sandbox = all_named("{{ brand.color }}{% if %}");
    for mail in sandbox.mails() {
        assert!(mail.text().contains("{{ brand.color }}{% if %}"), "{}", mail.text());
    }
    clean(&sandbox);
}

#[test]
fn a_line_break_in_a_name_makes_no_header_and_no_line_in_the_log() {
    let name = "bob\r\nBcc: everybody@example.test\r\n\r\nHello";
    let sandbox = all_named(name);
    for mail in sandbox.mails() {
        assert_eq!((mail.header("Bcc"), mail.to.len()), (None, 1));
        let raw = String::from_utf8(mail.raw.clone()).unwrap();
        let head = raw.split("\r\n\r\n").next().unwrap();
        assert!(head.lines().all(|line| !line.starts_with("Bcc")), "{head}");
        assert!(!mail.text().lines().any(|line| line.starts_with("Bcc")), "{}", mail.text());
    }
    let subject = r"[Centauri] Joined: bob\r\nBcc: everybody@example.test\r\n\r\nHello";
    assert_eq!(sandbox.mails_to(ADMIN)[0].subject(), subject);
    sandbox.person(1030, name).email("bob@example.test").watched(days_ago(29));
    let run = sandbox.run(&["sweep"]);
    assert!(log(&run)[0].starts_with(r"warned bob\r\nBcc: everybody@example.test\r\n\r\nHello (id 1030): "), "{run}");
    assert_eq!(log(&run).len(), 2, "{run}");
    clean(&sandbox);
}

#[test]
fn emoji_and_letters_of_any_script_come_through() {
    let name = "Zoë 紘 👩‍🚀 Ω";
    let sandbox = all_named(name);
    assert_eq!(sandbox.mails_to(ADMIN)[0].subject(), format!("[Centauri] Joined: {name}"));
    for mail in sandbox.mails() {
        assert!(mail.raw.is_ascii());
        assert!(mail.text().contains(name) && mail.html().contains(name));
    }
    assert_eq!(sandbox.posts()[0]["embeds"][0]["title"], format!("Joined: {name}"));
    clean(&sandbox);
}

#[test]
fn a_name_without_an_end_is_cut() {
    let sandbox = all_named(&"A very long name ".repeat(200));
    assert!(sandbox.mails_to(ADMIN).iter().all(|mail| mail.subject().chars().count() < 100));
    clean(&sandbox);
}

#[test]
fn on_discord_a_name_calls_nobody_and_formats_nothing() {
    let sandbox = all_named("@everyone **bold** <@1> [x](https://evil.test) `c` _u_ ||s||");
    for post in sandbox.posts() {
        assert_eq!(post["allowed_mentions"], json!({"parse": []}));
        assert!(post["content"].as_str().unwrap_or_default().is_empty());
    }
    let title = sandbox.posts()[0]["embeds"][0]["title"].as_str().unwrap().to_owned();
    for escaped in [r"\*\*bold\*\*", r"\<@1>", r"\[x\](https\://evil.test)", r"\`c\`", r"\_u\_"] {
        assert!(title.contains(escaped), "{escaped} in {title}");
    }
    clean(&sandbox);
}

#[test]
fn what_plex_says_about_a_failure_is_escaped_too() {
    use crate::support::{Fault, delete};
    let sandbox = settled(|sandbox| {
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    let errors = json!({"errors": [{"message": "<img src=x>\r\n**no** @here"}]});
    sandbox.plex.fail(delete("/api"), Fault::json(403, errors));
    sandbox.run(&["sweep"]).exits(1);
    let (_, _, html) = only(&sandbox, ADMIN);
    assert!(!html.contains("<img") && html.contains("&lt;img src=x&gt;"), "{html}");
    let post = sandbox.posts()[0].to_string();
    assert!(!post.contains("\"**no**") && post.contains(r"\\*\\*no"), "{post}");
    clean(&sandbox);
}

#[test]
fn somebody_without_a_username_is_called_by_their_title_or_id() {
    let sandbox = settled(|_| {});
    sandbox.set_env("PRUNE_HOME_USERS", "true");
    sandbox.joins(1009, "kid").managed_user().title("Kid in the attic");
    sandbox.joins(1010, " \t").managed_user();
    sandbox.run(&["welcome"]).exits(0);
    let subjects = crate::story::subjects(&sandbox, ADMIN);
    assert_eq!(subjects, ["[Centauri] Joined: Kid in the attic", "[Centauri] Joined: Plex user 1010"]);
    clean(&sandbox);
}
