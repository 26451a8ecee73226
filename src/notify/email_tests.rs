//! Each mail, as a mail program takes it apart.

use mailparse::{MailHeaderMap, ParsedMail, parse_mail};
use time::{OffsetDateTime, macros::datetime};

use super::{
    Channel, Event, Letter, Outcome, PassKind, Summary, TautulliStep, Templates, Who, compose, compose_for_admin,
    test_support::{ada, config},
};
use crate::config::{MailConfig, SmtpTls};

const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
const NASTY: &str = "<script>alert(1)</script> & \"O'Neill\" 🎬";

struct Mail {
    subject: String,
    to: String,
    headers: String,
    text: String,
    html: String,
}

fn mail(event: &Event, channel: Channel) -> Mail {
    mail_with(event, channel, &config(25, SmtpTls::None), NOW)
}

fn mail_with(event: &Event, channel: Channel, config: &MailConfig, date: OffsetDateTime) -> Mail {
    let templates = Templates::load(None).unwrap();
    let composed = compose(event, channel, config, &templates, "<1@example.test>", date).unwrap();
    assert!(composed.bytes.is_ascii());
    let parsed = parse_mail(&composed.bytes).unwrap();
    let kinds: Vec<_> = parsed.subparts.iter().map(|part| part.ctype.mimetype.as_str()).collect();
    assert_eq!(kinds, ["text/plain", "text/html"]);
    let body = |part: &ParsedMail| part.get_body().unwrap().replace("\r\n", "\n");
    Mail {
        subject: parsed.headers.get_first_value("Subject").unwrap(),
        to: composed.to.to_string(),
        headers: String::from_utf8(composed.bytes.clone()).unwrap().split_once("\r\n\r\n").unwrap().0.to_owned(),
        text: body(&parsed.subparts[0]),
        html: body(&parsed.subparts[1]),
    }
}

fn named(name: &str) -> Who {
    Who { name: name.into(), ..ada() }
}

fn joined(who: Who) -> Event {
    Event::Joined { who, warn_days: 27, kick_days: 30 }
}

fn warned(who: Who, last_watched: Option<OffsetDateTime>) -> Event {
    Event::Warned { who, idle_days: 27, access_ends: datetime!(2026-11-26 12:00 UTC), days_left: 3, last_watched }
}

fn removed(who: Who) -> Event {
    Event::Removed {
        who,
        reason: "Nothing watched for 31 days".into(),
        kick_days: 30,
        plex: "share on Centauri ended".into(),
        tautulli: TautulliStep::Deleted,
        failing_since: None,
    }
}

fn every_event(who: Who) -> [Event; 7] {
    [
        joined(who.clone()),
        warned(who.clone(), None),
        removed(who.clone()),
        Event::RemovalFailed { who: who.clone(), reason: "r".into(), error: "e".into() },
        Event::CalledOff { who: who.clone(), why: "w".into() },
        Event::Refused { pass: PassKind::Sweep, why: who.name.clone() },
        Event::Undeliverable { who, mail: Letter::Warning, error: "550 no".into() },
    ]
}

#[test]
fn the_headers_are_those_of_an_automatic_mail() {
    let person = mail(&joined(ada()), Channel::Person);
    assert_eq!(person.to, "ada@example.test");
    for header in [
        "From: Centauri <plex@example.test>",
        "To: ada@example.test",
        "Reply-To: admin@example.test",
        "Subject: Welcome to Centauri",
        "Date: Mon, 23 Nov 2026 12:00:00 +0000",
        "Message-ID: <1@example.test>",
        "Auto-Submitted: auto-generated",
        "Content-Type: multipart/alternative;",
    ] {
        assert!(person.headers.lines().any(|line| line.trim_end() == header), "{header} in {}", person.headers);
    }
    let admin = mail(&joined(ada()), Channel::Admin);
    assert_eq!(admin.to, "admin@example.test");
    assert!(!admin.headers.contains("Reply-To"));
}

#[test]
fn the_welcome_has_the_rule_and_the_links() {
    let mail = mail(&joined(ada()), Channel::Person);
    for part in [
        "Ada",
        "at least every 30 days",
        "After 27 days",
        "24 hours",
        "https://app.plex.tv",
        "https://contact.example.test",
    ] {
        assert!(mail.text.contains(part), "{part} in {}", mail.text);
        assert!(mail.html.contains(part), "{part} in {}", mail.html);
    }
    assert!(mail.text.contains("https://requests.example.test/?a=1&b=2"));
    assert!(mail.html.contains("href=\"https://requests.example.test/?a=1&amp;b=2\""));
}

#[test]
fn links_that_are_not_set_leave_no_trace() {
    let mut config = config(25, SmtpTls::None);
    (config.brand.link_requests, config.brand.link_contact) = (None, None);
    for event in [joined(ada()), warned(ada(), None), removed(ada())] {
        let mail = mail_with(&event, Channel::Person, &config, NOW);
        assert!(!mail.text.contains("none") && !mail.html.contains("none\""), "{}", mail.text);
        assert!(mail.text.to_lowercase().contains("reply to this mail"), "{}", mail.text);
    }
}

#[test]
fn a_warning_says_how_long_until_when_and_since_when() {
    let mail = mail(&warned(ada(), Some(datetime!(2026-10-27 12:00 UTC))), Channel::Person);
    assert_eq!(mail.subject, "Centauri: 3 days left to watch something");
    for part in ["Thursday 26 November 2026, 12:00 UTC", "Tuesday 27 October 2026", "https://app.plex.tv"] {
        assert!(mail.text.contains(part) && mail.html.contains(part), "{part}");
    }
}

#[test]
fn a_warning_to_somebody_who_never_watched_says_so() {
    let mail = mail(&warned(ada(), None), Channel::Person);
    assert!(mail.text.contains("You haven't watched anything on Centauri yet."), "{}", mail.text);
    assert!(mail.html.contains("You haven’t watched anything on Centauri yet."));
}

#[test]
fn a_warning_that_waited_counts_the_days_from_when_it_is_sent() {
    let subject = |date| mail_with(&warned(ada(), None), Channel::Person, &config(25, SmtpTls::None), date).subject;
    assert_eq!(subject(datetime!(2026-11-20 12:00 UTC)), "Centauri: 3 days left to watch something");
    assert_eq!(subject(datetime!(2026-11-24 12:00:01 UTC)), "Centauri: 2 days left to watch something");
    assert_eq!(subject(datetime!(2026-11-25 12:00 UTC)), "Centauri: one day left to watch something");
    assert_eq!(subject(datetime!(2026-11-26 12:00 UTC)), "Centauri: your access is about to end");
    assert_eq!(subject(datetime!(2026-12-26 12:00 UTC)), "Centauri: your access is about to end");
}

#[test]
fn a_removal_says_why_and_how_to_come_back() {
    let mail = mail(&removed(ada()), Channel::Person);
    assert_eq!(mail.subject, "Your access to Centauri has ended");
    for part in ["Nothing watched for 31 days.", "after 30 days", "https://contact.example.test"] {
        assert!(mail.text.replace('\n', " ").contains(part) && mail.html.contains(part), "{part} in {}", mail.text);
    }
}

#[test]
fn the_admin_reads_every_step_of_a_removal() {
    let mail = mail(&removed(ada()), Channel::Admin);
    assert_eq!(mail.subject, "[Centauri] Removed: Ada");
    for part in [
        "share on Centauri ended",
        "deleted, history and all",
        "Nothing watched for 31 days",
        "ada@example.test",
        "done",
    ] {
        assert!(mail.text.contains(part) && mail.html.contains(part), "{part} in {}", mail.text);
    }
}

#[test]
fn names_can_not_break_any_mail() {
    for event in every_event(named(NASTY)) {
        for channel in [Channel::Person, Channel::Admin] {
            if channel == Channel::Person && event.letter().is_none() {
                continue;
            }
            let mail = mail(&event, channel);
            let escaped = "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;O&#39;Neill&quot; 🎬";
            assert!(!mail.html.contains("<script>") && mail.html.contains(escaped), "{}", mail.html);
            assert!(mail.text.replace('\n', " ").contains(NASTY), "{}", mail.text);
        }
    }
}

#[test]
fn a_line_break_in_a_name_makes_no_header() {
    let mail = mail(&joined(named("Ada\r\nBcc: all@example.test\r\n\r\nx")), Channel::Admin);
    assert_eq!(mail.subject, "[Centauri] Joined: Ada Bcc: all@example.test x");
    assert!(!mail.headers.contains("\nBcc"));
}

#[test]
fn a_subject_outside_ascii_is_encoded() {
    let name = "Zoë 🎬 ".repeat(20);
    let mail = mail(&joined(named(&name)), Channel::Admin);
    assert_eq!(mail.subject, format!("[Centauri] Joined: {}", name.trim()));
    assert!(mail.headers.contains("=?utf-8?"));
}

#[test]
fn an_address_that_is_none_is_told_from_other_errors() {
    let templates = Templates::load(None).unwrap();
    for email in [None, Some(""), Some("ada"), Some("ada@"), Some("a b@example.test"), Some("a@example.test\r\nX: y")] {
        let event = joined(Who { email: email.map(Into::into), ..ada() });
        let composed =
            compose(&event, Channel::Person, &config(25, SmtpTls::None), &templates, "<1@example.test>", NOW);
        assert_eq!(composed.unwrap_err().outcome, Outcome::Address, "{email:?}");
    }
}

#[test]
fn persons_hear_only_of_what_concerns_them() {
    let templates = Templates::load(None).unwrap();
    for event in every_event(ada()) {
        let composed =
            compose(&event, Channel::Person, &config(25, SmtpTls::None), &templates, "<1@example.test>", NOW);
        assert_eq!(composed.is_ok(), event.letter().is_some(), "{}", event.name());
    }
}

#[test]
fn the_test_mail_goes_to_the_admin() {
    let templates = Templates::load(None).unwrap();
    let mail = compose_for_admin(&Summary::test(NOW), &config(25, SmtpTls::None), &templates, "<1@example.test>", NOW);
    assert_eq!(mail.unwrap().to.to_string(), "admin@example.test");
}

#[test]
fn the_text_is_wrapped() {
    for event in every_event(ada()) {
        let text = mail(&event, Channel::Admin).text;
        assert!(text.lines().all(|line| line.chars().count() <= 72), "{text}");
    }
}
