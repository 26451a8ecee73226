use std::time::Duration;

use lettre::{
    Address,
    transport::smtp::{
        self,
        authentication::{Credentials, Mechanism},
        client::{Certificate, SmtpConnection, TlsParameters, TlsVersion},
        commands::{Auth, Data, Mail, Rcpt, Rset},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
        response::{Response, Severity},
    },
};
use time::OffsetDateTime;
use x509_cert::der::Decode;

use super::{SendError, SmtpError, send_error::Step};
use crate::{
    config::{ExtraAuthorities, MailConfig, SmtpTls},
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

/// A connection to the mail server, logged in. Every mail of a pass goes over it, one after the other.
pub struct Smtp {
    connection: SmtpConnection,
}

impl Smtp {
    /// Connects, starts TLS as configured and logs in (not if `SMTP_USERNAME` is empty). `authorities` are trusted on top of
    /// the system's.
    ///
    /// # Errors
    /// The server can't be reached, speaks another protocol, is not to be trusted, or does not take the password.
    pub fn connect(config: &MailConfig, authorities: &ExtraAuthorities) -> Result<Self, SmtpError> {
        let mut smtp = Self::reach(config, authorities)?;
        smtp.log_in(config)?;
        Ok(smtp)
    }

    /// The first half of [`Smtp::connect`]: connects, and starts TLS as configured.
    ///
    /// # Errors
    /// The server can't be reached, speaks another protocol, or is not to be trusted.
    pub fn reach(config: &MailConfig, authorities: &ExtraAuthorities) -> Result<Self, SmtpError> {
        Ok(Self { connection: open(config, authorities, TlsVersion::Tlsv12)? })
    }

    /// The second half: logs in (not if `SMTP_USERNAME` is empty).
    ///
    /// # Errors
    /// The server does not take the password, or offers no login.
    pub fn log_in(&mut self, config: &MailConfig) -> Result<(), SmtpError> {
        log_in(&mut self.connection, config)
    }

    /// Whether the server speaks TLS 1.3, as a second connection of its own finds out; the library doesn't tell what the
    /// first one agreed on.
    pub fn speaks_tls13(config: &MailConfig, authorities: &ExtraAuthorities) -> bool {
        open(config, authorities, TlsVersion::Tlsv13).is_ok_and(|mut connection| connection.quit().is_ok())
    }

    /// When the server's certificate ends, UTC; none without TLS.
    pub fn certificate_ends(&self) -> Option<OffsetDateTime> {
        let certificate = self.connection.peer_certificate().ok()?;
        let certificate = x509_cert::Certificate::from_der(&certificate).ok()?;
        let ends = certificate.tbs_certificate().validity().not_after.to_unix_duration();
        OffsetDateTime::from_unix_timestamp(i64::try_from(ends.as_secs()).ok()?).ok()
    }

    /// Whether the server lets this login send as `from`: asked, and taken back before there is a mail.
    ///
    /// # Errors
    /// It does not; see [`SendError`].
    pub fn try_sender(&mut self, from: &Address) -> Result<(), SendError> {
        let parameters = self.parameters(from, from, &[])?;
        let reply = self.connection.command(Mail::new(Some(from.clone()), parameters));
        expect(Step::Sender, reply, Severity::PositiveCompletion)?;
        // Not the sender's fault, and the next mail shows it.
        let _ = self.connection.command(Rset);
        Ok(())
    }

    /// Sends one mail; `message` is its bytes with CR LF line ends, without dot-stuffing.
    ///
    /// # Errors
    /// See [`SendError`]: only after `Broken` the connection is of no more use.
    pub fn send(&mut self, from: &Address, to: &Address, message: &[u8]) -> Result<(), SendError> {
        test_hooks::crash_point("before a mail");
        let sent = self.transfer(from, to, message);
        test_hooks::crash_point("after a mail");
        match &sent {
            Ok(()) => {}
            Err(SendError::Broken { .. }) => self.give_up(),
            // Forget this mail, so that the next one starts afresh.
            Err(_) => {
                if self.connection.command(Rset).is_err() {
                    self.give_up();
                }
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
        let _ = timeout(&mut self.connection, Duration::from_secs(1));
        self.connection.abort();
    }

    fn transfer(&mut self, from: &Address, to: &Address, message: &[u8]) -> Result<(), SendError> {
        let parameters = self.parameters(from, to, message)?;
        let reply = self.connection.command(Mail::new(Some(from.clone()), parameters));
        expect(Step::Sender, reply, Severity::PositiveCompletion)?;
        let reply = self.connection.command(Rcpt::new(to.clone(), Vec::new()));
        expect(Step::Recipient, reply, Severity::PositiveCompletion)?;
        let reply = self.connection.command(Data);
        expect(Step::Data, reply, Severity::PositiveIntermediate)?;
        let broken = |answer| SendError::Broken { step: Step::Message, answer };
        timeout(&mut self.connection, MESSAGE).map_err(broken)?;
        let reply = self.connection.message(message);
        expect(Step::Message, reply, Severity::PositiveCompletion)?;
        // The mail is sent, and a failure here shows with the next one.
        let _ = timeout(&mut self.connection, COMMAND);
        Ok(())
    }

    /// Addresses outside ASCII need SMTPUTF8 (RFC 6531). Bodies are encoded, so nothing else in a message is outside ASCII.
    fn parameters(&self, from: &Address, to: &Address, message: &[u8]) -> Result<Vec<MailParameter>, SendError> {
        let recipient_is_ascii = to.to_string().is_ascii();
        if recipient_is_ascii && from.to_string().is_ascii() && message.is_ascii() {
            return Ok(Vec::new());
        }
        if self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Ok(vec![MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)]);
        }
        let answer = "it has no SMTPUTF8, which an address with characters outside ASCII needs".to_owned();
        Err(if recipient_is_ascii {
            SendError::Refused { step: Step::Sender, answer }
        } else {
            SendError::Recipient { answer }
        })
    }
}

/// Connects, with TLS as configured.
fn open(config: &MailConfig, authorities: &ExtraAuthorities, least: TlsVersion) -> Result<SmtpConnection, SmtpError> {
    let met = |doing| move |error| SmtpError::met(doing, config, &error, &[]);
    let hello = ClientId::default();
    let tls = match config.tls {
        SmtpTls::None => None,
        SmtpTls::Implicit | SmtpTls::StartTls => Some(parameters(config, authorities, least).map_err(met(SECURING))?),
    };
    let from_the_start = tls.as_ref().filter(|_| config.tls == SmtpTls::Implicit);
    let mut connection = SmtpConnection::connect(
        (config.host.as_str(), config.port),
        Some(test_hooks::timeout(CONNECT)),
        &hello,
        from_the_start,
        None,
    )
    .map_err(met(CONNECTING))?;
    timeout(&mut connection, COMMAND).map_err(|problem| SmtpError::new(CONNECTING, config, problem, "try again"))?;
    if let (SmtpTls::StartTls, Some(tls)) = (config.tls, &tls) {
        if !connection.can_starttls() {
            return Err(no_starttls(config));
        }
        connection.starttls(tls, &hello).map_err(met(SECURING))?;
    }
    Ok(connection)
}

fn parameters(
    config: &MailConfig,
    authorities: &ExtraAuthorities,
    least: TlsVersion,
) -> Result<TlsParameters, smtp::Error> {
    let mut builder = TlsParameters::builder(config.host.clone()).set_min_tls_version(least);
    for der in &authorities.certificates {
        builder = builder.add_root_certificate(Certificate::from_der(der.clone())?);
    }
    builder.build()
}

fn log_in(connection: &mut SmtpConnection, config: &MailConfig) -> Result<(), SmtpError> {
    if config.username.is_empty() {
        return Ok(());
    }
    if config.tls != SmtpTls::None && !connection.is_encrypted() {
        return Err(SmtpError::new(LOGGING_IN, config, "the connection is not encrypted", "check SMTP_TLS"));
    }
    let mechanisms = [Mechanism::Plain, Mechanism::Login];
    if connection.server_info().get_auth_mechanism(&mechanisms).is_none() {
        return Err(SmtpError::new(
            LOGGING_IN,
            config,
            "it offers no login with a password (AUTH PLAIN or LOGIN)",
            "check SMTP_PORT and SMTP_TLS: 587 with starttls or 465 with implicit is usual",
        ));
    }
    let credentials = Credentials::new(config.username.clone(), config.password.reveal().to_owned());
    let secrets = secrets(config, &credentials);
    connection.auth(&mechanisms, &credentials).map_err(|error| SmtpError::met(LOGGING_IN, config, &error, &secrets))?;
    Ok(())
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

fn no_starttls(config: &MailConfig) -> SmtpError {
    SmtpError::new(
        SECURING,
        config,
        "it offers no STARTTLS",
        "set SMTP_TLS=implicit if this port speaks TLS from the first byte (465 does); SMTP_TLS=none sends the password and \
         the mails in the clear, and is only for a server on this machine or in your own network",
    )
}

fn expect(step: Step, reply: Result<Response, smtp::Error>, severity: Severity) -> Result<(), SendError> {
    let reply = reply.map_err(|error| SendError::classify(step, &error))?;
    if reply.code().severity == severity {
        return Ok(());
    }
    // Out of step with the server: no telling which answer belongs to what.
    Err(SendError::Broken { step, answer: format!("unexpected answer {}", reply.code()) })
}

fn timeout(connection: &mut SmtpConnection, duration: Duration) -> Result<(), String> {
    connection.set_timeout(Some(test_hooks::timeout(duration))).map_err(|error| error.to_string())
}
