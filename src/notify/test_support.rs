//! What the tests of this folder share.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread::{self, JoinHandle},
};

use super::Who;
use crate::config::{Brand, MailConfig, Secret, SmtpTls};

pub fn ada() -> Who {
    Who { id: 7, name: "Ada".into(), email: Some("ada@example.test".into()) }
}

pub fn brand() -> Brand {
    Brand {
        name: "Centauri".into(),
        color: "#7A5CFF".into(),
        link_plex: "https://app.plex.tv".into(),
        link_requests: Some("https://requests.example.test/?a=1&b=2".into()),
        link_contact: Some("https://contact.example.test".into()),
    }
}

pub fn config(port: u16, tls: SmtpTls) -> MailConfig {
    MailConfig {
        host: "localhost".into(),
        port,
        username: "plex@example.test".into(),
        password: Secret::new("hush-hush"),
        from: "Centauri <plex@example.test>".parse().unwrap(),
        admin: "admin@example.test".parse().unwrap(),
        tls,
        in_container: false,
        brand: brand(),
        template_dir: None,
        discord: None,
    }
}

/// Answers one connection after the other, each with the next of `answers` after the whole request (with a body) is there.
/// Gives back the requests.
pub fn serve(answers: Vec<String>) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let answer = |answer: String| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = String::new();
            let mut buffer = [0; 65_536];
            while !request.contains("\r\n\r\n{") || !request.ends_with('}') {
                let read = stream.read(&mut buffer).unwrap();
                assert!(read > 0, "the request broke off: {request}");
                request.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
            stream.write_all(answer.as_bytes()).unwrap();
            request
        };
        answers.into_iter().map(answer).collect()
    });
    (port, server)
}
