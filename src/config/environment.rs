use std::{
    collections::{BTreeMap, btree_map::Entry},
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{Problem, names::misspelling, reader::invalid_settings};
use crate::{
    error::Error,
    logging::{self, Format},
};

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
    pub fn add_file(&mut self, file: &Path) -> Result<(), Error> {
        let problem = |what| Problem::env_file(file, what);
        let text = std::fs::read_to_string(file)
            .map_err(|error| invalid_settings(&[problem(format!("can't be read: {error}"))]))?;
        self.file = Some(file.to_owned());
        let (values, problems) = parse(&text);
        for (variable, value) in values {
            self.values.entry(variable).or_insert_with(|| value.into());
        }
        self.problems.extend(problems.into_iter().map(problem));
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
            other => Err(Problem::wrong("LOG_FORMAT", format!("{other:?} is neither text nor json"))),
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
    /// process may come from a file too, which systemd, Docker or Kubernetes read.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.problems.clone();
        problems.extend(self.read_log_format().err());
        if let Some(filter) = self.given("RUST_LOG").filter(|filter| !logging::is_filter(filter)) {
            problems.push(Problem::wrong("RUST_LOG", format!("{filter:?} is not a filter like plex_prune=debug")));
        }
        let is_set = |name: &str| self.given(name).is_some();
        problems.extend(self.values.keys().filter_map(|name| Some(Problem::wrong(name, misspelling(name, is_set)?))));
        problems
    }

    /// The value of a variable, if it is text and not blank.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str().map(str::trim).filter(|value| !value.is_empty())
    }

    /// The value of a variable, if it is set.
    pub fn get(&self, name: &str) -> Option<&OsString> {
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
