//! Whether a notice that waits is still true: asked right before it is sent.

use time::OffsetDateTime;

use super::{Channel, Event, Notice, PassKind};
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

/// Reviews a notice in a pass, by the access that somebody (a Plex id) has. The admin and Discord hear of everything as it
/// was. A welcome judges nobody, so warnings wait for the sweep, even if Plex's list lacks somebody for a while.
pub fn review(notice: &Notice, pass: PassKind, access: impl Fn(u64) -> Access) -> Review {
    let (Channel::Person, Some(who)) = (notice.to, notice.event.who()) else { return Review::Send };
    let gone = || Review::Drop("they no longer have access".to_owned());
    match (&notice.event, access(who.id)) {
        (_, Access::Unknown | Access::Revoked) => Review::Hold,
        (Event::Warned { .. }, _) if pass == PassKind::Welcome => Review::Hold,
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

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::{
        notify::{TautulliStep, test_support::ada},
        verdict::{Protection, Unknown},
    };

    fn notice(to: Channel, event: Event) -> Notice {
        let mut outbox = crate::notify::Outbox::default();
        outbox.push(&event, &[to], datetime!(2026-11-23 12:00 UTC));
        outbox.notices()[0].clone()
    }

    fn joined() -> Event {
        Event::Joined { who: ada(), warn_days: 27, kick_days: 30 }
    }

    fn warned() -> Event {
        let access_ends = datetime!(2026-11-26 12:00 UTC);
        Event::Warned { who: ada(), idle_days: 27, access_ends, days_left: 3, last_watched: None }
    }

    fn removed() -> Event {
        Event::Removed {
            who: ada(),
            reason: "nothing watched for 31 days".into(),
            kick_days: 30,
            plex: "share on Centauri ended".into(),
            tautulli: TautulliStep::Deleted,
            failing_since: None,
        }
    }

    fn granted(standing: Standing) -> Access {
        Access::Granted(Some((standing, Some(datetime!(2026-11-20 12:00 UTC)))))
    }

    fn drop_for(why: &str) -> Review {
        Review::Drop(why.to_owned())
    }

    #[track_caller]
    fn reviewed(event: &Event, access: &Access, expected: &Review) {
        let about = |id| {
            assert_eq!(id, ada().id);
            access.clone()
        };
        let pass = PassKind::Sweep;
        assert_eq!(
            review(&notice(Channel::Person, event.clone()), pass, about),
            *expected,
            "{} {access:?}",
            event.name()
        );
    }

    #[test]
    fn the_admin_and_discord_hear_of_everything() {
        for event in [joined(), warned(), removed()] {
            for channel in [Channel::Admin, Channel::Discord] {
                for access in [Access::Unknown, Access::None, Access::Revoked, Access::Granted(None)] {
                    let notice = notice(channel, event.clone());
                    for pass in [PassKind::Welcome, PassKind::Sweep] {
                        assert_eq!(review(&notice, pass, |_| access.clone()), Review::Send);
                    }
                }
            }
        }
    }

    #[test]
    fn a_welcome_neither_sends_nor_drops_a_warning() {
        for access in [Access::Unknown, Access::None, Access::Revoked, Access::Granted(None)] {
            let notice = notice(Channel::Person, warned());
            assert_eq!(review(&notice, PassKind::Welcome, |_| access.clone()), Review::Hold, "{access:?}");
        }
    }

    #[test]
    fn a_person_hears_what_is_known_to_be_true_still() {
        let (gone, there) = (drop_for("they no longer have access"), drop_for("they have access"));
        for (access, on_joined, on_warned, on_removed) in [
            (Access::Unknown, &Review::Hold, &Review::Hold, &Review::Hold),
            (Access::Revoked, &Review::Hold, &Review::Hold, &Review::Hold),
            (Access::None, &gone, &gone, &Review::Send),
            (Access::Granted(None), &Review::Send, &Review::Hold, &there),
            (granted(Standing::Warn), &Review::Send, &Review::Send, &there),
            (granted(Standing::Warned), &Review::Send, &Review::Send, &there),
            (granted(Standing::Remove), &Review::Send, &Review::Hold, &there),
        ] {
            reviewed(&joined(), &access, on_joined);
            reviewed(&warned(), &access, on_warned);
            reviewed(&removed(), &access, on_removed);
        }
    }

    #[test]
    fn a_warning_to_somebody_who_is_not_due_is_dropped_with_the_reason() {
        let watched = "they last watched something on 2026-11-20";
        for (standing, why) in [
            (Standing::Watching, "they are watching right now"),
            (Standing::Protected(Protection::Owner), "they are protected now"),
            (Standing::Grace, "they joined less than 24 hours ago"),
            (Standing::CantTell(Unknown::NotInTautulli), "they can't be judged now"),
            (Standing::Active, watched),
        ] {
            reviewed(&warned(), &granted(standing), &drop_for(why));
        }
        let never = Access::Granted(Some((Standing::Active, None)));
        reviewed(&warned(), &never, &drop_for("they are no longer idle for long enough"));
    }
}
