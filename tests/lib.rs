//! The tests, a file per feature. They drive the real program over real sockets against the stand-ins in `support`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod standins;
mod support;

/// A sandbox around the real program, with nobody in the household yet.
fn sandbox() -> support::Sandbox {
    support::Sandbox::new(env!("CARGO_BIN_EXE_plex-prune"))
}
