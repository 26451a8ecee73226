use std::{error::Error, time::Duration};

use reqwest::StatusCode;

use super::wording::one_line;

/// A Discord message that was not taken. Never shows the webhook's address, which is a secret.
#[derive(Debug, thiserror::Error)]
pub enum DiscordError {
    /// `DISCORD_WEBHOOK` is no address.
    #[error("DISCORD_WEBHOOK is not a web address; copy it from Discord: channel settings, Integrations, Webhooks")]
    Address,
    /// Discord can't be reached.
    #[error("cannot reach Discord: {problem}; it is tried again later")]
    Unreachable {
        /// What came back.
        problem: String,
    },
    /// The message was sent, and no answer came: it may have been posted.
    #[error("Discord did not answer: {problem}; it is tried again later")]
    Unanswered {
        /// What came back.
        problem: String,
    },
    /// Too many messages.
    #[error("Discord wants fewer messages; it is tried again later")]
    TooMany {
        /// How long Discord wants to be left alone, if it said so.
        retry_after: Option<Duration>,
    },
    /// Discord does not take the message.
    #[error("Discord answers {status}: {message}; {}", advice(*.status))]
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// Discord's words, on one line.
        message: String,
    },
}

impl DiscordError {
    /// An error of the HTTP client, with its causes.
    pub(super) fn unreachable(error: reqwest::Error) -> Self {
        let is_connect = error.is_connect();
        let error = error.without_url();
        let mut problem = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            problem.push_str(": ");
            problem.push_str(&inner.to_string());
            cause = inner.source();
        }
        let problem = one_line(&problem);
        if is_connect { Self::Unreachable { problem } } else { Self::Unanswered { problem } }
    }
}

fn advice(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 | 403 | 404 => {
            "the webhook is gone: make a new one (channel settings, Integrations, Webhooks) and set DISCORD_WEBHOOK"
        }
        500..=599 => "it is tried again later",
        300..=399 => "DISCORD_WEBHOOK has to be the webhook's own address",
        _ => "check DISCORD_WEBHOOK",
    }
}
