//! The mail server, spoken to by the crate that the program uses, and by hand.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use lettre::message::{Message, MultiPart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{SmtpTransport, Transport};

use super::{builder, sandbox};
use plex_prune_standins::{Sandbox, SmtpFault, SmtpTls, Stage};

fn message(to: &str) -> Message {
    Message::builder()
        .from("Plex <plex@example.test>".parse().unwrap())
        .to(to.parse().unwrap())
        .subject("Schöne Grüße")
        .message_id(Some("<one@example.test>".to_owned()))
        .multipart(MultiPart::alternative_plain_html("Hällo\n.dot\n".to_owned(), "<p>Hällo &amp; more</p>".to_owned()))
        .unwrap()
}

fn transport(sandbox: &Sandbox, tls: Tls, mechanism: Mechanism, password: &str) -> SmtpTransport {
    SmtpTransport::builder_dangerous("127.0.0.1")
        .port(sandbox.smtp.port())
        .tls(tls)
        .authentication(vec![mechanism])
        .credentials(Credentials::new("sandbox-mailer".to_owned(), password.to_owned()))
        .build()
}

fn plain(sandbox: &Sandbox) -> SmtpTransport {
    transport(sandbox, Tls::None, Mechanism::Plain, "sandbox-mail-password")
}

/// Sends one mail; the code of the refusal, if there was one, or 0 when the connection was cut.
fn send(mailer: &SmtpTransport, to: &str) -> Result<(), u16> {
    let sent = mailer.send(&message(to));
    sent.map(drop).map_err(|error| error.status().map_or(0, |code| code.to_string().parse().unwrap()))
}

#[test]
fn a_mail_is_taken_and_can_be_read() {
    let sandbox = sandbox();
    let mailer = plain(&sandbox);
    send(&mailer, "bob@example.test").unwrap();
    send(&mailer, "carol@example.test").unwrap();
    let mails = sandbox.mails();
    let mail = &mails[0];
    assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("plex@example.test", &["bob@example.test".to_owned()][..]));
    assert_eq!(mail.subject(), "Schöne Grüße");
    assert_eq!(mail.message_id(), "<one@example.test>");
    assert_eq!(mail.text().trim_end(), "Hällo\n.dot");
    assert_eq!(mail.html().trim_end(), "<p>Hällo &amp; more</p>");
    assert!(mail.authenticated && !mail.tls);
    assert_eq!((sandbox.smtp.connections(), mails[1].connection), (1, 1));
    assert_eq!(sandbox.mails_to("carol@example.test").len(), 1);
    assert_eq!(sandbox.writes(), ["mail bob@example.test: Schöne Grüße", "mail carol@example.test: Schöne Grüße"]);
    assert!(sandbox.violations().is_empty());
}

#[test]
fn logins() {
    let sandbox = sandbox();
    let login = transport(&sandbox, Tls::None, Mechanism::Login, "sandbox-mail-password");
    send(&login, "bob@example.test").unwrap();
    let wrong = transport(&sandbox, Tls::None, Mechanism::Plain, "wrong");
    assert_eq!(send(&wrong, "bob@example.test"), Err(535));
    let anonymous = SmtpTransport::builder_dangerous("127.0.0.1").port(sandbox.smtp.port()).build();
    assert_eq!(send(&anonymous, "bob@example.test"), Err(530));
    sandbox.smtp.without_login();
    send(&anonymous, "bob@example.test").unwrap();
    assert_eq!(sandbox.mails().len(), 2);
}

#[test]
fn with_tls() {
    for tls in [SmtpTls::Starttls, SmtpTls::Implicit] {
        let _ = builder();
        let sandbox = sandbox();
        sandbox.smtp_tls(tls);
        let authority = Certificate::from_pem(sandbox.authority().pem.as_bytes()).unwrap();
        let trusting = TlsParameters::builder("127.0.0.1".to_owned()).add_root_certificate(authority);
        let strict = TlsParameters::new("127.0.0.1".to_owned()).unwrap();
        let wrap = |parameters| match tls {
            SmtpTls::Implicit => Tls::Wrapper(parameters),
            _ => Tls::Required(parameters),
        };
        let mailer = |parameters| transport(&sandbox, wrap(parameters), Mechanism::Plain, "sandbox-mail-password");
        send(&mailer(trusting.build().unwrap()), "bob@example.test").unwrap();
        assert!(send(&mailer(strict), "bob@example.test").is_err());
        let mails = sandbox.mails();
        assert!(mails.len() == 1 && mails[0].tls && mails[0].authenticated);
        assert!(sandbox.violations().is_empty());
    }
}

#[test]
fn starttls_comes_before_the_password() {
    let sandbox = sandbox();
    sandbox.smtp_tls(SmtpTls::Starttls);
    let mut talk = Talk::new(&sandbox);
    assert!(talk.say("EHLO me").iter().any(|line| line.contains("STARTTLS")));
    assert_eq!(talk.code("AUTH PLAIN AHgAeQ=="), "530");
    assert_eq!(sandbox.violations(), ["the mail server was sent AUTH without TLS"]);
}

#[test]
fn refusals() {
    let sandbox = sandbox();
    let code = |to: &str| send(&plain(&sandbox), to);
    sandbox.smtp.refuse("Gone@example.test");
    sandbox.smtp.defer("later@example.test").times(1);
    assert_eq!(code("gone@example.test"), Err(550));
    assert_eq!(code("bob@example.test"), Ok(()));
    assert_eq!(code("later@example.test"), Err(450));
    assert_eq!(code("later@example.test"), Ok(()));
    sandbox.smtp.refuse_sender().times(1);
    assert_eq!(code("bob@example.test"), Err(553));
    sandbox.smtp.busy().times(1);
    assert_eq!(code("bob@example.test"), Err(421));
    sandbox.smtp.refuse_login().times(1);
    assert_eq!(code("bob@example.test"), Err(535));
    sandbox.smtp.refuse_content().times(1);
    assert_eq!(code("bob@example.test"), Err(554));
    sandbox.smtp.fail(Stage::Sender, SmtpFault::reply(421, "closing")).times(1);
    assert_eq!(code("bob@example.test"), Err(421));
    assert_eq!(sandbox.mails().len(), 2);
}

#[test]
fn connections_that_end_early() {
    let sandbox = sandbox();
    let code = || send(&plain(&sandbox), "bob@example.test");
    sandbox.smtp.fail(Stage::Greeting, SmtpFault::HangUp).times(1);
    assert_eq!((code(), sandbox.mails().len()), (Err(0), 0));
    sandbox.smtp.lose_mail().times(1);
    assert_eq!((code(), sandbox.mails().len()), (Err(0), 0));
    sandbox.smtp.lose_answer().times(1);
    assert_eq!((code(), sandbox.mails().len()), (Err(0), 1));
    assert_eq!(
        sandbox.writes(),
        ["mail bob@example.test: Schöne Grüße -> no answer", "mail bob@example.test: Schöne Grüße -> answer lost"]
    );
    sandbox.smtp.stop();
    assert_eq!(code(), Err(0));
}

#[test]
fn a_gate_after_a_mail() {
    let sandbox = sandbox();
    let (_, gate) = sandbox.smtp.gate_after();
    thread::scope(|scope| {
        let sent = scope.spawn(|| send(&plain(&sandbox), "bob@example.test"));
        gate.wait();
        assert_eq!(sandbox.mails().len(), 1);
        gate.open();
        assert_eq!(sent.join().unwrap(), Ok(()));
    });
}

#[test]
fn a_gate_before_a_mail() {
    let sandbox = sandbox();
    let (_, gate) = sandbox.smtp.gate_before();
    thread::scope(|scope| {
        let sent = scope.spawn(|| send(&plain(&sandbox), "bob@example.test"));
        gate.wait();
        assert!(sandbox.mails().is_empty());
        drop(gate);
        assert_eq!(sent.join().unwrap(), Ok(()));
    });
}

#[test]
fn silence() {
    let sandbox = sandbox();
    for stage in [Stage::Greeting, Stage::Hello, Stage::Recipient, Stage::Body] {
        sandbox.smtp.hang(stage).times(1);
        let impatient = SmtpTransport::builder_dangerous("127.0.0.1")
            .port(sandbox.smtp.port())
            .timeout(Some(Duration::from_millis(300)))
            .credentials(Credentials::new("sandbox-mailer".to_owned(), "sandbox-mail-password".to_owned()))
            .build();
        assert_eq!(send(&impatient, "bob@example.test"), Err(0), "{stage:?}");
    }
    assert!(sandbox.mails().is_empty());
}

#[test]
fn by_hand() {
    let sandbox = sandbox();
    sandbox.smtp.without_login();
    let mut talk = Talk::new(&sandbox);
    let capabilities = talk.say("EHLO me");
    assert!(capabilities.iter().any(|line| line.contains("8BITMIME")));
    assert!(capabilities.iter().any(|line| line.contains("SMTPUTF8")));
    assert_eq!(talk.code("DATA"), "503");
    assert_eq!(talk.code("MAIL FROM:<a@example.test> BODY=8BITMIME"), "250");
    assert_eq!(talk.code("RSET"), "250");
    assert_eq!(talk.code("RCPT TO:<b@example.test>"), "503");
    assert_eq!(talk.code("MAIL FROM:<a@example.test>"), "250");
    assert_eq!(talk.code("RCPT TO:<b@example.test>"), "250");
    assert_eq!(talk.code("DATA"), "354");
    assert_eq!(talk.code("Subject: dots\r\n\r\n..one\r\n."), "250");
    assert_eq!(talk.code("NOOP"), "250");
    assert_eq!(talk.code("NONSENSE"), "502");
    assert_eq!(talk.code("QUIT"), "221");
    assert_eq!(sandbox.mails()[0].text(), ".one\n");
}

/// A client that says what it is told to.
struct Talk(BufReader<TcpStream>);

impl Talk {
    fn new(sandbox: &Sandbox) -> Self {
        let mut talk = Self(BufReader::new(TcpStream::connect(("127.0.0.1", sandbox.smtp.port())).unwrap()));
        talk.listen();
        talk
    }

    fn say(&mut self, line: &str) -> Vec<String> {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.listen()
    }

    fn code(&mut self, line: &str) -> String {
        self.say(line)[0][..3].to_owned()
    }

    fn listen(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            let more = line.as_bytes()[3] == b'-';
            lines.push(line);
            if !more {
                return lines;
            }
        }
    }
}
