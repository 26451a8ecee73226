use std::{error::Error as _, io};

use lettre::transport::smtp;
use rustls::CertificateError;

use super::wording::one_line;
use crate::{
    config::{MailConfig, SmtpTls, is_this_machine, localhost_in_container},
    error::{Error, Kind},
};

/// An error that the program found by itself: no connection to the mail server, or one that is of no use.
pub fn unusable(doing: &str, config: &MailConfig, problem: &str, advice: impl Into<String>) -> Error {
    let what = format!("{doing} {}:{}", config.host, config.port);
    Error::new(Kind::Outage, what, advice).because(problem)
}

/// An error that the mail library met. Whatever is in `secrets` is redacted, should the server echo it.
pub fn met(doing: &str, config: &MailConfig, error: &smtp::Error, secrets: &[String]) -> Error {
    let mut problem = answer(error);
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        problem = problem.replace(secret.as_str(), "***");
    }
    unusable(doing, config, &problem, advice(error, config))
}

/// What came back: the server's code and text, or the system's words, on one line.
pub fn answer(error: &smtp::Error) -> String {
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    match error.status() {
        Some(code) => one_line(&format!("{code} {text}")),
        None if timed_out(error) => "no answer in time".to_owned(),
        None => one_line(&text),
    }
}

fn advice(error: &smtp::Error, config: &MailConfig) -> String {
    if let Some(code) = error.status() {
        return by_code(u16::from(code), config);
    }
    if let Some(tls) = cause(error).and_then(|cause| cause.get_ref()).and_then(|inner| inner.downcast_ref()) {
        return by_tls(tls, config);
    }
    match cause(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) if config.in_container && is_this_machine(&config.host) => {
            localhost_in_container("SMTP_HOST")
        }
        Some(io::ErrorKind::ConnectionRefused) => "Check SMTP_HOST and SMTP_PORT".to_owned(),
        _ if error.is_response() || error.to_string().starts_with("network error") => wrong_way_round(config),
        _ => "Check SMTP_HOST and SMTP_PORT, and that this machine can reach it".to_owned(),
    }
}

fn by_code(code: u16, config: &MailConfig) -> String {
    match code {
        534 | 535 if is_google(&config.host) => {
            "Google wants an app password here, not the account's own: make one at \
            https://myaccount.google.com/apppasswords and put it into SMTP_PASSWORD"
                .to_owned()
        }
        534 | 535 => "Check SMTP_USERNAME and SMTP_PASSWORD; some providers want an app password".to_owned(),
        530 | 538 => "The server wants TLS first: set SMTP_TLS=starttls or implicit".to_owned(),
        400..=499 => "It may work later".to_owned(),
        _ => "The server's answer should say why".to_owned(),
    }
}

fn by_tls(error: &rustls::Error, config: &MailConfig) -> String {
    let host = &config.host;
    match error {
        rustls::Error::InvalidMessage(_) => wrong_way_round(config),
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("The certificate is not for {host}: SMTP_HOST has to be the name that stands in it")
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "The server's certificate has expired, or this machine's clock is wrong".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "The server's certificate is not valid yet: check this machine's clock".to_owned()
            }
            _ => "If the server has an authority of its own, name its PEM file in CA_FILE".to_owned(),
        },
        _ => format!("The TLS handshake failed; check the TLS settings of {host}"),
    }
}

/// Silence and gibberish mostly mean that one side speaks TLS while the other one does not.
fn wrong_way_round(config: &MailConfig) -> String {
    match config.tls {
        SmtpTls::Implicit => {
            format!(
                "Port {} may not speak TLS from the first byte: try SMTP_TLS=starttls (or none, without any TLS)",
                config.port
            )
        }
        SmtpTls::StartTls | SmtpTls::None => {
            format!(
                "Port {} may want TLS from the first byte: try SMTP_TLS=implicit; else check SMTP_PORT",
                config.port
            )
        }
    }
}

fn is_google(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    ["gmail.com", "google.com", "googlemail.com"].iter().any(|domain| host.ends_with(domain))
}

fn timed_out(error: &smtp::Error) -> bool {
    // A read that times out is `WouldBlock` on Unix.
    cause(error).is_some_and(|cause| matches!(cause.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock))
}

fn cause(error: &smtp::Error) -> Option<&io::Error> {
    error.source().and_then(|source| source.downcast_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::test_support;

    #[test]
    fn google_wants_an_app_password() {
        let config = MailConfig { host: "smtp.Gmail.com".into(), ..test_support::config(465, SmtpTls::Implicit) };
        assert!(by_code(535, &config).contains("https://myaccount.google.com/apppasswords"));
        assert!(!by_code(535, &test_support::config(465, SmtpTls::Implicit)).contains("google"));
    }

    #[test]
    fn localhost_is_explained_to_a_container_only() {
        let refused = |host: &str, in_container| {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let config = MailConfig { host: host.into(), in_container, ..test_support::config(free, SmtpTls::None) };
            crate::notify::Smtp::connect(&config, &Default::default()).err().unwrap().advice
        };
        assert!(refused("127.0.0.1", true).starts_with("Inside a container, localhost is the container itself"));
        assert_eq!(refused("127.0.0.1", false), "Check SMTP_HOST and SMTP_PORT");
    }

    #[test]
    fn silence_is_blamed_on_the_other_kind_of_tls() {
        assert!(wrong_way_round(&test_support::config(465, SmtpTls::StartTls)).contains("try SMTP_TLS=implicit"));
        assert!(wrong_way_round(&test_support::config(587, SmtpTls::Implicit)).contains("try SMTP_TLS=starttls"));
    }
}
