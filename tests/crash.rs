//! A pass is killed (SIGKILL) at every point between two outward effects: before and after each request that writes, each
//! mail, each post, and within each write of the state. Later passes put everything right, and nothing happens twice but,
//! at most, what was in flight.

mod power_cut;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;

use serde_json::Value;

use crate::story::{clean, ids, minutes, waiting};
use crate::support::{Mail, Sandbox, days, days_ago};

/// A pass with something to do.
struct Scene {
    /// What is there before it.
    lay: fn() -> Sandbox,
    command: &'static str,
    /// All that it should change in the world, sorted.
    effects: &'static [&'static str],
    /// What should be true in the end.
    end: fn(&Sandbox),
}

/// Two people to warn and two to remove; ada is active, and max is protected.
const SWEEP: Scene = Scene {
    lay: || {
        static SETTLED: OnceLock<String> = OnceLock::new();
        let settled = SETTLED.get_or_init(|| {
            let sandbox = household();
            sandbox.run(&["welcome"]).exits(0);
            std::fs::read_to_string(sandbox.state_path()).unwrap()
        });
        let sandbox = household();
        sandbox.write_state(settled);
        sandbox
    },
    command: "sweep",
    effects: &[
        "discord: Removed: rita",
        "discord: Removed: rolf",
        "discord: Warned: walt",
        "discord: Warned: wanda",
        "mail admin@example.test: [Centauri] Removed: rita",
        "mail admin@example.test: [Centauri] Removed: rolf",
        "mail admin@example.test: [Centauri] Warned: walt",
        "mail admin@example.test: [Centauri] Warned: wanda",
        "mail rita@example.test: Your access to Centauri has ended",
        "mail rolf@example.test: Your access to Centauri has ended",
        "mail walt@example.test: Centauri: 3 days left to watch something",
        "mail wanda@example.test: Centauri: 2 days left to watch something",
        "plex DELETE /api/v2/sharings/1005",
        "plex DELETE /api/v2/sharings/1006",
        "tautulli delete_user 1005",
        "tautulli delete_user 1006",
    ],
    end: |sandbox| {
        assert_eq!([1005, 1006].map(|id| sandbox.in_tautulli(id)), [false; 2]);
        let state = sandbox.state();
        for id in ["1005", "1006"] {
            let removed = &state["removed"][id];
            let steps = ["ok", "tautulli_deleted", "announced"].map(|step| removed[step] == true);
            assert_eq!(steps, [true; 3], "{removed}");
        }
        assert_eq!(ids(sandbox, "removed"), ["1005", "1006"]);
        assert_eq!(ids(sandbox, "warned"), ["1003", "1004"]);
        assert!(["1003", "1004"].iter().all(|id| state["warned"][id]["delivered"].is_string()));
        assert_eq!(ids(sandbox, "welcomed"), ["1001", "1002", "1003", "1004"]);
        assert!(ids(sandbox, "gone").is_empty());
    },
};

/// newt has joined, and rita, who had been removed, is back.
const WELCOME: Scene = Scene {
    lay: || {
        static REMOVED: OnceLock<String> = OnceLock::new();
        let removed = REMOVED.get_or_init(|| {
            let sandbox = household();
            sandbox.run(&["welcome"]).exits(0);
            sandbox.run(&["sweep"]).exits(0);
            std::fs::read_to_string(sandbox.state_path()).unwrap()
        });
        let sandbox = household();
        sandbox.leaves(1006);
        sandbox.known(1005).hidden_in_tautulli();
        sandbox.write_state(removed).advance(days(1));
        sandbox.invite_again(1005);
        sandbox.joins(1020, "newt");
        sandbox
    },
    command: "welcome",
    effects: &[
        "discord: Joined: newt",
        "discord: Joined: rita",
        "mail admin@example.test: [Centauri] Joined: newt",
        "mail admin@example.test: [Centauri] Joined: rita",
        "mail newt@example.test: Welcome to Centauri",
        "mail rita@example.test: Welcome to Centauri",
        "tautulli undelete_user 1005",
    ],
    end: |sandbox| {
        assert!(sandbox.tautulli.keeps_history(1005) && sandbox.in_tautulli(1005));
        assert_eq!(ids(sandbox, "welcomed"), ["1001", "1002", "1003", "1004", "1005", "1020"]);
        assert_eq!(ids(sandbox, "removed"), ["1006"]);
        assert!(ids(sandbox, "gone").is_empty());
    },
};

fn household() -> Sandbox {
    let sandbox = crate::sandbox();
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1002, "max").watched(days_ago(50));
    sandbox.person(1003, "walt").watched(days_ago(27));
    sandbox.person(1004, "wanda").watched(days_ago(28));
    sandbox.person(1005, "rita").watched(days_ago(33));
    sandbox.person(1006, "rolf").watched(days_ago(40));
    sandbox.live().set_env("VIP_NAMES", "max");
    sandbox
}

/// A world in which a pass was killed, and at which point.
struct Killed {
    sandbox: Sandbox,
    point: String,
    /// What it had changed in the world until then.
    writes: Vec<String>,
}

impl Scene {
    /// Kills the pass at its `n`-th point. None if it has fewer.
    fn killed_at(&self, n: usize) -> Option<Killed> {
        let sandbox = (self.lay)();
        sandbox.set_env("PLEX_PRUNE_TEST_DIE_AT", n);
        let run = sandbox.run(&[self.command]);
        sandbox.unset_env("PLEX_PRUNE_TEST_DIE_AT");
        if run.status != -9 {
            run.exits(0);
            return None;
        }
        let point = run.stderr.trim_end().rsplit_once("killed: ").expect("the point has a name").1.to_owned();
        let writes = sandbox.writes();
        Some(Killed { sandbox, point, writes })
    }

    /// Kills the pass at each of its points, in a world of its own each, and looks with `look` at what comes of it.
    /// Returns the names of the points.
    fn killed_everywhere(&self, look: impl Fn(usize, &Killed) + Sync) -> Vec<String> {
        let (next, over, points) = (AtomicUsize::new(1), AtomicBool::new(false), Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !over.load(Ordering::SeqCst) {
                        let n = next.fetch_add(1, Ordering::SeqCst);
                        let Some(killed) = self.killed_at(n) else { return over.store(true, Ordering::SeqCst) };
                        look(n, &killed);
                        points.lock().unwrap().push((n, killed.point));
                    }
                });
            }
        });
        let mut points = points.into_inner().unwrap();
        points.sort();
        assert!(points.iter().map(|(n, _)| *n).eq(1..=points.len()), "every point was tried");
        points.into_iter().map(|(_, name)| name).collect()
    }

    /// Everything happened, and once; only what was in flight may have happened twice.
    fn is_done(&self, killed: &Killed) {
        let Killed { sandbox, point, writes } = killed;
        let mut all = sandbox.writes();
        all.sort();
        let twice: Vec<String> = all.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone()).collect();
        all.dedup();
        assert_eq!(all, self.effects, "after a kill {point}");
        let in_flight = writes.last().into_iter().cloned().collect::<Vec<_>>();
        assert!(twice.is_empty() || twice == in_flight, "after a kill {point}: {twice:?} happened again");
        let mut message_ids: Vec<String> = sandbox.mails().iter().map(Mail::message_id).collect();
        message_ids.sort();
        message_ids.dedup();
        let mails = self.effects.iter().filter(|effect| effect.starts_with("mail")).count();
        assert_eq!(message_ids.len(), mails, "after a kill {point}: a repeated mail keeps its Message-ID");
        (self.end)(sandbox);
        self.nobody_is_harmed(killed);
    }

    /// Whoever should keep access has it, nothing is owed any more, and nothing happened that should not.
    fn nobody_is_harmed(&self, killed: &Killed) {
        let Killed { sandbox, point, .. } = killed;
        assert_eq!([1001, 1002, 1003, 1004].map(|id| sandbox.on_plex(id)), [true; 4], "after a kill {point}");
        let welcomed = self.command == "welcome";
        assert_eq!(
            [1005, 1006, 1020].map(|id| sandbox.on_plex(id)),
            [welcomed, false, welcomed],
            "after a kill {point}"
        );
        let unexpected: Vec<_> =
            sandbox.writes().into_iter().filter(|write| !self.effects.contains(&write.as_str())).collect();
        assert!(unexpected.is_empty(), "after a kill {point}: {unexpected:?}");
        assert!(waiting(sandbox).is_empty());
        clean(sandbox);
    }
}

/// Passes run until one changes nothing more.
fn until_quiet(sandbox: &Sandbox) {
    for _ in 0..4 {
        let before = sandbox.writes().len();
        sandbox.advance(minutes(30)).run(&["welcome"]).exits(0);
        sandbox.run(&["sweep"]).exits(0);
        if sandbox.writes().len() == before {
            return;
        }
    }
    panic!("it never ends: {:#?}", sandbox.writes());
}

/// `state.json` as the kill left it: whole, if it is there.
fn state_is_valid(sandbox: &Sandbox) {
    for file in [sandbox.state_path(), sandbox.state_dir().join("state.json.bak")] {
        if let Ok(text) = std::fs::read(&file) {
            assert!(serde_json::from_slice::<Value>(&text).is_ok(), "{} is not whole", file.display());
        }
    }
}

fn killed_everywhere(scene: &Scene) -> Vec<String> {
    scene.killed_everywhere(|_, killed| {
        state_is_valid(&killed.sandbox);
        until_quiet(&killed.sandbox);
        scene.is_done(killed);
        let leftovers = std::fs::read_dir(killed.sandbox.state_dir()).unwrap().count();
        assert_eq!(leftovers, 3, "state.json, its backup and its lock");
    })
}

/// How often a point is among those passed.
fn count(points: &[String], name: &str) -> usize {
    points.iter().filter(|point| *point == name).count()
}

/// Each step was interrupted on both sides.
#[track_caller]
fn covers(points: &[String], requests: usize, mails: usize, posts: usize, saves: usize) {
    for (what, times) in [("a request", requests), ("a mail", mails), ("a post", posts)] {
        for side in ["before", "after"] {
            assert_eq!(count(points, &format!("{side} {what}")), times, "{side} {what}: {points:#?}");
        }
    }
    for file in ["state.json", "state.json.bak"] {
        for step in ["before writing", "before the rename to", "after the rename to"] {
            assert_eq!(count(points, &format!("{step} {file}")), saves, "{step} {file}: {points:#?}");
        }
    }
    assert_eq!(points.len(), 2 * (requests + mails + posts) + 6 * saves);
}

#[test]
fn a_sweep_that_is_killed_anywhere_is_finished_by_later_passes() {
    let points = killed_everywhere(&SWEEP);
    covers(&points, 4, 8, 4, 23);
}

#[test]
fn a_welcome_that_is_killed_anywhere_is_finished_by_later_passes() {
    let points = killed_everywhere(&WELCOME);
    covers(&points, 1, 4, 2, 7);
}
