use std::time::SystemTime;

use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use minijinja::{Value, context};
use time::OffsetDateTime;

use super::{
    Channel, Event, Outcome, Summary, Templates, Undelivered, Who,
    templates::Rendered,
    wording::{day, moment, one_line},
};
use crate::{
    config::{Brand, MailConfig},
    error::{Error, Kind},
    words,
};

/// A mail ready to be sent.
#[derive(Clone, Debug)]
pub struct Composed {
    /// Envelope sender: the address of `SMTP_FROM`.
    pub from: Address,
    /// Envelope recipient.
    pub to: Address,
    /// The message with its headers, lines ending in CR LF; not dot-stuffed.
    pub bytes: Vec<u8>,
}

/// Writes the mail about an event, to the person or to the admin. `message_id` comes with its angle brackets; `date` is when
/// the mail is sent, and a warning counts the days left from it.
pub fn compose(
    event: &Event,
    channel: Channel,
    config: &MailConfig,
    templates: &Templates,
    message_id: &str,
    date: OffsetDateTime,
) -> Result<Composed, Undelivered> {
    let no_such_mail = || unwritten(format!("there is no {} mail for this channel", event.name()));
    let who = match channel {
        Channel::Admin => return compose_for_admin(&Summary::of(event), config, templates, message_id, date),
        Channel::Discord => return Err(no_such_mail()),
        Channel::Person => event.who(),
    };
    let (Some(who), Some(letter)) = (who, event.letter()) else { return Err(no_such_mail()) };
    let to = address(who)?;
    let context = context! { name => one_line(&who.name), brand => brand(&config.brand), ..facts(event, date) };
    let content = templates.render(letter.name(), &context).map_err(unsent)?;
    build(config, to, true, content, message_id, date)
}

/// Writes the admin's mail about a summary. `message_id` comes with its angle brackets.
pub fn compose_for_admin(
    summary: &Summary,
    config: &MailConfig,
    templates: &Templates,
    message_id: &str,
    date: OffsetDateTime,
) -> Result<Composed, Undelivered> {
    let facts: Vec<Value> =
        summary.facts.iter().map(|fact| context! { label => fact.label, value => fact.value.as_str() }).collect();
    let (title, sentence) = (summary.title.as_str(), summary.sentence.as_str());
    let context = context! { title, sentence, facts, brand => brand(&config.brand) };
    let content = templates.render("admin", &context).map_err(unsent)?;
    build(config, config.admin.clone(), false, content, message_id, date)
}

fn unsent(error: Error) -> Undelivered {
    Undelivered::new(Outcome::Notice, error)
}

fn unwritten(what: String) -> Undelivered {
    unsent(Error::new(Kind::Failure, what, ""))
}

/// The variables of a person's mail, besides `name` and `brand`.
fn facts(event: &Event, date: OffsetDateTime) -> Value {
    match event {
        Event::Joined { warn_days, kick_days, .. } => context! { warn_days => *warn_days, kick_days => *kick_days },
        Event::Warned { idle_days, access_ends, days_left, last_watched, .. } => context! {
            idle_days => *idle_days,
            days_left => words::days_until(*access_ends, date).min(*days_left),
            access_ends => moment(*access_ends),
            last_watched => last_watched.map(day),
        },
        Event::Removed { reason, kick_days, .. } => context! { reason => one_line(reason), kick_days => *kick_days },
        Event::RemovalFailed { .. }
        | Event::CalledOff { .. }
        | Event::Refused { .. }
        | Event::GaveUp { .. }
        | Event::Undeliverable { .. } => context! {},
    }
}

fn brand(brand: &Brand) -> Value {
    context! {
        name => one_line(&brand.name),
        color => brand.color.as_str(),
        text_color => text_color(&brand.color),
        link_plex => brand.link_plex.as_str(),
        link_requests => brand.link_requests.as_deref(),
        link_contact => brand.link_contact.as_deref(),
    }
}

/// White where it can be read on `color` (`#` and six hexadecimal digits), else black. WCAG 2 wants a contrast of 3 for text as
/// large as the templates make it.
fn text_color(color: &str) -> &'static str {
    let channel = |at: usize| {
        let value = color.get(at..at + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).unwrap_or_default();
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
    if 1.05 / (luminance + 0.05) >= 3.0 { "#ffffff" } else { "#111111" }
}

/// The person's address; one that can't be used is like one that the mail server refuses for good.
fn address(who: &Who) -> Result<Address, Undelivered> {
    let given = who.email.as_deref().unwrap_or_default().trim();
    // Quoted local parts may hold blanks and worse; nobody with a Plex account has one.
    let is_plain = !given.contains(|c: char| c.is_control() || c.is_whitespace());
    given.parse().ok().filter(|_| is_plain).ok_or_else(|| {
        let what = format!("{given:?} is not an e-mail address");
        Undelivered::new(Outcome::Address, Error::new(Kind::Failure, what, ""))
    })
}

fn build(
    config: &MailConfig,
    to: Address,
    answer_to_admin: bool,
    content: Rendered,
    message_id: &str,
    date: OffsetDateTime,
) -> Result<Composed, Undelivered> {
    let mut message = Message::builder()
        .from(config.from.clone())
        .to(Mailbox::from(to.clone()))
        .subject(content.subject)
        .date(SystemTime::from(date))
        .message_id(Some(message_id.to_owned()))
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
    if answer_to_admin {
        message = message.reply_to(Mailbox::from(config.admin.clone()));
    }
    let message = message.multipart(MultiPart::alternative_plain_html(content.text, content.html));
    let message = message.map_err(|error| unwritten(format!("the message can't be built: {error}")))?;
    Ok(Composed { from: config.from.email.clone(), to, bytes: message.formatted() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_on_the_brands_color_can_be_read() {
        let white = ["#7A5CFF", "#000000", "#E74C3C", "#1a73e8"];
        let black = ["#FFD500", "#ffffff", "#E5A00D", "#2ecc71"];
        assert!(white.iter().all(|color| text_color(color) == "#ffffff"));
        assert!(black.iter().all(|color| text_color(color) == "#111111"));
    }
}
