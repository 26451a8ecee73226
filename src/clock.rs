//! The time. A pass asks for it once, and judges everybody by it.

use time::OffsetDateTime;

use crate::test_hooks;

/// Now, UTC.
pub fn now() -> OffsetDateTime {
    test_hooks::now().unwrap_or_else(OffsetDateTime::now_utc)
}
