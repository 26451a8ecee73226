//! What the stories of the passes have in common.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;

use serde_json::{Value, json};
use time::Duration;

use crate::support::{CENTAURI, Fault, Mail, Rule, Run, Sandbox, get};

pub(crate) const ADMIN: &str = "admin@example.test";

/// The path of plex.tv's list of shares.
pub(crate) const SHARES: &str = "/api/v2/shared_servers/owned/accepted";

/// The states after the first `welcome`, by what Plex listed then.
static FIRST_STATES: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// A sandbox whose passes act, and in which the first `welcome` has been: whoever joins now is new. For people who were
/// here in another test already, the state that their first `welcome` left is put there, which is faster.
pub(crate) fn settled(people: impl Fn(&Sandbox)) -> Sandbox {
    let sandbox = crate::sandbox();
    people(&sandbox);
    sandbox.live();
    let listed = format!("{} {}", sandbox.now(), listed(&sandbox));
    let known = FIRST_STATES.lock().unwrap().get(&listed).cloned();
    if let Some(state) = known {
        sandbox.write_state(&state);
    } else {
        sandbox.run(&["welcome"]).exits(0);
        let state = std::fs::read_to_string(sandbox.state_path()).unwrap();
        FIRST_STATES.lock().unwrap().insert(listed, state);
    }
    sandbox.forget();
    sandbox
}

/// What plex.tv answers to the question for the shares.
fn listed(sandbox: &Sandbox) -> String {
    let mut plex = TcpStream::connect(sandbox.plex.url().trim_start_matches("http://")).unwrap();
    let headers = "X-Plex-Token: sandbox-plex-token\r\nX-Plex-Client-Identifier: test\r\nX-Plex-Product: test\r\n\
                   X-Plex-Version: 1\r\nX-Plex-Platform: test\r\nAccept: application/json\r\nConnection: close";
    write!(plex, "GET {SHARES} HTTP/1.1\r\n{headers}\r\n\r\n").unwrap();
    let mut answer = String::new();
    plex.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer
}

/// A sweep, some time after the last pass. These people have just watched something; the others watched nothing since.
pub(crate) fn sweep_after(sandbox: &Sandbox, by: Duration, watching: &[u64]) -> Run {
    sandbox.advance(by);
    watching.iter().for_each(|id| sandbox.watches(*id));
    sandbox.run(&["sweep"])
}

/// Somebody's share on this server, as plex.tv lists it.
pub(crate) fn share(sandbox: &Sandbox, person: u64, name: &str) -> Value {
    json!({
        "id": sandbox.plex.share_id(person, CENTAURI).unwrap_or(71000 + person), "ownerId": 42, "invitedId": person,
        "accepted": true, "acceptedAt": "2026-05-07T12:00:00Z", "deletedAt": null, "leftAt": null,
        "machineIdentifier": CENTAURI,
        "invited": {"id": person, "username": name, "title": name, "email": format!("{name}@example.test")},
    })
}

/// plex.tv lists these shares and no others.
pub(crate) fn plex_lists(sandbox: &Sandbox, shares: impl Into<Value>) -> Rule {
    sandbox.plex.fail(get(SHARES), Fault::json(200, shares.into()))
}

/// The program's own view of a person: their row in `status --json`.
#[track_caller]
pub(crate) fn row(sandbox: &Sandbox, id: u64) -> Value {
    let mut report = sandbox.run(&["status", "--json"]).exits(0).json();
    let people = report["people"].as_array_mut().unwrap();
    people.iter_mut().find(|person| person["id"] == id).expect("the person is in the report").take()
}

/// A person's standing as `status` says it, and the reason where there is one: `protected: VIP`.
#[track_caller]
pub(crate) fn standing(sandbox: &Sandbox, id: u64) -> String {
    let row = row(sandbox, id);
    [&row["standing"], &row["reason"]].iter().filter_map(|word| word.as_str()).collect::<Vec<_>>().join(": ")
}

/// Who of these people can reach the server.
pub(crate) fn have_access<const N: usize>(sandbox: &Sandbox, ids: [u64; N]) -> [bool; N] {
    clean(sandbox);
    ids.map(|id| sandbox.on_plex(id))
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
    clean(sandbox);
    assert_eq!(sandbox.writes(), writes);
}

/// Nothing happened to the world since the last chapter.
#[track_caller]
pub(crate) fn nothing_happened(sandbox: &Sandbox) {
    happened(sandbox, &[]);
}

/// The program did nothing that it must never do. The other looks at a sandbox in this file see to it as well.
#[track_caller]
pub(crate) fn clean(sandbox: &Sandbox) {
    assert!(sandbox.violations().is_empty(), "{:?}", sandbox.violations());
}

/// The subjects of the mails to an address.
pub(crate) fn subjects(sandbox: &Sandbox, address: &str) -> Vec<String> {
    clean(sandbox);
    sandbox.mails_to(address).iter().map(Mail::subject).collect()
}

/// The titles of what Discord took.
pub(crate) fn titles(sandbox: &Sandbox) -> Vec<String> {
    clean(sandbox);
    let title = |post: &Value| post["embeds"][0]["title"].as_str().unwrap_or_default().to_owned();
    sandbox.posts().iter().map(title).collect()
}

/// The keys of one of the state's maps: Plex ids.
pub(crate) fn ids(sandbox: &Sandbox, map: &str) -> Vec<String> {
    clean(sandbox);
    let state = sandbox.state();
    state[map].as_object().map(|entries| entries.keys().cloned().collect()).unwrap_or_default()
}

/// The ids of the notices that wait in the outbox.
pub(crate) fn waiting(sandbox: &Sandbox) -> Vec<String> {
    clean(sandbox);
    let state = sandbox.state();
    let notices = state["outbox"].as_array().cloned().unwrap_or_default();
    notices.iter().map(|notice| notice["id"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A span.
pub(crate) fn minutes(minutes: i64) -> Duration {
    Duration::minutes(minutes)
}

/// A span.
pub(crate) fn seconds(seconds: i64) -> Duration {
    Duration::seconds(seconds)
}
