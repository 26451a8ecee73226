//! Nobody is removed who should not be: what has cost people their access, or could, each by its name.

mod limits;
mod names;
mod original;
mod protected;
mod record;
mod returns;
mod shares;
mod unrecorded;
mod warn_first;

use serde_json::Value;

use crate::support::Sandbox;

/// The program's own view of a person: their row in `status --json`.
#[track_caller]
fn row(sandbox: &Sandbox, id: u64) -> Value {
    let report = sandbox.run(&["status", "--json"]).exits(0).json();
    let people = report["people"].as_array().unwrap();
    people.iter().find(|person| person["id"] == id).expect("the person is in the report").clone()
}

/// A person's standing and the reason for it, as `status` says it.
#[track_caller]
fn standing(sandbox: &Sandbox, id: u64) -> (String, String) {
    let row = row(sandbox, id);
    (row["standing"].as_str().unwrap().to_owned(), row["reason"].as_str().unwrap_or_default().to_owned())
}

/// Who of these can reach the server.
fn there<const N: usize>(sandbox: &Sandbox, ids: [u64; N]) -> [bool; N] {
    ids.map(|id| sandbox.on_plex(id))
}

/// A pass a day, for so many days; `daily` happens first on each of them.
fn sweep_daily(sandbox: &Sandbox, days: i64, daily: impl Fn(&Sandbox)) {
    for _ in 0..days {
        sandbox.advance(crate::support::days(1));
        daily(sandbox);
        sandbox.run(&["welcome"]).exits(0);
        sandbox.run(&["sweep"]).exits(0);
    }
}
