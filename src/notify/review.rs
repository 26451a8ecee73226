//! Whether a notice that waits is still true: asked right before it is sent.

use time::OffsetDateTime;

use super::{Channel, Event, Notice};
use crate::{verdict::Standing, words};

/// What a pass knows about the access of the person that a notice is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Not known in this pass: a service is unavailable, or the evidence does not add up.
    Unknown,
    /// No share on the server.
    None,
    /// Plex lists the very share whose end it confirmed: its list may lag behind.
    Revoked,
    /// Has access; how they stand (where this pass knows that) and when they last watched something, UTC.
    Granted(Option<(Standing, Option<OffsetDateTime>)>),
}

/// What is to become of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Review {
    /// It is true.
    Send,
    /// This pass can't know; a later one will.
    Hold,
    /// It is no longer true, and why.
    Drop(String),
}

/// Reviews a notice by the access that somebody (a Plex id) has. The admin and Discord hear of everything as it was.
pub fn review(notice: &Notice, access: impl Fn(u64) -> Access) -> Review {
    let (Channel::Person, Some(who)) = (notice.to, notice.event.who()) else { return Review::Send };
    let gone = || Review::Drop("they no longer have access".to_owned());
    match (&notice.event, access(who.id)) {
        (_, Access::Unknown | Access::Revoked) => Review::Hold,
        (Event::Removed { .. }, Access::None) => Review::Send,
        (Event::Removed { .. }, Access::Granted(_)) => Review::Drop("they have access".to_owned()),
        (_, Access::None) => gone(),
        (Event::Warned { .. }, Access::Granted(None)) => Review::Hold,
        (Event::Warned { .. }, Access::Granted(Some((standing, last_watched)))) => match standing {
            Standing::Warn | Standing::Warned => Review::Send,
            // Their removal is due, and only the brake or Plex is in its way: what the warning says is past.
            Standing::Remove => Review::Hold,
            standing => Review::Drop(not_due(&standing, last_watched)),
        },
        (_, Access::Granted(_)) => Review::Send,
    }
}

/// Why somebody who stands like this, and last watched something then (UTC), is neither warned nor removed.
pub fn not_due(standing: &Standing, last_watched: Option<OffsetDateTime>) -> String {
    match standing {
        Standing::Watching => "they are watching right now".to_owned(),
        Standing::Protected(_) => "they are protected now".to_owned(),
        Standing::Grace => "they joined less than 24 hours ago".to_owned(),
        Standing::CantTell(_) => "they can't be judged now".to_owned(),
        Standing::Active | Standing::Warn | Standing::Warned | Standing::Remove => match last_watched {
            Some(watched) => format!("they last watched something on {}", words::day(watched)),
            None => "they are no longer idle for long enough".to_owned(),
        },
    }
}
