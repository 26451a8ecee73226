//! Each service down, slow and wrong, at each step, a row a fault. Every row is run the same way: a pass that meets the
//! fault, another one half an hour later that meets it too, and a healthy one, which completes everything.

mod mail;
mod questions;
mod stale;
mod writes;

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::story::{clean, minutes, waiting};
use crate::support::{Fault, Run, Sandbox, days, days_ago};

/// What a sweep should do, sorted: rita is to be removed, walt to be warned.
const SWEEP: [&str; 8] = [
    "discord: Removed: rita",
    "discord: Warned: walt",
    "mail admin@example.test: [Centauri] Removed: rita",
    "mail admin@example.test: [Centauri] Warned: walt",
    "mail rita@example.test: Your access to Centauri has ended",
    "mail walt@example.test: Centauri: 3 days left to watch something",
    "plex DELETE /api/v2/sharings/1005",
    "tautulli delete_user 1005",
];

/// What a welcome should do, sorted: newt has joined.
const WELCOME: [&str; 3] = [
    "discord: Joined: newt",
    "mail admin@example.test: [Centauri] Joined: newt",
    "mail newt@example.test: Welcome to Centauri",
];

/// What a welcome should do for somebody who was removed and is back.
const BACK: [&str; 4] = [
    "discord: Joined: rita",
    "mail admin@example.test: [Centauri] Joined: rita",
    "mail rita@example.test: Welcome to Centauri",
    "tautulli undelete_user 1005",
];

/// A fault and what comes of it.
struct Row {
    name: String,
    scene: Scene,
    /// Makes things go wrong.
    lay: Box<dyn Fn(&Sandbox) + Send + Sync>,
    /// Mends them, where that takes more than forgetting the faults and giving back the environment.
    mend: fn(&Sandbox),
    /// How a pass that meets it exits.
    exit: i32,
    /// A part of what it logs.
    says: String,
    /// What the passes that meet it change in the world, sorted. A try without effect doesn't count.
    meanwhile: Vec<String>,
    /// What has happened after the healthy pass, sorted.
    finally: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// A sweep that warns and removes.
    Sweep,
    /// A welcome with somebody new.
    Welcome,
    /// A welcome with somebody who is back.
    Back,
}

impl Row {
    /// A fault for which a pass fails without doing anything, and which is gone without a trace after it.
    fn new(name: impl Into<String>, scene: Scene, lay: impl Fn(&Sandbox) + Send + Sync + 'static) -> Self {
        let all = match scene {
            Scene::Sweep => owned(&SWEEP),
            Scene::Welcome => owned(&WELCOME),
            Scene::Back => owned(&BACK),
        };
        let (name, lay) = (name.into(), Box::new(lay));
        Self { name, scene, lay, mend: |_| {}, exit: 1, says: String::new(), meanwhile: Vec::new(), finally: all }
    }

    fn says(mut self, part: impl Into<String>) -> Self {
        self.says = part.into();
        self
    }

    /// All of it happens meanwhile, except for what begins like this.
    fn meanwhile_all_but(mut self, begin: &str) -> Self {
        self.meanwhile = self.finally.iter().filter(|write| !write.starts_with(begin)).cloned().collect();
        self
    }

    /// The fault doesn't matter.
    fn harmless(mut self) -> Self {
        self.exit = 0;
        self.meanwhile = self.finally.clone();
        self
    }

    /// This happens meanwhile.
    fn meanwhile(mut self, writes: &[&str]) -> Self {
        self.meanwhile = owned(writes);
        self
    }

    /// This happens as well, or once more: meanwhile and so in the end.
    fn and(mut self, writes: &[&str]) -> Self {
        for list in [&mut self.meanwhile, &mut self.finally] {
            list.extend(owned(writes));
            list.sort();
        }
        self
    }

    fn run(&self) {
        let Self { name, scene, .. } = self;
        let sandbox = scene.set();
        let environment = sandbox.env();
        (self.lay)(&sandbox);
        let run = |pass: &str| -> Run {
            let run = sandbox.run(&[scene.command()]);
            assert!(run.took < Duration::from_secs(60), "{name}, {pass}: it took {:?}", run.took);
            assert!(!run.stderr.contains("panicked"), "{name}, {pass}\n{run}");
            assert_eq!([1001, 1002, 1003, 1004].map(|id| sandbox.on_plex(id)), [true; 4], "{name}, {pass}\n{run}");
            run
        };
        let first = run("first pass");
        assert_eq!(first.status, self.exit, "{name}\n{first}");
        assert!(first.stderr.contains(&self.says), "{name}: the log lacks {:?}\n{first}", self.says);
        sandbox.advance(minutes(30));
        let second = run("second pass");
        assert_eq!(effects(&sandbox), self.meanwhile, "{name}\n{first}\n{second}");
        sandbox.mend().advance(minutes(30));
        sandbox.unset_env("PLEX_PRUNE_TEST_TIMEOUT");
        for (variable, value) in environment.iter().filter(|(variable, _)| variable != "PLEX_PRUNE_TEST_NOW") {
            sandbox.set_env(variable, value);
        }
        (self.mend)(&sandbox);
        let healthy = run("healthy pass");
        assert_eq!(healthy.status, 0, "{name}\n{first}\n{second}\n{healthy}");
        assert_eq!(effects(&sandbox), self.finally, "{name}\n{first}\n{second}\n{healthy}");
        assert!(waiting(&sandbox).is_empty(), "{name}");
        clean(&sandbox);
    }
}

impl Scene {
    fn command(self) -> &'static str {
        if self == Self::Sweep { "sweep" } else { "welcome" }
    }

    fn set(self) -> Sandbox {
        let sandbox = crate::sandbox();
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1002, "max").watched(days_ago(50));
        sandbox.person(1003, "walt").watched(days_ago(27));
        sandbox.person(1004, "tim").watched(days_ago(50)).home_user();
        sandbox.person(1005, "rita").watched(days_ago(33));
        sandbox.live().set_env("VIP_NAMES", "max");
        sandbox.run(&["welcome"]).exits(0);
        match self {
            Self::Sweep => {}
            Self::Welcome => drop(sandbox.joins(1020, "newt")),
            Self::Back => {
                sandbox.run(&["sweep"]).exits(0);
                sandbox.advance(days(1)).invite_again(1005);
            }
        }
        sandbox.forget();
        sandbox
    }
}

/// What was changed in the world, sorted. A lost answer is an effect; a try that failed is none.
fn effects(sandbox: &Sandbox) -> Vec<String> {
    let writes = sandbox.writes().into_iter().map(|write| write.replace(" -> answer lost", ""));
    let mut effects: Vec<String> = writes.filter(|write| !write.contains(" -> ")).collect();
    effects.sort();
    effects
}

fn owned(writes: &[&str]) -> Vec<String> {
    writes.iter().map(ToString::to_string).collect()
}

/// Runs the rows, some side by side: they wait much more than they compute.
fn run_all(rows: Vec<Row>) {
    let rows = Mutex::new(rows);
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                while let Some(row) = { rows.lock().unwrap().pop() } {
                    row.run();
                }
            });
        }
    });
}

/// What it is called, how it is made, and how the log speaks of it.
type HttpFault = (&'static str, fn() -> Fault, &'static str);

/// What an HTTP service can do wrong so that nothing takes effect, and how the log speaks of it.
fn http_faults() -> Vec<HttpFault> {
    vec![
        ("cut", || Fault::CutBefore, "the connection broke ("),
        ("hang", || Fault::Hang, "no answer in time"),
        ("401", || Fault::status(401), "it answered 401: made to fail"),
        ("403", || Fault::status(403), "it answered 403: made to fail"),
        ("404", || Fault::status(404), "it answered 404: made to fail"),
        ("410", || Fault::status(410), "it answered 410: made to fail"),
        ("429, at once", || Fault::too_many(0), "it answered 429: Too many requests"),
        ("429, much later", || Fault::too_many(86_400), "it answered 429: Too many requests"),
        ("500", || Fault::status(500), "it answered 500: made to fail"),
        ("502", || Fault::html(502), "it answered 502: an HTML page"),
        ("503, without a word", || Fault::Answer(crate::support::Response::empty(503)), "it answered 503"),
        (
            "redirect",
            || Fault::redirect("https://elsewhere.example/?X-Plex-Token=hush"),
            "it redirects to https://elsewhere.example/,",
        ),
        ("another shape", || Fault::json(200, json!({"unexpected": true})), "its answer can't be understood ("),
        ("a page", || Fault::html(200), "its answer can't be understood (it is an HTML page)"),
    ]
}

/// For hangs: a timeout that a healthy pass on a busy machine keeps.
fn impatient(sandbox: &Sandbox) {
    sandbox.set_env("PLEX_PRUNE_TEST_TIMEOUT", 1500);
}
