//! The time. A pass asks for it once, and judges everybody by that.

use time::OffsetDateTime;

/// Now, UTC.
///
/// A debug build takes `PLEX_PRUNE_TEST_NOW` (RFC 3339) for it, so that tests and the demo can live through months; the
/// program that people install is a release build and has no such variable.
pub fn now() -> OffsetDateTime {
    #[cfg(debug_assertions)]
    if let Ok(text) = std::env::var("PLEX_PRUNE_TEST_NOW")
        && let Ok(now) = OffsetDateTime::parse(&text, &time::format_description::well_known::Rfc3339)
    {
        return now;
    }
    OffsetDateTime::now_utc()
}
