//! Settings from the environment. Each command reads the parts that it uses, and gets every problem in one go.

mod authorities;
mod environment;
mod mail;
mod names;
mod reader;
mod secret;

use std::{net::IpAddr, path::PathBuf};

use lettre::Address;
use reqwest::Url;
use time::Duration;

pub use authorities::ExtraAuthorities;
pub use environment::Environment;
pub use mail::{Brand, MailConfig, SmtpTls};
pub use reader::{Problem, ProblemKind, Reader, parse_switch};
pub use secret::Secret;

use crate::verdict::Rules;

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
            r.missing("STATE_DIR", ", and neither is HOME; name the folder for state.json");
            PathBuf::new()
        }
    }
}

fn read_admin(r: &mut Reader<'_>) -> Address {
    let text = r.required("ADMIN_EMAIL", "your address, which is told of everything");
    let address = r.parsed("ADMIN_EMAIL", &text, "an address like admin@example.test");
    address.unwrap_or_else(placeholder_address)
}

/// In place of an address that could not be read; [`Reader::finish`] keeps it from being used.
fn placeholder_address() -> Address {
    #[expect(clippy::expect_used, reason = "a constant that is an address")]
    Address::new("nobody", "invalid.test").expect("an address")
}

/// How to reach plex.tv and the server on it.
#[derive(Clone, Debug)]
pub struct PlexConfig {
    /// The owner's token.
    pub token: Secret,
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

/// Whether a host is the machine that asks.
pub fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// What to do if a service on this machine can't be reached from inside a container.
pub fn localhost_in_container(variable: &str) -> String {
    format!(
        "Inside a container, localhost is the container itself: put the other container's name, or the machine's name \
         or address, into {variable}"
    )
}

/// How to reach Tautulli.
#[derive(Clone, Debug)]
pub struct TautulliConfig {
    /// `TAUTULLI_URL` without a trailing slash; may have a path.
    pub url: String,
    pub api_key: Secret,
    /// Whether plex-prune runs in a container, where localhost is the container itself.
    pub in_container: bool,
}

impl TautulliConfig {
    /// The host in `TAUTULLI_URL`.
    pub fn host(&self) -> Option<String> {
        Url::parse(&self.url).ok()?.host_str().map(str::to_owned)
    }

    pub fn read(r: &mut Reader<'_>) -> Self {
        let url = r.required("TAUTULLI_URL", "Tautulli's address, such as http://192.168.1.10:8181");
        Self {
            url: r.base_url("TAUTULLI_URL", &url, "http://192.168.1.10:8181"),
            api_key: r.required_secret("TAUTULLI_API_KEY", "see Tautulli's Settings, Web Interface"),
            in_container: r.in_container(),
        }
    }
}
