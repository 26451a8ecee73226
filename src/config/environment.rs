use std::{
    collections::{BTreeMap, btree_map::Entry},
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{ConfigError, Problem, SECRETS, SETTINGS};
use crate::logging::Format;

/// The variables that the program may see: the process's, and below them an env file's.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    values: BTreeMap<String, OsString>,
    problems: Vec<Problem>,
}

impl Environment {
    /// The environment of this process. It may come from a file that somebody else reads (systemd, Docker, Kubernetes): a
    /// name with a slip in it is a problem, as it is in an env file.
    pub fn of_process() -> Self {
        let mut environment = Self::of(std::env::vars_os());
        let slips = environment.values.keys().filter_map(|name| Some(Problem::new(name, slip(name)?)));
        environment.problems = slips.collect();
        environment
    }

    /// An environment of these variables.
    pub fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let named = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
        Self { values: variables.into_iter().filter_map(named).collect(), problems: Vec::new() }
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
        let (values, problems) = parse(&text);
        for (variable, value) in values {
            if let Some(what) = slip(&variable) {
                self.problems.push(Problem::new(name.clone(), format!("{variable} {what}")));
            }
            self.values.entry(variable).or_insert_with(|| value.into());
        }
        self.problems.extend(problems.into_iter().map(|what| Problem::new(name.clone(), what)));
        Ok(())
    }

    /// The env file that `PLEX_PRUNE_ENV_FILE` names; empty counts as unset.
    pub fn env_file(&self) -> Option<PathBuf> {
        self.get("PLEX_PRUNE_ENV_FILE").filter(|name| !name.is_empty()).map(PathBuf::from)
    }

    /// `LOG_FORMAT`: text unless it says json. Anything else is a problem, which whoever reads the settings reports.
    pub fn log_format(&mut self) -> Format {
        let value = self.get("LOG_FORMAT").map(|value| value.to_string_lossy().trim().to_ascii_lowercase());
        match value.as_deref() {
            None | Some("" | "text") => Format::Text,
            Some("json") => Format::Json,
            Some(other) => {
                self.problems.push(Problem::new("LOG_FORMAT", format!("{other:?} is neither text nor json")));
                Format::Text
            }
        }
    }

    /// `RUST_LOG`: what is logged, if it says.
    pub fn log_filter(&self) -> Option<&str> {
        self.get("RUST_LOG")?.to_str().filter(|filter| !filter.trim().is_empty())
    }

    /// Whether this process runs in a container: Docker, Podman (and systemd's own) and Kubernetes leave such traces.
    pub fn is_container(&self) -> bool {
        ["container", "KUBERNETES_SERVICE_HOST"].iter().any(|name| self.values.contains_key(*name))
            || Path::new("/.dockerenv").exists()
            || Path::new("/run/.containerenv").exists()
    }

    /// What is wrong with the env file.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
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
            problems.push(format!("line {number}: expected NAME=VALUE, a comment behind # or a blank line"));
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
/// from ours are other programs'.
fn slip(name: &str) -> Option<String> {
    if SETTINGS.contains(&name) {
        return None;
    }
    match name.strip_suffix("_FILE") {
        Some(secret) if SECRETS.contains(&secret) => return None,
        Some(setting) if SETTINGS.contains(&setting) => {
            return Some(format!("is no setting; only secrets come from files of their own: set {setting}"));
        }
        _ => {}
    }
    let files = SECRETS.map(|secret| format!("{secret}_FILE"));
    let names = SETTINGS.into_iter().chain(files.iter().map(String::as_str));
    let slips = |setting: &&str| strsim::damerau_levenshtein(name, setting);
    let meant = names.filter(|setting| slips(setting) <= 2).min_by_key(slips)?;
    Some(format!("is no setting; did you mean {meant}?"))
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
        let meant = |name: &str| format!("is no setting; did you mean {name}?");
        for (name, setting) in [
            ("VIP_NAME", "VIP_NAMES"),
            ("WARN_DAY", "WARN_DAYS"),
            ("DISCORD_WEBHOK", "DISCORD_WEBHOOK"),
            ("SMTP_FORM", "SMTP_FROM"),
            ("PLEX_TOKEN_FIL", "PLEX_TOKEN_FILE"),
        ] {
            assert_eq!(slip(name), Some(meant(setting)));
        }
        let file = "is no setting; only secrets come from files of their own: set VIP_NAMES";
        assert_eq!(slip("VIP_NAMES_FILE").as_deref(), Some(file));
        let others = [
            "dry_run",
            "PLEX_TOKEN_FILE",
            "TZ",
            "PATH",
            "PLEX_URL",
            "SMTP_USER",
            "SMTP_PASS",
            "TAUTULLI_PORT",
            "CLICOLOR",
            "LOGS_DIRECTORY",
            "CACHE_DIRECTORY",
            "CREDENTIALS_DIRECTORY",
            "PLEX_SERVER_ID",
            "HOSTNAME",
            "BRAND",
            "PYTHONPATH",
        ];
        for name in SETTINGS.into_iter().chain(others) {
            assert_eq!(slip(name), None, "{name}");
        }
    }

    #[test]
    fn every_bad_line_is_named() {
        let (pairs, problems) = parse("export A=1\nB=1\nnonsense\nB=2\n1X=3\n");
        assert_eq!(pairs, [("B".to_owned(), "1".to_owned())]);
        assert_eq!(
            problems,
            [
                "line 1: expected NAME=VALUE, a comment behind # or a blank line",
                "line 3: expected NAME=VALUE, a comment behind # or a blank line",
                "line 4: B was set in line 2 already",
                "line 5: expected NAME=VALUE, a comment behind # or a blank line",
            ]
        );
    }
}
