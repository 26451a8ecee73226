//! How access ends: for friends, for friends of two servers, for members of the Home.

use crate::story::{clean, happened, settled, subjects};
use crate::support::{ATTIC, CENTAURI, Fault, HomeAnswer, days_ago, get};
use serde_json::json;

#[test]
fn a_friend_of_this_server_only_is_removed_altogether() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(sandbox.writes()[0], "plex DELETE /api/v2/sharings/1005");
    assert!(!sandbox.on_plex(1005));
    clean(&sandbox);
}

#[test]
fn a_friend_of_another_server_too_loses_only_this_one() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1005, "rita").watched(days_ago(33)).also_on("Attic");
        sandbox.person(1006, "nick").watched(days_ago(33));
    });
    let share = sandbox.plex.share_id(1005, CENTAURI).unwrap();
    let run = sandbox.run(&["sweep"]);
    run.exits(0).stderr_has(
        "removed rita (id 1005): nothing watched for 33 days; access to Centauri ended, other servers kept;",
    );
    assert!(sandbox.writes().contains(&format!("plex DELETE /api/v2/shared_servers/{share}")));
    assert!(sandbox.writes().contains(&"plex DELETE /api/v2/sharings/1006".to_owned()));
    assert!(!sandbox.plex.has_share(1005, CENTAURI) && sandbox.plex.has_share(1005, ATTIC));
    assert!(!sandbox.plex.has_share(1006, CENTAURI));
    clean(&sandbox);
}

#[test]
fn a_friend_without_a_share_here_is_never_looked_at() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").watched(days_ago(1));
        sandbox.person(1016, "attic").only_on("Attic").watched(days_ago(90));
    });
    sandbox.run(&["sweep", "-v"]).exits(0).stderr_lacks("attic").stderr_lacks("1016");
    assert!(sandbox.requests().iter().all(|request| request.param("user_id").as_deref() != Some("1016")));
    assert!(sandbox.plex.has_share(1016, ATTIC));
    clean(&sandbox);
}

#[test]
fn home_users_are_removed_through_the_home_if_the_owner_asks_for_it() {
    for answer in [HomeAnswer::Auto, HomeAnswer::Bare, HomeAnswer::Wrapped] {
        let sandbox = settled(|sandbox| {
            sandbox.plex.home_answers(answer);
            sandbox.set_env("PRUNE_HOME_USERS", "true");
            sandbox.person(1001, "ada").home_user().watched(days_ago(1));
            sandbox.person(1008, "hugo").home_user().watched(days_ago(90));
            sandbox.person(1009, "kid").managed_user().watched(days_ago(90));
        });
        sandbox.run(&["sweep"]).exits(0);
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
        assert!(sandbox.plex.in_home(1001) && !sandbox.on_plex(1008) && !sandbox.on_plex(1009));
        clean(&sandbox);
    }
}

#[test]
fn a_home_user_whom_the_share_does_not_mark_as_one_is_known_by_the_home() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1008, "hugo").home_user().watched(days_ago(90));
    });
    let share = json!([{
        "id": 71001, "ownerId": 42, "invitedId": 1008, "accepted": true, "acceptedAt": "2026-01-01T00:00:00Z",
        "deletedAt": null, "leftAt": null, "machineIdentifier": CENTAURI,
        "invited": {"id": 1008, "username": "hugo", "title": "hugo", "email": "hugo@example.test"},
    }]);
    sandbox.plex.fail(get("/api/v2/shared_servers"), Fault::json(200, share));
    sandbox.run(&["sweep"]).exits(0);
    assert!(sandbox.writes().is_empty() && sandbox.plex.in_home(1008));
    sandbox.set_env("PRUNE_HOME_USERS", "true").run(&["sweep"]);
    assert_eq!(sandbox.writes()[0], "plex DELETE /api/home/users/1008");
    clean(&sandbox);
}

#[test]
fn a_home_that_can_not_be_read_stops_the_sweep() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    sandbox.plex.fail(get("/api/v2/home/users"), Fault::status(503));
    sandbox.run(&["sweep"]).exits(1).stderr_has("error: plex.tv: could not read the Plex Home: it answered 503");
    assert!(sandbox.writes().is_empty());
    sandbox.mend().plex.home_answers(HomeAnswer::Nothing);
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "rita@example.test"), ["Your access to Centauri has ended"]);
    clean(&sandbox);
}
