//! SIGTERM and SIGINT: a pass ends after the step in progress, with the state written, and the next one goes on.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::story::{happened, ids, minutes, settled, waiting};
use crate::support::{Fault, Gate, Run, Running, Sandbox, When, cmd, days, days_ago, delete, get, post};

/// rita and rolf are to be removed.
fn two_due() -> Sandbox {
    settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1005, "rita").watched(days_ago(33));
        sandbox.person(1006, "rolf").watched(days_ago(33));
    })
}

const ALL: [&str; 10] = [
    "discord: Removed: rita",
    "discord: Removed: rolf",
    "mail admin@example.test: [Centauri] Removed: rita",
    "mail admin@example.test: [Centauri] Removed: rolf",
    "mail rita@example.test: Your access to Centauri has ended",
    "mail rolf@example.test: Your access to Centauri has ended",
    "plex DELETE /api/v2/sharings/1005",
    "plex DELETE /api/v2/sharings/1006",
    "tautulli delete_user 1005",
    "tautulli delete_user 1006",
];

/// Later passes finish everything, and only once.
#[track_caller]
fn the_next_pass_finishes(sandbox: &Sandbox) {
    sandbox.mend().advance(minutes(30)).run(&["sweep"]).exits(0);
    let mut writes = sandbox.writes();
    writes.retain(|write| !write.contains(" -> "));
    writes.sort();
    assert_eq!(writes, ALL);
    assert!(waiting(sandbox).is_empty() && sandbox.on_plex(1001));
    assert_eq!(ids(sandbox, "removed"), ["1005", "1006"]);
}

const SIGTERM_BIT: u64 = 1 << 14;

/// Sends a signal, and waits until the pass got it.
fn signal(pass: &Running, signal: &str) {
    let pid = pass.pid().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    let pending = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.lines().any(|line| line.starts_with("ShdPnd") && !line.ends_with("\t0000000000000000"))
    };
    while pending() {
        std::thread::yield_now();
    }
}

#[test]
fn a_step_that_hangs_is_left_within_ten_seconds() {
    type Lay = fn(&Sandbox) -> Gate;
    let hangs: [(&str, &str, Lay); 6] = [
        ("a question to Plex", "-TERM", |sandbox| plex(sandbox, get("/api/v2/resources"))),
        ("a question to Tautulli", "-INT", |sandbox| tautulli(sandbox, cmd("get_history"))),
        ("the end of a share", "-TERM", |sandbox| plex(sandbox, delete("/"))),
        ("a deletion", "-INT", |sandbox| tautulli(sandbox, cmd("delete_user"))),
        ("a mail", "-TERM", |sandbox| sandbox.smtp.gate_before().1),
        ("a post", "-INT", |sandbox| {
            let (fault, gate) = Fault::gate_before();
            sandbox.discord.fail(post("/"), fault).times(1);
            gate
        }),
    ];
    std::thread::scope(|scope| {
        for (name, sign, lay) in hangs {
            scope.spawn(move || {
                let sandbox = two_due();
                let gate = lay(&sandbox);
                let sweep = sandbox.spawn(&["sweep"]);
                gate.wait();
                let since = Instant::now();
                signal(&sweep, sign);
                let run = sweep.wait();
                assert!(since.elapsed() < Duration::from_secs(10), "{name}: {:?}\n{run}", since.elapsed());
                run.exits(1).stderr_has("stopped in the middle of a step; the next pass goes on from there\n");
                the_next_pass_finishes(&sandbox);
                // What hung takes effect only now.
                drop(gate);
            });
        }
    });
}

fn plex(sandbox: &Sandbox, when: When) -> Gate {
    let (fault, gate) = Fault::gate_before();
    sandbox.plex.fail(when, fault).times(1);
    gate
}

fn tautulli(sandbox: &Sandbox, when: When) -> Gate {
    let (fault, gate) = Fault::gate_before();
    sandbox.tautulli.fail(when, fault).times(1);
    gate
}

/// Runs a pass up to a gate, asks it to end there, and opens the gate.
fn asked_to_end_at(command: &str, sandbox: &Sandbox, gate: &Gate, sign: &str) -> Run {
    let pass = sandbox.spawn(&[command]);
    gate.wait();
    signal(&pass, sign);
    gate.open();
    let run = pass.wait();
    run.exits(1).stderr_has("stopped early, as asked; the next pass goes on from here\n");
    assert!(run.took < Duration::from_secs(8), "{run}");
    run
}

#[test]
fn between_two_people_a_pass_ends_after_the_first_removal_is_done() {
    for sign in ["-TERM", "-INT"] {
        let sandbox = two_due();
        let gate = plex(&sandbox, delete("/"));
        asked_to_end_at("sweep", &sandbox, &gate, sign);
        assert_eq!(sandbox.writes().len(), 2, "{:?}", sandbox.writes());
        assert_eq!([1005, 1006].map(|id| sandbox.on_plex(id)), [false, true]);
        assert_eq!((ids(&sandbox, "removed"), waiting(&sandbox).len()), (vec!["1005".to_owned()], 3));
        assert!(sandbox.state()["last_inactivity_scan"].is_null(), "not everybody was looked at");
        the_next_pass_finishes(&sandbox);
    }
}

#[test]
fn between_two_removals_that_lack_tautulli_a_pass_ends_after_the_first() {
    let sandbox = two_due();
    sandbox.tautulli.fail(cmd("delete_user"), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().advance(minutes(30)).forget();
    let gate = tautulli(&sandbox, cmd("delete_user"));
    asked_to_end_at("sweep", &sandbox, &gate, "-TERM");
    assert_eq!(sandbox.writes(), ["tautulli delete_user 1005"]);
    sandbox.advance(minutes(30)).run(&["sweep"]).exits(0);
    happened(&sandbox, &["tautulli delete_user 1005", "tautulli delete_user 1006"]);
}

#[test]
fn between_two_mails_a_pass_ends_after_the_first_is_noted() {
    let sandbox = two_due();
    let (rule, gate) = sandbox.smtp.gate_before();
    asked_to_end_at("sweep", &sandbox, &gate, "-TERM");
    rule.mend();
    assert_eq!((sandbox.mails().len(), waiting(&sandbox).len()), (1, 5));
    the_next_pass_finishes(&sandbox);
}

#[test]
fn a_welcome_ends_between_two_newcomers_too() {
    let sandbox = two_due();
    sandbox.run(&["sweep"]).exits(0);
    sandbox.advance(days(1)).forget().invite_again(1005);
    sandbox.invite_again(1006);
    let gate = tautulli(&sandbox, cmd("undelete_user"));
    asked_to_end_at("welcome", &sandbox, &gate, "-TERM");
    assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1005"]);
    sandbox.advance(minutes(2)).run(&["welcome"]).exits(0);
    assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1005", "1006"]);
    assert!([1005, 1006].iter().all(|id| sandbox.tautulli.keeps_history(*id)));
    assert_eq!((sandbox.mails().len(), sandbox.posts().len()), (4, 2));
}

#[test]
fn a_welcome_that_is_stopped_before_a_newcomer_says_so() {
    let sandbox = two_due();
    sandbox.advance(minutes(2)).joins(1020, "newt");
    let gate = plex(&sandbox, get("/api/v2/resources"));
    asked_to_end_at("welcome", &sandbox, &gate, "-TERM").stderr_lacks("nobody is new");
    assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1005", "1006"]);
    assert_eq!(sandbox.state()["last_welcome_scan"], "2026-11-23T12:00:00Z");
    sandbox.advance(minutes(2)).run(&["welcome"]).exits(0).stderr_has("welcomed newt");
}

#[test]
fn a_first_welcome_that_is_stopped_was_the_first_all_the_same() {
    let sandbox = crate::sandbox();
    sandbox.person(1005, "rita").watched(days_ago(33));
    sandbox.live().run(&["sweep"]).exits(0);
    sandbox.advance(days(1)).forget().invite_again(1005);
    let gate = plex(&sandbox, get("/api/v2/resources"));
    asked_to_end_at("welcome", &sandbox, &gate, "-TERM");
    sandbox.joins(1020, "newt");
    sandbox.advance(minutes(2)).run(&["welcome"]).exits(0);
    assert_eq!([1005, 1020].map(|id| ids(&sandbox, "welcomed").contains(&id.to_string())), [true, true]);
    assert_eq!(sandbox.mails_to("newt@example.test").len(), 1);
}

#[test]
fn a_pass_that_waits_for_the_lock_can_be_stopped_as_well() {
    let sandbox = two_due();
    let gate = plex(&sandbox, get("/api/v2/resources"));
    let first = sandbox.spawn(&["sweep"]);
    gate.wait();
    let second = sandbox.spawn(&["sweep"]);
    let listens = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", second.pid())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & SIGTERM_BIT != 0
    };
    while !listens() {
        std::thread::yield_now();
    }
    signal(&second, "-TERM");
    let run = second.wait();
    assert!(run.status == 75 && run.took < Duration::from_secs(10), "{run}");
    gate.open();
    first.wait().exits(0);
    the_next_pass_finishes(&sandbox);
}
