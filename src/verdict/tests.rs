use proptest::prelude::*;
use time::macros::{date, datetime};

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
const RULES: Rules = Rules { warn_days: 27, kick_days: 30, warn_first: false, prune_home_users: false };
const WARN_FIRST: Rules = Rules { warn_first: true, ..RULES };
/// When the whitelist entry up to 22 November ends.
const SPARED_UNTIL: OffsetDateTime = datetime!(2026-11-23 0:00 UTC);
const SECOND: Duration = Duration::SECOND;

fn ago(duration: Duration) -> OffsetDateTime {
    NOW - duration
}

/// Somebody who joined long ago and watched last at the given age.
fn watched(age: Duration) -> Facts {
    Facts {
        protections: Vec::new(),
        watching: false,
        joined: Some(ago(days(400))),
        revoked: false,
        history: History::Kept(Some(ago(age))),
        record_begins: Some(ago(days(365))),
        unrecorded_until: None,
        warned: None,
    }
}

fn never_watched(joined: Duration) -> Facts {
    Facts { joined: Some(ago(joined)), history: History::Kept(None), ..watched(Duration::ZERO) }
}

fn standing(facts: &Facts) -> Standing {
    judge(facts, &RULES, NOW).standing
}

#[test]
fn idle_days_decide_at_the_second() {
    let table = [
        (Duration::ZERO, 0, Standing::Active),
        (days(1) - SECOND, 0, Standing::Active),
        (days(1), 1, Standing::Active),
        (days(27) - SECOND, 26, Standing::Active),
        (days(27), 27, Standing::Warn),
        (days(27) + SECOND, 27, Standing::Warn),
        (days(30) - SECOND, 29, Standing::Warn),
        (days(30), 30, Standing::Remove),
        (days(30) + SECOND, 30, Standing::Remove),
        (days(399) - SECOND, 398, Standing::Remove),
        (-days(3), 0, Standing::Active),
    ];
    for (age, idle, expected) in table {
        let judgement = judge(&watched(age), &RULES, NOW);
        assert_eq!((judgement.idle_days, &judgement.standing), (Some(idle), &expected), "watched {age} ago");
        // Somebody who never watched counts from a day after joining: the same ages, one day further back.
        let judgement = judge(&never_watched(age + GRACE), &RULES, NOW);
        let expected = if age < Duration::ZERO { Standing::Grace } else { expected };
        assert_eq!(judgement.standing, expected, "joined a day before {age} ago");
    }
}

#[test]
fn grace_lasts_24_hours_to_the_second() {
    assert_eq!(standing(&never_watched(GRACE - SECOND)), Standing::Grace);
    assert_eq!(standing(&never_watched(GRACE)), Standing::Active);
    assert_eq!(standing(&never_watched(GRACE + SECOND)), Standing::Active);
    assert_eq!(standing(&never_watched(-days(2))), Standing::Grace, "a clock that is behind");
    let judgement = judge(&never_watched(GRACE - SECOND), &RULES, NOW);
    assert_eq!(judgement.next, Some((Milestone::CountingStarts, NOW + SECOND)));
}

#[test]
fn a_play_from_before_the_join_does_not_count_against_anybody() {
    let mut back = watched(days(200));
    back.joined = Some(ago(days(2)));
    assert_eq!(judge(&back, &RULES, NOW).idle_days, Some(1));
    back.joined = Some(ago(days(28)));
    assert_eq!(standing(&back), Standing::Warn);
}

#[test]
fn nothing_watched_counts_from_the_begin_of_the_record_at_the_earliest() {
    for (record, expected) in [
        (days(27) - SECOND, Standing::Active),
        (days(27), Standing::Warn),
        (days(30) - SECOND, Standing::Warn),
        (days(30), Standing::Remove),
        (days(300), Standing::Remove),
    ] {
        let facts = Facts { record_begins: Some(ago(record)), ..never_watched(days(179)) };
        assert_eq!(standing(&facts), expected, "recording for {record}");
    }
    // A play of an earlier stay is none in this one.
    let facts = Facts { history: History::Kept(Some(ago(days(400)))), ..never_watched(days(179)) };
    assert_eq!(standing(&Facts { record_begins: Some(ago(days(5))), ..facts.clone() }), Standing::Active);
    assert_eq!(standing(&facts), Standing::Remove);
    // Nor does anything count from a time in which they were not recorded.
    let facts = Facts { unrecorded_until: Some(ago(days(5))), ..watched(days(31)) };
    assert_eq!(judge(&facts, &RULES, NOW).idle_days, Some(5));
    // A record that is younger than a play is no reason to forget the play.
    let facts = Facts { record_begins: Some(ago(days(5))), ..watched(days(31)) };
    assert_eq!(standing(&facts), Standing::Remove);
}

#[test]
fn the_order_of_the_questions() {
    let idle = watched(days(90));
    let protections = vec![
        Protection::HomeUser,
        Protection::Whitelist { until: Some(date!(2026 - 11 - 22)) },
        Protection::Vip("mom".to_owned()),
        Protection::Admin,
    ];
    let mut facts = Facts { protections, watching: true, joined: None, ..idle };
    let rules = Rules { prune_home_users: true, ..RULES };
    assert_eq!(standing(&facts), Standing::Protected(Protection::HomeUser));
    assert_eq!(judge(&facts, &rules, NOW).standing, Standing::Protected(Protection::Vip("mom".to_owned())));
    facts.protections.truncate(2);
    assert_eq!(judge(&facts, &rules, NOW).standing, Standing::Watching);
    facts.watching = false;
    assert_eq!(judge(&facts, &rules, NOW).standing, Standing::CantTell(Unknown::NoJoinDate));
    facts.joined = Some(ago(GRACE - SECOND));
    facts.history = History::NotKept;
    assert_eq!(judge(&facts, &rules, NOW).standing, Standing::Grace);
    facts.joined = Some(ago(days(60)));
    for (history, unknown) in [
        (History::Unknown, Unknown::NotInTautulli),
        (History::Hidden, Unknown::HiddenInTautulli),
        (History::NotKept, Unknown::HistoryNotKept),
    ] {
        facts.history = history;
        let judgement = judge(&facts, &rules, NOW);
        assert_eq!(judgement.standing, Standing::CantTell(unknown));
        assert_eq!((judgement.idle_days, judgement.next, judgement.access_ends), (None, None, None));
    }
}

#[test]
fn every_protection_protects() {
    let all = [
        Protection::Owner,
        Protection::Admin,
        Protection::Vip("x".to_owned()),
        Protection::Whitelist { until: None },
        Protection::HomeUser,
    ];
    for protection in all {
        let facts = Facts { protections: vec![protection.clone()], ..watched(days(90)) };
        let judgement = judge(&facts, &RULES, NOW);
        assert_eq!(
            judgement,
            Judgement { standing: Standing::Protected(protection), idle_days: None, next: None, access_ends: None }
        );
    }
}

#[test]
fn the_whitelist_holds_to_the_end_of_its_last_day() {
    let until = Some(date!(2026 - 11 - 23));
    let facts = Facts { protections: vec![Protection::Whitelist { until }], ..watched(days(90)) };
    let end = datetime!(2026-11-24 0:00 UTC);
    let judgement = judge(&facts, &RULES, end - SECOND);
    assert_eq!(judgement.standing, Standing::Protected(Protection::Whitelist { until }));
    assert_eq!(judgement.next, Some((Milestone::ProtectionEnds, end)));
    assert_eq!(judge(&facts, &RULES, end).standing, Standing::Warn);
}

#[test]
fn a_whitelist_entry_that_has_ended_leaves_the_whole_warning_period() {
    let protections = vec![Protection::Whitelist { until: Some(date!(2026 - 11 - 22)) }];
    let end = datetime!(2026-11-23 0:00 UTC);
    let mut facts = Facts { protections, ..watched(days(90)) };
    let judgement = judge(&facts, &RULES, end);
    assert_eq!((judgement.standing, judgement.idle_days), (Standing::Warn, Some(89)));
    assert_eq!(judgement.access_ends, Some(end + days(3)));
    // A warning from before they were on the whitelist doesn't count.
    facts.warned = Some(Warning { at: end - days(5), delivered: Some(end - days(5)) });
    assert_eq!(judge(&facts, &RULES, end).standing, Standing::Warn);
    facts.warned = Some(Warning { at: end, delivered: Some(end) });
    assert_eq!(judge(&facts, &RULES, end + days(3) - SECOND).standing, Standing::Warned);
    assert_eq!(judge(&facts, &RULES, end + days(3)).standing, Standing::Remove);
    // Long after that, nothing of it is left.
    facts.history = History::Kept(Some(end + days(60)));
    facts.warned = None;
    assert_eq!(judge(&facts, &RULES, end + days(60 + 27) - SECOND).standing, Standing::Active);
}

#[test]
fn a_warning_is_given_once_a_spell() {
    let warned = |age: Duration, warned: Duration| Facts {
        warned: Some(Warning { at: ago(warned), delivered: Some(ago(warned)) }),
        ..watched(age)
    };
    assert_eq!(standing(&warned(days(28), days(1))), Standing::Warned);
    assert_eq!(standing(&warned(days(28), days(28) - SECOND)), Standing::Warned);
    assert_eq!(standing(&warned(days(28), days(28))), Standing::Warn, "watched after that warning");
    assert_eq!(standing(&warned(days(28), days(40))), Standing::Warn);
    assert_eq!(standing(&warned(days(3), days(1))), Standing::Active);
    assert_eq!(standing(&warned(days(30), days(3))), Standing::Remove);
}

#[test]
fn warn_first_waits_for_a_delivered_warning() {
    let idle = |delivered: Option<Duration>, at: Duration| Facts {
        warned: Some(Warning { at: ago(at), delivered: delivered.map(ago) }),
        ..watched(days(90))
    };
    let table = [
        (watched(days(90)), Standing::Warn, NOW + days(3)),
        (idle(None, days(20)), Standing::Warned, NOW + days(3)),
        (idle(Some(days(3) - SECOND), days(20)), Standing::Warned, NOW + SECOND),
        (idle(Some(days(3)), days(20)), Standing::Remove, NOW),
        (idle(Some(days(3) + SECOND), days(20)), Standing::Remove, NOW),
        (idle(Some(days(95)), days(95)), Standing::Warn, NOW + days(3)),
        (watched(days(30) - SECOND), Standing::Warn, NOW + days(3)),
        (watched(days(26)), Standing::Active, NOW + days(4)),
    ];
    for (facts, expected, ends) in table {
        let judgement = judge(&facts, &WARN_FIRST, NOW);
        assert_eq!((judgement.standing, judgement.access_ends), (expected, Some(ends)), "{facts:?}");
    }
    // A warning delivered long before the threshold does not bring the removal forward.
    let facts = Facts { warned: idle(Some(days(20)), days(20)).warned, ..watched(days(29)) };
    assert_eq!(judge(&facts, &WARN_FIRST, NOW).standing, Standing::Warned);
}

#[test]
fn next_is_the_step_that_the_sweep_will_take() {
    let judgement = judge(&watched(days(20)), &RULES, NOW);
    assert_eq!(judgement.next, Some((Milestone::Warning, NOW + days(7))));
    assert_eq!(judgement.access_ends, Some(NOW + days(10)));
    let judgement = judge(&watched(days(28)), &RULES, NOW);
    assert_eq!(judgement.next, Some((Milestone::Warning, NOW)));
    assert_eq!(judgement.access_ends, Some(NOW + days(2)));
    let judgement = judge(&watched(days(33)), &RULES, NOW);
    assert_eq!(judgement.next, Some((Milestone::Removal, NOW)));
    let warned = Some(Warning { at: ago(days(1)), delivered: None });
    let judgement = judge(&Facts { warned, ..watched(days(28)) }, &RULES, NOW);
    assert_eq!(judgement.next, Some((Milestone::Removal, NOW + days(2))));
    let judgement = judge(&Facts { watching: true, ..watched(days(28)) }, &RULES, NOW);
    assert_eq!(judgement.next, None);
    assert_eq!(judgement.idle_days, Some(0));
}

fn age() -> impl Strategy<Value = Duration> {
    // Around the thresholds as often as anywhere else, and in the future (a clock that is behind).
    prop_oneof![
        (-5_000_000i64..50_000_000).prop_map(Duration::seconds),
        (prop_oneof![Just(1i64), Just(2), Just(26), Just(27), Just(28), Just(29), Just(30), Just(31)], -2i64..=2)
            .prop_map(|(day, second)| Duration::days(day) + Duration::seconds(second)),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    (1u32..60, 1u32..60, any::<bool>(), any::<bool>()).prop_map(|(warn_days, more, warn_first, prune_home_users)| {
        Rules { warn_days, kick_days: warn_days + more, warn_first, prune_home_users }
    })
}

fn protection() -> impl Strategy<Value = Protection> {
    prop_oneof![
        Just(Protection::Owner),
        Just(Protection::Admin),
        Just(Protection::Vip("mom".to_owned())),
        Just(Protection::Whitelist { until: None }),
        Just(Protection::Whitelist { until: Some(date!(2026 - 11 - 22)) }),
        Just(Protection::Whitelist { until: Some(date!(2026 - 11 - 23)) }),
        Just(Protection::HomeUser),
    ]
}

fn facts() -> impl Strategy<Value = Facts> {
    let history = prop_oneof![
        Just(History::Unknown),
        Just(History::Hidden),
        Just(History::NotKept),
        proptest::option::of(age()).prop_map(|age| History::Kept(age.map(ago))),
        age().prop_map(|age| History::Kept(Some(ago(age)))),
    ];
    let warning = (age(), proptest::option::of(age()))
        .prop_map(|(at, delivered)| Warning { at: ago(at), delivered: delivered.map(ago) });
    (
        prop_oneof![3 => Just(Vec::new()), 1 => proptest::collection::vec(protection(), 0..3)],
        proptest::bool::weighted(0.1),
        proptest::option::weighted(0.9, age()),
        history,
        proptest::option::of(age()),
        proptest::option::of(warning),
    )
        .prop_map(|(protections, watching, joined, history, record, warned)| Facts {
            protections,
            watching,
            joined: joined.map(ago),
            history,
            record_begins: record.map(ago),
            unrecorded_until: None,
            warned,
        })
}

/// How bad a verdict is for the person.
fn severity(standing: &Standing) -> u8 {
    match standing {
        Standing::Warn | Standing::Warned => 1,
        Standing::Remove => 2,
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_bothered_who_is_protected_watching_new_or_unjudgeable(facts in facts(), rules in rules()) {
        let judgement = judge(&facts, &rules, NOW);
        let protected = facts.protections.iter().any(|protection| match protection {
            Protection::HomeUser => !rules.prune_home_users,
            Protection::Whitelist { until: Some(day) } => *day >= NOW.date(),
            _ => true,
        });
        let in_grace = facts.joined.is_none_or(|joined| NOW - joined < Duration::DAY);
        let unjudgeable = !matches!(facts.history, History::Kept(_));
        if protected || facts.watching || in_grace || unjudgeable {
            prop_assert_eq!(severity(&judgement.standing), 0, "{:?}", judgement);
        }
    }

    #[test]
    fn a_later_watch_never_makes_it_worse(facts in facts(), rules in rules(), later in 0i64..50_000_000) {
        let before = judge(&facts, &rules, NOW);
        let History::Kept(last) = facts.history else { return Ok(()) };
        let watched = last.unwrap_or_else(|| ago(Duration::days(700))) + Duration::seconds(later);
        // "Never watched" counts from the record's begin, so only a watch since then is a later one.
        let watched_here = last.is_some_and(|last| facts.joined.is_some_and(|joined| last >= joined));
        prop_assume!(watched_here || facts.record_begins.is_none_or(|begins| watched >= begins));
        let after = judge(&Facts { history: History::Kept(Some(watched)), ..facts }, &rules, NOW);
        prop_assert!(severity(&after.standing) <= severity(&before.standing), "{before:?} became {after:?}");
        prop_assert!(after.idle_days <= before.idle_days);
    }

    #[test]
    fn removal_takes_the_idle_days_and_the_chances_promised(facts in facts(), rules in rules()) {
        let judgement = judge(&facts, &rules, NOW);
        let spared = facts.protections.contains(&Protection::Whitelist { until: Some(date!(2026 - 11 - 22)) });
        if judgement.standing == Standing::Remove {
            let joined = facts.joined.unwrap();
            let idle_since = match facts.history {
                History::Kept(Some(watched)) => watched,
                History::Kept(None) => facts.record_begins.unwrap_or(joined),
                _ => unreachable!("nobody without history is removed"),
            };
            let limit = Duration::days(i64::from(rules.kick_days));
            prop_assert!(NOW - idle_since >= limit && NOW - joined >= limit + Duration::DAY);
            prop_assert!(judgement.access_ends == Some(NOW));
            prop_assert!(!spared || NOW - SPARED_UNTIL >= rules.notice());
            if rules.warn_first {
                let delivered = facts.warned.unwrap().delivered.unwrap();
                prop_assert!(NOW - delivered >= rules.notice());
            }
        }
        if matches!(judgement.standing, Standing::Warn | Standing::Warned) {
            prop_assert!(judgement.idle_days >= Some(rules.warn_days));
            prop_assert!(judgement.access_ends > Some(NOW));
            prop_assert!(rules.warn_first || spared || judgement.idle_days < Some(rules.kick_days));
        }
        prop_assert!(judgement.next.is_none_or(|(_, at)| at >= NOW));
    }

    #[test]
    fn somebody_warned_is_not_warned_again_until_they_watch(facts in facts(), rules in rules(), hours in 0i64..2000) {
        if judge(&facts, &rules, NOW).standing == Standing::Warn {
            let warned = Some(Warning { at: NOW, delivered: Some(NOW) });
            let later = judge(&Facts { warned, ..facts }, &rules, NOW + Duration::hours(hours));
            prop_assert_ne!(later.standing, Standing::Warn);
        }
    }
}
