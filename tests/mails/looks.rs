//! The owner's name, colour, links and templates.

use super::{ada, only};
use crate::story::{ADMIN, nothing_happened, settled};
use crate::support::{Sandbox, days_ago};

/// A directory with these templates and no others, named in the environment.
fn templates(sandbox: &Sandbox, files: &[(&str, &str)]) {
    let dir = sandbox.dir().join("templates");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    for (name, text) in files {
        std::fs::write(dir.join(name), text).unwrap();
    }
    sandbox.set_env("TEMPLATE_DIR", dir.display());
}

/// rita is due to be removed.
fn rita() -> Sandbox {
    settled(|sandbox| {
        ada(sandbox);
        sandbox.person(1005, "rita").watched(days_ago(33));
    })
}

#[test]
fn name_colour_and_links_are_the_owner_s() {
    let sandbox = settled(ada);
    sandbox
        .set_env("BRAND_NAME", "Tom & Jerry's <Cinema>")
        .set_env("BRAND_COLOR", "#1A73E8")
        .set_env("LINK_PLEX", "https://watch.example.test/?a=1&b=2")
        .set_env("LINK_REQUESTS", "https://wish.example.test")
        .set_env("LINK_CONTACT", "https://talk.example.test");
    sandbox.joins(1020, "newt");
    sandbox.run(&["welcome"]).exits(0);
    let (mail, text, html) = only(&sandbox, "newt@example.test");
    assert_eq!(mail.subject(), "Welcome to Tom & Jerry's <Cinema>");
    for part in ["access to Tom & Jerry's <Cinema>", "https://watch.example.test/?a=1&b=2", "https://wish.example.test"]
    {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    for part in [
        "Tom &amp; Jerry&#39;s &lt;Cinema&gt;",
        "#1A73E8",
        "href=\"https://watch.example.test/?a=1&amp;b=2\"",
        "https://talk.example.test",
    ] {
        assert!(html.contains(part), "{part:?} in {html}");
    }
    assert!(!html.contains("#7A5CFF") && !html.contains("app.plex.tv"));
    let embed = &sandbox.posts()[0]["embeds"][0];
    assert_eq!((&embed["color"], &embed["title"]), (&0x001A_73E8.into(), &"Joined: newt".into()));
}

#[test]
fn a_template_of_the_owner_s_takes_the_place_of_the_built_in_one() {
    let sandbox = rita();
    templates(
        &sandbox,
        &[
            ("removal.txt", "Subject: So long, {{ name }}\n\nBye {{ name }}: {{ reason }}, {{ kick_days }} days.\n"),
            ("notes.md", "{% this is not a template"),
        ],
    );
    sandbox.run(&["sweep"]).exits(0);
    let (mail, text, html) = only(&sandbox, "rita@example.test");
    assert_eq!(mail.subject(), "So long, rita");
    assert_eq!(text, "Bye rita: nothing watched for 33 days, 30 days.");
    assert!(html.contains("Your access has ended") && html.contains("<title>So long, rita</title>"), "{html}");
    assert_eq!(only(&sandbox, ADMIN).0.subject(), "[Centauri] Removed: rita");
}

#[test]
fn names_in_the_owner_s_templates_are_escaped_as_well() {
    let sandbox = settled(ada);
    templates(&sandbox, &[("welcome.html", "<p>{{ name }}</p>")]);
    sandbox.joins(1020, "<i>newt</i>").email("newt@example.test");
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(only(&sandbox, "newt@example.test").2, "<p>&lt;i&gt;newt&lt;/i&gt;</p>");
}

#[test]
fn a_template_that_can_not_be_used_stops_every_pass_before_anything_happens() {
    let sandbox = rita();
    for (file, text, said) in [
        ("removal.html", "\n{% if %}", "removal.html, line 2: "),
        ("welcome.txt", "Subject: x\n\n{{ name", "welcome.txt, line 3: "),
        ("base.html", "{% block content %}", "base.html, line 1: "),
        ("removal.html", "<p>{{ nmae }}</p>", "removal.html, line 1: "),
        ("removal.txt", "Bye {{ name }}\n", "removal.txt, line 1: the first line has to be \"Subject: …\""),
    ] {
        templates(&sandbox, &[(file, text)]);
        for pass in ["sweep", "welcome"] {
            sandbox.run(&[pass]).exits(2).stdout("").stderr_has(said);
        }
    }
    assert!(sandbox.requests().is_empty() && sandbox.on_plex(1005));
    nothing_happened(&sandbox);
}
