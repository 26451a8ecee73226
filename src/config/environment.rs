use std::{
    collections::{BTreeMap, btree_map::Entry},
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{ConfigError, PROTECTIVE, Problem, SECRETS, SETTINGS};
use crate::logging::{self, Format};

/// The variables that the program may see: the process's, and below them an env file's.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    values: BTreeMap<String, OsString>,
    file: Option<PathBuf>,
    problems: Vec<Problem>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        Self::of(std::env::vars_os())
    }

    /// An environment of these variables.
    pub fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let named = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
        Self { values: variables.into_iter().filter_map(named).collect(), ..Self::default() }
    }

    /// Adds what `file` says; a variable that is already set keeps its value.
    ///
    /// A line is `NAME=VALUE`, blank, or a comment behind `#`. Quotes around a whole value are taken off, as systemd
    /// and compose do. Nothing else in a value means anything: `$`, `#` and `\` stand for themselves, for passwords
    /// hold them.
    ///
    /// A line that is none of these is a problem like a wrong setting, and reported with those.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn add_file(&mut self, file: &Path) -> Result<(), ConfigError> {
        let name = format!("the env file {}", file.display());
        let text = std::fs::read_to_string(file)
            .map_err(|error| vec![Problem::new(name.clone(), format!("can't be read: {error}"))])?;
        self.file = Some(file.to_owned());
        let (values, problems) = parse(&text);
        for (variable, value) in values {
            self.values.entry(variable).or_insert_with(|| value.into());
        }
        self.problems.extend(problems.into_iter().map(|what| Problem::new(name.clone(), what)));
        Ok(())
    }

    /// The env file that was read.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The env file that `PLEX_PRUNE_ENV_FILE` names; empty counts as unset.
    pub fn env_file(&self) -> Option<PathBuf> {
        self.get("PLEX_PRUNE_ENV_FILE").filter(|name| !name.is_empty()).map(PathBuf::from)
    }

    /// `LOG_FORMAT`: text unless it says json. Anything else is a problem, which whoever reads the settings reports.
    pub fn log_format(&self) -> Format {
        self.read_log_format().unwrap_or(Format::Text)
    }

    fn read_log_format(&self) -> Result<Format, Problem> {
        match self.given("LOG_FORMAT").unwrap_or("text").to_ascii_lowercase().as_str() {
            "text" => Ok(Format::Text),
            "json" => Ok(Format::Json),
            other => Err(Problem::new("LOG_FORMAT", format!("{other:?} is neither text nor json"))),
        }
    }

    /// `RUST_LOG`: what is logged, if it says. One that can't be read is a problem, which whoever reads the settings
    /// reports.
    pub fn log_filter(&self) -> Option<&str> {
        self.given("RUST_LOG").filter(|filter| logging::is_filter(filter))
    }

    /// Whether a variable says where the state is. Without one, each user has another place for it.
    pub fn names_state_dir(&self) -> bool {
        ["STATE_DIR", "STATE_DIRECTORY"].iter().any(|name| self.given(name).is_some())
    }

    /// Whether this process runs in a container: Docker, Podman (and systemd's own) and Kubernetes leave such traces.
    pub fn is_container(&self) -> bool {
        ["container", "KUBERNETES_SERVICE_HOST"].iter().any(|name| self.values.contains_key(*name))
            || Path::new("/.dockerenv").exists()
            || Path::new("/run/.containerenv").exists()
    }

    /// What is wrong with the lines of the env file, the settings of the log, and the names of variables. Those of the
    /// process may come from a file that somebody else reads (systemd, Docker, Kubernetes), and have slips like any.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = self.problems.clone();
        problems.extend(self.read_log_format().err());
        if let Some(filter) = self.given("RUST_LOG").filter(|filter| !logging::is_filter(filter)) {
            problems.push(Problem::new("RUST_LOG", format!("{filter:?} is not a filter like plex_prune=debug")));
        }
        let is_set = |name: &str| self.given(name).is_some();
        problems.extend(self.values.keys().filter_map(|name| Some(Problem::new(name, slip(name, is_set)?))));
        problems
    }

    /// The value of a variable, if it is text and not blank.
    fn given(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str().map(str::trim).filter(|value| !value.is_empty())
    }

    /// The value of a variable, if it is set.
    pub(super) fn get(&self, name: &str) -> Option<&OsString> {
        self.values.get(name)
    }
}

/// The values of a file, and what is wrong with its other lines.
fn parse(text: &str) -> (Vec<(String, String)>, Vec<String>) {
    let mut found: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    let mut problems = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=').filter(|(name, _)| is_variable_name(name)) else {
            problems.push(format!(
                "line {number}: expected NAME=VALUE (no export, no blanks around =) or a comment behind #"
            ));
            continue;
        };
        match found.entry(name) {
            Entry::Occupied(first) => {
                problems.push(format!("line {number}: {name} was set in line {} already", first.get().0));
            }
            Entry::Vacant(place) => {
                place.insert((number, unquoted(value)));
            }
        }
    }
    (found.into_iter().map(|(name, (_, value))| (name.to_owned(), value.to_owned())).collect(), problems)
}

/// What is wrong with a name that was meant for a setting: whoever writes `VIP_NAME` wants somebody protected. Names far
/// from ours are other programs', and so is a near one if the setting itself is set; but not where people lose access by
/// it.
fn slip(name: &str, is_set: impl Fn(&str) -> bool) -> Option<String> {
    if SETTINGS.contains(&name) {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    let few = |setting: &&&str| strsim::damerau_levenshtein(&upper, setting) <= 2;
    if let Some(meant) = PROTECTIVE.iter().find(few).filter(|_| !name.ends_with("_FILE")) {
        return Some(format!("is no setting; did you mean {meant}?"));
    }
    match name.strip_suffix("_FILE") {
        Some(secret) if SECRETS.contains(&secret) => return None,
        Some(setting) if SETTINGS.contains(&setting) => {
            return Some(format!("is no setting; only secrets come from files of their own: set {setting}"));
        }
        _ => {}
    }
    let files = SECRETS.map(|secret| format!("{secret}_FILE"));
    // Of the others, other programs have variants of their own.
    let ours = SETTINGS.into_iter().filter(|name| !["NO_COLOR", "RUST_LOG", "TEMPLATE_DIR"].contains(name));
    let slips = |setting: &&str| strsim::damerau_levenshtein(name, setting);
    let few = if name.len() < 12 { 1 } else { 2 };
    let near = ours.chain(files.iter().map(String::as_str)).filter(|setting| slips(setting) <= few);
    let meant = near.min_by_key(slips).filter(|setting| !is_set(setting))?;
    Some(format!("is no setting; did you mean {meant}? (If it is another program's, set {meant} as well.)"))
}

fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn unquoted(value: &str) -> &str {
    let value = value.trim();
    ['"', '\''].iter().find_map(|&quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_taken_as_it_stands() {
        let text = "\u{feff}# comment\r\n\r\nA=pa#ss$word\\n\r\nB= \"two words\" \nC='it''s'\nD=\nE=a=b\n";
        let (pairs, problems) = parse(text);
        assert!(problems.is_empty());
        let expected = [("A", "pa#ss$word\\n"), ("B", "two words"), ("C", "it''s"), ("D", ""), ("E", "a=b")];
        assert_eq!(pairs, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn a_slip_in_a_name_is_noticed_and_other_programs_names_are_not() {
        let unset = |_: &str| false;
        for (name, meant) in [
            ("VIP_NAME", "VIP_NAMES"),
            ("VIPNAME", "VIP_NAMES"),
            ("VIP_NMAE", "VIP_NAMES"),
            ("vip_names", "VIP_NAMES"),
            ("WARN_DAY", "WARN_DAYS"),
            ("KICKDAY", "KICK_DAYS"),
            ("WARNFRST", "WARN_FIRST"),
            ("DRYRN", "DRY_RUN"),
            ("dry_run", "DRY_RUN"),
            ("PRUNE_HOMEUSER", "PRUNE_HOME_USERS"),
            ("MAX_REMOVAL", "MAX_REMOVALS"),
        ] {
            let said = Some(format!("is no setting; did you mean {meant}?"));
            assert_eq!((slip(name, unset), slip(name, |_| true)), (said.clone(), said), "{name}");
        }
        for (name, meant) in [
            ("DISCORD_WEBHOK", "DISCORD_WEBHOOK"),
            ("SMTP_FORM", "SMTP_FROM"),
            ("PLEX_TOKEN_FIL", "PLEX_TOKEN_FILE"),
            ("ADMIN_MAIL", "ADMIN_EMAIL"),
        ] {
            let said =
                format!("is no setting; did you mean {meant}? (If it is another program's, set {meant} as well.)");
            assert_eq!(slip(name, unset), Some(said));
            assert_eq!(slip(name, |setting| setting == meant), None, "{name} next to {meant}");
        }
        let file = "is no setting; only secrets come from files of their own: set VIP_NAMES";
        assert_eq!(slip("VIP_NAMES_FILE", |_| true).as_deref(), Some(file));
        let others = "PLEX_TOKEN_FILE TZ PATH PLEX_URL SMTP_USER SMTP_PASS SMTP_PASSWD SMTP_SSL SMTP_TO \
            TAUTULLI_PORT CLICOLOR NOCOLOR LOGS_DIRECTORY CACHE_DIRECTORY CREDENTIALS_DIRECTORY PLEX_SERVER_ID HOSTNAME \
            BRAND BRANCH_NAME DB_FILE STATIC_DIR STORE_DIR TEMPLATES_DIR TEST_LOG PYTHONPATH";
        for name in SETTINGS.into_iter().chain(others.split_whitespace()) {
            assert_eq!(slip(name, unset), None, "{name}");
        }
    }

    #[test]
    fn every_bad_line_is_named() {
        let (pairs, problems) = parse("export A=1\nB=1\nnonsense\nB=2\n1X=3\n");
        assert_eq!(pairs, [("B".to_owned(), "1".to_owned())]);
        assert_eq!(
            problems,
            [
                "line 1: expected NAME=VALUE (no export, no blanks around =) or a comment behind #",
                "line 3: expected NAME=VALUE (no export, no blanks around =) or a comment behind #",
                "line 4: B was set in line 2 already",
                "line 5: expected NAME=VALUE (no export, no blanks around =) or a comment behind #",
            ]
        );
    }
}
