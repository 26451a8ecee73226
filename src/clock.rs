//! The time. A pass asks for it once, and judges everybody by that.

use time::OffsetDateTime;

use crate::rehearsal;

/// Now, UTC.
pub fn now() -> OffsetDateTime {
    rehearsal::now().unwrap_or_else(OffsetDateTime::now_utc)
}
