use std::{error::Error, io};

use lettre::transport::smtp;
use rustls::CertificateError;

use super::wording::one_line;
use crate::config::{MailConfig, SmtpTls};

/// No connection to the mail server, or one that is of no use. What waits to be sent goes on waiting.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {server}: {problem}; {advice}")]
pub struct SmtpError {
    /// What failed: `cannot connect to the mail server`.
    doing: &'static str,
    /// Host and port.
    server: String,
    /// What came back, on one line.
    problem: String,
    /// What to do about it.
    advice: String,
}

impl SmtpError {
    /// What failed and what came back.
    pub fn what(&self) -> String {
        format!("{} {}: {}", self.doing, self.server, self.problem)
    }

    /// What to do about it.
    pub fn advice(&self) -> &str {
        &self.advice
    }

    /// An error that the program found by itself.
    pub(super) fn new(
        doing: &'static str,
        config: &MailConfig,
        problem: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { doing, server: server(config), problem: problem.into(), advice: advice.into() }
    }

    /// An error that the mail library met. Whatever is in `secrets` is blotted out, should the server echo it.
    pub(super) fn met(doing: &'static str, config: &MailConfig, error: &smtp::Error, secrets: &[String]) -> Self {
        let mut problem = answer(error);
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            problem = problem.replace(secret.as_str(), "***");
        }
        Self::new(doing, config, problem, advice(error, config))
    }
}

/// Host and port, as errors show them.
pub(super) fn server(config: &MailConfig) -> String {
    format!("{}:{}", config.host, config.port)
}

/// What came back: the server's code and text, or the system's words, on one line.
pub(super) fn answer(error: &smtp::Error) -> String {
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
        Some(io::ErrorKind::ConnectionRefused) => "check SMTP_HOST and SMTP_PORT".to_owned(),
        _ if error.is_response() || error.to_string().starts_with("network error") => wrong_way_round(config),
        _ => "check SMTP_HOST and SMTP_PORT, and that this machine can reach it".to_owned(),
    }
}

fn by_code(code: u16, config: &MailConfig) -> String {
    match code {
        534 | 535 if is_google(&config.host) => {
            "Google wants an app password here, not the account's own: make one at \
            https://myaccount.google.com/apppasswords and put it into SMTP_PASSWORD"
                .to_owned()
        }
        534 | 535 => "check SMTP_USERNAME and SMTP_PASSWORD; some providers want an app password".to_owned(),
        530 | 538 => "the server wants TLS first: set SMTP_TLS=starttls or implicit".to_owned(),
        400..=499 => "it may work later".to_owned(),
        _ => "the server's answer should say why".to_owned(),
    }
}

fn by_tls(error: &rustls::Error, config: &MailConfig) -> String {
    let host = &config.host;
    match error {
        rustls::Error::InvalidMessage(_) => wrong_way_round(config),
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("the certificate is not for {host}: SMTP_HOST has to be the name that stands in it")
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the server's certificate has expired, or this machine's clock is wrong".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the server's certificate is not valid yet: check this machine's clock".to_owned()
            }
            _ => "if the server has an authority of its own, name its PEM file in CA_FILE".to_owned(),
        },
        _ => format!("the TLS handshake failed; check the TLS settings of {host}"),
    }
}

/// Silence and gibberish mostly mean that one side speaks TLS while the other one does not.
fn wrong_way_round(config: &MailConfig) -> String {
    match config.tls {
        SmtpTls::Implicit => {
            format!(
                "port {} may not speak TLS from the first byte: try SMTP_TLS=starttls (or none, without any TLS)",
                config.port
            )
        }
        SmtpTls::StartTls | SmtpTls::None => {
            format!(
                "port {} may want TLS from the first byte: try SMTP_TLS=implicit; else check SMTP_PORT",
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
    use crate::notify::samples;

    #[test]
    fn google_wants_an_app_password() {
        let config = MailConfig { host: "smtp.Gmail.com".into(), ..samples::config(465, SmtpTls::Implicit) };
        assert!(by_code(535, &config).contains("https://myaccount.google.com/apppasswords"));
        assert!(!by_code(535, &samples::config(465, SmtpTls::Implicit)).contains("google"));
    }

    #[test]
    fn silence_is_blamed_on_the_other_kind_of_tls() {
        assert!(wrong_way_round(&samples::config(465, SmtpTls::StartTls)).contains("try SMTP_TLS=implicit"));
        assert!(wrong_way_round(&samples::config(587, SmtpTls::Implicit)).contains("try SMTP_TLS=starttls"));
    }
}
