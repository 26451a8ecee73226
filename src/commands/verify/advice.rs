//! The next step where it hangs on more than the error itself: on the settings, and on where the program runs.

use crate::{
    config::{MailConfig, is_this_machine, localhost_in_container},
    notify::{DiscordError, SendError, SmtpError, Step},
};

const WEBHOOK: &str = "(channel settings, Integrations, Webhooks)";

/// What to do about a mail server that is of no use.
pub fn of_smtp(error: &SmtpError, config: &MailConfig) -> String {
    if error.what().contains("refused (os error") && config.in_container && is_this_machine(&config.host) {
        localhost_in_container("SMTP_HOST")
    } else {
        error.advice().to_owned()
    }
}

/// What came of a mail, and what to do.
pub fn of_sending(error: &SendError, config: &MailConfig) -> (String, String) {
    let (login, from, admin) = (&config.username, &config.from.email, &config.admin);
    match error {
        SendError::Recipient { answer } => {
            (format!("the mail server refuses {admin}: {answer}"), "Check ADMIN_EMAIL".to_owned())
        }
        SendError::Deferred { step, answer } => (
            format!("the mail server puts it off (at {step}): {answer}"),
            "Try again in some minutes; passes do so by themselves".to_owned(),
        ),
        SendError::Refused { step: Step::Sender, answer } => (
            format!("{login} may not send as {from}: {answer}"),
            "Set SMTP_FROM to an address of that login: many servers take no other".to_owned(),
        ),
        SendError::Refused { step: Step::Recipient, answer } => (
            format!("{login} may not send to {admin}: {answer}"),
            "Check that SMTP_USERNAME may send to any address".to_owned(),
        ),
        SendError::Refused { answer, .. } => {
            (format!("the mail server refuses it: {answer}"), "The server's answer should say why".to_owned())
        }
        SendError::Broken { step, answer } => (
            format!("the connection broke (at {step}): {answer}"),
            "Try again; if it stays like this, ask whoever runs the mail server".to_owned(),
        ),
    }
}

/// What Discord said, and what to do.
pub fn of_discord(error: &DiscordError) -> (String, String) {
    match error {
        DiscordError::Address => (error.to_string(), format!("Copy it from Discord {WEBHOOK}")),
        DiscordError::Unreachable { problem } => {
            (format!("can't be reached: {problem}"), "Is this machine online, and DISCORD_WEBHOOK right?".to_owned())
        }
        DiscordError::Unanswered { problem } => {
            (format!("did not answer: {problem}"), "If this goes on, look at https://discordstatus.com".to_owned())
        }
        DiscordError::TooMany { .. } => {
            ("wants fewer messages".to_owned(), "Try again later; passes do so by themselves".to_owned())
        }
        DiscordError::Refused { status, message } => (
            format!("answers {status}: {message}"),
            match status.as_u16() {
                401 | 403 | 404 => {
                    format!("The webhook is gone: make a new one {WEBHOOK} and set DISCORD_WEBHOOK")
                }
                300..=399 => "DISCORD_WEBHOOK has to be the webhook's own address".to_owned(),
                500..=599 => "If this goes on, look at https://discordstatus.com".to_owned(),
                _ => format!("Check DISCORD_WEBHOOK {WEBHOOK}"),
            },
        ),
    }
}
