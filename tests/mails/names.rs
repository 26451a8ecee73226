//! Names are other people's words: nothing in them means anything in a mail, a header, Discord or the log.

use serde_json::{Value, json};

use crate::story::{ADMIN, log, settled, subjects};
use crate::support::{Fault, Mail, Run, Sandbox, days_ago, delete};

/// What came of a name: the mails, the Discord messages, and the log of the sweep.
struct Outcome {
    mails: Vec<Mail>,
    posts: Vec<Value>,
    sweep: Run,
}

/// Somebody joins, somebody is warned, and somebody is removed, all of that name.
fn all_named(name: &str) -> Outcome {
    let sandbox = settled(|_| {});
    sandbox.person(1003, name).email("walt@example.test").watched(days_ago(28));
    sandbox.person(1005, name).email("rita@example.test").watched(days_ago(33));
    sandbox.joins(1020, name).email("newt@example.test");
    let sweep = sandbox.run(&["sweep"]).exits(0).clone();
    sandbox.run(&["welcome"]).exits(0);
    let (mails, posts) = (sandbox.mails(), sandbox.posts());
    // walt is new as well: to somebody who is removed there is no welcome.
    assert_eq!((mails.len(), posts.len()), (8, 4));
    Outcome { mails, posts, sweep }
}

#[test]
fn html_in_a_name_is_shown_and_not_obeyed() {
    let name = r#"<script>alert("x")</script>&'<b>"#;
    for mail in all_named(name).mails {
        let html = mail.html();
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;&lt;b&gt;"), "{html}");
        assert!(mail.text().contains(name), "{}", mail.text());
    }
}

#[test]
fn template_marks_letters_of_any_script_and_emoji_come_through() {
    for name in ["{{ brand.color }}{% if %}", "Zoë 紘 👩‍🚀 Ω"] {
        let outcome = all_named(name);
        for mail in &outcome.mails {
            assert!(mail.raw.is_ascii());
            assert!(mail.text().contains(name) && mail.html().contains(name), "{}", mail.text());
        }
        assert!(outcome.mails.iter().any(|mail| mail.subject() == format!("[Centauri] Joined: {name}")));
    }
    assert!(all_named("Zoë 紘 👩‍🚀 Ω").posts.iter().any(|post| title(post) == "Joined: Zoë 紘 👩‍🚀 Ω"));
}

fn title(post: &Value) -> &str {
    post["embeds"][0]["title"].as_str().unwrap()
}

#[test]
fn a_line_break_in_a_name_makes_no_header_and_no_line_in_the_log() {
    let Outcome { mails, sweep, .. } = all_named("bob\r\nBcc: everybody@example.test\r\n\r\nHello");
    for mail in &mails {
        assert_eq!((mail.header("Bcc"), mail.to.len()), (None, 1));
        let raw = String::from_utf8(mail.raw.clone()).unwrap();
        let head = raw.split("\r\n\r\n").next().unwrap();
        assert!(head.lines().all(|line| !line.starts_with("Bcc")), "{head}");
        assert!(!mail.text().lines().any(|line| line.starts_with("Bcc")), "{}", mail.text());
    }
    let shown = r"bob\r\nBcc: everybody@example.test\r\n\r\nHello";
    assert!(mails.iter().any(|mail| mail.subject() == format!("[Centauri] Joined: {shown}")));
    assert!(log(&sweep)[1].starts_with(&format!("removed {shown} (id 1005): ")), "{sweep}");
    assert!(log(&sweep)[0].starts_with(&format!("warned {shown} (id 1003): ")), "{sweep}");
    assert_eq!(log(&sweep).len(), 3, "{sweep}");
}

#[test]
fn a_very_long_name_is_cut() {
    let mails = all_named(&"A very long name ".repeat(200)).mails;
    assert!(mails.iter().all(|mail| mail.subject().chars().count() < 100));
}

#[test]
fn on_discord_a_name_mentions_nobody_and_formats_nothing() {
    for post in all_named("@everyone **bold** <@1> [x](https://evil.test) `c` _u_ ||s||").posts {
        assert_eq!(post["allowed_mentions"], json!({"parse": []}));
        assert!(post["content"].as_str().unwrap_or_default().is_empty());
        for escaped in [r"\*\*bold\*\*", r"\<@1>", r"\[x\](https\://evil.test)", r"\`c\`", r"\_u\_"] {
            assert!(title(&post).contains(escaped), "{escaped} in {post}");
        }
    }
}

#[test]
fn what_plex_says_about_a_failure_is_escaped_too() {
    let sandbox = settled(|sandbox: &Sandbox| {
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    let errors = json!({"errors": [{"message": "<img src=x>\r\n**no** @here"}]});
    sandbox.plex.fail(delete("/api"), Fault::json(403, errors));
    sandbox.run(&["sweep"]).exits(1);
    let html = sandbox.mails_to(ADMIN)[0].html();
    assert!(!html.contains("<img") && html.contains("&lt;img src=x&gt;"), "{html}");
    let post = sandbox.posts()[0].to_string();
    assert!(!post.contains("\"**no**") && post.contains(r"\\*\\*no"), "{post}");
}

#[test]
fn somebody_without_a_username_is_called_by_their_title_or_id() {
    let sandbox = settled(|_| {});
    sandbox.set_env("PRUNE_HOME_USERS", "true");
    sandbox.joins(1009, "kid").managed_user().title("Kid in the attic");
    sandbox.joins(1010, " \t").managed_user();
    sandbox.run(&["welcome"]).exits(0);
    let joined = ["[Centauri] Joined: Kid in the attic", "[Centauri] Joined: Plex user 1010"];
    assert_eq!(subjects(&sandbox, ADMIN), joined);
}
