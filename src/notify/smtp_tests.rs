//! The SMTP client against a server that says what it is told to say.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::Arc,
    thread::{self, JoinHandle},
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{Composed, Outcome, Smtp, Undelivered, test_support::config};
use crate::{
    config::{ExtraAuthorities, MailConfig, SmtpTls},
    error::Error,
};

const HELLO: [&str; 3] = ["220 hi", "250-hi\r\n250 AUTH PLAIN LOGIN", "235 in"];

/// One conversation: `replies` in their order, the first one as the greeting (none if it is empty). Gives back what the client said.
fn talk(stream: impl Read + Write, replies: &[String]) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let mut said = Vec::new();
    for (index, reply) in replies.iter().enumerate() {
        if index > 0 {
            let message = replies[index - 1].starts_with("354");
            let mut heard = String::new();
            loop {
                match stream.read_line(&mut heard) {
                    // No more to be said, as the certificate is not trusted.
                    Err(_) => return said,
                    Ok(read) if read > 0 && message && !heard.ends_with("\r\n.\r\n") => {}
                    Ok(_) => break,
                }
            }
            said.push(heard.trim_end().to_owned());
        }
        if !reply.is_empty() && stream.get_mut().write_all(format!("{reply}\r\n").as_bytes()).is_err() {
            break;
        }
    }
    said
}

fn server(replies: &[&str]) -> (MailConfig, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let replies: Vec<_> = replies.iter().map(|reply| (*reply).to_owned()).collect();
    (config(port, SmtpTls::None), thread::spawn(move || talk(listener.accept().unwrap().0, &replies)))
}

fn connect(config: &MailConfig) -> Result<Smtp<'_>, Error> {
    connect_trusting(config, &ExtraAuthorities::default())
}

fn connect_trusting<'a>(config: &'a MailConfig, authorities: &ExtraAuthorities) -> Result<Smtp<'a>, Error> {
    let mut smtp = Smtp::connect(config, authorities)?;
    smtp.log_in()?;
    Ok(smtp)
}

fn mail_to(to: &str) -> Composed {
    let from = config(25, SmtpTls::None).from.email;
    Composed { from, to: to.parse().unwrap(), bytes: b"Subject: x\r\n\r\n.x\r\n".into() }
}

/// What comes of one mail if the server says `replies` after the login, and what the client said after it.
fn send(replies: &[&str]) -> (Result<(), Undelivered>, Vec<String>) {
    send_to("ada@example.test", replies)
}

fn send_to(to: &str, replies: &[&str]) -> (Result<(), Undelivered>, Vec<String>) {
    let (config, server) = server(&[&HELLO, replies].concat());
    let mut smtp = connect(&config).unwrap();
    let sent = smtp.send(&mail_to(to));
    drop(smtp);
    (sent, server.join().unwrap().split_off(2))
}

/// What is said of a mail that was not taken, without the advice.
fn told(sent: Result<(), Undelivered>) -> (Outcome, String) {
    let Undelivered { outcome, error } = sent.unwrap_err();
    (outcome, error.what())
}

fn refusal(replies: &[&str]) -> String {
    let (config, _server) = server(replies);
    let error = connect(&config).err().unwrap().to_string();
    error.replace(&config.port.to_string(), "PORT")
}

#[test]
fn a_mail_goes_through_with_its_dots_stuffed() {
    let (sent, said) = send(&["250 ok", "250 ok", "354 go on", "250 taken"]);
    sent.unwrap();
    assert_eq!(said[..3], ["MAIL FROM:<plex@example.test>", "RCPT TO:<ada@example.test>", "DATA"]);
    assert!(said[3].starts_with("Subject: x\r\n\r\n..x\r\n"), "{:?}", said[3]);
}

#[test]
fn a_refused_address_is_told_from_a_refused_relay_and_a_full_mailbox() {
    for reply in
        ["550 5.1.1 No such user", "550 unknown", "553 5.1.3 syntax", "554 5.1.1 unknown", "550 5.2.1 disabled"]
    {
        let (sent, said) = send(&["250 ok", reply, "250 reset"]);
        assert_eq!(told(sent), (Outcome::Address, format!("the mail server refuses this address: {reply}")));
        assert_eq!(said[2], "RSET");
    }
    for reply in ["554 5.7.1 relay access denied", "530 log in first", "550 5.7.1 blocked"] {
        let (sent, _) = send(&["250 ok", reply, "250 reset"]);
        let expected = format!("plex@example.test may not send to this address: {reply}");
        assert_eq!(told(sent), (Outcome::Notice, expected));
    }
    for reply in ["552 5.2.2 full", "452 full", "450 4.2.0 greylisted"] {
        let (sent, _) = send(&["250 ok", reply, "250 reset"]);
        assert_eq!(told(sent), (Outcome::Notice, format!("the mail server puts the mail off (at RCPT TO): {reply}")));
    }
}

#[test]
fn a_5xx_elsewhere_is_about_the_mail_and_not_about_the_address() {
    let (sent, _) = send(&["550 5.1.8 bad sender", "250 reset"]);
    let expected = "plex@example.test may not send as plex@example.test: 550 5.1.8 bad sender";
    assert_eq!(told(sent), (Outcome::Notice, expected.into()));
    for code in [550, 551, 552, 553, 554] {
        let reply = format!("{code} 5.1.1 no");
        let (sent, said) = send(&["250 ok", "250 ok", "354 go on", &reply, "250 reset"]);
        assert_eq!(
            told(sent),
            (Outcome::Notice, format!("the mail server refuses the mail (at the message): {reply}"))
        );
        assert_eq!(said[4], "RSET");
    }
}

#[test]
fn a_4xx_is_for_later() {
    for (step, before) in
        [("MAIL FROM", &[][..]), ("DATA", &["250 ok", "250 ok"]), ("the message", &["250 ok", "250 ok", "354 go on"])]
    {
        let (sent, _) = send(&[before, &["451 later", "250 reset"]].concat());
        assert_eq!(told(sent), (Outcome::Notice, format!("the mail server puts the mail off (at {step}): 451 later")));
    }
}

#[test]
fn a_421_a_lost_connection_and_a_server_out_of_step_end_it() {
    let taken = ["250 ok", "250 ok", "354 go on"];
    for (replies, outcome) in [
        (vec!["421 bye"], Outcome::Channel),
        (vec![], Outcome::Channel),
        (vec!["250 ok", "250 ok", "250 not a 354"], Outcome::Channel),
        (vec!["250 ok", "nonsense"], Outcome::Channel),
        ([&taken[..], &["421 bye"]].concat(), Outcome::Channel),
        (taken.to_vec(), Outcome::Unanswered),
        ([&taken[..], &["354 not a 250"]].concat(), Outcome::Unanswered),
    ] {
        let (outcome_seen, what) = told(send(&replies).0);
        assert_eq!(outcome_seen, outcome, "{replies:?}: {what}");
        assert!(what.starts_with("the connection to the mail server broke (at "), "{replies:?}: {what}");
    }
}

#[test]
fn after_a_refusal_the_next_mail_goes_over_the_same_connection() {
    let (config, server) = server(
        &[&HELLO[..], &["250 ok", "550 no", "250 reset", "250 ok", "250 ok", "354 go", "250 taken", "221 bye"]]
            .concat(),
    );
    let mut smtp = connect(&config).unwrap();
    smtp.send(&mail_to("gone@example.test")).unwrap_err();
    smtp.send(&mail_to("ada@example.test")).unwrap();
    smtp.quit();
    assert_eq!(server.join().unwrap().last().unwrap(), "QUIT");
}

#[test]
fn after_the_connection_broke_each_further_mail_says_so() {
    let (config, _server) = server(&[&HELLO[..], &["421 bye"]].concat());
    let mut smtp = connect(&config).unwrap();
    for _ in 0..2 {
        assert_eq!(told(smtp.send(&mail_to("ada@example.test"))).0, Outcome::Channel);
    }
}

#[test]
fn an_address_outside_ascii_needs_a_server_that_takes_it() {
    let (sent, said) = send_to("zoë@example.test", &["250 reset"]);
    assert_eq!(told(sent).0, Outcome::Address);
    assert_eq!(said, ["RSET"]);
    let (config, server) = server(&[
        "220 hi",
        "250-hi\r\n250-SMTPUTF8\r\n250-8BITMIME\r\n250 AUTH PLAIN",
        "235 in",
        "250 ok",
        "250 ok",
        "354 go",
        "250 ok",
    ]);
    connect(&config).unwrap().send(&mail_to("zoë@example.test")).unwrap();
    assert_eq!(server.join().unwrap()[2], "MAIL FROM:<plex@example.test> SMTPUTF8 BODY=8BITMIME");
}

#[test]
fn a_wrong_password_says_what_to_do_and_never_shows_the_password() {
    let echo = "535 5.7.8 bad: AHBsZXhAZXhhbXBsZS50ZXN0AGh1c2gtaHVzaA== hush-hush aHVzaC1odXNo \u{1b}[31m";
    assert_eq!(
        refusal(&["220 hi", "250-hi\r\n250 AUTH PLAIN", echo]),
        "cannot log in to the mail server localhost:PORT: 535 5.7.8 bad: *** *** *** [31m. \
         Check SMTP_USERNAME and SMTP_PASSWORD; some providers want an app password"
    );
}

#[test]
fn a_server_without_login_or_starttls_is_explained() {
    assert_eq!(
        refusal(&["220 hi", "250-hi\r\n250 AUTH CRAM-MD5"]),
        "cannot log in to the mail server localhost:PORT: it offers no login with a password (AUTH PLAIN or LOGIN). \
         Check SMTP_PORT and SMTP_TLS: 587 with starttls or 465 with implicit is usual"
    );
    let (config, server) = server(&HELLO);
    let error = connect(&MailConfig { tls: SmtpTls::StartTls, ..config }).err().unwrap().to_string();
    assert!(error.contains("it offers no STARTTLS. Set SMTP_TLS=implicit"), "{error}");
    let said = server.join().unwrap();
    assert!(!said.iter().any(|line| line.contains("AUTH")), "sent the password in the clear: {said:?}");
}

#[test]
fn a_port_that_nobody_listens_on_is_explained() {
    let (config, server) = server(&[]);
    drop(std::net::TcpStream::connect(("127.0.0.1", config.port)).unwrap());
    server.join().unwrap();
    let error = connect(&config).err().unwrap().to_string();
    assert!(error.ends_with(". Check SMTP_HOST and SMTP_PORT"), "{error}");
}

#[test]
fn tls_to_a_plain_port_is_explained() {
    let (config, _server) = server(&HELLO);
    let error = connect(&MailConfig { tls: SmtpTls::Implicit, ..config }).err().unwrap().to_string();
    assert!(error.contains("may not speak TLS from the first byte: try SMTP_TLS=starttls"), "{error}");
}

/// A server with a certificate that only the authorities given back have signed.
/// With `starttls`, that comes first.
fn tls_server(starttls: bool, replies: &[&str]) -> (MailConfig, ExtraAuthorities, JoinHandle<Vec<String>>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let replies: Vec<_> = replies.iter().map(|reply| (*reply).to_owned()).collect();
    let server = thread::spawn(move || {
        let tls = ServerConnection::new(Arc::new(tls)).unwrap();
        let mut stream = listener.accept().unwrap().0;
        if starttls {
            for reply in ["220 hi", "250-hi\r\n250 STARTTLS", "220 go"] {
                stream.write_all(format!("{reply}\r\n").as_bytes()).unwrap();
                if reply != "220 go" {
                    assert!(stream.read(&mut [0; 512]).unwrap() > 0);
                }
            }
        }
        talk(StreamOwned::new(tls, stream), &replies)
    });
    let tls = if starttls { SmtpTls::StartTls } else { SmtpTls::Implicit };
    (config(port, tls), ExtraAuthorities { certificates: vec![certificate.to_vec()] }, server)
}

#[test]
fn an_authority_of_one_s_own_is_trusted_if_it_is_named() {
    let (config, authorities, server) = tls_server(false, &[&HELLO[..], &["221 bye"]].concat());
    connect_trusting(&config, &authorities).unwrap().quit();
    assert!(server.join().unwrap()[1].starts_with("AUTH PLAIN "));
    let (config, _, _server) = tls_server(false, &HELLO);
    let error = connect(&config).err().unwrap().to_string();
    assert!(error.contains("name its PEM file in CA_FILE"), "{error}");
}

#[test]
fn the_password_goes_only_over_the_connection_that_starttls_secured() {
    let (config, authorities, server) = tls_server(true, &["", "250-hi\r\n250 AUTH PLAIN", "235 in", "221 bye"]);
    connect_trusting(&config, &authorities).unwrap().quit();
    let said = server.join().unwrap();
    assert!(said[0].starts_with("EHLO ") && said[1].starts_with("AUTH PLAIN ") && said[2] == "QUIT", "{said:?}");
    let (config, _, server) = tls_server(true, &["", "250-hi\r\n250 AUTH PLAIN", "235 in"]);
    let error = connect(&config).err().unwrap().to_string();
    assert!(error.starts_with("cannot secure the connection") && error.contains("CA_FILE"), "{error}");
    assert!(!server.join().unwrap().iter().any(|line| line.contains("AUTH")));
}

#[test]
fn a_server_that_knows_only_the_older_login_will_do() {
    let (config, server) =
        server(&["220 hi", "250-hi\r\n250 AUTH LOGIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 in"]);
    connect(&config).unwrap();
    assert_eq!(server.join().unwrap()[1..], ["AUTH LOGIN", "cGxleEBleGFtcGxlLnRlc3Q=", "aHVzaC1odXNo"]);
}

#[test]
fn a_certificate_for_another_name_is_explained() {
    let (config, authorities, _server) = tls_server(false, &HELLO);
    let error =
        connect_trusting(&MailConfig { host: "127.0.0.1".into(), ..config }, &authorities).err().unwrap().to_string();
    assert!(error.contains("The certificate is not for 127.0.0.1"), "{error}");
}
