//! A mail as the server took it.

use mailparse::{MailHeaderMap, ParsedMail, parse_mail};

#[derive(Clone, Debug)]
pub struct Mail {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Header and body, as they came.
    pub raw: Vec<u8>,
    /// Whether the connection was encrypted.
    pub tls: bool,
    /// Whether the client had logged in.
    pub authenticated: bool,
    /// Which connection it came on, counted from 1.
    pub connection: usize,
}

impl Mail {
    /// A header, decoded; none if there is none.
    pub fn header(&self, name: &str) -> Option<String> {
        self.parsed().headers.get_first_value(name)
    }

    pub fn subject(&self) -> String {
        self.header("Subject").unwrap_or_default()
    }

    pub fn message_id(&self) -> String {
        self.header("Message-ID").unwrap_or_default()
    }

    /// The plain text, decoded.
    pub fn text(&self) -> String {
        self.part("text/plain")
    }

    /// The HTML, decoded.
    pub fn html(&self) -> String {
        self.part("text/html")
    }

    fn parsed(&self) -> ParsedMail<'_> {
        parse_mail(&self.raw).expect("the mail cannot be read")
    }

    fn part(&self, kind: &str) -> String {
        let mail = self.parsed();
        let part = mail.parts().find(|part| part.ctype.mimetype == kind);
        let body = part.map(|part| part.get_body().expect("the part cannot be decoded"));
        body.unwrap_or_default().replace("\r\n", "\n")
    }
}
