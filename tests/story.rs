//! What the stories of the passes have in common.

use crate::support::{Run, Sandbox};

pub(crate) const ADMIN: &str = "admin@example.test";

/// A sandbox whose passes act, and in which the first `welcome` has been: whoever joins now is new.
pub(crate) fn settled(people: impl Fn(&Sandbox)) -> Sandbox {
    let sandbox = crate::sandbox();
    people(&sandbox);
    sandbox.live();
    sandbox.run(&["welcome"]).exits(0);
    sandbox.forget();
    sandbox
}

/// The log without its times, a line each.
pub(crate) fn log(run: &Run) -> Vec<&str> {
    run.stderr.lines().map(|line| line.split_once("Z ").map_or(line, |(_, said)| said)).collect()
}

/// The program logged exactly these lines.
#[track_caller]
pub(crate) fn logged(run: &Run, lines: &[&str]) {
    assert_eq!(log(run), lines, "{run}");
}

/// This happened to the world since the last chapter, in this order, and nothing else.
#[track_caller]
pub(crate) fn happened(sandbox: &Sandbox, writes: &[&str]) {
    assert_eq!(sandbox.writes(), writes);
}

/// Nothing happened to the world since the last chapter.
#[track_caller]
pub(crate) fn nothing_happened(sandbox: &Sandbox) {
    happened(sandbox, &[]);
}

/// The program did nothing that it must never do.
#[track_caller]
pub(crate) fn clean(sandbox: &Sandbox) {
    assert!(sandbox.violations().is_empty(), "{:?}", sandbox.violations());
}

/// The subjects of the mails to an address.
pub(crate) fn subjects(sandbox: &Sandbox, address: &str) -> Vec<String> {
    sandbox.mails_to(address).iter().map(crate::support::Mail::subject).collect()
}

/// The titles of what Discord took.
pub(crate) fn titles(sandbox: &Sandbox) -> Vec<String> {
    let title = |post: &serde_json::Value| post["embeds"][0]["title"].as_str().unwrap_or_default().to_owned();
    sandbox.posts().iter().map(title).collect()
}

/// The keys of one of the state's maps: Plex ids.
pub(crate) fn ids(sandbox: &Sandbox, map: &str) -> Vec<String> {
    let state = sandbox.state();
    state[map].as_object().map(|entries| entries.keys().cloned().collect()).unwrap_or_default()
}

/// The ids of the notices that wait in the outbox.
pub(crate) fn waiting(sandbox: &Sandbox) -> Vec<String> {
    let state = sandbox.state();
    let notices = state["outbox"].as_array().cloned().unwrap_or_default();
    notices.iter().map(|notice| notice["id"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A span.
pub(crate) fn minutes(minutes: i64) -> time::Duration {
    time::Duration::minutes(minutes)
}

/// A span.
pub(crate) fn seconds(seconds: i64) -> time::Duration {
    time::Duration::seconds(seconds)
}
