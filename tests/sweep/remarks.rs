//! What a sweep points out besides: names that protect nobody, libraries of which nothing is recorded.

use crate::story::{ADMIN, log, settled, subjects};
use crate::support::{Fault, Run, Sandbox, cmd, days_ago};
use serde_json::json;

fn ada_and_rita(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1005, "rita").watched(days_ago(33));
}

/// `status` as one line.
fn status(sandbox: &Sandbox) -> String {
    sandbox.run(&["status"]).exits(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

const VIP: &str = "VIP_NAMES: \"momm\" is nobody on Centauri; is it a typo?";
const LISTED: &str = "whitelist: \"uncle bob\" is nobody on Centauri; is it a typo?";

#[test]
fn a_name_that_protects_nobody_is_pointed_out_by_status_and_in_every_sweep_s_log() {
    let sandbox = settled(|sandbox| {
        sandbox.set_env("VIP_NAMES", "momm,dad");
        sandbox.person(1007, "mom").watched(days_ago(2));
        sandbox.person(1008, "dad").watched(days_ago(90));
    });
    sandbox.run(&["whitelist", "add", "--offline", "uncle bob"]).exits(0);
    let pointed_out = |arguments: &[&str], status: i32| {
        let run = sandbox.run(arguments);
        run.exits(status).stderr_lacks("\"dad\"");
        for remark in [VIP, LISTED] {
            assert_eq!(log(&run).iter().filter(|line| **line == format!("warning: {remark}")).count(), 1, "{run}");
        }
    };
    for arguments in [&["sweep"][..], &["sweep"], &["sweep", "--dry-run"]] {
        pointed_out(arguments, 0);
    }
    assert!(status(&sandbox).contains(VIP) && status(&sandbox).contains(LISTED));
    assert_eq!(sandbox.run(&["status", "--json"]).exits(0).json()["warnings"], json!([VIP, LISTED]));
    // When nobody is judged, too.
    sandbox.disconnected();
    pointed_out(&["sweep"], 3);
}

#[test]
fn somebody_on_the_whitelist_who_has_left_is_pointed_out_too() {
    let sandbox = settled(|sandbox| {
        ada_and_rita(sandbox);
        sandbox.person(1007, "mom").watched(days_ago(90));
    });
    sandbox.run(&["whitelist", "add", "mom"]).exits(0);
    sandbox.run(&["sweep"]).exits(0).stderr_lacks("whitelist");
    sandbox.leaves(1007);
    sandbox.run(&["sweep"]).exits(0).stderr_has("warning: whitelist: mom (id 1007) has no share on Centauri now\n");
}

const UNRECORDED: &str = "Tautulli keeps no history of the library \"Anime\": whoever watches only there looks idle";

#[test]
fn a_library_without_history_is_pointed_out_once_in_every_sweep_and_in_status() {
    let sandbox = settled(ada_and_rita);
    sandbox.tautulli.library_without_history("Anime");
    let said = |run: &Run| log(run).iter().filter(|line| line.contains(UNRECORDED)).count();
    for arguments in [&["sweep", "--dry-run"][..], &["sweep"], &["sweep"], &["sweep", "-v"]] {
        let run = sandbox.run(arguments);
        assert_eq!(said(run.exits(0)), 1, "{run}");
        assert!(log(&run).contains(&format!("warning: {UNRECORDED}").as_str()), "{run}");
    }
    assert_eq!(status(&sandbox).matches(UNRECORDED).count(), 1);
    let warnings = sandbox.run(&["status", "--json"]).json()["warnings"].clone();
    assert_eq!(warnings.as_array().unwrap().iter().filter(|warning| *warning == UNRECORDED).count(), 1);
    // It is a remark and no news: nobody gets a mail about it.
    assert!(subjects(&sandbox, ADMIN).iter().all(|subject| !subject.contains("Anime")));

    sandbox.disconnected();
    assert_eq!(said(sandbox.run(&["sweep"]).exits(3)), 1);
}

#[test]
fn two_libraries_without_history_are_two_remarks_and_their_names_harm_nothing() {
    let sandbox = settled(ada_and_rita);
    for name in ["Anime", "Kids\n\u{1b}[31m\u{202e}"] {
        sandbox.tautulli.library_without_history(name);
    }
    let run = sandbox.run(&["sweep"]);
    let warnings: Vec<&str> = log(run.exits(0)).into_iter().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(warnings.len(), 2, "{run}");
    assert!(!run.stderr.contains(['\u{1b}', '\u{202e}']), "{run}");
    assert_eq!(sandbox.run(&["status", "--json"]).json()["warnings"].as_array().unwrap().len(), 2);
}

#[test]
fn a_table_of_libraries_that_can_not_be_read_stops_nothing() {
    let sandbox = settled(ada_and_rita);
    sandbox.tautulli.fail(cmd("get_libraries_table"), Fault::status(500));
    for command in ["status", "sweep"] {
        let run = sandbox.run(&[command]);
        assert_eq!(run.exits(0).stderr.matches("could not read the table of libraries").count(), 1, "{run}");
    }
    assert!(!sandbox.on_plex(1005));
}
