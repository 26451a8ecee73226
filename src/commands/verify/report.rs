use std::io::{self, Write};

use serde::Serialize;

use crate::commands::output::paragraph;

/// More names than this are not listed.
const MOST_NAMES: usize = 10;

/// What `verify --json` prints. Fields are added, never renamed or dropped, as long as `schema` is 1.
#[derive(Debug, Serialize)]
pub struct Report {
    schema: u32,
    /// Whether nothing has to be mended.
    pub ok: bool,
    checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Check {
    /// settings, plex.tv, Tautulli, people, template, mail, Discord, state.
    area: &'static str,
    mark: Mark,
    seen: String,
    /// What to do; none where all is well.
    next: Option<String>,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Mark {
    /// It works.
    Ok,
    /// It works, but look.
    Look,
    /// It has to be mended.
    Fail,
}

impl Check {
    pub fn ok(area: &'static str, seen: impl Into<String>) -> Self {
        Self { area, mark: Mark::Ok, seen: seen.into(), next: None }
    }

    pub fn look(area: &'static str, seen: impl Into<String>, next: impl AsRef<str>) -> Self {
        Self { area, mark: Mark::Look, seen: seen.into(), next: Some(sentence(next.as_ref())) }
    }

    pub fn fail(area: &'static str, seen: impl Into<String>, next: impl AsRef<str>) -> Self {
        let seen: String = seen.into();
        // An error that says whose it is need not say so twice.
        let rest = seen.strip_prefix(area).and_then(|rest| rest.strip_prefix(": ").or(rest.strip_prefix(' ')));
        let seen = rest.unwrap_or(&seen).to_owned();
        Self { area, mark: Mark::Fail, seen, next: Some(sentence(next.as_ref())) }
    }

    fn is_failure(&self) -> bool {
        self.mark == Mark::Fail
    }
}

/// With a capital letter and a full stop, unless that could be taken for a part of a link or a command.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let begin: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let is_link = text.rsplit(' ').next().is_some_and(|word| word.contains("://"));
    let end = if is_link || text.ends_with(['.', '?', '`']) { "" } else { "." };
    format!("{begin}{}{end}", letters.as_str())
}

/// The names, or the first of them if they are many.
pub fn names(names: &[&str]) -> String {
    match names.len().saturating_sub(MOST_NAMES) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..MOST_NAMES].join(", ")),
    }
}

impl Report {
    pub fn of(checks: Vec<Check>) -> Self {
        Self { schema: 1, ok: !checks.iter().any(Check::is_failure), checks }
    }

    /// Writes the report for people; if `quiet`, only what they should look at.
    pub fn write(&self, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
        for Check { area, mark, seen, next } in &self.checks {
            let mark = match mark {
                Mark::Ok if quiet => continue,
                Mark::Ok => '✓',
                Mark::Look => '!',
                Mark::Fail => '✗',
            };
            paragraph(&format!("{mark} {area:<9}"), seen, out)?;
            if let Some(next) = next {
                paragraph(&format!("{:11}→ ", ""), next, out)?;
            }
        }
        if quiet {
            return Ok(());
        }
        let count = |mark| self.checks.iter().filter(|check| check.mark == mark).count();
        let (fail, look) = (count(Mark::Fail), count(Mark::Look));
        writeln!(out)?;
        match (fail, look) {
            (0, 0) => writeln!(out, "All is well."),
            (0, look) => writeln!(out, "It works. To look at: {look} (marked !)."),
            (fail, 0) => writeln!(out, "To mend: {fail} (marked ✗)."),
            (fail, look) => writeln!(out, "To mend: {fail} (marked ✗). To look at: {look} (marked !)."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_step_is_a_sentence() {
        assert_eq!(sentence("check SMTP_HOST"), "Check SMTP_HOST.");
        assert_eq!(sentence("Is it right?"), "Is it right?");
        assert_eq!(sentence("look at https://status.plex.tv"), "Look at https://status.plex.tv");
        assert_eq!(sentence("run `plex-prune status`"), "Run `plex-prune status`");
    }

    #[test]
    fn many_names_are_not_all_listed() {
        assert_eq!(names(&["a"; 10]), "a, a, a, a, a, a, a, a, a, a");
        assert_eq!(names(&["a"; 12]), "a, a, a, a, a, a, a, a, a, a and 2 more");
    }
}
