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
    Channel, Event, Summary, TemplateError, Templates, Who,
    templates::Rendered,
    wording::{day, moment, one_line},
};
use crate::{
    config::{Brand, MailConfig},
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

/// A mail that can't be written.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The person has no usable address: to be handled as one that the mail server refuses for good.
    #[error("{address:?} is not an e-mail address")]
    Address {
        /// What stands in the address's place; empty if there is none.
        address: String,
    },
    /// A template does not work.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The program asked for a mail that there is not.
    #[error("there is no {event} mail for this channel")]
    NoSuchMail {
        /// The event's name.
        event: &'static str,
    },
    /// The mail library does not take the message.
    #[error("the message can't be built: {0}")]
    Message(#[from] lettre::error::Error),
}

/// Whether the person concerned gets a mail of their own about this event. The admin hears of everything.
pub fn tells_person(event: &Event) -> bool {
    matches!(event, Event::Joined { .. } | Event::Warned { .. } | Event::Removed { .. })
}

/// Writes the mail about an event, to the person or to the admin. `message_id` comes with its angle brackets; `date` is when
/// the mail is sent, and a warning counts the days left from it.
///
/// # Errors
/// The person's address is no address, a template fails, or there is no such mail (Discord, or an event that persons don't
/// hear of).
pub fn compose(
    event: &Event,
    channel: Channel,
    config: &MailConfig,
    templates: &Templates,
    message_id: &str,
    date: OffsetDateTime,
) -> Result<Composed, ComposeError> {
    let no_such_mail = ComposeError::NoSuchMail { event: event.name() };
    let who = match channel {
        Channel::Admin => return compose_for_admin(&Summary::of(event), config, templates, message_id, date),
        Channel::Discord => return Err(no_such_mail),
        Channel::Person => event.who(),
    };
    let (Some(who), Some((template, facts))) = (who, letter(event, date)) else { return Err(no_such_mail) };
    let to = address(who)?;
    let context = context! { name => one_line(&who.name), brand => brand(&config.brand), ..facts };
    let content = templates.render(template, &context)?;
    build(config, to, true, content, message_id, date)
}

/// Writes the admin's mail about a summary. `message_id` comes with its angle brackets.
///
/// # Errors
/// A template fails.
pub fn compose_for_admin(
    summary: &Summary,
    config: &MailConfig,
    templates: &Templates,
    message_id: &str,
    date: OffsetDateTime,
) -> Result<Composed, ComposeError> {
    let facts: Vec<Value> =
        summary.facts.iter().map(|fact| context! { label => fact.label, value => fact.value.as_str() }).collect();
    let (title, sentence) = (summary.title.as_str(), summary.sentence.as_str());
    let context = context! { title, sentence, facts, brand => brand(&config.brand) };
    let content = templates.render("admin", &context)?;
    build(config, config.admin.clone(), false, content, message_id, date)
}

/// The template and the variables of a person's mail, besides `name` and `brand`.
fn letter(event: &Event, date: OffsetDateTime) -> Option<(&'static str, Value)> {
    Some(match event {
        Event::Joined { warn_days, kick_days, .. } => {
            ("welcome", context! { warn_days => *warn_days, kick_days => *kick_days })
        }
        Event::Warned { idle_days, access_ends, days_left, last_watched, .. } => (
            "warning",
            context! {
                idle_days => *idle_days,
                days_left => words::days_until(*access_ends, date).min(*days_left),
                access_ends => moment(*access_ends),
                last_watched => last_watched.map(day),
            },
        ),
        Event::Removed { reason, kick_days, .. } => {
            ("removal", context! { reason => one_line(reason), kick_days => *kick_days })
        }
        Event::RemovalFailed { .. }
        | Event::CalledOff { .. }
        | Event::Refused { .. }
        | Event::GaveUp { .. }
        | Event::Undeliverable { .. } => {
            return None;
        }
    })
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

fn address(who: &Who) -> Result<Address, ComposeError> {
    let given = who.email.as_deref().unwrap_or_default().trim();
    let wrong = || ComposeError::Address { address: given.to_owned() };
    // Quoted local parts may hold blanks and worse; nobody with a Plex account has one.
    if given.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(wrong());
    }
    given.parse().map_err(|_| wrong())
}

fn build(
    config: &MailConfig,
    to: Address,
    answer_to_admin: bool,
    content: Rendered,
    message_id: &str,
    date: OffsetDateTime,
) -> Result<Composed, ComposeError> {
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
    let message = message.multipart(MultiPart::alternative_plain_html(content.text, content.html))?;
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
