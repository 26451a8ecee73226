//! Two servers whose env files name one `STATE_DIR`: what is on record of one's guests is not true of the other's.

use serde_json::{Value, json};

use crate::story::{ADMIN, nothing_happened, settled, subjects};
use crate::support::{CENTAURI, Fault, Sandbox, any, days_ago, delete};

fn ada_and_rita(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1005, "rita").watched(days_ago(33));
}

/// Another name or none for the server of the state.
fn change_server(sandbox: &Sandbox, change: impl FnOnce(&mut Value)) {
    let mut state = sandbox.state();
    change(&mut state["server"]);
    sandbox.write_state(&state.to_string());
}

#[test]
fn nobody_is_judged_by_the_state_of_another_server() {
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
    let error = format!("error: STATE_DIR: {what}. {advice}\n");
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
    let found = sandbox.run(&["verify"]).exits(1).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(found.contains(what) && found.contains(advice), "{found}");
    assert_eq!((sandbox.state(), sandbox.writes()), (before, Vec::new()));
}

#[test]
fn a_renamed_server_is_the_same_one_and_a_state_without_a_server_takes_the_one_that_is_asked_for() {
    let sandbox = settled(ada_and_rita);
    change_server(&sandbox, |server| server["name"] = json!("Old Centauri"));
    sandbox.run(&["whitelist", "add", "ada"]).exits(0);
    sandbox.run(&["whitelist", "remove", "ada"]).exits(2);
    sandbox.run(&["welcome"]).exits(0);
    sandbox.run(&["whitelist", "remove", "ada"]).exits(0);

    // So it is before servers were noted, and when the owner hands a state over.
    change_server(&sandbox, |server| *server = Value::Null);
    sandbox.run(&["sweep"]).exits(0).stderr_has("removed rita");
    assert_eq!(sandbox.state()["server"]["machine_identifier"], CENTAURI);
}

#[test]
fn notices_of_another_server_wait_even_if_the_servers_can_only_be_told_apart_by_their_names() {
    let sandbox = settled(ada_and_rita);
    sandbox.smtp.refuse_login();
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().forget();
    sandbox.plex.fail(any(), Fault::status(500));
    sandbox.set_env("PLEX_SERVER_NAME", "Attic");
    for command in ["sweep", "welcome"] {
        sandbox.run(&[command]).exits(1);
        nothing_happened(&sandbox);
    }
    sandbox.set_env("PLEX_SERVER_NAME", "Centauri").run(&["welcome"]).exits(1);
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Removed: rita"]);
}
