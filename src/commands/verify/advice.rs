//! The next step where it hangs on more than the error itself: on the settings, and on where the program runs.

use std::net::IpAddr;

use crate::{
    config::{Environment, MailConfig, TautulliConfig},
    http::{Fault, ServiceError},
    notify::{DiscordError, SendError, SmtpError, Step},
};

const WEBHOOK: &str = "(channel settings, Integrations, Webhooks)";

/// What to do about a failed call of Tautulli.
pub(super) fn of_tautulli(error: &ServiceError, config: &TautulliConfig, environment: &Environment) -> String {
    let secure = config.url.starts_with("https:");
    match &error.fault {
        Fault::NoConnection(why) if secure && (why.contains("InvalidContentType") || why.contains("handshake eof")) => {
            "Does that port speak https? Else TAUTULLI_URL begins with http://".to_owned()
        }
        Fault::NoConnection(why)
            if why.contains("refused") && config.host().is_some_and(|host| is_lost(&host, environment)) =>
        {
            in_container("TAUTULLI_URL")
        }
        Fault::CutOff(_) if !secure => {
            "Does that port speak https? Then TAUTULLI_URL begins with https://. Else, is it Tautulli's port?"
                .to_owned()
        }
        Fault::Status { code: 400, message, .. } if !secure && speaks_https(message) => {
            "That port speaks https: try https:// in TAUTULLI_URL".to_owned()
        }
        Fault::Status { code: 404, message, .. } if message.contains("API not enabled") => {
            "Enable the API: Tautulli's Settings, Web Interface, API".to_owned()
        }
        Fault::Status { code: 404, .. } => {
            "Check the path in TAUTULLI_URL: it is what the browser shows when Tautulli is open, up to /home".to_owned()
        }
        _ => error.advice().to_owned(),
    }
}

/// Tautulli's own server says so, and proxies show a page.
fn speaks_https(message: &str) -> bool {
    message.contains("HTTPS") || message == "an HTML page"
}

/// What to do about a mail server that is of no use.
pub(super) fn of_smtp(error: &SmtpError, config: &MailConfig, environment: &Environment) -> String {
    if error.what().contains("refused (os error") && is_lost(&config.host, environment) {
        in_container("SMTP_HOST")
    } else {
        error.advice().to_owned()
    }
}

/// What came of a mail, and what to do.
pub(super) fn of_sending(error: &SendError, config: &MailConfig) -> (String, String) {
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
pub(super) fn of_discord(error: &DiscordError) -> (String, String) {
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

/// Whether this machine is meant, by a program that runs in a container.
fn is_lost(host: &str, environment: &Environment) -> bool {
    is_this_machine(host) && environment.is_container()
}

/// Whether a host is the machine that asks.
pub(super) fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn in_container(variable: &str) -> String {
    format!(
        "Inside a container, localhost is the container itself: put the other container's name, or the machine's name \
         or address, into {variable}"
    )
}
