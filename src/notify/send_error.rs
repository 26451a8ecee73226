use std::fmt;

use lettre::transport::smtp;

use super::smtp_error::answer;

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

/// A mail that was not taken. `answer` is what came back, on one line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The recipient's address is refused for good: no use in trying again.
    #[error("the mail server refuses this address for good: {answer}")]
    Recipient {
        /// Code and text.
        answer: String,
    },
    /// Not now; the connection goes on.
    #[error("the mail server puts the mail off (at {step}): {answer}; it is tried again later")]
    Deferred {
        /// What it was the answer to.
        step: Step,
        /// Code and text.
        answer: String,
    },
    /// The mail or its sender is refused. It is kept, for when the cause is mended; the connection goes on.
    #[error("the mail server refuses the mail (at {step}): {answer}; {}", advice(*.step))]
    Refused {
        /// What it was the answer to.
        step: Step,
        /// Code and text.
        answer: String,
    },
    /// The connection is gone: no further mail goes over it.
    #[error("the connection to the mail server broke (at {step}): {answer}; what is left is tried again later")]
    Broken {
        /// When.
        step: Step,
        /// What came back.
        answer: String,
    },
}

impl SendError {
    /// What an answer means. RFC 5321: 4xx is for now, 5xx is for good, 421 ends the connection.
    ///
    /// A 5xx to `RCPT TO` is about the address only if its enhanced code (RFC 3463) does not speak of something else: a
    /// relay that is denied (5.7.x) or a full mailbox (5.2.2) would lose a mail that can still arrive.
    pub(super) fn classify(step: Step, error: &smtp::Error) -> Self {
        let answer = answer(error);
        let Some(code) = error.status().map(u16::from) else { return Self::Broken { step, answer } };
        match code {
            421 => Self::Broken { step, answer },
            400..=499 => Self::Deferred { step, answer },
            _ if step != Step::Recipient => Self::Refused { step, answer },
            _ if about_address(code, &answer) => Self::Recipient { answer },
            _ if full(code, &answer) => Self::Deferred { step, answer },
            _ => Self::Refused { step, answer },
        }
    }
}

/// 550, 551 and 553 speak of the mailbox, 501 of how the address is written; an enhanced code speaks more clearly.
fn about_address(code: u16, answer: &str) -> bool {
    match enhanced(answer) {
        Some((1, _) | (2, 0 | 1)) => true,
        Some((0, _)) | None => matches!(code, 501 | 550 | 551 | 553 | 556) && !about_sender(answer),
        Some(_) => false,
    }
}

/// Words of servers that refuse whoever sends, whatever the address: what is mended there helps the mail that waits.
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

fn advice(step: Step) -> &'static str {
    match step {
        Step::Sender => "check that SMTP_FROM may be used with SMTP_USERNAME",
        Step::Recipient => "check that SMTP_USERNAME may send to any address",
        Step::Data | Step::Message => "its answer should say why",
    }
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
