use time::OffsetDateTime;

use super::{
    Event, PassKind, TautulliStep, Who,
    wording::{day, moment, one_line},
};
use crate::words;

/// An event in the words that the admin's mail and Discord share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What happened, in a few words: `Removed: Ada`. The subject and the headline.
    pub title: String,
    /// What it means and what to do, if anything.
    pub sentence: String,
    /// The details, in the order in which they are shown.
    pub facts: Vec<Fact>,
}

/// One detail of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What the value is: `Last watched`.
    pub label: &'static str,
    /// The value on one line, never empty.
    pub value: String,
}

impl Summary {
    /// The summary of an event. Names and servers' answers are put on one line each, and are otherwise as they came: whoever
    /// shows the summary escapes it.
    pub fn of(event: &Event) -> Self {
        match event {
            Event::Joined { who, warn_days, kick_days } => Self::about(
                "Joined",
                who,
                format!(
                    "{} is new on the server. Without watching they are warned after {} and lose access after {}; the first \
                     24 hours don't count.",
                    name(who),
                    words::days(*warn_days),
                    words::days(*kick_days)
                ),
                [],
            ),
            Event::Warned { who, idle_days, access_ends, days_left, last_watched } => Self::about(
                "Warned",
                who,
                format!(
                    "{} has watched nothing for {} and is told that access is about to end.",
                    name(who),
                    words::days(*idle_days)
                ),
                [
                    fact("Last watched", last_watched.map_or("nothing yet".to_owned(), day)),
                    fact("Access ends", moment(*access_ends)),
                    fact("Days left", days_left.to_string()),
                ],
            ),
            Event::Removed { who, reason, plex, tautulli, failing_since, .. } => {
                Self::removed(who, reason, plex, tautulli, *failing_since)
            }
            Event::RemovalFailed { who, reason, error } => Self::about(
                "Removal failed",
                who,
                format!(
                    "{} should have lost access and still has it. Every sweep tries again; you hear of it when it works.",
                    name(who)
                ),
                [fact("Reason", reason), fact("Problem", error)],
            ),
            Event::CalledOff { who, why } => Self::about(
                "Removal called off",
                who,
                format!("{} keeps access: the removal that failed earlier is no longer due.", name(who)),
                [fact("Why", why)],
            ),
            Event::Refused { pass, why } => {
                let (done, again) = match pass {
                    PassKind::Welcome => ("welcomed", "pass"),
                    PassKind::Sweep => ("removed", "sweep"),
                };
                Self {
                    title: format!("Nobody was {done}, for safety"),
                    sentence: format!(
                        "The last {pass} held back, as something did not look right. Every {again} looks again; you hear \
                         of it once a day at most."
                    ),
                    facts: vec![fact("Why", why)],
                }
            }
            Event::GaveUp { notices } => Self {
                title: "Notices given up".to_owned(),
                sentence: "These could not be sent for a week, and are not tried any more.".to_owned(),
                facts: notices.iter().map(|notice| fact("Notice", notice)).collect(),
            },
            Event::Undeliverable { who, mail, error } => Self::about(
                "Mail refused",
                who,
                format!(
                    "The {} mail for {} can't be delivered and is not tried again. You may want to tell them in another way.",
                    mail.name(),
                    name(who)
                ),
                [fact("Answer", error)],
            ),
        }
    }

    /// What `verify --send-test` sends. `now` is shown in UTC.
    pub fn test(now: OffsetDateTime) -> Self {
        Self {
            title: "Test message".to_owned(),
            sentence: "If you can read this, notices arrive. Nobody else got this message.".to_owned(),
            facts: vec![fact("Sent", moment(now))],
        }
    }

    fn removed(
        who: &Who,
        reason: &str,
        plex: &str,
        tautulli: &TautulliStep,
        failing_since: Option<OffsetDateTime>,
    ) -> Self {
        let (result, tautulli) = match tautulli {
            TautulliStep::Deleted => ("done", "deleted, history and all".to_owned()),
            TautulliStep::Pending(error) => (
                "access ended; Tautulli is still to do",
                format!("not deleted yet, every sweep tries again: {}", one_line(error)),
            ),
        };
        let mut facts =
            vec![fact("Result", result), fact("Reason", reason), fact("Plex", plex), fact("Tautulli", tautulli)];
        facts.extend(failing_since.map(|since| fact("Failing since", format!("{}; it worked now", moment(since)))));
        Self::about("Removed", who, format!("{} no longer has access to the server.", name(who)), facts)
    }

    fn about(what: &str, who: &Who, sentence: String, facts: impl IntoIterator<Item = Fact>) -> Self {
        let person = [
            fact("Name", &who.name),
            fact("E-mail", who.email.as_deref().unwrap_or("none")),
            fact("Plex id", who.id.to_string()),
        ];
        Self { title: format!("{what}: {}", name(who)), sentence, facts: person.into_iter().chain(facts).collect() }
    }
}

fn name(who: &Who) -> String {
    one_line(&who.name)
}

fn fact(label: &'static str, value: impl AsRef<str>) -> Fact {
    let value = one_line(value.as_ref());
    Fact { label, value: if value.is_empty() { "–".to_owned() } else { value } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn ada() -> Who {
        Who { id: 7, name: "Ada".into(), email: None }
    }

    #[test]
    fn a_removal_names_result_reason_and_every_step() {
        let summary = Summary::of(&Event::Removed {
            who: ada(),
            reason: "Nothing watched for 31 days".into(),
            kick_days: 30,
            plex: "share on Centauri ended".into(),
            tautulli: TautulliStep::Pending("connection\nrefused".into()),
            failing_since: Some(datetime!(2026-11-20 12:00 UTC)),
        });
        assert_eq!(summary.title, "Removed: Ada");
        let facts: Vec<_> = summary.facts.iter().map(|fact| format!("{}: {}", fact.label, fact.value)).collect();
        assert_eq!(
            facts,
            [
                "Name: Ada",
                "E-mail: none",
                "Plex id: 7",
                "Result: access ended; Tautulli is still to do",
                "Reason: Nothing watched for 31 days",
                "Plex: share on Centauri ended",
                "Tautulli: not deleted yet, every sweep tries again: connection refused",
                "Failing since: Friday 20 November 2026, 12:00 UTC; it worked now",
            ]
        );
    }

    #[test]
    fn nothing_watched_is_said_in_words() {
        let summary = Summary::of(&Event::Warned {
            who: ada(),
            idle_days: 1,
            access_ends: datetime!(2026-11-26 12:00 UTC),
            days_left: 3,
            last_watched: None,
        });
        assert!(summary.sentence.contains("nothing for 1 day and"));
        assert!(summary.facts.contains(&Fact { label: "Last watched", value: "nothing yet".into() }));
    }

    #[test]
    fn an_empty_value_still_shows() {
        assert_eq!(fact("Answer", " \n").value, "–");
    }
}
