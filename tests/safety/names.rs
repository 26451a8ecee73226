//! Names are chosen by guests. Whatever is in one, it is shown and never obeyed, and gets nobody else removed.

use serde_json::{Value, json};

use crate::story::{clean, have_access, plex_lists, settled, share};
use crate::support::{Fault, Mail, Run, Sandbox, days_ago, delete};

/// What guests have called themselves, or could.
fn names() -> Vec<String> {
    let long = "x".repeat(10_000);
    let marks = "\u{301}".repeat(10_000);
    let names = [
        "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;",
        "@everyone @here <@1> <@&2> [free](https://evil.test) **b** ||s|| `c`",
        "bob\r\nBcc: evil@example.test\r\n\r\nGo to https://evil.test",
        "a\nb\u{2028}c\u{2029}d\u{85}e\u{b}f",
        "\u{202e}nimda\u{202c} \u{2066}x\u{2069}\u{200f}\u{61c}",
        "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{8}\u{8}\u{0}",
        "{{ brand.color }}{% for x in y %}{# #}",
        "\u{feff}\u{200b}\u{2060}",
        "",
        "   \t ",
        "null",
        "../../etc/passwd; rm -rf / $(id) %s %n",
        "=?utf-8?q?evil?= <evil@example.test>,",
        &long,
        &marks,
        "1001",
        "mom",
        "\u{41c}\u{3bf}m",
    ];
    names.map(str::to_owned).to_vec()
}

/// Characters that must not leave the program as they are, in anything that a terminal or a reader of lines reads.
fn is_unsafe(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200b}' | '\u{feff}' | '\u{2060}')
}

#[track_caller]
fn is_fit_for_a_terminal(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        assert!(!text.contains(is_unsafe), "{:?}", text.chars().find(|c| is_unsafe(*c)));
    }
    for line in run.stderr.lines() {
        assert!(line.starts_with("2026-") || line.starts_with("2027-"), "a line of its own: {line:?}");
        assert!(line.chars().count() < 600, "{line}");
    }
}

/// Nothing in a mail is of anybody's making but ours.
#[track_caller]
fn is_harmless(mail: &Mail) {
    assert!(mail.raw.is_ascii());
    assert_eq!(mail.to.len(), 1);
    for header in ["Bcc", "Cc", "X-Evil"] {
        assert_eq!(mail.header(header), None);
    }
    let raw = String::from_utf8(mail.raw.clone()).unwrap();
    let head = raw.split("\r\n\r\n").next().unwrap();
    let known =
        ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Auto-Submitted", "Reply-To"];
    for line in head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])) {
        let name = line.split_once(':').expect("a header has a name").0;
        let fine = known.iter().any(|known| known.eq_ignore_ascii_case(name)) || name.starts_with("X-Auto-Response");
        assert!(fine, "{line}");
    }
    let html = mail.html();
    let shown = html.to_lowercase();
    for tag in ["<script", "<img src=x", "onerror=alert(2)>", "<@1>", "<b>b"] {
        assert!(!shown.contains(tag), "{tag} in {html}");
    }
    let foreign = "href=\"https://evil.test";
    assert!(!html.contains(foreign), "{html}");
    for text in [mail.subject(), mail.text(), html] {
        assert!(!text.contains(is_unsafe), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("Bcc:") || line.starts_with("Go to ")), "{text}");
    }
    assert!(mail.subject().chars().count() < 150, "{}", mail.subject());
}

/// Nothing in a Discord message calls anybody, and it is short enough to be taken.
#[track_caller]
fn mentions_nobody(post: &Value) {
    assert_eq!(post["allowed_mentions"], json!({"parse": []}));
    assert!(post["content"].as_str().unwrap_or_default().is_empty(), "{post}");
    let text = post.to_string();
    assert!(!text.contains("**b**\""), "{text}");
    assert!(!text.contains("](https://evil.test)"), "{text}");
    assert!(post["embeds"][0]["title"].as_str().unwrap().chars().count() <= 256);
}

#[test]
fn no_name_breaks_anything_or_is_taken_for_markup_a_header_or_a_command() {
    let sandbox = settled(|sandbox| {
        sandbox.set_env("MAX_REMOVALS", 100);
        sandbox.person(900, "ada").watched(days_ago(1));
    });
    let (idle, due, new) = (2000, 3000, 4000);
    for (number, name) in (0..).zip(names()) {
        sandbox.person(idle + number, &name).email(&format!("w{number}@example.test")).watched(days_ago(28));
        sandbox.person(due + number, &name).email(&format!("r{number}@example.test")).watched(days_ago(33));
    }
    sandbox.run(&["welcome"]).exits(0);
    sandbox.forget();
    for (number, name) in (0..).zip(names()) {
        sandbox.joins(new + number, &name).email(&format!("n{number}@example.test"));
    }
    let count = names().len();
    is_fit_for_a_terminal(sandbox.run(&["welcome"]).exits(0));
    for arguments in [&["status"][..], &["status", "--json"], &["sweep", "--dry-run"], &["sweep", "-v"]] {
        is_fit_for_a_terminal(sandbox.run(arguments).exits(0));
    }
    for (number, name) in (0..).zip(names()) {
        assert_eq!(have_access(&sandbox, [idle + number, due + number, new + number]), [true, false, true], "{name:?}");
    }
    assert_eq!(sandbox.mails().len(), 6 * count);
    sandbox.mails().iter().for_each(is_harmless);
    assert_eq!(sandbox.posts().len(), 3 * count);
    sandbox.posts().iter().for_each(mentions_nobody);
    let state = std::fs::read_to_string(sandbox.state_path()).unwrap();
    assert!(!state.contains(is_unsafe));
    is_fit_for_a_terminal(sandbox.run(&["status"]).exits(0));
    clean(&sandbox);
}

#[test]
fn nor_does_any_name_where_a_removal_fails() {
    let sandbox = settled(|sandbox| {
        sandbox.set_env("MAX_REMOVALS", 100);
        sandbox.person(900, "ada").watched(days_ago(1));
        for (id, name) in (3000..).zip(names()) {
            sandbox.person(id, &name).watched(days_ago(33));
        }
    });
    sandbox.plex.fail(delete("/api"), Fault::status(403));
    is_fit_for_a_terminal(sandbox.run(&["sweep"]).exits(1));
    is_fit_for_a_terminal(sandbox.run(&["status"]).exits(0));
    assert_eq!((sandbox.mails().len(), sandbox.posts().len()), (names().len(), names().len()));
    sandbox.mails().iter().for_each(is_harmless);
    sandbox.posts().iter().for_each(mentions_nobody);
}

#[test]
fn an_address_with_more_in_it_than_an_address_reaches_nobody_else() {
    let addresses = [
        "rita@example.test\r\nBcc: evil@example.test",
        "rita@example.test, evil@example.test",
        "rita@example.test> RCPT TO:<evil@example.test",
        "\"rita\" <evil@example.test>",
        "evil@example.test\r\nRCPT TO:<evil@example.test>\r\nDATA",
    ];
    let sandbox = settled(|sandbox| {
        for (id, address) in (1005..).zip(addresses) {
            sandbox.person(id, "rita").email(address).watched(days_ago(33));
        }
    });
    let run = sandbox.run(&["sweep"]);
    is_fit_for_a_terminal(&run);
    assert_eq!(have_access(&sandbox, [1005, 1006, 1007, 1008, 1009]), [false; 5], "{run}");
    let reached: Vec<String> = sandbox.mails().iter().flat_map(|mail| mail.to.clone()).collect();
    assert!(reached.iter().all(|to| to == "admin@example.test"), "{reached:?}");
    sandbox.mails().iter().for_each(is_harmless);
}

#[test]
fn nor_does_any_name_of_a_server() {
    let name = "Home <b>\u{1b}[31m @everyone";
    let sandbox = crate::sandbox();
    sandbox.live().plex.add_server(name, "0f3c-hostile", true);
    sandbox.set_env("PLEX_SERVER_NAME", name).tautulli.watches_server(name, "0f3c-hostile");
    let mut rita = share(&sandbox, 1005, "rita");
    rita["machineIdentifier"] = json!("0f3c-hostile");
    sandbox.person(1005, "rita").watched(days_ago(28));
    plex_lists(&sandbox, json!([rita]));
    for pass in ["welcome", "status", "sweep"] {
        is_fit_for_a_terminal(sandbox.run(&[pass]).exits(0));
    }
    assert_eq!(sandbox.mails().len(), 2);
    sandbox.mails().iter().for_each(is_harmless);
    sandbox.posts().iter().for_each(mentions_nobody);
    sandbox.set_env("PLEX_SERVER_NAME", "x");
    is_fit_for_a_terminal(sandbox.run(&["sweep"]).exits(2));
}

#[test]
fn nor_does_any_name_in_tautulli_change_a_verdict() {
    let sandbox = settled(|sandbox: &Sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        for (id, name) in (2000..).zip(names()) {
            sandbox.person(id, "guest").friendly_name(&name).watched(days_ago(2));
        }
    });
    sandbox.run(&["sweep"]).exits(0).stderr_has("nobody is due");
    is_fit_for_a_terminal(&sandbox.run(&["status"]));
}
