//! A dead service costs seconds, and hides none of the other findings.

use std::time::Duration;

use super::{findings, household, troubles};
use crate::support::{Fault, Gate, Sandbox, Stage, any, cmd, get};

/// A service, and what kills it.
type Death = (&'static str, fn(&Sandbox));

/// What every call may take here.
const TIMEOUT: Duration = Duration::from_secs(1);

fn hurried() -> Sandbox {
    let sandbox = household();
    sandbox.set_env("PLEX_PRUNE_TEST_TIMEOUT", TIMEOUT.as_millis());
    sandbox
}

#[test]
fn everything_dead_takes_as_long_as_one() {
    let sandbox = hurried();
    sandbox.plex.fail(any(), Fault::Hang);
    sandbox.tautulli.fail(any(), Fault::Hang);
    sandbox.discord.fail(any(), Fault::Hang);
    sandbox.smtp.hang(Stage::Greeting);
    let found = troubles(&sandbox);
    assert_eq!(
        found[1..4],
        [
            "✗ plex.tv: could not read the token's account: no answer in time → If this goes on, look at \
             https://status.plex.tv",
            "✗ Tautulli: could not read its version: no answer in time → Tautulli's own log says more.",
            "✗ mail: cannot connect to the mail server 127.0.0.1:PORT: no answer in time → Port PORT may want TLS from the \
             first byte: try SMTP_TLS=implicit; else check SMTP_PORT.",
        ]
    );
    assert!(found[4].starts_with("✗ Discord: did not answer: "), "{found:#?}");
    assert_eq!(found.len(), 5, "{found:#?}");
}

#[test]
fn the_services_are_asked_side_by_side() {
    let sandbox = household();
    let gates = [
        sandbox.plex.gate_before(get("/api/v2/user")),
        sandbox.tautulli.gate_before(cmd("get_tautulli_info")),
        sandbox.discord.gate_before(get("/api/webhooks")),
    ];
    let run = sandbox.spawn(&["verify"]);
    // Each of them is held back while the others come.
    gates.iter().for_each(Gate::wait);
    drop(gates);
    run.wait().exits(0);
}

#[test]
fn the_calls_of_one_service_go_side_by_side_too() {
    let sandbox = household();
    let commands = ["server_status", "get_server_info", "get_users_table", "get_plays_by_date", "get_libraries_table"];
    let paths = ["/api/v2/resources", "/api/v2/shared_servers", "/api/v2/home"];
    let mut gates: Vec<Gate> = commands.iter().map(|command| sandbox.tautulli.gate_before(cmd(command))).collect();
    gates.extend(paths.iter().map(|path| sandbox.plex.gate_before(get(path))));
    let run = sandbox.spawn(&["verify"]);
    gates.iter().for_each(Gate::wait);
    drop(gates);
    run.wait().exits(0);
}

#[test]
fn a_dead_service_hides_none_of_the_others() {
    let healthy: Vec<String> = findings(&household());
    let of = |area: &str, found: &[String]| -> Vec<String> {
        found.iter().filter(|line| line.contains(&format!(" {area}: "))).cloned().collect()
    };
    let cases: [Death; 4] = [
        ("plex.tv", |sandbox| drop(sandbox.plex.fail(any(), Fault::Hang))),
        ("Tautulli", |sandbox| drop(sandbox.tautulli.fail(any(), Fault::Hang))),
        ("mail", |sandbox| drop(sandbox.smtp.hang(Stage::Login))),
        ("Discord", |sandbox| drop(sandbox.discord.fail(any(), Fault::Hang))),
    ];
    super::each(&cases, |(dead, kill)| {
        let sandbox = hurried();
        kill(&sandbox);
        let found = findings(&sandbox);
        for area in ["plex.tv", "Tautulli", "mail", "Discord", "state"] {
            let (now, before) = (of(area, &found), of(area, &healthy));
            match (area, *dead) {
                _ if area == *dead => assert!(now.iter().any(|line| line.starts_with('✗')), "{found:#?}"),
                // Whether it is the right server can't be told then.
                ("Tautulli", "plex.tv") => assert_eq!(now[..3], before[..3]),
                _ => assert_eq!(now, before),
            }
        }
    });
}
