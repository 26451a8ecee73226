//! The tests, a file per feature. They drive the real program over real sockets against the stand-ins in `standins`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod clock;
mod config;
mod crash;
mod disk;
mod faults;
mod log;
mod mails;
mod notices;
mod passes;
mod removal;
mod safety;
mod services;
mod signals;
mod simulation;
mod state;
mod status;
mod story;
mod sweep;
mod takeover;
mod verify;
mod welcome;
mod whitelist;

use plex_prune_standins as support;

/// A sandbox around the real program, with nobody in the household yet.
fn sandbox() -> support::Sandbox {
    support::Sandbox::new(env!("CARGO_BIN_EXE_plex-prune"))
}
