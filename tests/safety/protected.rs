//! Who is never removed, under whatever name; and names that protect nobody, which are pointed out.

use serde_json::{Value, json};

use super::{standing, sweep_daily, there};
use crate::story::{clean, log, nothing_happened, settled};
use crate::support::{ATTIC, CENTAURI, Fault, HomeAnswer, OWNER_ID, days_ago, get};

/// A share as plex.tv lists it; `owner` may be missing from it.
fn share(person: u64, name: &str, machine: &str, owner: Option<u64>) -> Value {
    json!({
        "id": 71000 + person, "ownerId": owner, "invitedId": person, "accepted": true,
        "acceptedAt": "2026-01-01T00:00:00Z", "deletedAt": null, "leftAt": null, "machineIdentifier": machine,
        "invited": {"id": person, "username": name, "title": name, "email": format!("{name}@example.test")},
    })
}

#[test]
fn the_account_that_the_token_belongs_to_is_never_removed() {
    let sandbox = settled(|sandbox| {
        sandbox.person(OWNER_ID, "owner").joined(days_ago(90)).watched(days_ago(80));
        sandbox.tautulli.empty_record();
        sandbox.known(OWNER_ID).watched(days_ago(0));
        sandbox.person(1005, "rita").watched(days_ago(0));
    });
    assert_eq!(standing(&sandbox, OWNER_ID), ("protected".into(), "owner".into()));
    sandbox.set_env("PRUNE_HOME_USERS", "true").advance(crate::support::days(60));
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(there(&sandbox, [OWNER_ID, 1005]), [true, false]);
    clean(&sandbox);
}

#[test]
fn the_owner_is_known_even_if_their_own_share_does_not_say_whose_it_is() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1005, "rita").watched(days_ago(33));
        sandbox.person(OWNER_ID, "owner").joined(days_ago(200)).never_watched();
    });
    let shares = json!([share(OWNER_ID, "owner", CENTAURI, None), share(1001, "ada", ATTIC, Some(OWNER_ID)),]);
    sandbox.plex.fail(get("/api/v2/shared_servers"), Fault::json(200, shares));
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn the_account_with_the_admin_s_address_is_never_removed() {
    for address in ["admin@example.test", "ADMIN@Example.Test", " admin@example.test\t"] {
        let sandbox = settled(|sandbox| {
            sandbox.person(1013, "somebody").email(address).watched(days_ago(200));
            sandbox.person(1014, "admin").email("admin@example.org").watched(days_ago(1));
        });
        assert_eq!(standing(&sandbox, 1013), ("protected".into(), "admin".into()), "{address:?}");
        sweep_daily(&sandbox, 3, |_| {});
        nothing_happened(&sandbox);
        clean(&sandbox);
    }
}

#[test]
fn a_second_account_of_the_owner_on_the_vip_list_is_never_removed() {
    let sandbox = settled(|sandbox| {
        sandbox.set_env("VIP_NAMES", "Owner's TV");
        sandbox.person(1013, "owner-tv").title("owner's TV").watched(days_ago(200));
    });
    assert_eq!(standing(&sandbox, 1013), ("protected".into(), "VIP".into()));
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn a_vip_is_known_by_username_title_address_and_id_with_blanks_and_in_any_case() {
    let names = ["Mom Cat", "MOMCAT", "  m o m c a t ", "Mother", "\u{a0}mother\u{2003}", "Mom@Example.TEST", "1007"];
    for name in names {
        let sandbox = settled(|sandbox| {
            sandbox.person(1007, "Mom Cat").title("Mother").email("mom@example.test").watched(days_ago(90));
        });
        sandbox.set_env("VIP_NAMES", name);
        assert_eq!(standing(&sandbox, 1007), ("protected".into(), "VIP".into()), "{name:?}");
        sandbox.run(&["sweep"]).exits(0).stderr_lacks("typo");
        nothing_happened(&sandbox);
        clean(&sandbox);
    }
}

#[test]
fn empty_entries_of_vip_names_protect_nobody_and_harm_nothing() {
    for names in ["mom,,dad,", ",,mom,dad", " , mom ,\t, dad , ", "mom,dad,mom"] {
        let sandbox = settled(|sandbox| {
            sandbox.set_env("VIP_NAMES", names);
            sandbox.person(1007, "mom").watched(days_ago(90));
            sandbox.person(1008, "dad").no_email().watched(days_ago(90));
            // Nobody is called nothing.
            sandbox.person(1009, "").empty_email().watched(days_ago(90));
            sandbox.person(1010, "  ").no_email().watched(days_ago(90));
            sandbox.person(1001, "ada").watched(days_ago(1));
        });
        sandbox.run(&["sweep"]).exits(0).stderr_lacks("typo");
        assert_eq!(there(&sandbox, [1001, 1007, 1008, 1009, 1010]), [true, true, true, false, false], "{names:?}");
        clean(&sandbox);
    }
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
        run.exits(status);
        for remark in [VIP, LISTED] {
            let line = format!("warning: {remark}");
            assert_eq!(log(&run).iter().filter(|said| **said == line).count(), 1, "{run}");
        }
        assert!(!run.stderr.contains("\"dad\""), "{run}");
    };
    pointed_out(&["sweep"], 0);
    pointed_out(&["sweep"], 0);
    pointed_out(&["sweep", "--dry-run"], 0);
    let status = sandbox.run(&["status"]).exits(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(status.contains(VIP) && status.contains(LISTED), "{status}");
    assert_eq!(sandbox.run(&["status", "--json"]).exits(0).json()["warnings"], json!([VIP, LISTED]));
    // When nobody is judged, too.
    sandbox.disconnected();
    pointed_out(&["sweep"], 3);
    clean(&sandbox);
}

#[test]
fn whoever_is_on_the_whitelist_and_has_left_is_pointed_out_too() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1007, "mom").watched(days_ago(90));
    });
    sandbox.run(&["whitelist", "add", "mom"]).exits(0);
    sandbox.run(&["sweep"]).exits(0).stderr_lacks("whitelist");
    sandbox.leaves(1007);
    sandbox.run(&["sweep"]).exits(0).stderr_has("warning: whitelist: mom (id 1007) has no share on Centauri now\n");
    clean(&sandbox);
}

#[test]
fn whoever_the_whitelist_means_stays_themselves_under_another_name() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1007, "mom").watched(days_ago(90));
    });
    sandbox.run(&["whitelist", "add", "mom"]).exits(0);
    sandbox.known(1007).title("Grandma").email("grandma@example.test");
    sandbox.joins(1008, "mom");
    sandbox.advance(crate::support::days(40));
    sandbox.watches(1001);
    sandbox.run(&["sweep"]).exits(0);
    // The newcomer who took the name is not the one who was meant.
    assert_eq!(there(&sandbox, [1001, 1007, 1008]), [true, true, false]);
    clean(&sandbox);
}

#[test]
fn home_users_and_managed_users_stay_however_idle_unless_the_owner_asks_otherwise() {
    for answer in [HomeAnswer::Auto, HomeAnswer::Bare, HomeAnswer::Wrapped] {
        let sandbox = settled(|sandbox| {
            sandbox.plex.home_answers(answer);
            sandbox.person(1001, "ada").watched(days_ago(1));
            sandbox.person(1008, "hugo").home_user().watched(days_ago(90));
            sandbox.person(1009, "kid").managed_user().joined(days_ago(90)).never_watched();
            sandbox.person(1010, "baby").managed_user().not_among_shares().watched(days_ago(90));
        });
        sweep_daily(&sandbox, 5, |sandbox| sandbox.watches(1001));
        nothing_happened(&sandbox);
        assert_eq!(there(&sandbox, [1008, 1009, 1010]), [true; 3]);
        assert_eq!(standing(&sandbox, 1009), ("protected".into(), "Home user".into()));

        sandbox.set_env("PRUNE_HOME_USERS", "true").run(&["sweep"]).exits(0);
        let ended: Vec<String> = sandbox.writes().into_iter().filter(|write| write.starts_with("plex ")).collect();
        assert_eq!(ended, ["plex DELETE /api/home/users/1008", "plex DELETE /api/home/users/1009"]);
        // Who is in the Home only has no share on this server, and is nobody's business here.
        assert_eq!(there(&sandbox, [1001, 1008, 1009, 1010]), [true, false, false, true]);
        clean(&sandbox);
    }
}

#[test]
fn a_protected_home_user_stays_even_if_home_users_are_pruned() {
    let sandbox = settled(|sandbox| {
        sandbox.set_env("PRUNE_HOME_USERS", "true").set_env("VIP_NAMES", "Kid");
        sandbox.person(1008, "hugo").home_user().watched(days_ago(90));
        sandbox.person(1009, "kid").managed_user().watched(days_ago(90));
    });
    sandbox.run(&["whitelist", "add", "1008"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    assert_eq!(there(&sandbox, [1008, 1009]), [true, true]);
    clean(&sandbox);
}
