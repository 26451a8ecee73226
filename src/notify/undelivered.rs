use std::fmt;

use lettre::{Address, transport::smtp};

use super::smtp_error::answer;
use crate::{
    config::MailConfig,
    error::{Error, Kind},
};

/// A mail or a Discord message that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    pub outcome: Outcome,
    pub error: Error,
}

/// What that means for it and for those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The address is refused for good.
    Address,
    /// This notice can't be sent now.
    Notice,
    /// Nothing more goes this way in this pass.
    Channel,
    /// As `Channel`, and this one may have been taken all the same.
    Unanswered,
}

impl Undelivered {
    pub fn new(outcome: Outcome, error: Error) -> Self {
        Self { outcome, error }
    }

    /// Whether nothing more goes this way in this pass.
    pub fn closes_channel(&self) -> bool {
        matches!(self.outcome, Outcome::Channel | Outcome::Unanswered)
    }
}

/// Where in a mail's transfer something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `MAIL FROM`: the sender.
    Sender,
    /// `RCPT TO`: the recipient.
    Recipient,
    /// `DATA`, before the message.
    Data,
    /// The answer to the message itself.
    Message,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sender => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
            Self::Message => "the message",
        })
    }
}

/// What an answer means. RFC 5321: 4xx is for now, 5xx is for good, 421 ends the connection.
///
/// A 5xx to `RCPT TO` is about the address only if its enhanced code (RFC 3463) does not speak of something else: a
/// relay that is denied (5.7.x) or a full mailbox (5.2.2) would lose a mail that can still arrive.
pub fn classify(step: Step, error: &smtp::Error, config: &MailConfig, to: &Address) -> Undelivered {
    let answer = answer(error);
    let Some(code) = error.status().map(u16::from) else { return broken(step, answer) };
    match code {
        421 => Undelivered { outcome: Outcome::Channel, ..broken(step, answer) },
        400..=499 => deferred(step, answer),
        _ if step != Step::Recipient => refused(step, answer, config, to),
        _ if about_address(code, &answer) => address_refused(answer, config, to),
        _ if full(code, &answer) => deferred(step, answer),
        _ => refused(step, answer, config, to),
    }
}

/// The connection is gone: no further mail goes over it.
pub fn broken(step: Step, answer: String) -> Undelivered {
    let outcome = if step == Step::Message { Outcome::Unanswered } else { Outcome::Channel };
    let what = format!("the connection to the mail server broke (at {step})");
    undelivered(outcome, what, answer, "Try again; if it stays like this, ask whoever runs the mail server")
}

/// Not now; the connection goes on.
fn deferred(step: Step, answer: String) -> Undelivered {
    let what = format!("the mail server puts the mail off (at {step})");
    undelivered(Outcome::Notice, what, answer, "Try again in some minutes; passes do so by themselves")
}

/// The mail or its sender is refused. It is kept until the cause is fixed; the connection goes on.
pub fn refused(step: Step, answer: String, config: &MailConfig, to: &Address) -> Undelivered {
    let (login, from) = (&config.username, &config.from.email);
    let (what, advice) = match step {
        Step::Sender => (
            format!("{login} may not send as {from}"),
            "Set SMTP_FROM to an address of that login: many servers take no other",
        ),
        Step::Recipient => (
            format!("{login} may not send to {}", shown(to, config)),
            "Check that SMTP_USERNAME may send to any address",
        ),
        Step::Data | Step::Message => {
            (format!("the mail server refuses the mail (at {step})"), "The server's answer should say why")
        }
    };
    undelivered(Outcome::Notice, what, answer, advice)
}

/// No use in trying again.
pub fn address_refused(answer: String, config: &MailConfig, to: &Address) -> Undelivered {
    let advice = if *to == config.admin { "Check ADMIN_EMAIL" } else { "" };
    undelivered(Outcome::Address, format!("the mail server refuses {}", shown(to, config)), answer, advice)
}

/// A recipient as the log may speak of them: by the address only if it is the owner's own.
fn shown(to: &Address, config: &MailConfig) -> String {
    if *to == config.admin { to.to_string() } else { "this address".to_owned() }
}

fn undelivered(outcome: Outcome, what: String, answer: String, advice: &str) -> Undelivered {
    Undelivered::new(outcome, Error::new(Kind::Outage, what, advice).because(answer))
}

/// 550, 551 and 553 speak of the mailbox, 501 of how the address is written; an enhanced code speaks more clearly.
fn about_address(code: u16, answer: &str) -> bool {
    match enhanced(answer) {
        Some((1, _) | (2, 0 | 1)) => true,
        Some((0, _)) | None => matches!(code, 501 | 550 | 551 | 553 | 556) && !about_sender(answer),
        Some(_) => false,
    }
}

/// Words of servers that refuse whoever sends, whatever the address: once that is fixed, the mail that waits can arrive.
fn about_sender(answer: &str) -> bool {
    let answer = answer.to_lowercase();
    let words = ["relay", "denied", "block", "spam", "policy", "blacklist", "authenticat", "not permitted"];
    words.iter().any(|word| answer.contains(word))
}

fn full(code: u16, answer: &str) -> bool {
    match enhanced(answer) {
        Some(status) => status == (2, 2),
        None => code == 552,
    }
}

/// Subject and detail of an enhanced status code: `(1, 1)` of `550 5.1.1 No such user`.
fn enhanced(answer: &str) -> Option<(u16, u16)> {
    let mut parts = answer.split_whitespace().nth(1)?.split('.');
    (parts.next()? == "5").then_some(())?;
    let status = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enhanced_codes_are_read_where_there_is_one() {
        assert_eq!(enhanced("550 5.1.1 No such user"), Some((1, 1)));
        assert_eq!(enhanced("550 No such user"), None);
        assert_eq!(enhanced("550 5.1 version"), None);
        assert_eq!(enhanced("550"), None);
        assert_eq!(enhanced("550 192.0.2.1 is blocked"), None);
    }

    #[test]
    fn only_answers_about_the_address_speak_of_a_dead_one() {
        for answer in [
            "550 No such user",
            "553 5.1.3 bad syntax",
            "550 5.2.1 disabled",
            "501 what?",
            "554 5.1.1 unknown",
            "550 5.0.0 no",
        ] {
            assert!(about_address(answer[..3].parse().unwrap(), answer), "{answer}");
        }
        for answer in [
            "554 5.7.1 relay access denied",
            "550 relaying denied",
            "550 blocked by policy",
            "530 log in",
            "552 full",
            "552 5.2.2 full",
            "503 sequence",
            "550 5.7.1 no",
        ] {
            assert!(!about_address(answer[..3].parse().unwrap(), answer), "{answer}");
        }
    }
}
