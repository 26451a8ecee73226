//! A clock that is behind, ahead, or jumps: nobody is idle sooner, and nothing is lost.

use serde_json::json;
use time::format_description::well_known::{Rfc2822, Rfc3339};
use time::{Duration, OffsetDateTime};

use crate::story::{have_access, ids, minutes, nothing_happened, settled, titles, waiting};
use crate::support::{CENTAURI, Fault, Response, Rule, Sandbox, cmd, days, days_ago, get};

/// rita is to be removed, walt to be warned.
fn people(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1003, "walt").watched(days_ago(27));
    sandbox.person(1005, "rita").watched(days_ago(33));
}

/// The program's clock is off; the world's is not.
fn off_by(sandbox: &Sandbox, by: Duration) {
    sandbox.set_env("PLEX_PRUNE_TEST_NOW", (sandbox.now() + by).format(&Rfc3339).unwrap());
}

/// plex.tv says what time it is, as the real one does.
fn plex_says(sandbox: &Sandbox, time: OffsetDateTime) -> Rule {
    let date = time.format(&Rfc2822).unwrap().replace("+0000", "GMT");
    let servers = json!([{"name": "Centauri", "clientIdentifier": CENTAURI, "provides": "server", "owned": true}]);
    sandbox.plex.fail(get("/api/v2/resources"), Fault::Answer(Response::json(200, &servers).header("Date", &date)))
}

#[track_caller]
fn everything_happens(sandbox: &Sandbox) {
    off_by(sandbox, Duration::ZERO);
    sandbox.mend().run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(have_access(sandbox, [1001, 1003, 1005]), [true, true, false]);
    let mut titles = titles(sandbox);
    titles.sort();
    assert_eq!(titles, ["Removed: rita", "Warned: walt"]);
    assert_eq!((sandbox.mails().len(), waiting(sandbox).len()), (4, 0));
}

#[test]
fn with_a_clock_that_is_behind_nobody_is_idle() {
    let sandbox = settled(people);
    for behind in [days(34), days(3650), Duration::days(20_000)] {
        off_by(&sandbox, -behind);
        for command in ["welcome", "sweep"] {
            sandbox.run(&[command]).exits(0).stderr_lacks("panicked");
        }
        nothing_happened(&sandbox);
        for person in sandbox.run(&["status", "--json"]).json()["people"].as_array().unwrap() {
            assert!(person["idle_days"].as_u64().unwrap_or(0) == 0, "{person}");
        }
        assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1003", "1005"]);
    }
    everything_happens(&sandbox);
}

#[test]
fn a_clock_that_is_ahead_of_plex_s_costs_nobody_their_access() {
    let sandbox = settled(people);
    plex_says(&sandbox, sandbox.now());
    for ahead in [Duration::hours(2), days(30), days(3650), Duration::days(100_000)] {
        off_by(&sandbox, ahead);
        for command in ["welcome", "sweep"] {
            let run = sandbox.run(&[command]);
            run.exits(1).stderr_has("plex.tv: could not find the server: this machine's clock is ahead of its (");
            run.stderr_has(" here, 2026-11-23 12:00 UTC there). Set this machine's clock, and keep it right (NTP)\n");
        }
        nothing_happened(&sandbox);
    }
    everything_happens(&sandbox);
}

#[test]
fn a_clock_that_is_ahead_of_tautulli_s_costs_nobody_their_access_either() {
    let sandbox = settled(people);
    let date = (sandbox.now() - days(3)).format(&Rfc2822).unwrap().replace("+0000", "GMT");
    let connected = json!({"response": {"result": "success", "message": null, "data": {"connected": true}}});
    let answer = Response::json(200, &connected).header("Date", &date);
    sandbox.tautulli.fail(cmd("server_status"), Fault::Answer(answer));
    sandbox.run(&["sweep"]).exits(1).stderr_has("Set the clock that is wrong, and keep it right (NTP)\n");
    nothing_happened(&sandbox);
    everything_happens(&sandbox);
}

#[test]
fn a_few_minutes_make_no_difference() {
    for off in [minutes(50), minutes(-50)] {
        let sandbox = settled(people);
        let rule = plex_says(&sandbox, sandbox.now());
        off_by(&sandbox, off);
        sandbox.run(&["sweep"]).exits(0);
        assert!(rule.used() > 0 && !sandbox.on_plex(1005));
    }
}

#[test]
fn a_date_that_is_not_one_makes_no_difference() {
    let sandbox = settled(people);
    let servers = json!([{"name": "Centauri", "clientIdentifier": CENTAURI, "provides": "server", "owned": true}]);
    let answer = Response::json(200, &servers).header("Date", "yesterday");
    sandbox.plex.fail(get("/api/v2/resources"), Fault::Answer(answer));
    everything_happens(&sandbox);
}

/// What was recorded while the clock was years ahead, unnoticed, costs nobody anything later.
#[test]
fn times_recorded_in_the_future_are_not_held_against_anybody_later() {
    let sandbox = settled(people);
    off_by(&sandbox, days(3650));
    sandbox.joins(1020, "newt").accepted_at_null();
    sandbox.run(&["welcome"]).exits(0);
    sandbox.forget();
    off_by(&sandbox, Duration::ZERO);
    // newt was first seen ten years from now.
    sandbox.run(&["welcome"]).exits(0);
    nothing_happened(&sandbox);
    everything_happens(&sandbox);
    assert!(sandbox.on_plex(1020));
}

#[test]
fn a_notice_from_the_future_is_sent_and_one_from_the_past_is_not_given_up_by_a_clock_that_is_behind() {
    let sandbox = settled(people);
    sandbox.smtp.busy();
    sandbox.run(&["sweep"]).exits(1);
    off_by(&sandbox, days(-20));
    sandbox.run(&["welcome"]).exits(1);
    assert_eq!(waiting(&sandbox).len(), 4);
    everything_happens(&sandbox);
}
