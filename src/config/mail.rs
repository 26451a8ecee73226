use std::path::PathBuf;

use lettre::{Address, message::Mailbox};
use reqwest::Url;

use super::{Reader, Secret, placeholder_address, reader::is_web};

/// How mail and Discord messages are sent.
#[derive(Clone, Debug)]
pub struct MailConfig {
    pub host: String,
    pub port: u16,
    pub username: String,
    pub password: Secret,
    /// `SMTP_FROM`, with or without a name.
    pub from: Mailbox,
    pub admin: Address,
    /// `SMTP_TLS`, with `auto` resolved by the port.
    pub tls: SmtpTls,
    /// Whether plex-prune runs in a container, where localhost is the container itself.
    pub in_container: bool,
    pub brand: Brand,
    /// `TEMPLATE_DIR`: files here replace the built-in templates of the same name.
    pub template_dir: Option<PathBuf>,
    /// `DISCORD_WEBHOOK`: its path is a secret.
    pub discord: Option<Secret>,
}

impl MailConfig {
    /// Reads what mails and Discord messages need. `admin` is `ADMIN_EMAIL`, as [`Settings`] has it; without one nothing
    /// can be sent to the admin, and the settings tell why.
    pub fn read(r: &mut Reader<'_>, admin: Option<&Address>) -> Self {
        let host = r.required("SMTP_HOST", "the mail server's name, such as smtp.example.test");
        if host.contains(['/', '@']) || host.contains(char::is_whitespace) {
            r.problem("SMTP_HOST", format!("{host:?} is not a name like smtp.example.test, without smtp:// and port"));
        }
        r.required("SMTP_PORT", "465, 587 or what your mail server says");
        let port = r.number("SMTP_PORT", 0, 1..=u16::MAX);
        let from = r.required("SMTP_FROM", "the sender's address, such as plex@example.test");
        let expected = "an address like plex@example.test or Plex <plex@example.test>";
        Self {
            host,
            port,
            username: r.required("SMTP_USERNAME", "the mail server's login"),
            password: r.required_secret("SMTP_PASSWORD", "Gmail wants an app password"),
            from: r.parsed("SMTP_FROM", &from, expected).unwrap_or_else(|| placeholder_address().into()),
            admin: admin.cloned().unwrap_or_else(placeholder_address),
            tls: read_tls(r, port),
            in_container: r.in_container(),
            brand: Brand::read(r),
            template_dir: r.folder("TEMPLATE_DIR"),
            discord: read_webhook(r),
        }
    }
}

fn read_tls(r: &mut Reader<'_>, port: u16) -> SmtpTls {
    let auto = if port == 465 { SmtpTls::Implicit } else { SmtpTls::StartTls };
    match r.text("SMTP_TLS").map(|text| text.to_ascii_lowercase()).as_deref() {
        None | Some("auto") => auto,
        Some("implicit") => SmtpTls::Implicit,
        Some("starttls") => SmtpTls::StartTls,
        Some("none") => SmtpTls::None,
        Some(other) => {
            r.problem("SMTP_TLS", format!("{other:?} is not one of auto, implicit, starttls, none"));
            auto
        }
    }
}

fn read_webhook(r: &mut Reader<'_>) -> Option<Secret> {
    let webhook = r.secret("DISCORD_WEBHOOK")?;
    if !Url::parse(webhook.reveal()).is_ok_and(|url| is_web(&url) && url.path().contains("/webhooks/")) {
        let hint = "expected the address that Discord gives under Server Settings, Integrations, Webhooks";
        r.problem("DISCORD_WEBHOOK", hint);
    }
    Some(webhook)
}

/// How the connection to the mail server is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte (port 465).
    Implicit,
    /// Plain at first, then `STARTTLS`, required.
    StartTls,
    /// No TLS: only where the owner said `SMTP_TLS=none`.
    None,
}

/// The mails' looks.
#[derive(Clone, Debug)]
pub struct Brand {
    pub name: String,
    /// `BRAND_COLOR`: `#` and six hexadecimal digits.
    pub color: String,
    pub link_plex: String,
    pub link_requests: Option<String>,
    /// `LINK_CONTACT`: a web page or a `mailto:` link.
    pub link_contact: Option<String>,
}

impl Brand {
    fn read(r: &mut Reader<'_>) -> Self {
        let color = r.text("BRAND_COLOR").unwrap_or_else(|| "#7A5CFF".to_owned());
        let is_color = color
            .strip_prefix('#')
            .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if !is_color {
            r.problem("BRAND_COLOR", format!("{color:?} is not a colour like #7A5CFF"));
        }
        Self {
            name: r.text("BRAND_NAME").unwrap_or_else(|| "Centauri".to_owned()),
            color,
            link_plex: r.link("LINK_PLEX").unwrap_or_else(|| "https://app.plex.tv".to_owned()),
            link_requests: r.link("LINK_REQUESTS"),
            link_contact: r.link("LINK_CONTACT"),
        }
    }
}
