use std::{fmt, ops::RangeInclusive, path::PathBuf, str::FromStr};

use reqwest::Url;

use super::{Environment, Secret};

/// One thing wrong with the settings: the variable (or file), and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    name: String,
    what: String,
}

impl Problem {
    pub(super) fn new(name: impl Into<String>, what: impl Into<String>) -> Self {
        Self { name: name.into(), what: what.into() }
    }

    /// The variable (or file).
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.what)
    }
}

/// Everything that is wrong with the settings. Exit code 2.
#[derive(Clone, Debug, thiserror::Error)]
pub struct ConfigError(Vec<Problem>);

impl ConfigError {
    /// The problems, in the order in which they were found.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl From<Vec<Problem>> for ConfigError {
    fn from(problems: Vec<Problem>) -> Self {
        Self(problems)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "a setting needs mending; nothing was touched:")?,
            n => write!(f, "{n} settings need mending; nothing was touched:")?,
        }
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// Reads variables one by one and remembers what was wrong with them. A getter that finds a problem gives some value
/// of its type back, which [`Reader::finish`] keeps from being used.
pub struct Reader<'a> {
    environment: &'a Environment,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Starts reading.
    pub fn new(environment: &'a Environment) -> Self {
        Self { environment, problems: environment.problems() }
    }

    /// Ends reading.
    ///
    /// # Errors
    /// All problems found since [`Reader::new`].
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigError(self.problems)) }
    }

    /// Notes a problem, once.
    pub(super) fn problem(&mut self, name: &str, what: impl Into<String>) {
        let problem = Problem::new(name, what);
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Whether something is wrong with a variable.
    pub(super) fn has_problem(&self, name: &str) -> bool {
        self.problems.iter().any(|problem| problem.name == name)
    }

    /// What is to be said about a value that the owner may not know of: that it is the default.
    pub(super) fn origin(&self, name: &str) -> &'static str {
        let is_set = self.environment.get(name).is_some_and(|value| !value.to_string_lossy().trim().is_empty());
        if is_set { "" } else { " (the default)" }
    }

    /// A variable's value without the blanks around it; empty counts as unset.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let value = self.environment.get(name)?;
        let Some(value) = value.to_str() else {
            self.problem(name, "is not UTF-8 text");
            return None;
        };
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A variable that must be set; `hint` says what it holds and where to find it.
    pub(super) fn required(&mut self, name: &str, hint: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            if !self.has_problem(name) {
                self.problem(name, format!("is not set; {hint}"));
            }
            String::new()
        })
    }

    /// A secret from `NAME` or from the file that `NAME_FILE` names, without the blanks and line breaks around it.
    pub(super) fn secret(&mut self, name: &str) -> Option<Secret> {
        let file_name = format!("{name}_FILE");
        let (direct, file) = (self.text(name), self.text(&file_name));
        let (source, value) = match (direct, file) {
            (Some(_), Some(_)) => {
                self.problem(name, format!("is set, and so is {file_name}; keep one of them"));
                return None;
            }
            (direct, None) => (name, direct?),
            (None, Some(file)) => match std::fs::read_to_string(&file) {
                Ok(text) if text.trim().is_empty() => {
                    self.problem(&file_name, format!("the file {file} is empty"));
                    return None;
                }
                Ok(text) => (file_name.as_str(), text.trim().to_owned()),
                Err(error) => {
                    self.problem(&file_name, format!("the file {file} can't be read: {error}"));
                    return None;
                }
            },
        };
        if value.chars().any(char::is_control) {
            self.problem(source, "holds more than one line, or a control character; expected one line");
            return None;
        }
        Some(Secret::new(value))
    }

    /// A secret that must be set.
    pub(super) fn required_secret(&mut self, name: &str, hint: &str) -> Secret {
        let before = self.problems.len();
        self.secret(name).unwrap_or_else(|| {
            if self.problems.len() == before {
                self.problem(name, format!("is not set, nor is {name}_FILE; {hint}"));
            }
            Secret::new("")
        })
    }

    /// A whole number in a range.
    pub(super) fn number<T>(&mut self, name: &str, default: T, range: RangeInclusive<T>) -> T
    where
        T: Copy + FromStr + PartialOrd + fmt::Display,
    {
        let Some(text) = self.text(name) else { return default };
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (low, high) = (range.start(), range.end());
                self.problem(name, format!("{text:?} is not a whole number from {low} to {high}"));
                default
            }
        }
    }

    /// A switch.
    pub(super) fn switch(&mut self, name: &str, default: bool) -> bool {
        let Some(text) = self.text(name) else { return default };
        parse_switch(&text).unwrap_or_else(|what| {
            self.problem(name, what);
            default
        })
    }

    /// A value that its type parses; `expected` says what would be right, with an example.
    pub(super) fn parsed<T: FromStr>(&mut self, name: &str, text: &str, expected: &str) -> Option<T> {
        if text.is_empty() {
            return None;
        }
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.problem(name, format!("{text:?} is not {expected}"));
        }
        parsed
    }

    /// The base address of a service, without a slash at its end; `example` shows what would be right.
    pub(super) fn base_url(&mut self, name: &str, text: &str, example: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        match Url::parse(text) {
            Ok(url) if is_web(&url) && url.query().is_none() && url.fragment().is_none() => {
                url.as_str().trim_end_matches('/').to_owned()
            }
            _ => {
                // The value isn't shown: it may hold a password.
                self.problem(name, format!("is not an address like {example} (no ? or #)"));
                String::new()
            }
        }
    }

    /// A link for the mails.
    pub(super) fn link(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        match Url::parse(&text) {
            Ok(url) if is_web(&url) || url.scheme() == "mailto" => Some(text),
            _ => {
                self.problem(name, format!("{text:?} is not a link that starts with https://, http:// or mailto:"));
                None
            }
        }
    }

    /// A folder that must exist.
    pub(super) fn folder(&mut self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.text(name)?);
        if !path.is_dir() {
            self.problem(name, format!("there is no folder {}", path.display()));
        }
        Some(path)
    }
}

/// Reads a switch as people write them.
///
/// # Errors
/// What was expected, for anything else: a guess could remove somebody.
pub fn parse_switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(format!("{text:?} is neither true (1, yes) nor false (0, no)")),
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsString, os::unix::ffi::OsStringExt};

    use super::*;

    #[test]
    fn what_is_not_text_is_said_once() {
        let environment = Environment::of([("SMTP_PORT".into(), OsString::from_vec(vec![0xff]))]);
        let mut reader = Reader::new(&environment);
        reader.required("SMTP_PORT", "a port");
        reader.number("SMTP_PORT", 0, 1..=u16::MAX);
        let error = reader.finish().unwrap_err();
        assert_eq!(error.to_string(), "a setting needs mending; nothing was touched:\n  SMTP_PORT: is not UTF-8 text");
    }
}
