use std::{fmt, time::Duration};

use lettre::{
    Address,
    transport::smtp::{
        self,
        authentication::{Credentials, Mechanism},
        client::{Certificate, SmtpConnection, TlsParameters},
        commands::{Auth, Data, Mail, Rcpt, Rset},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
        response::{Response, Severity},
    },
};
use time::OffsetDateTime;
use x509_cert::der::Decode;

use super::{
    Composed, Undelivered, smtp_error,
    undelivered::{Step, address_refused, broken, classify, refused},
};
use crate::{
    config::{ExtraAuthorities, MailConfig, SmtpTls},
    error::Error,
    test_hooks,
};

/// For each address of the host, for the greeting and for TLS.
const CONNECT: Duration = Duration::from_secs(10);
/// For each command.
const COMMAND: Duration = Duration::from_secs(30);
/// For the answer to a message, while the server looks for spam in it. Giving up early would send it twice (RFC 5321, 4.5.3.2.6).
const MESSAGE: Duration = Duration::from_secs(120);

const CONNECTING: &str = "cannot connect to the mail server";
const SECURING: &str = "cannot secure the connection to the mail server";
const LOGGING_IN: &str = "cannot log in to the mail server";

const NO_STARTTLS: &str = "Set SMTP_TLS=implicit if this port speaks TLS from the first byte (465 does); SMTP_TLS=none \
    sends the password and the mails in the clear, and is only for a server on this machine or in your own network";

/// A connection to the mail server. Every mail of a pass goes over it, one after the other.
pub struct Smtp<'a> {
    connection: SmtpConnection,
    config: &'a MailConfig,
}

impl<'a> Smtp<'a> {
    /// Connects, and starts TLS as configured. `authorities` are trusted on top of the system's.
    pub fn connect(config: &'a MailConfig, authorities: &ExtraAuthorities) -> Result<Self, Error> {
        let met = |doing| move |error| smtp_error::met(doing, config, &error, &[]);
        let hello = ClientId::default();
        let tls = match config.tls {
            SmtpTls::None => None,
            SmtpTls::Implicit | SmtpTls::StartTls => Some(parameters(config, authorities).map_err(met(SECURING))?),
        };
        let from_the_start = tls.as_ref().filter(|_| config.tls == SmtpTls::Implicit);
        let timeout = Some(test_hooks::timeout(CONNECT));
        let server = (config.host.as_str(), config.port);
        let connection =
            SmtpConnection::connect(server, timeout, &hello, from_the_start, None).map_err(met(CONNECTING))?;
        let mut smtp = Self { connection, config };
        smtp.timeout(COMMAND).map_err(|problem| smtp_error::unusable(CONNECTING, config, &problem, "Try again"))?;
        if let (SmtpTls::StartTls, Some(tls)) = (config.tls, &tls) {
            if !smtp.connection.can_starttls() {
                return Err(smtp_error::unusable(SECURING, config, "it offers no STARTTLS", NO_STARTTLS));
            }
            smtp.connection.starttls(tls, &hello).map_err(met(SECURING))?;
        }
        Ok(smtp)
    }

    /// Logs in with a password, which goes out only over a connection that is secured as configured.
    pub fn log_in(&mut self) -> Result<(), Error> {
        let config = self.config;
        let unusable = |problem, advice| smtp_error::unusable(LOGGING_IN, config, problem, advice);
        if config.tls != SmtpTls::None && !self.connection.is_encrypted() {
            return Err(unusable("the connection is not encrypted", "Check SMTP_TLS"));
        }
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        if self.connection.server_info().get_auth_mechanism(&mechanisms).is_none() {
            return Err(unusable(
                "it offers no login with a password (AUTH PLAIN or LOGIN)",
                "Check SMTP_PORT and SMTP_TLS: 587 with starttls or 465 with implicit is usual",
            ));
        }
        let credentials = Credentials::new(config.username.clone(), config.password.reveal().to_owned());
        match self.connection.auth(&mechanisms, &credentials) {
            Ok(_) => Ok(()),
            Err(error) => Err(smtp_error::met(LOGGING_IN, config, &error, &secrets(config, &credentials))),
        }
    }

    /// When the server's certificate ends, UTC; none without TLS.
    pub fn certificate_ends(&self) -> Option<OffsetDateTime> {
        let certificate = self.connection.peer_certificate().ok()?;
        let certificate = x509_cert::Certificate::from_der(&certificate).ok()?;
        let ends = certificate.tbs_certificate().validity().not_after.to_unix_duration();
        OffsetDateTime::from_unix_timestamp(i64::try_from(ends.as_secs()).ok()?).ok()
    }

    /// Whether the server lets this login send as `SMTP_FROM`: asked, and taken back before there is a mail.
    pub fn try_sender(&mut self) -> Result<(), Undelivered> {
        let (from, to) = (&self.config.from.email, &self.config.admin);
        let parameters = self.parameters(from, to, &[])?;
        self.command(Step::Sender, Mail::new(Some(from.clone()), parameters), to)?;
        // Not the sender's fault, and the next mail shows it.
        let _ = self.connection.command(Rset);
        Ok(())
    }

    /// Sends one mail. Unless the error closes the channel, the next mail can go over the same connection.
    pub fn send(&mut self, mail: &Composed) -> Result<(), Undelivered> {
        test_hooks::crash_point("before a mail");
        let sent = self.transfer(mail);
        test_hooks::crash_point("after a mail");
        if let Err(undelivered) = &sent {
            // A reset makes the server forget this mail, so that the next one starts afresh.
            if undelivered.closes_channel() || self.connection.command(Rset).is_err() {
                self.give_up();
            }
        }
        sent
    }

    /// Says goodbye. What was sent is sent, so nobody needs to hear of a server that does not answer this.
    pub fn quit(mut self) {
        let _ = self.connection.quit();
    }

    /// Closes a connection that is of no more use, without waiting for long for an answer to the goodbye.
    fn give_up(&mut self) {
        let _ = self.timeout(Duration::from_secs(1));
        self.connection.abort();
    }

    fn transfer(&mut self, Composed { from, to, bytes }: &Composed) -> Result<(), Undelivered> {
        let parameters = self.parameters(from, to, bytes)?;
        self.command(Step::Sender, Mail::new(Some(from.clone()), parameters), to)?;
        self.command(Step::Recipient, Rcpt::new(to.clone(), Vec::new()), to)?;
        self.command(Step::Data, Data, to)?;
        self.timeout(MESSAGE).map_err(|problem| broken(Step::Message, problem))?;
        let reply = self.connection.message(bytes);
        self.expect(Step::Message, reply, to)?;
        // The mail is sent, and a failure here shows with the next one.
        let _ = self.timeout(COMMAND);
        Ok(())
    }

    fn command(&mut self, step: Step, command: impl fmt::Display, to: &Address) -> Result<(), Undelivered> {
        let reply = self.connection.command(command);
        self.expect(step, reply, to)
    }

    fn expect(&self, step: Step, reply: Result<Response, smtp::Error>, to: &Address) -> Result<(), Undelivered> {
        let reply = reply.map_err(|error| classify(step, &error, self.config, to))?;
        let expected = match step {
            Step::Sender | Step::Recipient | Step::Message => Severity::PositiveCompletion,
            Step::Data => Severity::PositiveIntermediate,
        };
        if reply.code().severity == expected {
            return Ok(());
        }
        // Out of step with the server: no telling which answer belongs to what.
        Err(broken(step, format!("unexpected answer {}", reply.code())))
    }

    fn timeout(&mut self, duration: Duration) -> Result<(), String> {
        let duration = Some(test_hooks::timeout(duration));
        self.connection.set_timeout(duration).map_err(|error| error.to_string())
    }

    /// Addresses outside ASCII need SMTPUTF8 (RFC 6531). Bodies are encoded, so nothing else in a message is outside ASCII.
    fn parameters(&self, from: &Address, to: &Address, message: &[u8]) -> Result<Vec<MailParameter>, Undelivered> {
        let recipient_is_ascii = to.to_string().is_ascii();
        if recipient_is_ascii && from.to_string().is_ascii() && message.is_ascii() {
            return Ok(Vec::new());
        }
        if self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Ok(vec![MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)]);
        }
        let answer = "it has no SMTPUTF8, which an address with characters outside ASCII needs".to_owned();
        Err(if recipient_is_ascii {
            refused(Step::Sender, answer, self.config, to)
        } else {
            address_refused(answer, self.config, to)
        })
    }
}

fn parameters(config: &MailConfig, authorities: &ExtraAuthorities) -> Result<TlsParameters, smtp::Error> {
    let mut builder = TlsParameters::builder(config.host.clone());
    for der in &authorities.certificates {
        builder = builder.add_root_certificate(Certificate::from_der(der.clone())?);
    }
    builder.build()
}

/// The password in each form in which it goes over the wire: some servers repeat what they did not understand.
fn secrets(config: &MailConfig, credentials: &Credentials) -> Vec<String> {
    [(Mechanism::Plain, None), (Mechanism::Login, Some("Password".to_owned()))]
        .into_iter()
        .filter_map(|(mechanism, challenge)| Auth::new(mechanism, credentials.clone(), challenge).ok())
        .filter_map(|auth| auth.to_string().split_whitespace().last().map(str::to_owned))
        .chain([config.password.reveal().to_owned()])
        .collect()
}
