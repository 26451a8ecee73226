//! The guard against using the state of one server for another.

use crate::{plex::Server, state::State, words};

/// The state is of another server: what it says of people is not true of this one. Exit code 2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("STATE_DIR: {}; nothing was touched. {}", self.what(), self.advice())]
pub struct OtherState {
    known: String,
    asked: String,
    by_name: bool,
}

impl OtherState {
    /// Compares machine identifiers; a state that knows of no server goes with any.
    ///
    /// # Errors
    /// They differ.
    pub fn check(state: &State, server: &Server) -> Result<(), Self> {
        match &state.server {
            Some(known) if known.machine_identifier != server.machine_identifier => {
                Err(Self { known: known.name.clone(), asked: server.name.clone(), by_name: false })
            }
            _ => Ok(()),
        }
    }

    /// Compares names, where Plex is not asked. A server that was renamed has its old one in the state until the next live
    /// pass.
    ///
    /// # Errors
    /// They differ.
    pub fn check_name(state: &State, name: &str) -> Result<(), Self> {
        match &state.server {
            Some(known) if known.name != words::printable(name) => {
                Err(Self { known: known.name.clone(), asked: words::printable(name), by_name: true })
            }
            _ => Ok(()),
        }
    }

    /// What is wrong.
    pub fn what(&self) -> String {
        let Self { known, asked, .. } = self;
        if known == asked {
            format!("the state.json there is of an earlier server {known}, with another machine identifier")
        } else {
            format!("the state.json there is of {known}, and PLEX_SERVER_NAME is {asked}")
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> String {
        if self.by_name {
            let known = &self.known;
            return format!(
                "Each server needs a STATE_DIR of its own. If {known} was renamed, run a live `welcome` first"
            );
        }
        format!(
            "Each server needs a STATE_DIR of its own. If {} took the place of {}, make \"server\" null in state.json",
            self.asked, self.known
        )
    }
}
