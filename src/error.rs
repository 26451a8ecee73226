//! How a command ends: the exit codes.

use std::{fmt, io};

use crate::{
    config::ConfigError,
    household::OtherState,
    http::{ClientError, Fault, ServiceError},
    notify::TemplateError,
    plex::NoSuchServer,
    state::StateError,
};

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
        }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what())?;
        if self.advice.is_empty() { Ok(()) } else { write!(f, ". {}", self.advice) }
    }
}

/// What the command line asks for can't be done as it is. Says what would be right; nothing was touched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// What happened, and what to do about it.
    #[error(transparent)]
    Told(#[from] Error),
    /// Settings are missing or wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// `PLEX_SERVER_NAME` names no server.
    #[error(transparent)]
    Server(#[from] NoSuchServer),
    /// The state is of another server.
    #[error(transparent)]
    OtherState(#[from] OtherState),
    /// The command names nobody, or more than one person.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The mail templates can't be used.
    #[error(transparent)]
    Templates(#[from] TemplateError),
    /// TLS can't be set up.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The state can't be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// Another pass holds the lock, and this command doesn't come by again by itself. Exit code 75.
    #[error("another pass is under way ({0}); nothing was changed: try again when it is over")]
    Busy(String),
    /// A service failed, without which there is nothing to judge by.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Standard output is closed.
    #[error("could not write the output: {0}")]
    Output(#[from] io::Error),
}

impl CommandError {
    /// Whether a service was out of order, so that what waits for the admin can still go out. Not with a clock that is
    /// wrong: it would make every notice look old.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Told(error) if error.kind == Kind::Outage)
            || matches!(self, Self::Service(error) if !matches!(error.fault, Fault::ClockAhead(_)))
    }

    /// Whether both come from the same service being out of order in the same way.
    pub fn is_like(&self, other: &Self) -> bool {
        if let (Self::Told(one), Self::Told(other)) = (self, other) {
            return one.is_like(other);
        }
        matches!((self, other), (Self::Service(one), Self::Service(other)) if one.is_like(other))
    }

    /// The process's exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Told(error) => error.code(),
            Self::Config(_)
            | Self::Server(_)
            | Self::OtherState(_)
            | Self::Usage(_)
            | Self::Templates(_)
            | Self::Client(_) => 2,
            Self::Busy(_) | Self::State(StateError::Busy { .. }) => 75,
            Self::State(StateError::Write { .. }) => 1,
            Self::State(StateError::Newer { .. } | StateError::Unreadable { .. } | StateError::Open { .. }) => 2,
            Self::Service(_) | Self::Output(_) => 1,
        }
    }
}
