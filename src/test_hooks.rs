//! What a debug build lets tests and the demo do: set the clock, shorten the timeouts, and die at any point. The program
//! that people install is a release build, and has none of it.

use std::time::Duration;

use time::OffsetDateTime;

/// The time that `PLEX_PRUNE_TEST_NOW` (RFC 3339) says it is.
pub fn now() -> Option<OffsetDateTime> {
    OffsetDateTime::parse(&variable("PLEX_PRUNE_TEST_NOW")?, &time::format_description::well_known::Rfc3339).ok()
}

/// A timeout, or the shorter one of `PLEX_PRUNE_TEST_TIMEOUT` (milliseconds).
pub fn timeout(usual: Duration) -> Duration {
    let given = variable("PLEX_PRUNE_TEST_TIMEOUT").and_then(|text| text.parse().ok());
    given.map_or(usual, |given| usual.min(Duration::from_millis(given)))
}

/// A point between two outward effects, named for what was just done or is about to be. The process is killed (SIGKILL)
/// at the one whose number, counted from 1, is in `PLEX_PRUNE_TEST_DIE_AT`.
pub fn crash_point(name: &str) {
    #[cfg(not(debug_assertions))]
    let _ = name;
    #[cfg(debug_assertions)]
    {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static PASSED: AtomicUsize = AtomicUsize::new(0);
        let Some(last) = variable("PLEX_PRUNE_TEST_DIE_AT").and_then(|text| text.parse::<usize>().ok()) else {
            return;
        };
        if PASSED.fetch_add(1, Ordering::SeqCst) + 1 == last {
            log::error!("killed: {name}");
            let _ = signal_hook::low_level::raise(signal_hook::consts::SIGKILL);
        }
    }
}

#[cfg(debug_assertions)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(not(debug_assertions))]
fn variable(_: &str) -> Option<String> {
    None
}
