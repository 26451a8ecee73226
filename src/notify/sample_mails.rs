use time::{Duration, OffsetDateTime};

use super::{Channel, Composed, Event, Summary, TautulliStep, Templates, Undelivered, Who, compose, compose_for_admin};
use crate::{config::MailConfig, verdict::Rules, words};

/// One mail of each kind (welcome, warning, removal, admin), about somebody made up, to the admin: to see whether the
/// templates work, and how the mails look. `now` is the time that they speak of, UTC.
pub fn sample_mails(
    config: &MailConfig,
    rules: &Rules,
    templates: &Templates,
    now: OffsetDateTime,
) -> Vec<(&'static str, Result<Composed, Undelivered>)> {
    let Rules { warn_days, kick_days, .. } = *rules;
    let who = Who { id: 1, name: "Test Person".to_owned(), email: Some(config.admin.to_string()) };
    let access_ends = now + rules.notice();
    let events = [
        Event::Joined { who: who.clone(), warn_days, kick_days },
        Event::Warned {
            who: who.clone(),
            idle_days: warn_days,
            access_ends,
            days_left: words::days_until(access_ends, now),
            last_watched: Some(now - Duration::days(warn_days.into())),
        },
        Event::Removed {
            who,
            reason: format!("nothing watched for {}", words::days(kick_days)),
            kick_days,
            plex: "nothing was ended: this is a test".to_owned(),
            tautulli: TautulliStep::Deleted,
            failing_since: None,
        },
    ];
    let id = |kind: &str| format!("<test-{kind}-{}@{}>", now.unix_timestamp(), config.from.email.domain());
    let to_person = |event: Event| {
        let kind = event.name();
        (kind, compose(&event, Channel::Person, config, templates, &id(kind), now))
    };
    let to_admin = ("admin", compose_for_admin(&Summary::test(now), config, templates, &id("admin"), now));
    events.into_iter().map(to_person).chain([to_admin]).collect()
}
