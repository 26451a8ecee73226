//! Settings from the environment. Each command reads the parts that it uses, and gets every problem in one go.

mod environment;
mod reader;
mod secret;

use std::path::PathBuf;

use lettre::{Address, message::Mailbox};
use reqwest::Url;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use time::Duration;

pub use environment::Environment;
pub use reader::{ConfigError, Problem, Reader, parse_switch};
pub use secret::Secret;

use crate::verdict::Rules;

/// The names of all settings.
const SETTINGS: [&str; 35] = [
    "PLEX_TOKEN",
    "PLEX_SERVER_NAME",
    "TAUTULLI_URL",
    "TAUTULLI_API_KEY",
    "SMTP_HOST",
    "SMTP_PORT",
    "SMTP_USERNAME",
    "SMTP_PASSWORD",
    "SMTP_FROM",
    "SMTP_TLS",
    "ADMIN_EMAIL",
    "WARN_DAYS",
    "KICK_DAYS",
    "WARN_FIRST",
    "DRY_RUN",
    "VIP_NAMES",
    "MAX_REMOVALS",
    "PRUNE_HOME_USERS",
    "DISCORD_WEBHOOK",
    "CHECK_NEW_USERS_SECS",
    "CHECK_INACTIVITY_SECS",
    "STATE_DIR",
    "STATE_DIRECTORY",
    "BRAND_NAME",
    "BRAND_COLOR",
    "LINK_PLEX",
    "LINK_REQUESTS",
    "LINK_CONTACT",
    "TEMPLATE_DIR",
    "CA_FILE",
    "PLEX_TV_URL",
    "PLEX_PRUNE_ENV_FILE",
    "LOG_FORMAT",
    "RUST_LOG",
    "NO_COLOR",
];

/// The settings that are secrets: `NAME_FILE` gives one from a file.
const SECRETS: [&str; 4] = ["PLEX_TOKEN", "TAUTULLI_API_KEY", "SMTP_PASSWORD", "DISCORD_WEBHOOK"];

/// The settings by which people keep or lose their access.
const PROTECTIVE: [&str; 7] =
    ["VIP_NAMES", "WARN_DAYS", "KICK_DAYS", "WARN_FIRST", "DRY_RUN", "MAX_REMOVALS", "PRUNE_HOME_USERS"];

/// What every command knows: the rules, the state directory, the cadence.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The thresholds and switches of the rule.
    pub rules: Rules,
    /// `DRY_RUN`: say what would be done, and do none of it.
    pub dry_run: bool,
    /// `VIP_NAMES`, trimmed, as given; empty entries left out.
    pub vips: Vec<String>,
    /// `MAX_REMOVALS`: more than this many removals due in one pass, and nobody is removed.
    pub max_removals: usize,
    /// `STATE_DIR`: where `state.json` is.
    pub state_dir: PathBuf,
    /// `CHECK_NEW_USERS_SECS`: how often `welcome` is meant to run.
    pub welcome_every: Duration,
    /// `CHECK_INACTIVITY_SECS`: how often `sweep` is meant to run.
    pub sweep_every: Duration,
    /// `ADMIN_EMAIL`: protected, and told of everything.
    pub admin: Address,
}

impl Settings {
    /// Reads the settings that every command knows. `state_dir` is the command line's `--state-dir`.
    pub fn read(r: &mut Reader<'_>, state_dir: Option<PathBuf>) -> Self {
        let warn_days = r.number("WARN_DAYS", Rules::default().warn_days, 1..=3650);
        let kick_days = r.number("KICK_DAYS", Rules::default().kick_days, 2..=3651);
        if warn_days >= kick_days && !r.has_problem("WARN_DAYS") && !r.has_problem("KICK_DAYS") {
            let (warn, kick) = (r.origin("WARN_DAYS"), r.origin("KICK_DAYS"));
            let what = format!("is {warn_days}{warn}, and must be less than KICK_DAYS, which is {kick_days}{kick}");
            r.problem("WARN_DAYS", what);
        }
        let vips = r.text("VIP_NAMES").unwrap_or_default();
        Self {
            rules: Rules {
                warn_days,
                kick_days,
                warn_first: r.switch("WARN_FIRST", false),
                prune_home_users: r.switch("PRUNE_HOME_USERS", false),
            },
            dry_run: r.switch("DRY_RUN", true),
            vips: vips.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            max_removals: r.number("MAX_REMOVALS", 10, 0..=100_000),
            state_dir: Self::read_state_dir(r, state_dir),
            welcome_every: Duration::seconds(r.number("CHECK_NEW_USERS_SECS", 120, 1..=31_536_000)),
            sweep_every: Duration::seconds(r.number("CHECK_INACTIVITY_SECS", 1800, 1..=31_536_000)),
            admin: read_admin(r),
        }
    }

    /// Reads where `state.json` is: for commands that need nothing else.
    pub fn read_state_dir(r: &mut Reader<'_>, given: Option<PathBuf>) -> PathBuf {
        given.unwrap_or_else(|| default_state_dir(r))
    }
}

fn default_state_dir(r: &mut Reader<'_>) -> PathBuf {
    if let Some(dir) = r.text("STATE_DIR") {
        return PathBuf::from(dir);
    }
    // systemd lists several directories with colons between them; a unit of ours has one.
    if let Some(dirs) = r.text("STATE_DIRECTORY") {
        return PathBuf::from(dirs.split(':').next().unwrap_or_default());
    }
    let base = r.text("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || r.text("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    match base.or_else(home) {
        Some(base) => base.join("plex-prune"),
        None => {
            r.problem("STATE_DIR", "is not set, and neither is HOME; name the folder for state.json");
            PathBuf::new()
        }
    }
}

fn read_admin(r: &mut Reader<'_>) -> Address {
    let text = r.required("ADMIN_EMAIL", "your address, which is told of everything");
    let address = r.parsed("ADMIN_EMAIL", &text, "an address like admin@example.test");
    address.unwrap_or_else(placeholder_address)
}

/// Stands in for an address that could not be read; [`Reader::finish`] keeps it from being used.
fn placeholder_address() -> Address {
    #[expect(clippy::expect_used, reason = "a constant that is an address")]
    Address::new("nobody", "invalid.test").expect("an address")
}

/// How to reach plex.tv and the server on it.
#[derive(Clone, Debug)]
pub struct PlexConfig {
    /// `PLEX_TOKEN`: the owner's token.
    pub token: Secret,
    /// `PLEX_SERVER_NAME`.
    pub server_name: String,
    /// `PLEX_TV_URL` without a trailing slash: `/api/v2/user` and the like.
    pub plex_tv: String,
    /// The base for the share endpoints: `https://clients.plex.tv`, or `PLEX_TV_URL` where that is set.
    pub clients_plex_tv: String,
}

impl PlexConfig {
    /// Reads `PLEX_SERVER_NAME`, where the rest is not needed.
    pub fn read_server_name(r: &mut Reader<'_>) -> Option<String> {
        r.text("PLEX_SERVER_NAME")
    }

    /// Reads what the Plex calls need.
    pub fn read(r: &mut Reader<'_>) -> Self {
        let token = r.required_secret("PLEX_TOKEN", "the server owner's token");
        let server_name = r.required("PLEX_SERVER_NAME", "the server's name as Plex shows it");
        let plex_tv = r.text("PLEX_TV_URL").map(|text| r.base_url("PLEX_TV_URL", &text, "https://plex.tv"));
        Self {
            token,
            server_name,
            clients_plex_tv: plex_tv.clone().unwrap_or_else(|| "https://clients.plex.tv".to_owned()),
            plex_tv: plex_tv.unwrap_or_else(|| "https://plex.tv".to_owned()),
        }
    }
}

/// How to reach Tautulli.
#[derive(Clone, Debug)]
pub struct TautulliConfig {
    /// `TAUTULLI_URL` without a trailing slash; may have a path.
    pub url: String,
    /// `TAUTULLI_API_KEY`.
    pub api_key: Secret,
}

impl TautulliConfig {
    /// The host in `TAUTULLI_URL`.
    pub fn host(&self) -> Option<String> {
        Url::parse(&self.url).ok()?.host_str().map(str::to_owned)
    }

    /// Reads what the Tautulli calls need.
    pub fn read(r: &mut Reader<'_>) -> Self {
        let url = r.required("TAUTULLI_URL", "Tautulli's address, such as http://192.168.1.10:8181");
        Self {
            url: r.base_url("TAUTULLI_URL", &url, "http://192.168.1.10:8181"),
            api_key: r.required_secret("TAUTULLI_API_KEY", "see Tautulli's Settings, Web Interface"),
        }
    }
}

/// How mail is sent.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// `SMTP_HOST`.
    pub host: String,
    /// `SMTP_PORT`.
    pub port: u16,
    /// `SMTP_USERNAME`.
    pub username: String,
    /// `SMTP_PASSWORD`.
    pub password: Secret,
    /// `SMTP_FROM`, with or without a name.
    pub from: Mailbox,
    /// `ADMIN_EMAIL`.
    pub admin: Address,
    /// `SMTP_TLS`, with `auto` resolved by the port.
    pub tls: SmtpTls,
    /// The looks.
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
    let good = Url::parse(webhook.reveal()).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.path().contains("/webhooks/")
    });
    if !good {
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
    /// `BRAND_NAME`.
    pub name: String,
    /// `BRAND_COLOR`: `#` and six hexadecimal digits.
    pub color: String,
    /// `LINK_PLEX`.
    pub link_plex: String,
    /// `LINK_REQUESTS`.
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

/// `CA_FILE`: further authorities to trust, on top of the system's.
#[derive(Clone, Debug, Default)]
pub struct ExtraAuthorities {
    /// One DER certificate each; empty if `CA_FILE` is not set.
    pub certificates: Vec<Vec<u8>>,
}

impl ExtraAuthorities {
    /// Reads the certificates in `CA_FILE`.
    pub fn read(r: &mut Reader<'_>) -> Self {
        let Some(file) = r.text("CA_FILE") else { return Self::default() };
        let pem = match std::fs::read(&file) {
            Ok(pem) => pem,
            Err(error) => {
                r.problem("CA_FILE", format!("the file {file} can't be read: {error}"));
                return Self::default();
            }
        };
        let certificates: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(&pem).map(|one| one.map(|der| der.to_vec())).collect();
        match certificates {
            Ok(certificates) if !certificates.is_empty() => Self { certificates },
            Ok(_) => {
                r.problem("CA_FILE", format!("the file {file} holds no certificate (-----BEGIN CERTIFICATE-----)"));
                Self::default()
            }
            Err(error) => {
                r.problem("CA_FILE", format!("the file {file} is not PEM: {error}"));
                Self::default()
            }
        }
    }
}
