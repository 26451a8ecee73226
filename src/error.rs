//! How a command ends: the exit codes.

use std::{fmt, io};

/// How a command ended that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Something failed; nothing is lost, the next pass tries it again.
    Failed,
    /// Refused for safety: nobody was removed.
    Refused,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Refused => 3,
        }
    }
}

/// What kind of error it is, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command line, the settings, a template or the choice of server is wrong. Nothing was touched.
    Usage,
    /// `state.json` can't be used as it is. Nothing was touched.
    State,
    /// Another pass holds the lock. Nothing was touched.
    Busy,
    /// A service is unavailable or answers with an error.
    Outage,
    /// Something on this machine failed: a full disk, a wrong clock, a closed output.
    Failure,
    /// The evidence doesn't add up: nobody was removed.
    Refused,
}

/// What happened, and what to do about it.
///
/// Displays as `{what}. {advice}`. Both are without a full stop at the end; the advice begins with a capital letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Decides the exit code.
    pub kind: Kind,
    doing: String,
    cause: String,
    /// What to do about it; empty where there is nothing to say.
    pub advice: String,
}

impl Error {
    /// `what` happened, and `advice` (may be empty) for whoever reads it.
    pub fn new(kind: Kind, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { kind, doing: what.into(), cause: String::new(), advice: advice.into() }
    }

    /// The same with its cause, which is shown after a colon: `plex.tv: could not find the server: no answer in time`.
    pub fn because(self, cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), ..self }
    }

    /// What happened, without the advice.
    pub fn what(&self) -> String {
        if self.cause.is_empty() { self.doing.clone() } else { format!("{}: {}", self.doing, self.cause) }
    }

    /// Whether both have the same cause, so that one of them tells all.
    pub fn is_like(&self, other: &Self) -> bool {
        !self.cause.is_empty() && self.cause == other.cause && self.advice == other.advice
    }

    /// The process's exit code.
    pub fn code(&self) -> u8 {
        match self.kind {
            Kind::Usage | Kind::State => 2,
            Kind::Busy => 75,
            Kind::Outage | Kind::Failure => 1,
            Kind::Refused => 3,
        }
    }
}

impl std::error::Error for Error {}

/// Standard output is closed.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::new(Kind::Failure, "could not write the output", "").because(error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what())?;
        if self.advice.is_empty() { Ok(()) } else { write!(f, ". {}", self.advice) }
    }
}
