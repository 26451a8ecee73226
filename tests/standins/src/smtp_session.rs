//! One connection to the mail server (RFC 5321; 4954 for AUTH, 3207 for STARTTLS).

use std::io::{Read, Write};
use std::net::TcpStream;

use super::mail::Mail;
use super::smtp::{PASSWORD, Settings, Shared, SmtpFault, Stage, USERNAME};
use super::smtp_words::{base64, path};
use super::stream::Stream;
use super::tls::SmtpTls;

const TAKEN: &str = "250 2.0.0 Ok: taken";

/// The connection is over.
struct Over;

/// Whether it went well; the client has been told either way.
type Step = Result<bool, Over>;

pub struct Session<'a> {
    shared: &'a Shared,
    settings: Settings,
    /// None only while TLS is being put around it.
    stream: Option<Stream>,
    buffer: Vec<u8>,
    number: usize,
    authenticated: bool,
    from: Option<String>,
    to: Vec<String>,
}

impl<'a> Session<'a> {
    pub fn new(shared: &'a Shared, socket: TcpStream, number: usize) -> Self {
        let settings = shared.settings.lock().unwrap().clone();
        let implicit = settings.tls == SmtpTls::Implicit;
        let config = settings.config.clone().filter(|_| implicit);
        Self {
            shared,
            settings,
            stream: Some(Stream::new(socket, config)),
            buffer: Vec::new(),
            number,
            authenticated: false,
            from: None,
            to: Vec::new(),
        }
    }

    pub fn run(mut self) {
        let mut step = self.at(Stage::Greeting, None, "220 sandbox ESMTP");
        while step.is_ok() {
            step = match self.line() {
                Ok(line) => self.command(&String::from_utf8_lossy(&line)),
                Err(over) => Err(over),
            };
        }
    }

    fn command(&mut self, line: &str) -> Step {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let verb = verb.to_ascii_uppercase();
        if self.wants_tls() && matches!(verb.as_str(), "AUTH" | "MAIL" | "RCPT" | "DATA") {
            self.shared.journal.violation(format!("the mail server was sent {verb} without TLS"));
            return self.refuse("530 5.7.0 Must issue a STARTTLS command first");
        }
        match verb.as_str() {
            "EHLO" => self.hello(),
            "HELO" => self.at(Stage::Hello, None, "250 sandbox"),
            "STARTTLS" => self.starttls(),
            "AUTH" => self.login(rest),
            "MAIL" => self.sender(rest),
            "RCPT" => self.recipient(rest),
            "DATA" => self.data(),
            "RSET" => {
                self.reset();
                self.say("250 2.0.0 Reset")
            }
            "NOOP" => self.say("250 2.0.0 Well"),
            "QUIT" => self.say("221 2.0.0 Bye").and(Err(Over)),
            _ => self.refuse("502 5.5.2 Command not recognized"),
        }
    }

    fn hello(&mut self) -> Step {
        self.reset();
        let mut lines = vec!["sandbox", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"];
        if self.wants_tls() {
            lines.push("STARTTLS");
        } else if self.settings.login_required {
            lines.push("AUTH PLAIN LOGIN");
        }
        let (last, others) = lines.split_last().ok_or(Over)?;
        let others: String = others.iter().map(|line| format!("250-{line}\r\n")).collect();
        self.at(Stage::Hello, None, &format!("{others}250 {last}"))
    }

    /// Whether STARTTLS must come first.
    fn wants_tls(&self) -> bool {
        let tls = self.stream.as_ref().is_some_and(Stream::is_tls);
        self.settings.tls == SmtpTls::Starttls && !tls
    }

    fn starttls(&mut self) -> Step {
        if !self.wants_tls() {
            return self.refuse("503 5.5.1 Not now");
        }
        if self.at(Stage::Tls, None, "220 2.0.0 Go ahead")? {
            // Whatever came before the handshake does not count (RFC 3207, section 4.2).
            self.buffer.clear();
            self.reset();
            if let Some(Stream::Plain(socket)) = self.stream.take() {
                self.stream = Some(Stream::new(socket, self.settings.config.clone()));
            }
        }
        Ok(true)
    }

    fn login(&mut self, rest: &str) -> Step {
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let right = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let secret = self.secret(initial, "")?;
                secret == format!("\0{USERNAME}\0{PASSWORD}").as_bytes()
            }
            "LOGIN" => {
                let name = self.secret(initial, "VXNlcm5hbWU6")?;
                let password = self.secret("", "UGFzc3dvcmQ6")?;
                name == USERNAME.as_bytes() && password == PASSWORD.as_bytes()
            }
            _ => return self.refuse("504 5.5.4 Unrecognized authentication type"),
        };
        if !right {
            return self.refuse("535 5.7.8 Authentication credentials invalid");
        }
        self.authenticated = self.at(Stage::Login, None, "235 2.7.0 Authentication successful")?;
        Ok(self.authenticated)
    }

    /// What the client says to a prompt of AUTH, if it has not said it already.
    fn secret(&mut self, initial: &str, prompt: &str) -> Result<Vec<u8>, Over> {
        if !initial.is_empty() {
            return Ok(base64(initial));
        }
        self.say(&format!("334 {prompt}"))?;
        let line = self.line()?;
        Ok(base64(&String::from_utf8_lossy(&line)))
    }

    fn sender(&mut self, rest: &str) -> Step {
        if self.settings.login_required && !self.authenticated {
            return self.refuse("530 5.7.0 Authentication required");
        }
        let Some(address) = path(rest, "FROM:") else {
            return self.refuse("501 5.5.4 Syntax: MAIL FROM:<address>");
        };
        let well = self.at(Stage::Sender, None, "250 2.1.0 Ok")?;
        self.from = well.then_some(address);
        Ok(well)
    }

    fn recipient(&mut self, rest: &str) -> Step {
        if self.from.is_none() {
            return self.refuse("503 5.5.1 Need MAIL first");
        }
        let Some(address) = path(rest, "TO:") else {
            return self.refuse("501 5.5.4 Syntax: RCPT TO:<address>");
        };
        let well = self.at(Stage::Recipient, Some(&address), "250 2.1.5 Ok")?;
        if well {
            self.to.push(address);
        } else {
            self.shared.journal.write(format!("mail {address} -> refused"));
        }
        Ok(well)
    }

    fn data(&mut self) -> Step {
        if self.to.is_empty() {
            return self.refuse("503 5.5.1 Need RCPT first");
        }
        if !self.at(Stage::Data, None, "354 End data with <CR><LF>.<CR><LF>")? {
            return Ok(false);
        }
        let mail = self.mail()?;
        let fault = self.shared.fault(Stage::Body, None);
        match fault.as_deref() {
            None => {
                self.take(mail, "");
                self.say(TAKEN)
            }
            Some(SmtpFault::GateBefore(gate)) => {
                gate.pass();
                self.take(mail, "");
                self.say(TAKEN)
            }
            Some(SmtpFault::GateAfter(gate)) => {
                self.take(mail, "");
                gate.pass();
                self.say(TAKEN)
            }
            Some(SmtpFault::AnswerLost) => {
                self.take(mail, " -> answer lost");
                Err(Over)
            }
            Some(fault) => {
                let end = if matches!(fault, SmtpFault::Reply(..)) { "refused" } else { "no answer" };
                self.shared.journal.write(format!("{} -> {end}", change(&mail)));
                self.suffer(fault)
            }
        }
    }

    fn take(&self, mail: Mail, end: &str) {
        self.shared.journal.write(format!("{}{end}", change(&mail)));
        self.shared.journal.mail(mail);
    }

    /// The mail after DATA, without the dots that the client put in (RFC 5321, section 4.5.2).
    fn mail(&mut self) -> Result<Mail, Over> {
        let mut raw = Vec::new();
        loop {
            let line = self.line()?;
            if line == b"." {
                break;
            }
            if line.len() > 998 || line.contains(&b'\n') {
                self.shared.journal.violation("a mail has a line that is too long, or a bare line feed");
            }
            raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            raw.extend_from_slice(b"\r\n");
        }
        Ok(Mail {
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            raw,
            tls: self.stream.as_ref().is_some_and(Stream::is_tls),
            authenticated: self.authenticated,
            connection: self.number,
        })
    }

    fn reset(&mut self) {
        self.from = None;
        self.to.clear();
    }

    /// Says `well`, unless something goes wrong here.
    fn at(&mut self, stage: Stage, address: Option<&str>, well: &str) -> Step {
        match self.shared.fault(stage, address) {
            None => self.say(well),
            Some(fault) => self.suffer(&fault),
        }
    }

    fn suffer(&mut self, fault: &SmtpFault) -> Step {
        match fault {
            SmtpFault::Reply(code, text) => {
                let step = self.refuse(&format!("{code} {text}"));
                if *code == 421 { Err(Over) } else { step }
            }
            SmtpFault::Hang => {
                if let Some(stream) = &mut self.stream {
                    stream.drain();
                }
                Err(Over)
            }
            SmtpFault::HangUp | SmtpFault::AnswerLost => Err(Over),
            SmtpFault::GateBefore(_) | SmtpFault::GateAfter(_) => unreachable!("gates are for mails only"),
        }
    }

    fn refuse(&mut self, line: &str) -> Step {
        self.say(line).map(|_| false)
    }

    fn say(&mut self, line: &str) -> Step {
        let stream = self.stream.as_mut().ok_or(Over)?;
        let sent = stream.write_all(format!("{line}\r\n").as_bytes());
        sent.and_then(|()| stream.flush()).map_err(|_| Over)?;
        Ok(true)
    }

    /// The next line, without its CRLF.
    fn line(&mut self) -> Result<Vec<u8>, Over> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.buffer[..end].to_vec();
                self.buffer.drain(..end + 2);
                return Ok(line);
            }
            let mut chunk = [0; 4096];
            match self.stream.as_mut().ok_or(Over)?.read(&mut chunk) {
                Ok(read) if read > 0 => self.buffer.extend_from_slice(&chunk[..read]),
                _ => return Err(Over),
            }
        }
    }
}

/// A mail in the list of changes.
fn change(mail: &Mail) -> String {
    format!("mail {}: {}", mail.to.join(", "), mail.subject())
}
