//! Only access to this server is anybody's business here.

use serde_json::{Value, json};

use super::there;
use crate::story::{clean, nothing_happened, settled};
use crate::support::{ATTIC, CENTAURI, Fault, Sandbox, any, days, days_ago, delete, get};

fn ada_and_rita(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1005, "rita").watched(days_ago(33));
}

/// rita's living share on a server, as plex.tv lists it.
fn ritas(id: u64, machine: &str, accepted_at: Value) -> Value {
    json!({
        "id": id, "ownerId": 42, "invitedId": 1005, "accepted": true, "acceptedAt": accepted_at, "deletedAt": null,
        "leftAt": null, "machineIdentifier": machine,
        "invited": {"id": 1005, "username": "rita", "title": "rita", "email": "rita@example.test"},
    })
}

#[test]
fn whoever_has_shares_on_two_servers_loses_only_this_one() {
    let sandbox = settled(|sandbox| {
        ada_and_rita(sandbox);
        sandbox.known(1005).also_on("Attic");
    });
    sandbox.run(&["sweep"]).exits(0);
    assert!(!sandbox.plex.has_share(1005, CENTAURI) && sandbox.plex.has_share(1005, ATTIC));
    // And what is left is never looked at again.
    sandbox.forget().advance(days(40));
    sandbox.watches(1001);
    sandbox.run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    assert!(sandbox.plex.has_share(1005, ATTIC));
    clean(&sandbox);
}

#[test]
fn a_friend_without_a_share_here_is_neither_recorded_nor_welcomed_nor_removed() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
    });
    sandbox.second_server().person(1016, "attic").only_on("Attic").watched(days_ago(90));
    for pass in ["welcome", "sweep", "welcome", "sweep"] {
        sandbox.run(&[pass]).exits(0).stderr_has("1 person on Centauri");
    }
    nothing_happened(&sandbox);
    assert!(sandbox.plex.has_share(1016, ATTIC));
    assert_eq!(sandbox.state()["welcomed"].as_object().unwrap().len(), 1);
    clean(&sandbox);
}

#[test]
fn of_two_shares_on_this_server_the_newer_one_tells_when_somebody_joined() {
    for turned in [false, true] {
        let sandbox = settled(ada_and_rita);
        let mut shares = vec![
            ritas(71001, CENTAURI, json!("2026-01-01T00:00:00Z")),
            ritas(71002, CENTAURI, json!("2026-11-23T10:00:00Z")),
            ritas(71003, ATTIC, json!("2025-01-01T00:00:00Z")),
        ];
        if turned {
            shares.reverse();
        }
        sandbox.plex.fail(get("/api/v2/shared_servers"), Fault::json(200, shares.into()));
        sandbox.run(&["sweep"]).exits(0);
        nothing_happened(&sandbox);
        clean(&sandbox);
    }
}

#[test]
fn an_old_share_on_another_server_does_not_make_a_newcomer_idle() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1005, "rita").only_on("Attic").watched(days_ago(90));
    });
    sandbox.invite_again(1005);
    sandbox.advance(days(1)).run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    assert!(sandbox.on_plex(1005) && sandbox.plex.has_share(1005, ATTIC));
    clean(&sandbox);
}

#[test]
fn server_names_that_differ_in_case_or_do_not_exist_are_errors_that_list_the_owned_servers() {
    for name in ["centauri", "CENTAURI", "Centaury", "Centauri Attic"] {
        refused(name, &settled(ada_and_rita));
    }
}

#[test]
fn a_server_name_that_occurs_twice_is_an_error_that_lists_the_owned_servers() {
    let sandbox = settled(ada_and_rita);
    sandbox.plex.add_server("Centauri", "0f3c-another", true);
    refused("Centauri", &sandbox);
}

#[track_caller]
fn refused(name: &str, sandbox: &Sandbox) {
    sandbox.second_server().set_env("PLEX_SERVER_NAME", name);
    for pass in ["sweep", "welcome"] {
        let run = sandbox.run(&[pass]);
        run.exits(2).stderr_has("error: PLEX_SERVER_NAME: ").stderr_has(&format!("{name:?}"));
        run.stderr_has("Centauri").stderr_has("Attic").stderr_has("nothing was touched");
    }
    nothing_happened(sandbox);
    assert_eq!(there(sandbox, [1001, 1005]), [true, true]);
    clean(sandbox);
}

/// Two servers whose env files name one STATE_DIR: what is on record of one's guests is not true of the other's.
#[test]
fn a_state_of_another_server_is_not_used() {
    let sandbox = settled(ada_and_rita);
    // What is begun here must not be finished by a pass for the other server, which doesn't list rita.
    sandbox.plex.fail(delete("/"), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().forget();
    sandbox.known(1001).also_on("Attic");
    let before = sandbox.state();
    sandbox.set_env("PLEX_SERVER_NAME", "Attic");
    let what = "the state.json there is of Centauri, and PLEX_SERVER_NAME is Attic";
    let advice = "Each server needs a STATE_DIR of its own. If Attic took the place of Centauri, make \"server\" null in state.json";
    let error = format!("error: STATE_DIR: {what}; nothing was touched. {advice}\n");
    let commands: [&[&str]; 7] = [
        &["welcome"],
        &["sweep"],
        &["welcome", "--dry-run"],
        &["sweep", "--dry-run"],
        &["status"],
        &["whitelist", "list"],
        &["whitelist", "add", "ada"],
    ];
    for command in commands {
        sandbox.run(command).exits(2).stderr_has(&error).stdout("");
    }
    let by_name = "Each server needs a STATE_DIR of its own. If Centauri was renamed, run a live `welcome` first\n";
    for command in [&["whitelist", "add", "ada", "--offline"][..], &["whitelist", "remove", "ada"]] {
        sandbox.run(command).exits(2).stderr_has(what).stderr_has(by_name).stdout("");
    }
    let found = sandbox.run(&["verify"]).exits(1).clone();
    let found = found.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(found.contains(what) && found.contains(advice), "{found}");
    assert_eq!((sandbox.state(), sandbox.writes()), (before, Vec::new()));

    // Renamed, it is the same server.
    let mut state = sandbox.state();
    state["server"]["name"] = json!("Old Centauri");
    sandbox.write_state(&state.to_string()).set_env("PLEX_SERVER_NAME", "Centauri");
    sandbox.run(&["whitelist", "add", "ada"]).exits(0);
    sandbox.run(&["whitelist", "remove", "ada"]).exits(2);
    sandbox.run(&["welcome"]).exits(0);
    sandbox.run(&["whitelist", "remove", "ada"]).exits(0);

    // A state from before servers were noted, and one that the owner hands over, take the server that is asked for.
    let mut state = sandbox.state();
    state["server"] = Value::Null;
    sandbox.write_state(&state.to_string()).set_env("PLEX_SERVER_NAME", "Centauri");
    sandbox.run(&["sweep"]).exits(0).stderr_has("removed rita");
    assert_eq!(sandbox.state()["server"]["machine_identifier"], CENTAURI);
}

/// What waits for one server's admin is not for the other's, even if nobody can tell the servers apart but by their names.
#[test]
fn notices_of_another_server_wait_while_plex_is_down() {
    let sandbox = settled(ada_and_rita);
    sandbox.smtp.refuse_login();
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().forget();
    sandbox.plex.fail(any(), Fault::status(500));
    for command in ["sweep", "welcome"] {
        sandbox.set_env("PLEX_SERVER_NAME", "Attic").run(&[command]).exits(1);
        nothing_happened(&sandbox);
    }
    sandbox.set_env("PLEX_SERVER_NAME", "Centauri").run(&["welcome"]).exits(1);
    assert_eq!(sandbox.mails_to("admin@example.test").len(), 1);
}
