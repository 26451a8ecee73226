//! plex.tv's stand-in.

use serde_json::Value;

use super::{client, keys, plex, sandbox, to_plex};
use plex_prune_standins::{ATTIC, CENTAURI, HomeAnswer, Sandbox, days_ago};

const SHARES: &str = "/api/v2/shared_servers/owned/accepted";

fn shares(sandbox: &Sandbox) -> Vec<Value> {
    plex(sandbox, "GET", SHARES).json().unwrap()
}

#[test]
fn a_share_has_every_field() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").joined(days_ago(70));
    let share = &shares(&sandbox)[0];
    let fields = "accepted acceptedAt allLibraries deletedAt id inviteToken invited invited.email invited.friendlyName \
        invited.home invited.id invited.restricted invited.sharingSettings invited.status invited.thumb invited.title \
        invited.username invited.uuid invitedEmail invitedId lastSeenAt leftAt libraries libraries.id libraries.key \
        libraries.title libraries.type machineIdentifier name numLibraries owned ownerId serverId sharingSettings";
    let mut expected: Vec<&str> = fields.split_whitespace().collect();
    let mut found = keys(share);
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(share["acceptedAt"], "2026-09-14T12:00:00Z");
    assert_eq!(share["machineIdentifier"], CENTAURI);
    assert_ne!(share["id"], share["invitedId"]);
}

#[test]
fn every_kind_of_share() {
    let sandbox = sandbox();
    sandbox.person(1, "a").accepted_at_null();
    sandbox.person(2, "b").share_deleted();
    sandbox.person(3, "c").share_left();
    sandbox.person(4, "d").not_accepted();
    sandbox.person(5, "Kid").managed_user();
    sandbox.person(6, "e").also_on("Attic").title("Ed");
    sandbox.person(7, "f").only_on("Attic");
    let shares = shares(&sandbox);
    assert_eq!(shares.len(), 8);
    assert!(shares[0]["acceptedAt"].is_null());
    assert!(shares[1]["deletedAt"].is_string());
    assert!(shares[2]["leftAt"].is_string());
    assert_eq!(shares[3]["accepted"], false);
    let kid = &shares[4]["invited"];
    assert!(kid["username"].is_null() && kid["email"].is_null());
    assert_eq!((&kid["restricted"], &kid["home"], &kid["title"]), (&true.into(), &true.into(), &"Kid".into()));
    assert_eq!((&shares[6]["machineIdentifier"], &shares[6]["invited"]["title"]), (&ATTIC.into(), &"Ed".into()));
    assert!(!sandbox.on_plex(7) && !sandbox.on_plex(2) && sandbox.on_plex(6));
}

#[test]
fn the_owner_and_the_servers() {
    let sandbox = sandbox();
    sandbox.second_server();
    let user: Value = plex(&sandbox, "GET", "/api/v2/user").json().unwrap();
    assert_eq!(user["id"], 42);
    let resources: Vec<Value> = plex(&sandbox, "GET", "/api/v2/resources?includeHttps=1").json().unwrap();
    let list = |field: &str| -> Vec<Value> { resources.iter().map(|device| device[field].clone()).collect() };
    assert_eq!(list("name"), ["Living room", "Centauri", "A friend's server", "Attic"]);
    assert_eq!(list("owned"), [true, true, false, true]);
    assert_eq!(list("provides"), ["client,player,pubsub-player", "server", "server", "server"]);
}

#[test]
fn ending_all_shares_or_one() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").also_on("Attic");
    sandbox.person(1003, "carol").also_on("Attic");
    assert_eq!(plex(&sandbox, "DELETE", "/api/v2/sharings/1002").status(), 204);
    assert_eq!(plex(&sandbox, "DELETE", "/api/v2/sharings/1002").status(), 404);
    let left = shares(&sandbox);
    assert_eq!(left.len(), 2);
    let share = sandbox.plex.share_id(1003, CENTAURI).unwrap();
    assert_eq!(plex(&sandbox, "DELETE", &format!("/api/v2/shared_servers/{share}")).status(), 200);
    assert!(sandbox.plex.has_share(1003, ATTIC) && !sandbox.on_plex(1003));
    assert_eq!(
        sandbox.writes(),
        [
            "plex DELETE /api/v2/sharings/1002".to_owned(),
            "plex DELETE /api/v2/sharings/1002 -> 404".to_owned(),
            format!("plex DELETE /api/v2/shared_servers/{share}"),
        ]
    );
}

#[test]
fn home_users_leave_by_the_home_only() {
    let sandbox = sandbox();
    sandbox.person(1009, "ivan").home_user();
    let share = sandbox.plex.share_id(1009, CENTAURI).unwrap();
    assert_eq!(plex(&sandbox, "DELETE", "/api/v2/sharings/1009").status(), 404);
    assert_eq!(plex(&sandbox, "DELETE", &format!("/api/v2/shared_servers/{share}")).status(), 404);
    assert!(sandbox.on_plex(1009));
    assert_eq!(plex(&sandbox, "DELETE", "/api/home/users/1009").status(), 204);
    assert!(!sandbox.on_plex(1009));
    assert_eq!(plex(&sandbox, "DELETE", "/api/home/users/42").status(), 404);
}

#[test]
fn the_home_comes_in_several_shapes() {
    let sandbox = sandbox();
    let home = |sandbox: &Sandbox| plex(sandbox, "GET", "/api/v2/home/users");
    assert_eq!(home(&sandbox).status(), 404);
    sandbox.person(1010, "Kid").managed_user().not_among_shares();
    let wrapped: Value = home(&sandbox).json().unwrap();
    let kid = wrapped["users"].as_array().unwrap().iter().find(|user| user["id"] == 1010).unwrap();
    assert_eq!((&kid["restricted"], &kid["admin"]), (&true.into(), &false.into()));
    sandbox.plex.home_answers(HomeAnswer::Bare);
    assert_eq!(home(&sandbox).json::<Value>().unwrap(), wrapped["users"]);
    sandbox.plex.home_answers(HomeAnswer::Nothing);
    assert_eq!(home(&sandbox).text().unwrap(), "");
    assert!(shares(&sandbox).is_empty() && sandbox.on_plex(1010));
}

#[test]
fn bad_requests() {
    let sandbox = sandbox();
    let url = format!("{}/api/v2/user", sandbox.plex.url());
    let right = || to_plex(&sandbox, "GET", "/api/v2/user");
    assert_eq!(right().send().unwrap().status(), 200);
    assert!(sandbox.violations().is_empty());

    let refused = client().get(&url).header("X-Plex-Client-Identifier", "x").header("X-Plex-Token", "wrong");
    let refused = refused.send().unwrap();
    assert_eq!(refused.status(), 401);
    let body: Value = refused.json().unwrap();
    let error = &body["errors"][0];
    assert_eq!((&error["code"], &error["status"]), (&1001.into(), &401.into()));

    let anonymous = client().get(&url).header("X-Plex-Token", "sandbox-plex-token").send().unwrap();
    assert_eq!(anonymous.status(), 400);
    let in_query = right().query(&[("X-Plex-Token", "sandbox-plex-token")]).send().unwrap();
    assert_eq!(in_query.status(), 400);
    assert!(sandbox.violations().iter().any(|violation| violation.contains("the token is in the URL")));

    let mut bare = right().build().unwrap();
    bare.headers_mut().insert("Accept", "*/*".parse().unwrap());
    let xml = client().execute(bare).unwrap().text().unwrap();
    assert!(xml.starts_with("<?xml"), "{xml}");

    assert_eq!(plex(&sandbox, "DELETE", "/api/friends/1002").status(), 410);
    assert_eq!(plex(&sandbox, "GET", "/api/v2/nonsense").status(), 404);
}
