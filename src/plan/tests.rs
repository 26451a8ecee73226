use plex_prune_standins::{
    model::{self, Due},
    stories::{Story, Tally, any_rule, run, story},
};
use time::{Duration, OffsetDateTime, macros::datetime};

use super::*;
use crate::{
    services::{
        plex::{Server, Share},
        tautulli::User,
    },
    state::{Seen, Warned, WhitelistEntry},
    verdict::{
        Rules,
        households::{self, Known, at},
    },
};

const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

fn settings() -> Settings {
    Settings {
        rules: Rules::default(),
        dry_run: false,
        vips: Vec::new(),
        max_removals: 10,
        state_dir: "state".into(),
        welcome_every: Duration::minutes(2),
        sweep_every: Duration::minutes(30),
        admin: "admin@example.test".parse().unwrap(),
    }
}

fn server() -> Server {
    Server { name: "Centauri".to_owned(), machine_identifier: "centauri".to_owned() }
}

/// A share that was accepted a year ago; its id is the person's plus 70,000.
fn share(person: u64) -> Share {
    Share {
        id: 70_000 + person,
        owner: Some(42),
        machine_identifier: "centauri".to_owned(),
        accepted: Some(NOW - Duration::days(365)),
        person,
        username: Some(format!("guest{person}")),
        title: None,
        email: Some(format!("guest{person}@example.test")),
        home: false,
    }
}

fn user(id: u64, last_seen: Option<OffsetDateTime>) -> User {
    User { id, names: vec![format!("guest{id}")], last_seen, keeps_history: true }
}

/// A household in good order, in which people (by Plex id) last watched something so many days ago.
fn snapshot(people: &[(u64, i64)]) -> Snapshot {
    let users = people.iter().map(|&(id, days)| user(id, Some(NOW - Duration::days(days))));
    Snapshot {
        server: Some(Ok(server())),
        shares: Some(Ok(people.iter().map(|&(id, _)| share(id)).collect())),
        home: Some(Ok(vec![42])),
        connected: Some(Ok(true)),
        watched_server: Some(Ok(server())),
        users: Some(Ok(Some(users.collect()))),
        libraries: Some(Ok(Vec::new())),
        recording_since: Some(Ok(NOW - Duration::days(400))),
        activity: Some(Ok(Vec::new())),
        ..Snapshot::default()
    }
}

fn sweep_of(snapshot: &Snapshot, state: &State, settings: &Settings) -> Plan {
    let people = People::of(snapshot, settings, state).unwrap();
    sweep(&people, snapshot, state, settings, NOW)
}

fn welcome_of(snapshot: &Snapshot, state: &State) -> Plan {
    let people = People::of(snapshot, &settings(), state).unwrap();
    welcome(&people, state, &settings(), NOW)
}

/// The state of a household that welcomed these people long ago.
fn settled(people: &[u64]) -> State {
    let seen = |&id: &u64| (id, Seen { name: None, when: NOW - Duration::days(365), share: Some(70_000 + id) });
    State {
        last_welcome_scan: Some(NOW),
        welcomed: people.iter().map(seen).collect(),
        people_on_plex: people.len(),
        ..State::default()
    }
}

/// A removal of two days ago, of which nothing but the intent is noted.
fn intent(id: u64) -> Removed {
    let json = serde_json::json!({"when": "2026-11-21T12:00:00Z", "name": format!("guest{id}"), "share": 70_000 + id,
        "ok": false, "announced": false});
    serde_json::from_value(json).unwrap()
}

#[test]
fn everybody_who_is_due_gets_one_step_in_the_order_of_names() {
    let plan = sweep_of(&snapshot(&[(3, 40), (1, 1), (2, 27), (4, 29)]), &State::default(), &settings());
    let access_ends = NOW + Duration::days(3);
    assert_eq!(
        plan.steps,
        [
            Step::Warn { id: 2, idle_days: 27, access_ends },
            Step::Remove { id: 3, idle_days: 40 },
            Step::Warn { id: 4, idle_days: 29, access_ends: NOW + Duration::days(1) },
        ]
    );
    assert_eq!((plan.refusal, plan.held_back, plan.still_listed, plan.remarks), (None, vec![], vec![], vec![]));
}

#[test]
fn whoever_watches_now_is_not_due() {
    let watching = Snapshot { activity: Some(Ok(vec![3])), ..snapshot(&[(3, 40)]) };
    assert_eq!(sweep_of(&watching, &State::default(), &settings()).steps, []);
}

#[test]
fn evidence_that_does_not_add_up_holds_everything_back() {
    let sound = || snapshot(&[(2, 28), (3, 40)]);
    let other = Server { machine_identifier: "another".to_owned(), ..server() };
    let before = State { people_on_plex: 20, ..State::default() };
    let nobody = Snapshot { shares: Some(Ok(Vec::new())), ..sound() };
    for (snapshot, state, refusal) in [
        (Snapshot { connected: Some(Ok(false)), ..sound() }, State::default(), Refusal::Disconnected),
        (
            Snapshot { watched_server: Some(Ok(other)), ..sound() },
            State::default(),
            Refusal::OtherServer { server: "Centauri".to_owned() },
        ),
        (Snapshot { users: Some(Ok(None)), ..sound() }, State::default(), Refusal::NoRows),
        (sound(), before.clone(), Refusal::MostMissing { listed: 2, before: 20 }),
        (nobody, before, Refusal::NobodyOnPlex { before: 20 }),
    ] {
        let plan = sweep_of(&snapshot, &state, &settings());
        assert_eq!((plan.steps.as_slice(), &plan.refusal), (&[][..], &Some(refusal)));
        assert!(plan.holds_everything_back());
    }
    let cut_off = Snapshot { connected: Some(Ok(false)), ..sound() };
    let plan = sweep_of(&cut_off, &State::default(), &settings());
    assert_eq!((plan.to_warn().collect(), plan.to_remove().collect()), (vec![2], vec![3]), "held back, and still due");
}

#[test]
fn the_brake_holds_removals_back_and_nothing_else() {
    let settings = Settings { max_removals: 1, ..settings() };
    let at_the_limit = sweep_of(&snapshot(&[(3, 40), (4, 28)]), &State::default(), &settings);
    assert_eq!((at_the_limit.refusal.as_ref(), at_the_limit.steps.len()), (None, 2));
    let state = State { removed: [(9, intent(9))].into(), ..State::default() };
    let over = sweep_of(&snapshot(&[(3, 40), (4, 28), (5, 40)]), &state, &settings);
    assert_eq!(over.refusal, Some(Refusal::TooMany { due: 2, limit: 1 }));
    assert!(!over.holds_everything_back());
    assert_eq!(over.steps.iter().map(Step::id).collect::<Vec<_>>(), [9, 4], "what was begun is finished");
    assert_eq!(over.held_back.iter().map(Step::id).collect::<Vec<_>>(), [3, 5]);
}

#[test]
fn a_share_that_was_ended_and_is_still_listed_is_not_due_again() {
    let ended = Removed { ok: true, ..intent(3) };
    let state = State { removed: [(3, ended)].into(), ..State::default() };
    let plan = sweep_of(&snapshot(&[(3, 40)]), &state, &settings());
    assert_eq!((plan.steps.as_slice(), plan.still_listed.as_slice()), (&[][..], &[3][..]));
}

#[test]
fn an_intent_is_called_off_when_its_reason_is_gone() {
    let state = State { removed: [(3, intent(3))].into(), ..State::default() };
    let plan = sweep_of(&snapshot(&[(3, 2)]), &state, &settings());
    let why = "they last watched something on 2026-11-21".to_owned();
    assert_eq!(plan.steps, [Step::CallOff { id: 3, why }]);
}

/// What a sweep does about a half-done removal of somebody whom Plex does not list any more.
fn resumed(removed: Removed, change: impl Fn(&mut Settings, &mut State, &mut Snapshot)) -> Step {
    let (mut settings, mut snapshot) = (settings(), snapshot(&[(1, 1)]));
    let mut state = State { removed: [(9, removed)].into(), ..State::default() };
    change(&mut settings, &mut state, &mut snapshot);
    let plan = sweep_of(&snapshot, &state, &settings);
    let is_open = !state.removed[&9].ok && matches!(plan.steps[0], Step::Resume { .. });
    assert_eq!(plan.needs_evidence(&state), is_open, "what has ended goes on without further questions");
    plan.steps[0].clone()
}

#[test]
fn a_half_done_removal_goes_on_unless_something_protects_the_person_now() {
    let entry = |name: &str, id, until| WhitelistEntry { name: name.to_owned(), id, since: NOW, until, note: None };
    let today = NOW.date();
    let called_off = Step::CallOff { id: 9, why: "they are protected now".to_owned() };
    let named = || Removed { names: vec!["unclenine".to_owned()], ..intent(9) };
    assert_eq!(resumed(intent(9), |_, _, _| {}), Step::Resume { id: 9 });
    for (what, vip) in [("name", "Guest 9"), ("id", "9"), ("title", "Uncle Nine")] {
        assert_eq!(resumed(named(), |settings, _, _| settings.vips.push(vip.to_owned())), called_off, "{what}");
    }
    let admin = |settings: &mut Settings, _: &mut State, _: &mut Snapshot| {
        settings.admin = "nine@example.test".parse().unwrap()
    };
    assert_eq!(resumed(Removed { email: Some("Nine@example.test".to_owned()), ..intent(9) }, admin), called_off);
    let listed = |until| resumed(intent(9), move |_, state, _| state.whitelist.push(entry("guest9", Some(9), until)));
    assert_eq!(listed(None), called_off);
    assert_eq!(listed(Some(today)), called_off, "the last day counts in full");
    assert_eq!(listed(today.previous_day()), Step::Resume { id: 9 }, "an entry that has ended protects nobody");
    let home = |prune| {
        resumed(intent(9), move |settings, _, snapshot| {
            settings.rules.prune_home_users = prune;
            snapshot.home = Some(Ok(vec![42, 9]));
        })
    };
    assert_eq!((home(false), home(true)), (called_off, Step::Resume { id: 9 }));
    let ended = Removed { ok: true, ..intent(9) };
    let step = resumed(ended, |settings, _, _| settings.vips.push("9".to_owned()));
    assert_eq!(step, Step::Resume { id: 9 }, "what has ended is told, whoever it was");
}

#[test]
fn a_warning_is_forgotten_once_its_spell_is_over() {
    let state = State { warned: [(3, Warned::from(NOW - Duration::days(9)))].into(), ..State::default() };
    assert_eq!(sweep_of(&snapshot(&[(3, 2)]), &state, &settings()).steps, [Step::ForgetWarning { id: 3 }]);
    assert_eq!(sweep_of(&snapshot(&[(3, 29)]), &state, &settings()).steps, [], "warned in this spell");
}

#[test]
fn a_welcome_tells_who_is_new_from_who_was_there() {
    let people = snapshot(&[(1, 1), (2, 1), (3, 1), (4, 1)]);
    let first = welcome_of(&people, &State::default());
    assert!(first.steps.iter().all(|step| matches!(step, Step::Record { why: "first pass", .. })), "{first:?}");
    let mut state = settled(&[1, 8]);
    state.removed.insert(2, Removed { ok: true, share: Some(5), ..intent(2) });
    let gone = Seen { name: None, when: NOW - Duration::DAY, share: Some(70_003) };
    state.gone.insert(3, gone);
    let why = "the share was only missing from Plex's list for a while";
    assert_eq!(
        welcome_of(&people, &state).steps,
        [
            Step::Welcome { id: 2, back: true },
            Step::Record { id: 3, why },
            Step::Welcome { id: 4, back: false },
            Step::MarkLeft { id: 8 },
        ]
    );
    state.removed.insert(2, Removed { ok: true, ..intent(2) });
    assert!(!welcome_of(&people, &state).steps.iter().any(|step| step.id() == 2), "the share that was ended");
}

#[test]
fn a_welcome_holds_back_where_plex_lists_too_few() {
    let ids: Vec<u64> = (1..=20).collect();
    let plan = welcome_of(&snapshot(&[(1, 1), (30, 1)]), &settled(&ids));
    assert_eq!(plan.refusal, Some(Refusal::MostMissing { listed: 2, before: 20 }));
    assert_eq!(plan.steps, []);
}

/// Households day by day through half a year, from what the services say to the plan.
#[test]
fn hundreds_of_households_live_through_half_a_year_as_the_plan_and_a_naive_model_say() {
    let by_the_plan = |story: &Story, tally: &mut Tally| households::live_through(story, tally, by_the_plan);
    let tally = run(250, 6, story(any_rule(40), 182 * 24, 4, 20..=30), by_the_plan);
    assert!(tally.warnings > 250 && tally.removals > 120 && tally.returns > 50, "{tally:?}");
}

fn by_the_plan(guest: &model::Guest, known: &Known, story: &Story, hour: i64) -> Due {
    let vips = if guest.vip { vec!["Guest 7".to_owned()] } else { Vec::new() };
    let settings = Settings { rules: households::rules(&story.rule), vips, ..settings() };
    let entry = |until| WhitelistEntry {
        name: "guest7".to_owned(),
        id: Some(7),
        since: at(hour),
        until: Some(until),
        note: None,
    };
    let warned = known.warned.map(|warning| (7, Warned { name: None, when: warning.at, delivered: warning.delivered }));
    let state = State {
        whitelist: known.protected_until.map(entry).into_iter().collect(),
        warned: warned.into_iter().collect(),
        ..State::default()
    };
    let user = User { keeps_history: guest.kept, ..user(7, known.newest_play) };
    let snapshot = Snapshot {
        shares: Some(Ok(vec![Share { accepted: known.joined, ..share(7) }])),
        home: Some(Ok(if guest.home { vec![42, 7] } else { vec![42] })),
        users: Some(Ok(Some(vec![user]))),
        recording_since: Some(Ok(at(-story.recording_since))),
        activity: Some(Ok(if guest.watching { vec![7] } else { Vec::new() })),
        ..snapshot(&[])
    };
    let people = People::of(&snapshot, &settings, &state).unwrap();
    match sweep(&people, &snapshot, &state, &settings, at(hour)).steps.as_slice() {
        [Step::Remove { .. }] => Due::Removal,
        [Step::Warn { .. }] => Due::Warning,
        _ => Due::Nothing,
    }
}
