//! How access ends: for friends, for friends of two servers, for members of the Home.

use crate::story::{happened, have_access, nothing_happened, plex_lists, settled, share, sweep_after};
use crate::support::{ATTIC, CENTAURI, HomeAnswer, Sandbox, days, days_ago};
use serde_json::json;

#[test]
fn a_friend_of_another_server_too_loses_only_this_one() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1005, "rita").watched(days_ago(33)).also_on("Attic");
        sandbox.person(1006, "nick").watched(days_ago(33));
    });
    let share = sandbox.plex.share_id(1005, CENTAURI).unwrap();
    sandbox.run(&["sweep"]).exits(0).stderr_has(
        "removed rita (id 1005): nothing watched for 33 days; access to Centauri ended, other servers kept;",
    );
    assert!(sandbox.writes().contains(&format!("plex DELETE /api/v2/shared_servers/{share}")));
    assert!(sandbox.writes().contains(&"plex DELETE /api/v2/sharings/1006".to_owned()));
    assert_eq!(have_access(&sandbox, [1005, 1006]), [false, false]);
    // The share that is left is never looked at again.
    sandbox.forget().advance(days(40)).watches(1001);
    sandbox.run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    assert!(sandbox.plex.has_share(1005, ATTIC));
}

#[test]
fn a_friend_without_a_share_here_is_never_looked_at() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
    });
    sandbox.second_server().person(1016, "attic").only_on("Attic").watched(days_ago(90));
    for pass in ["welcome", "sweep"] {
        let run = sandbox.run(&[pass, "-v"]);
        run.exits(0).stderr_has("1 person on Centauri").stderr_lacks("attic").stderr_lacks("1016");
    }
    assert!(sandbox.requests().iter().all(|request| request.param("user_id").as_deref() != Some("1016")));
    nothing_happened(&sandbox);
    assert!(sandbox.plex.has_share(1016, ATTIC) && sandbox.state()["welcomed"].as_object().unwrap().len() == 1);
}

fn home(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").home_user().watched(days_ago(1));
    sandbox.person(1008, "hugo").home_user().watched(days_ago(90));
    sandbox.person(1009, "kid").managed_user().watched(days_ago(90));
    sandbox.person(1010, "baby").managed_user().not_among_shares().watched(days_ago(90));
}

#[test]
fn home_users_stay_unless_the_owner_asks_for_their_removal_which_goes_through_the_home() {
    for answer in [HomeAnswer::Auto, HomeAnswer::Bare] {
        let sandbox = settled(home);
        sandbox.plex.home_answers(answer);
        sandbox.run(&["sweep"]).exits(0).stderr_has("sweep of 3 people on Centauri: nobody is due\n");
        nothing_happened(&sandbox);
        sandbox.set_env("PRUNE_HOME_USERS", "true").run(&["sweep"]).exits(0);
        happened(
            &sandbox,
            &[
                "plex DELETE /api/home/users/1008",
                "tautulli delete_user 1008",
                "plex DELETE /api/home/users/1009",
                "tautulli delete_user 1009",
                "mail hugo@example.test: Your access to Centauri has ended",
                "mail admin@example.test: [Centauri] Removed: hugo",
                "discord: Removed: hugo",
                "mail admin@example.test: [Centauri] Removed: kid",
                "discord: Removed: kid",
            ],
        );
        // Somebody who is in the Home only has no share on this server.
        assert_eq!(have_access(&sandbox, [1001, 1008, 1009, 1010]), [true, false, false, true]);
    }
}

#[test]
fn protected_home_users_stay_even_if_home_users_are_removed() {
    let sandbox = settled(home);
    sandbox.set_env("PRUNE_HOME_USERS", "true").set_env("VIP_NAMES", "Kid");
    sandbox.run(&["whitelist", "add", "1008"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    assert_eq!(have_access(&sandbox, [1008, 1009]), [true, true]);
}

#[test]
fn a_home_user_whose_share_does_not_say_so_is_known_by_the_list_of_the_home() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1008, "hugo").home_user().watched(days_ago(90));
    });
    plex_lists(&sandbox, json!([share(&sandbox, 1008, "hugo")]));
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    sandbox.set_env("PRUNE_HOME_USERS", "true").run(&["sweep"]);
    assert_eq!(sandbox.writes()[0], "plex DELETE /api/home/users/1008");
}

#[test]
fn of_two_shares_on_this_server_the_newer_one_tells_when_somebody_joined() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    let shares = [(71001, CENTAURI, "2026-01-01"), (71002, CENTAURI, "2026-11-23"), (71003, ATTIC, "2025-01-01")];
    let mut shares = shares.map(|(id, machine, day)| {
        let mut share = share(&sandbox, 1005, "rita");
        share["id"] = json!(id);
        share["machineIdentifier"] = json!(machine);
        share["acceptedAt"] = json!(format!("{day}T00:00:00Z"));
        share
    });
    for _ in 0..2 {
        let rule = plex_lists(&sandbox, shares.to_vec());
        sandbox.run(&["sweep"]).exits(0).stderr_has("nobody is due");
        rule.mend();
        shares.reverse();
    }
    nothing_happened(&sandbox);
}

#[test]
fn an_old_share_on_another_server_does_not_make_a_newcomer_idle() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1005, "rita").only_on("Attic").watched(days_ago(90));
    });
    sandbox.invite_again(1005);
    sweep_after(&sandbox, days(1), &[]).exits(0);
    nothing_happened(&sandbox);
    assert!(sandbox.on_plex(1005) && sandbox.plex.has_share(1005, ATTIC));
}
