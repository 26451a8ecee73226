//! `whitelist list`: who is never removed, and why.

use serde_json::json;

use super::{household, whitelist};
use crate::support::{Fault, Sandbox, any, days, days_ago};

/// A household with every kind of protection.
fn everybody() -> Sandbox {
    let sandbox = household();
    sandbox.person(1008, "hugo").home_user();
    sandbox.person(1009, "kid").managed_user();
    sandbox.person(1013, "the boss").email("Admin@Example.test");
    sandbox.person(1020, "gone");
    sandbox.set_env("VIP_NAMES", "mom cat, nobodee, Owner");
    for arguments in [
        &[
            "rita",
            "--until",
            "2026-12-31",
            "--note",
            "on a trip with the kids to Peru, back at home by the end of the year",
        ][..],
        &["max", "--offline"],
        &["1015", "--until", "2026-11-24"],
        &["gone"],
        &["typo@example.test", "--offline"],
    ] {
        whitelist(&sandbox, &[&["add"], arguments].concat()).exits(0);
    }
    sandbox.advance(days(2));
    sandbox.leaves(1020);
    sandbox
}

#[test]
fn everybody_who_is_never_removed_is_listed_with_the_reason() {
    let sandbox = everybody();
    whitelist(&sandbox, &["list"]).exits(0).stderr("").stdout(
        "\
Never removed from Centauri, and why

by          entry              protects          since      last day
whitelist   rita               rita              2026-11-23 2026-12-31
  note: on a trip with the kids to Peru, back at home by the end of the year
whitelist   max                Max, max          2026-11-23 none set
whitelist   Max                nobody: it's over 2026-11-23 2026-11-24
whitelist   gone               nobody            2026-11-23 none set
whitelist   typo@example.test  nobody            2026-11-23 none set
VIP_NAMES   mom cat            Mom Cat
VIP_NAMES   nobodee            nobody
VIP_NAMES   Owner              owner
ADMIN_EMAIL admin@example.test the boss
owner                          owner
Home user                      hugo, kid

! VIP_NAMES: \"nobodee\" is nobody on Centauri; is it a typo?
! whitelist: gone (id 1020) has no share on Centauri now
! whitelist: \"typo@example.test\" is nobody on Centauri; is it a typo?
Days are in UTC, and the last one counts in full.
",
    );
}

#[test]
fn an_empty_whitelist_still_shows_who_is_never_removed() {
    let sandbox = household();
    whitelist(&sandbox, &["list"]).exits(0).stdout(
        "\
Never removed from Centauri, and why

by          entry              protects since last day
ADMIN_EMAIL admin@example.test nobody
owner                          owner

Days are in UTC, and the last one counts in full.
",
    );
    assert!(!sandbox.state_dir().exists(), "a look makes no folder");
}

#[test]
fn the_json_has_these_keys_and_no_others() {
    let sandbox = everybody();
    let report = whitelist(&sandbox, &["list", "--json"]).exits(0).json();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&report), ["protections", "remarks", "schema", "server"]);
    assert_eq!((&report["schema"], &report["server"]), (&json!(1), &json!("Centauri")));
    let protections = report["protections"].as_array().unwrap();
    for protection in protections {
        assert_eq!(keys(protection), ["by", "entry", "holds", "id", "matches", "note", "since", "until"]);
    }
    assert_eq!(
        protections[0],
        json!({
            "by": "whitelist", "entry": "rita", "id": 1005, "matches": [{"id": 1005, "name": "rita"}], "holds": true,
            "since": "2026-11-23T12:00:00Z", "until": "2026-12-31",
            "note": "on a trip with the kids to Peru, back at home by the end of the year",
        })
    );
    assert_eq!((&protections[2]["holds"], &protections[2]["matches"][0]["id"]), (&json!(false), &json!(1015)));
    assert_eq!(
        protections[5],
        json!({
            "by": "VIP_NAMES", "entry": "mom cat", "id": null, "matches": [{"id": 1007, "name": "Mom Cat"}], "holds": true,
            "since": null, "until": null, "note": null,
        })
    );
    let by: Vec<&str> = protections.iter().map(|row| row["by"].as_str().unwrap()).collect();
    assert_eq!(by[8..], ["ADMIN_EMAIL", "owner", "Home user"]);
    assert_eq!(protections[9]["matches"], json!([{"id": 42, "name": "owner"}]));
    assert_eq!(report["remarks"].as_array().unwrap().len(), 3);
}

#[test]
fn home_users_are_listed_only_while_they_are_protected() {
    let sandbox = everybody();
    sandbox.set_env("PRUNE_HOME_USERS", "true");
    whitelist(&sandbox, &["list"]).exits(0).stdout_lacks("Home user");
}

#[test]
fn a_renamed_person_is_shown_by_both_names_and_stays_protected() {
    let sandbox = household();
    whitelist(&sandbox, &["add", "rita"]).exits(0);
    sandbox.renames(1005, "margarita");
    whitelist(&sandbox, &["list"])
        .exits(0)
        .stdout_has("whitelist   rita               margarita 2026-11-23 none set\n");
    whitelist(&sandbox, &["add", "margarita"])
        .exits(0)
        .stdout("margarita (id 1005) is on the whitelist until further notice, as before.\n");
    assert_eq!(super::entries(&sandbox).len(), 1);
}

#[test]
fn long_entries_are_cut_to_80_columns() {
    let sandbox = household();
    sandbox.person(1030, &"longname".repeat(6)).watched(days_ago(1));
    whitelist(&sandbox, &["add", "1030"]).exits(0);
    whitelist(&sandbox, &["add", &"someone.with.a.long.address@".repeat(3), "--offline"]).exits(0);
    let run = whitelist(&sandbox, &["list"]);
    run.exits(0).stdout_has("…");
    for line in run.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn without_plex_the_list_is_an_error() {
    let sandbox = household();
    sandbox.plex.fail(any(), Fault::status(401));
    let run = whitelist(&sandbox, &["list"]);
    run.exits(1)
        .stdout("")
        .stderr_has("error: plex.tv: could not ")
        .stderr_has(". Check PLEX_TOKEN: it must be a token");
}
