//! Who is never removed, under whatever name.

use crate::story::{have_access, nothing_happened, plex_lists, settled, share, standing};
use crate::support::{ATTIC, CENTAURI, OWNER_ID, Sandbox, days, days_ago};
use serde_json::json;

fn idle(sandbox: &Sandbox) {
    sandbox.person(1007, "Mom Cat").title("Mother").email("mom@example.test").watched(days_ago(90));
}

#[test]
fn a_vip_is_named_by_username_title_address_or_id_in_any_case_and_with_any_blanks() {
    let sandbox = settled(idle);
    for name in [
        "Mom Cat",
        "MOMCAT",
        "  m o m c a t ",
        "MOTHER",
        "\u{a0}mother\u{2003}",
        "Mom@Example.TEST",
        "1007",
        "mom cat,mother",
        ",,Mom Cat , ,\t",
    ] {
        sandbox.set_env("VIP_NAMES", name).run(&["sweep"]).exits(0).stderr_has("nobody is due").stderr_lacks("typo");
    }
    nothing_happened(&sandbox);
    assert_eq!(standing(&sandbox, 1007), "protected: VIP");
}

#[test]
fn part_of_a_name_or_the_id_of_a_share_protects_nobody() {
    let sandbox = settled(idle);
    let share = sandbox.plex.share_id(1007, CENTAURI).unwrap();
    let run = sandbox.set_env("VIP_NAMES", format!("Mom, mom@, {share}, 100")).run(&["sweep"]);
    run.exits(0).stderr_has("warning: VIP_NAMES: \"mom@\" is nobody on Centauri; is it a typo?\n");
    assert!(!sandbox.on_plex(1007));
}

#[test]
fn a_vip_s_name_protects_everybody_who_has_it_and_nobody_who_only_looks_like_it() {
    let sandbox = settled(|sandbox| {
        sandbox.set_env("VIP_NAMES", "mom, 1001");
        sandbox.person(1007, "mom").watched(days_ago(90));
        sandbox.person(1008, "MOM").watched(days_ago(90));
        sandbox.person(1009, "somebody").title(" m\to m ").watched(days_ago(90));
        // Somebody calls themselves like another one's number.
        sandbox.person(1001, "dad").watched(days_ago(90));
        sandbox.person(1010, "1001").watched(days_ago(90));
        // A Cyrillic o.
        sandbox.person(1011, "m\u{43e}m").watched(days_ago(90));
    });
    let run = sandbox.run(&["sweep"]);
    run.exits(0).stderr_has("0 warned, 1 removed");
    assert_eq!(have_access(&sandbox, [1001, 1007, 1008, 1009, 1010, 1011]), [true, true, true, true, true, false]);
}

#[test]
fn people_without_a_name_or_an_address_are_neither_protected_by_empty_entries_nor_taken_for_one_another() {
    let sandbox = settled(|sandbox| {
        sandbox.set_env("VIP_NAMES", " , mom ,\t,,");
        sandbox.person(1001, "ada").no_email().watched(days_ago(1));
        sandbox.person(1002, "bob").empty_email().watched(days_ago(1));
        sandbox.person(1007, "mom").no_email().watched(days_ago(90));
        sandbox.person(1005, "rita").empty_email().watched(days_ago(60));
        sandbox.person(1006, "nick").no_email().watched(days_ago(60));
        sandbox.person(1009, "").empty_email().watched(days_ago(90));
        sandbox.person(1010, "  ").no_email().watched(days_ago(90));
    });
    sandbox.run(&["sweep"]).exits(0).stderr_lacks("typo");
    assert_eq!(have_access(&sandbox, [1001, 1002, 1007]), [true; 3]);
    assert_eq!(have_access(&sandbox, [1005, 1006, 1009, 1010]), [false; 4]);
}

#[test]
fn the_account_with_the_admin_s_address_is_never_removed() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1013, "somebody").watched(days_ago(200));
        sandbox.person(1014, "admin").email("admin@example.org").watched(days_ago(1));
    });
    for address in ["admin@example.test", "ADMIN@Example.Test", " admin@example.test\t"] {
        sandbox.known(1013).email(address);
        sandbox.run(&["sweep"]).exits(0).stderr_has("sweep of 2 people on Centauri: nobody is due\n");
    }
    nothing_happened(&sandbox);
    assert_eq!(standing(&sandbox, 1013), "protected: admin");
}

#[test]
fn the_account_that_the_token_belongs_to_is_never_removed() {
    let sandbox = settled(|sandbox| {
        sandbox.person(OWNER_ID, "owner").joined(days_ago(90)).watched(days_ago(80));
        sandbox.tautulli.empty_record();
        sandbox.known(OWNER_ID).watched(days_ago(0));
        sandbox.person(1005, "rita").watched(days_ago(0));
    });
    assert_eq!(standing(&sandbox, OWNER_ID), "protected: owner");
    sandbox.set_env("PRUNE_HOME_USERS", "true").advance(days(60)).run(&["sweep"]).exits(0);
    assert_eq!(have_access(&sandbox, [OWNER_ID, 1005]), [true, false]);
}

#[test]
fn the_owner_is_known_even_if_their_own_share_does_not_say_whose_it_is() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1005, "rita").watched(days_ago(33));
        sandbox.person(OWNER_ID, "owner").joined(days_ago(200)).never_watched();
    });
    let mut owner = share(&sandbox, OWNER_ID, "owner");
    owner["ownerId"] = json!(null);
    let mut elsewhere = share(&sandbox, 1001, "ada");
    elsewhere["machineIdentifier"] = json!(ATTIC);
    plex_lists(&sandbox, json!([owner, elsewhere]));
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
}
