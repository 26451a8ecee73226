//! `verify`: what it finds, in which words, and that it changes nothing.

mod mail;
mod plex;
mod quick;
mod send_test;
mod settings;
mod state;
mod tautulli;

use std::path::Path;

use serde_json::{Value, json};

use crate::sandbox;
use crate::support::{Sandbox, days_ago};

/// What `verify` finds, a line each: mark, area, what was seen, and the next step. Ports are written PORT.
#[track_caller]
fn findings(sandbox: &Sandbox) -> Vec<String> {
    let (before, state) = (sandbox.writes(), snapshot(&sandbox.state_dir()));
    let run = sandbox.run(&["verify", "--json"]);
    let report = run.json();
    assert_eq!((&report["schema"], &report["ok"]), (&json!(1), &json!(run.status == 0)), "{run}");
    assert!(run.status < 2, "{run}");
    assert_eq!(sandbox.writes(), before, "verify changed something");
    assert_eq!(sandbox.violations(), [""; 0]);
    assert_eq!(snapshot(&sandbox.state_dir()), state, "verify changed the state");
    let checks = report["checks"].as_array().unwrap();
    let any_failed = checks.iter().any(|check| check["mark"] == "fail");
    assert_eq!(any_failed, run.status == 1, "{run}");
    checks.iter().map(|check| line(check, sandbox)).collect()
}

fn line(check: &Value, sandbox: &Sandbox) -> String {
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let mark = match text("mark").as_str() {
        "ok" => '✓',
        "look" => '!',
        _ => '✗',
    };
    assert_eq!(mark == '✓', check["next"].is_null(), "all but ✓ have a next step: {check}");
    let next = check["next"].as_str().map(|next| format!(" → {next}")).unwrap_or_default();
    let mut line = format!("{mark} {}: {}{next}", text("area"), text("seen"));
    for url in [sandbox.tautulli.url(), sandbox.plex.url(), sandbox.discord.url()] {
        line = line.replace(url.rsplit(':').next().unwrap(), "PORT");
    }
    line.replace(&sandbox.smtp.port().to_string(), "PORT").replace(sandbox.dir().to_str().unwrap(), "DIR")
}

/// Every file in a folder with its content; none if there is no such folder.
fn snapshot(folder: &Path) -> Option<Vec<(String, Vec<u8>)>> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap_or_default())
        })
        .collect();
    files.sort();
    Some(files)
}

/// What is not as it should be.
#[track_caller]
fn troubles(sandbox: &Sandbox) -> Vec<String> {
    let mut findings = findings(sandbox);
    findings.retain(|line| !line.starts_with('✓'));
    findings
}

/// All that `verify` finds about one service.
#[track_caller]
fn about(area: &str, sandbox: &Sandbox) -> Vec<String> {
    let mut findings = findings(sandbox);
    findings.retain(|line| line.split(' ').nth(1) == Some(&format!("{area}:")));
    findings
}

/// A sandbox with one person who watches.
fn household() -> Sandbox {
    let sandbox = sandbox();
    sandbox.person(1001, "ada").watched(days_ago(2));
    sandbox
}

/// Tries each case in a thread of its own: most of the time goes into waits.
fn each<T: Send + Sync>(cases: &[T], try_out: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        let tries: Vec<_> = cases.iter().map(|case| scope.spawn(|| try_out(case))).collect();
        for one in tries {
            if let Err(panic) = one.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

/// Whether the tests themselves run in a container, where advice about localhost is another.
fn in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|trace| Path::new(trace).exists())
}

#[test]
fn a_household_without_problems_fits_80_columns() {
    let sandbox = household();
    let run = sandbox.set_env("STATE_DIR", "state").run(&["verify"]);
    assert_eq!(
        run.stdout.replace(&sandbox.smtp.port().to_string(), "PORT"),
        "\
✓ settings dry run: nobody is warned or removed before DRY_RUN=false
✓ settings a warning after 27 idle days, removal after 30, at most 10 removals
           in one pass
✓ settings due now: nobody
✓ plex.tv  reached; the token is owner's (id 42)
✓ plex.tv  Centauri is found, and this account owns it
✓ plex.tv  Centauri is shared with 1 person
✓ plex.tv  for a removal: Plex shows this token the owner's shares, so it may
           end them too; whether Plex does so can't be tried without removing
           somebody
✓ plex.tv  no Plex Home
✓ Tautulli reached, the key is accepted; version v2.17.2
✓ Tautulli connected to Plex
✓ Tautulli recording since 2025-11-25 at least
✓ Tautulli watches Centauri
✓ mail     reached 127.0.0.1:PORT without TLS (SMTP_TLS=none)
✓ mail     logged in as sandbox-mailer
✓ mail     may send as plex@example.test
✓ Discord  the webhook \"plex-prune\" posts to channel 1100000000000000002
✓ state    state is not there yet; the first live pass makes it
✓ state    whether passes are scheduled can't be seen: dry runs leave no trace

All is well.
"
    );
    run.exits(0).stderr("");
}

#[test]
fn quiet_shows_only_what_is_to_be_looked_at_and_verbose_logs_the_calls() {
    let sandbox = household();
    sandbox.run(&["-q", "verify"]).exits(0).stdout("").stderr("");
    sandbox.set_env("VIP_NAMES", "nobodee").set_env("PLEX_SERVER_NAME", "Attic");
    sandbox.run(&["verify", "-q"]).exits(1).stderr("").stdout(
        "\
! settings VIPs: nobodee
           → Mend what fails below; then this shows whom they match.
! settings who is due can't be told yet
           → Mend what fails below.
✗ plex.tv  PLEX_SERVER_NAME: the token's account owns no server named \"Attic\";
           it owns Centauri
           → Set PLEX_SERVER_NAME to one of its servers; or PLEX_TOKEN has to be
             a token of the account that owns \"Attic\".
! Tautulli watches Centauri
           → Mend what fails above; then this shows whether it is the right
             server.
",
    );
    sandbox
        .run(&["verify", "-v"])
        .stdout_has("To mend: 1 (marked ✗). To look at: 3 (marked !).\n")
        .stderr_has("debug: plex.tv: find the server: ");
}

#[test]
fn a_reader_that_closes_the_pipe_is_not_an_error() {
    let sandbox = Sandbox::new("/bin/sh");
    sandbox.set_env("VIP_NAMES", vec!["nobodee"; 1000].join(",")).set_env("PLEX_SERVER_NAME", "Attic");
    for arguments in ["", "--json"] {
        let script = format!("({} verify {arguments}; echo exit $? >&2) | true", env!("CARGO_BIN_EXE_plex-prune"));
        sandbox.run(&["-c", &script]).stderr("exit 1\n");
    }
}

#[test]
fn the_json_has_these_keys_and_no_others() {
    let sandbox = household();
    sandbox.set_env("VIP_NAMES", "ada, nobodee").set_env("TAUTULLI_API_KEY", "wrong");
    let run = sandbox.run(&["verify", "--json"]);
    let report = run.exits(1).stderr("").json();
    assert_eq!(report.as_object().unwrap().keys().collect::<Vec<_>>(), ["checks", "ok", "schema"]);
    assert_eq!((&report["schema"], &report["ok"]), (&json!(1), &json!(false)));
    for check in report["checks"].as_array().unwrap() {
        assert_eq!(check.as_object().unwrap().keys().collect::<Vec<_>>(), ["area", "mark", "next", "seen"]);
        let known = ["settings", "plex.tv", "Tautulli", "mail", "Discord", "state"];
        assert!(known.contains(&check["area"].as_str().unwrap()), "{check}");
        assert!(["ok", "look", "fail"].contains(&check["mark"].as_str().unwrap()), "{check}");
    }
    assert_eq!(
        report["checks"][10],
        json!({
            "area": "Tautulli", "mark": "fail", "next": "Check TAUTULLI_API_KEY: it is in Tautulli's Settings, Web \
            Interface, API.", "seen": "could not read its version: it answered 400: Invalid apikey",
        })
    );
}

#[test]
fn no_secret_is_shown_whatever_fails() {
    let sandbox = household();
    sandbox.tautulli.stop();
    sandbox.plex.fail(crate::support::any(), crate::support::Fault::status(500));
    sandbox.smtp.refuse_login();
    sandbox.discord.fail(crate::support::any(), crate::support::Fault::status(404));
    let run = sandbox.run(&["verify", "-vv"]);
    for secret in ["sandbox-plex-token", "sandbox-tautulli-key", "sandbox-mail-password", "sandbox-webhook"] {
        run.exits(1).stdout_lacks(secret).stderr_lacks(secret);
    }
}
