//! One household with everything around it: the stand-ins, a clock, a directory, and the program's environment.
//!
//! Who is in the household is said with `person.rs`; what happens to them later is in `events.rs`; the program is run with `run.rs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::Value;
use tempfile::TempDir;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::clock::{Clock, days_ago};
use super::discord::Discord;
use super::http::Request;
use super::journal::Journal;
use super::mail::Mail;
use super::plex::Plex;
use super::smtp::{PASSWORD, Smtp, USERNAME};
use super::tautulli::Tautulli;
use super::tls::{Authority, SmtpTls};

pub const SERVER_NAME: &str = "Centauri";
/// The machine identifier of the server that the program looks after.
pub const CENTAURI: &str = "0f3c000000000000000000000000000000centauri";
/// The machine identifier of the owner's second server, "Attic", where there is one.
pub const ATTIC: &str = "0f3c00000000000000000000000000000000000attic";

pub const PLEX_TOKEN: &str = "sandbox-plex-token";
pub const TAUTULLI_KEY: &str = "sandbox-tautulli-key";
pub const ADMIN: &str = "admin@example.test";
pub const SENDER: &str = "plex@example.test";

/// Stands in for the authorities that the system trusts. None of the stand-ins has a certificate from it.
static SYSTEM: LazyLock<Authority> = LazyLock::new(|| Authority::named("System Authority"));

pub struct Sandbox {
    pub plex: Plex,
    pub tautulli: Tautulli,
    pub smtp: Smtp,
    pub discord: Discord,
    pub clock: Clock,
    pub journal: Arc<Journal>,
    pub program: PathBuf,
    /// Arguments that come before those of a run.
    pub leading: Mutex<Vec<String>>,
    directory: TempDir,
    /// What a test said about the environment: a value, or that there is none.
    overrides: Mutex<BTreeMap<String, Option<String>>>,
    authority: Mutex<Option<Arc<Authority>>>,
}

impl Sandbox {
    /// A sandbox with nobody in it but the owner. `program` is the one that `run` runs.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let directory = TempDir::with_prefix("plex-prune-sandbox-").unwrap();
        std::fs::create_dir(directory.path().join("cwd")).unwrap();
        std::fs::create_dir(directory.path().join("no-certificates")).unwrap();
        std::fs::write(directory.path().join("system.pem"), &SYSTEM.pem).unwrap();
        let clock = Clock::default();
        let journal = Arc::new(Journal::default());
        let server = (SERVER_NAME, CENTAURI);
        let plex = Plex::start(PLEX_TOKEN, server, &clock, &journal);
        plex.add_server("A friend's server", "0f3c0000000000000000000000000000000000friend", false);
        Self {
            plex,
            tautulli: Tautulli::start(TAUTULLI_KEY, server, &clock, &journal),
            smtp: Smtp::start(&journal),
            discord: Discord::start(&journal),
            clock,
            journal,
            program: program.into(),
            leading: Mutex::default(),
            directory,
            overrides: Mutex::default(),
            authority: Mutex::default(),
        }
    }

    /// Arguments that the program gets before those of each run.
    pub fn program_args(&self, arguments: &[&str]) -> &Self {
        *self.leading.lock().unwrap() = arguments.iter().map(ToString::to_string).collect();
        self
    }

    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Sets the time. Do it before people are put in: their times are reckoned from it.
    pub fn set_now(&self, now: OffsetDateTime) {
        self.clock.set(now);
        self.recording_since(days_ago(400));
    }

    /// Lets the world's time hold, for programs that the sandbox doesn't run itself. Do it before people are put in.
    pub fn real_time(&self) -> &Self {
        self.clock.go();
        self.recording_since(days_ago(400));
        self.unset_env("PLEX_PRUNE_TEST_NOW")
    }

    /// Lets time pass, for the stand-ins and for the program.
    pub fn advance(&self, by: Duration) -> &Self {
        self.clock.advance(by);
        self
    }

    /// A directory that goes away with the sandbox.
    pub fn dir(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file into that directory, and returns its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.dir().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub fn state_dir(&self) -> PathBuf {
        self.dir().join("state")
    }

    /// The whole environment of the program. It says nothing about `DRY_RUN`, so that the program's default holds.
    pub fn env(&self) -> Vec<(String, String)> {
        let mut env = BTreeMap::from([
            ("PLEX_TOKEN", PLEX_TOKEN.to_owned()),
            ("PLEX_SERVER_NAME", SERVER_NAME.to_owned()),
            ("PLEX_TV_URL", self.plex.url()),
            ("TAUTULLI_URL", self.tautulli.base()),
            ("TAUTULLI_API_KEY", TAUTULLI_KEY.to_owned()),
            ("SMTP_HOST", "127.0.0.1".to_owned()),
            ("SMTP_PORT", self.smtp.port().to_string()),
            ("SMTP_TLS", SmtpTls::None.name().to_owned()),
            ("SMTP_USERNAME", USERNAME.to_owned()),
            ("SMTP_PASSWORD", PASSWORD.to_owned()),
            ("SMTP_FROM", SENDER.to_owned()),
            ("ADMIN_EMAIL", ADMIN.to_owned()),
            ("DISCORD_WEBHOOK", self.discord.webhook()),
            ("STATE_DIR", self.state_dir().display().to_string()),
            // The system's hundreds of certificates take most of the time of a short pass; one will do.
            ("SSL_CERT_FILE", self.dir().join("system.pem").display().to_string()),
            ("SSL_CERT_DIR", self.dir().join("no-certificates").display().to_string()),
            ("PLEX_PRUNE_TEST_NOW", self.now().format(&Rfc3339).unwrap()),
        ])
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect::<BTreeMap<String, String>>();
        for (name, value) in self.overrides.lock().unwrap().iter() {
            match value {
                Some(value) => env.insert(name.clone(), value.clone()),
                None => env.remove(name),
            };
        }
        env.into_iter().collect()
    }

    pub fn set_env(&self, name: &str, value: impl ToString) -> &Self {
        let value = Some(value.to_string());
        self.overrides.lock().unwrap().insert(name.to_owned(), value);
        self
    }

    pub fn unset_env(&self, name: &str) -> &Self {
        self.overrides.lock().unwrap().insert(name.to_owned(), None);
        self
    }

    /// The value of a variable that is set.
    pub fn text_of(&self, name: &str) -> String {
        self.env().into_iter().find(|(known, _)| known == name).unwrap().1
    }

    /// `DRY_RUN=false`: passes act.
    pub fn live(&self) -> &Self {
        self.set_env("DRY_RUN", "false")
    }

    /// The authority behind every certificate here; with it, `CA_FILE` is in the environment.
    pub fn authority(&self) -> Arc<Authority> {
        let mut authority = self.authority.lock().unwrap();
        if let Some(known) = authority.as_ref() {
            return Arc::clone(known);
        }
        let made = Arc::new(Authority::default());
        let file = self.dir().join("authority.pem");
        std::fs::write(&file, &made.pem).unwrap();
        self.set_env("CA_FILE", file.display());
        *authority = Some(Arc::clone(&made));
        made
    }

    /// The mail server wants TLS, and the environment says so.
    pub fn smtp_tls(&self, tls: SmtpTls) -> &Self {
        self.smtp.use_tls(tls, Arc::clone(&self.authority().server));
        self.set_env("SMTP_TLS", tls.name())
    }

    /// Tautulli is behind `https://`, with a certificate of the home's own authority.
    pub fn tautulli_tls(&self) -> &Self {
        self.tautulli.use_tls(Arc::clone(&self.authority().server));
        self
    }

    /// Every HTTP request to any stand-in, in the order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.journal.requests()
    }

    /// Every change to the world, and every try at one, in order over all stand-ins, in words:
    /// `plex DELETE /api/v2/sharings/1002`, `tautulli delete_user 1002`, `mail bob@example.test: Subject`, `discord: text`.
    /// One that did not go well ends in ` -> 500`, ` -> no answer`, ` -> answer lost` or ` -> refused`.
    pub fn writes(&self) -> Vec<String> {
        self.journal.writes()
    }

    /// What the program must never do, and did.
    pub fn violations(&self) -> Vec<String> {
        self.journal.violations()
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.journal.mails()
    }

    /// The mails to an address.
    pub fn mails_to(&self, address: &str) -> Vec<Mail> {
        let mut mails = self.mails();
        mails.retain(|mail| mail.to.iter().any(|to| to == address));
        mails
    }

    /// What Discord took.
    pub fn posts(&self) -> Vec<Value> {
        self.discord.posts()
    }

    /// Forgets what was recorded so far, violations excepted: a new chapter of a longer test.
    pub fn forget(&self) -> &Self {
        self.journal.clear();
        self.discord.clear();
        self
    }

    /// No service was asked, no folder was made.
    #[track_caller]
    pub fn is_untouched(&self) {
        assert_eq!(self.requests().len(), 0);
        assert_eq!(self.smtp.connections(), 0);
        assert!(!self.state_dir().exists());
    }

    /// Ends all faults of all stand-ins.
    pub fn mend(&self) -> &Self {
        self.plex.mend();
        self.tautulli.mend();
        self.smtp.mend();
        self.discord.mend();
        self
    }
}
