use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset, macros::format_description};

use super::{Channel, Event, Who};
use crate::timestamp;

/// Notices that are written down and not sent yet, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outbox {
    notices: Vec<Notice>,
}

/// One mail or Discord message that is owed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// What it is known by, here and in the mail's Message-ID, through all tries.
    pub id: String,
    /// Where it goes.
    pub to: Channel,
    /// When it was written, UTC.
    #[serde(with = "timestamp")]
    pub written: OffsetDateTime,
    /// What it tells.
    #[serde(flatten)]
    pub event: Event,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// How often the mail server may have taken it and did not say so.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unanswered: u32,
    /// Not to be tried before then, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "timestamp::option")]
    pub not_before: Option<OffsetDateTime>,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Notice {
    /// The Plex id of the person that it is about, if it is about one.
    pub fn about(&self) -> Option<u64> {
        self.event.who().map(|who| who.id)
    }

    /// The notice as the log and `status` speak of it: `the warning mail to bob (id 1002)`.
    pub fn label(&self) -> String {
        let name = self.event.name();
        let about = |who: &Who| format!("{} (id {})", who.name, who.id);
        match (self.to, self.event.who().map(about)) {
            (Channel::Person, Some(who)) => format!("the {name} mail to {who}"),
            (Channel::Admin, Some(who)) => format!("the admin's {name} mail about {who}"),
            (Channel::Discord, Some(who)) => format!("the {name} message about {who} to Discord"),
            (Channel::Discord, None) => format!("the {name} message to Discord"),
            (Channel::Person | Channel::Admin, None) => format!("the admin's {name} mail"),
        }
    }
}

impl Outbox {
    /// Writes down the notices of one event, one for each of `channels`.
    pub fn push(&mut self, event: &Event, channels: &[Channel], now: OffsetDateTime) {
        for &to in channels {
            let id = self.free_id(event, to, now);
            self.notices.push(Notice {
                id,
                to,
                written: now,
                event: event.clone(),
                last_error: None,
                unanswered: 0,
                not_before: None,
            });
        }
    }

    /// The notices, oldest first.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// What the notices tell, to bring it up to date.
    pub fn events_mut(&mut self) -> impl Iterator<Item = &mut Event> {
        self.notices.iter_mut().map(|notice| &mut notice.event)
    }

    /// The notice with this id, to note down a failed try.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Notice> {
        self.notices.iter_mut().find(|notice| notice.id == id)
    }

    /// Strikes a notice off: it was sent.
    pub fn strike_off(&mut self, id: &str) {
        self.notices.retain(|notice| notice.id != id);
    }

    /// Strikes off all notices of an event that is no longer true.
    pub fn drop_event(&mut self, event: &Event) {
        self.notices.retain(|notice| notice.event != *event);
    }

    fn free_id(&self, event: &Event, to: Channel, now: OffsetDateTime) -> String {
        let format = format_description!("[year][month][day]T[hour][minute][second]Z");
        let at = now.to_offset(UtcOffset::UTC).format(format).unwrap_or_default();
        let what = event.name().replace(' ', "-");
        let who = event.who().map_or(String::new(), |who| format!("{}-", who.id));
        let channel = match to {
            Channel::Person => "person",
            Channel::Admin => "admin",
            Channel::Discord => "discord",
        };
        let id = format!("{what}-{who}{channel}-{at}");
        let taken = |id: &str| self.notices.iter().any(|notice| notice.id == id);
        (2u32..).map(|n| format!("{id}-{n}")).find(|next| !taken(next)).filter(|_| taken(&id)).unwrap_or(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::Letter;

    #[test]
    fn a_notice_of_an_older_version_with_its_count_of_tries_is_read() {
        let old = r#"[{"id": "undeliverable-7-admin-20261123T120000Z", "to": "admin", "written": "2026-11-23T12:00:00Z",
            "event": "undeliverable", "who": {"id": 7, "name": "Ada"}, "mail": "warning", "error": "550 no", "tries": 3}]"#;
        let outbox: Outbox = serde_json::from_str(old).unwrap();
        assert!(matches!(outbox.notices()[0].event, Event::Undeliverable { mail: Letter::Warning, .. }));
        let written = serde_json::to_value(&outbox).unwrap();
        assert_eq!(written[0]["mail"], "warning");
        assert_eq!(written[0].get("tries"), None);
    }
}
