use std::{
    fmt, fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    str::FromStr,
};

use reqwest::Url;

use super::{Environment, Secret};
use crate::error::{Error, Kind};

/// What kind of problem it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// A setting that is needed is not set.
    Missing,
    /// A setting's value, or a variable's name, is wrong.
    Wrong,
    /// The env file, or a line of it, can't be read.
    EnvFile,
}

/// One thing wrong with the settings: the variable (or file), and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub kind: ProblemKind,
    /// The variable, or `the env file PATH`.
    pub name: String,
    what: String,
}

impl Problem {
    pub fn wrong(name: &str, what: impl Into<String>) -> Self {
        Self { kind: ProblemKind::Wrong, name: name.to_owned(), what: what.into() }
    }

    fn missing(name: &str, hint: &str) -> Self {
        Self { kind: ProblemKind::Missing, name: name.to_owned(), what: format!("is not set{hint}") }
    }

    pub fn env_file(file: &Path, what: String) -> Self {
        Self { kind: ProblemKind::EnvFile, name: format!("the env file {}", file.display()), what }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.what)
    }
}

/// Everything that is wrong with the settings, a line each.
pub fn invalid_settings(problems: &[Problem]) -> Error {
    let head = match problems.len() {
        1 => "a setting needs mending".to_owned(),
        many => format!("{many} settings need mending"),
    };
    let lines: String = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    Error::new(Kind::Usage, format!("{head}; nothing was touched:{lines}"), "")
}

/// Reads variables one by one and remembers what was wrong with them. A getter that finds a problem gives some value
/// of its type back, which [`Reader::finish`] keeps from being used.
pub struct Reader<'a> {
    environment: &'a Environment,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub fn new(environment: &'a Environment) -> Self {
        Self { environment, problems: environment.problems() }
    }

    /// Ends reading; the error names all problems found since [`Reader::new`].
    pub fn finish(self) -> Result<(), Error> {
        if self.problems.is_empty() { Ok(()) } else { Err(invalid_settings(&self.problems)) }
    }

    /// Ends reading; all problems found since [`Reader::new`], one by one.
    pub fn problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Whether this process runs in a container.
    pub fn in_container(&self) -> bool {
        self.environment.is_container()
    }

    /// Notes that a value is wrong.
    pub fn problem(&mut self, name: &str, what: impl Into<String>) {
        self.note(Problem::wrong(name, what));
    }

    /// The value, or none, and what is wrong with it is noted.
    pub fn accept<T>(&mut self, name: &str, value: Result<T, String>) -> Option<T> {
        value.map_err(|what| self.problem(name, what)).ok()
    }

    /// Notes that a variable is not set; `hint` goes on from there.
    pub fn missing(&mut self, name: &str, hint: &str) {
        self.note(Problem::missing(name, hint));
    }

    /// Notes a problem, once.
    fn note(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Whether something is wrong with a variable.
    pub fn has_problem(&self, name: &str) -> bool {
        self.problems.iter().any(|problem| problem.name == name)
    }

    /// Says that a value is the default, which the owner may not know of.
    pub fn origin(&self, name: &str) -> &'static str {
        if self.environment.given(name).is_some() { "" } else { " (the default)" }
    }

    /// A variable's value without the blanks around it; empty counts as unset.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let value = self.environment.get(name)?;
        let Some(value) = value.to_str() else {
            self.problem(name, "is not UTF-8 text");
            return None;
        };
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A variable that must be set; `hint` says what it holds and where to find it.
    pub fn required(&mut self, name: &str, hint: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            if !self.has_problem(name) {
                self.missing(name, &format!("; {hint}"));
            }
            String::new()
        })
    }

    /// A secret from `NAME` or from the file that `NAME_FILE` names, without the blanks and line breaks around it.
    pub fn secret(&mut self, name: &str) -> Option<Secret> {
        let file_name = format!("{name}_FILE");
        let (direct, file) = (self.text(name), self.text(&file_name));
        let (source, value) = match (direct, file) {
            (Some(_), Some(_)) => {
                self.problem(name, format!("is set, and so is {file_name}; keep one of them"));
                return None;
            }
            (direct, None) => (name, direct?),
            (None, Some(file)) => (file_name.as_str(), self.secret_in(&file_name, &file)?),
        };
        if value.chars().any(char::is_control) {
            self.problem(source, "holds more than one line, or a control character; expected one line");
            return None;
        }
        Some(Secret::new(value))
    }

    fn secret_in(&mut self, name: &str, file: &str) -> Option<String> {
        let value = match fs::read_to_string(file) {
            Ok(text) if text.trim().is_empty() => Err(format!("the file {file} is empty")),
            Ok(text) => Ok(text.trim().to_owned()),
            Err(error) => Err(format!("the file {file} can't be read: {error}")),
        };
        self.accept(name, value)
    }

    /// A secret that must be set.
    pub fn required_secret(&mut self, name: &str, hint: &str) -> Secret {
        let before = self.problems.len();
        self.secret(name).unwrap_or_else(|| {
            if self.problems.len() == before {
                self.missing(name, &format!(", nor is {name}_FILE; {hint}"));
            }
            Secret::new("")
        })
    }

    /// A whole number in a range.
    pub fn number<T>(&mut self, name: &str, default: T, range: RangeInclusive<T>) -> T
    where
        T: Copy + FromStr + PartialOrd + fmt::Display,
    {
        let Some(text) = self.text(name) else { return default };
        let (low, high) = (range.start(), range.end());
        let number = text.parse().ok().filter(|number| range.contains(number));
        let number = number.ok_or_else(|| format!("{text:?} is not a whole number from {low} to {high}"));
        self.accept(name, number).unwrap_or(default)
    }

    pub fn switch(&mut self, name: &str, default: bool) -> bool {
        let Some(text) = self.text(name) else { return default };
        self.accept(name, parse_switch(&text)).unwrap_or(default)
    }

    /// A value that its type parses; `expected` says what would be right, with an example.
    pub fn parsed<T: FromStr>(&mut self, name: &str, text: &str, expected: &str) -> Option<T> {
        if text.is_empty() {
            return None;
        }
        self.accept(name, text.parse().map_err(|_| format!("{text:?} is not {expected}")))
    }

    /// The base address of a service, without a slash at its end; `example` shows what would be right.
    pub fn base_url(&mut self, name: &str, text: &str, example: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        let is_base = |url: &Url| is_web(url) && url.query().is_none() && url.fragment().is_none();
        let url = Url::parse(text).ok().filter(is_base).map(|url| url.as_str().trim_end_matches('/').to_owned());
        // The value isn't shown: it may hold a password.
        let url = url.ok_or_else(|| format!("is not an address like {example} (no ? or #)"));
        self.accept(name, url).unwrap_or_default()
    }

    /// A link for the mails.
    pub fn link(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let is_link = Url::parse(&text).is_ok_and(|url| is_web(&url) || url.scheme() == "mailto");
        let wrong = format!("{text:?} is not a link that starts with https://, http:// or mailto:");
        self.accept(name, if is_link { Ok(text) } else { Err(wrong) })
    }

    /// A folder that must exist.
    pub fn folder(&mut self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.text(name)?);
        if !path.is_dir() {
            self.problem(name, format!("there is no folder {}", path.display()));
        }
        Some(path)
    }
}

/// A switch as people write it.
///
/// Anything else is an error that says what was expected: a guess could remove somebody.
pub fn parse_switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(format!("{text:?} is neither true (1, yes) nor false (0, no)")),
    }
}

pub fn is_web(url: &Url) -> bool {
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
