//! A dead service costs seconds, and hides none of the other findings.

use std::time::Duration;

use super::{findings, household, troubles};
use crate::support::{Fault, Sandbox, Stage, any, cmd, get};

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
    assert!(found[4].starts_with("✗ Discord: can't be reached: "), "{found:#?}");
    assert_eq!(found.len(), 5, "{found:#?}");

    // All of them at once: one after the other would take four times as long.
    let begun = |service: &str| {
        let requests = sandbox.requests();
        let mut times = requests.iter().filter(|request| request.service == service).map(|request| request.started);
        times.next().expect("the service was asked")
    };
    let times = ["plex", "tautulli", "discord"].map(begun);
    let spread = *times.iter().max().unwrap() - *times.iter().min().unwrap();
    assert!(spread < TIMEOUT, "{spread:?} between the first and the last");
}

#[test]
fn the_calls_of_one_service_go_side_by_side_too() {
    let sandbox = hurried();
    for command in ["server_status", "get_server_info", "get_users_table", "get_plays_by_date", "get_libraries_table"] {
        sandbox.tautulli.fail(cmd(command), Fault::Hang);
    }
    for path in ["/api/v2/resources", "/api/v2/shared_servers", "/api/v2/home"] {
        sandbox.plex.fail(get(path), Fault::Hang);
    }
    let run = sandbox.run(&["verify"]);
    run.exits(1);
    assert!(run.took < 5 * TIMEOUT, "eight calls that hang for {TIMEOUT:?} each took {:?}", run.took);
    assert_eq!(run.stdout.matches("no answer in time").count(), 8, "{run}");
    run.stdout_has("✓ Tautulli reached").stdout_has("✓ mail     may send as").stdout_has("✓ Discord  the webhook");
}

#[test]
fn a_dead_service_hides_none_of_the_others() {
    let healthy: Vec<String> = findings(&household());
    let of = |area: &str, found: &[String]| -> Vec<String> {
        found.iter().filter(|line| line.contains(&format!(" {area}: "))).cloned().collect()
    };
    let cases: [(&str, fn(&Sandbox)); 4] = [
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
