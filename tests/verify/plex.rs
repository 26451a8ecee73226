//! plex.tv: the token, the server, the people.

use super::{about, each, findings, household, troubles};
use crate::sandbox;
use crate::support::{Fault, HomeAnswer, Sandbox, any, days_ago, get};

const VIEW: &str = "! settings: who is due can't be told yet → Mend what fails below.";
const WATCHES: &str =
    "! Tautulli: watches Centauri → Mend what fails above; then this shows whether it is the right server.";
const OTHER_TOKEN: &str = "→ Set PLEX_SERVER_NAME to one of its servers; or PLEX_TOKEN has to be a token of the account that \
                           owns";
const TOKEN: &str = "→ Check PLEX_TOKEN: it must be a token of the account that owns the server.";

/// What was set wrong, and the one finding about plex.tv.
type Case = (fn(&Sandbox), &'static str);

const CASES: [Case; 13] = [
    (
        |sandbox| {
            sandbox.set_env("PLEX_TOKEN", "old");
        },
        "✗ plex.tv: could not read the token's account: it answered 401: User could not be authenticated {TOKEN}",
    ),
    (
        |sandbox| {
            sandbox.set_env("PLEX_SERVER_NAME", "centauri");
        },
        "✗ plex.tv: PLEX_SERVER_NAME: the token's account owns no server named \"centauri\"; it owns Centauri {OTHER_TOKEN} centauri.",
    ),
    (
        |sandbox| {
            sandbox.set_env("PLEX_SERVER_NAME", "Elsewhere").second_server();
        },
        "✗ plex.tv: PLEX_SERVER_NAME: the token's account owns no server named \"Elsewhere\"; it owns Centauri, Attic {OTHER_TOKEN} Elsewhere.",
    ),
    (
        |sandbox| {
            sandbox.set_env("PLEX_SERVER_NAME", "A friend's server");
        },
        "✗ plex.tv: PLEX_SERVER_NAME: the token's account owns no server named \"A friend's server\" (a server of that name is shared with it, \
         by another account); it owns Centauri → PLEX_TOKEN has to be a token of the account that owns \"A friend's server\".",
    ),
    (
        |sandbox| {
            let friends = serde_json::json!([{
                "name": "Centauri", "clientIdentifier": "x", "provides": "server", "owned": false
            }]);
            sandbox.plex.fail(get("/api/v2/resources"), Fault::json(200, friends));
        },
        "✗ plex.tv: PLEX_SERVER_NAME: the token's account owns no server named \"Centauri\" (a server of that name is shared with it, by \
         another account); it owns no server → PLEX_TOKEN has to be a token of the account that owns \"Centauri\".",
    ),
    (
        |sandbox| sandbox.plex.add_server("Centauri", "another", true),
        "✗ plex.tv: PLEX_SERVER_NAME: this account owns more than one server named \"Centauri\"; it owns \
         Centauri, Centauri → Give them different names in Plex.",
    ),
    (
        |sandbox| sandbox.plex.stop(),
        "✗ plex.tv: could not read the token's account: no connection (Connection refused (os error 111)) → Is this machine \
         online, and PLEX_TV_URL (if set) right?",
    ),
    (
        |sandbox| {
            sandbox.set_env("PLEX_TV_URL", sandbox.plex.url() + "/tv");
        },
        "✗ plex.tv: could not read the token's account: it answered 404: Not Found → Is PLEX_TV_URL (if set) right? Else \
         Plex has moved this call, and plex-prune needs an update.",
    ),
    (
        |sandbox| drop(sandbox.plex.fail(any(), Fault::html(502))),
        "✗ plex.tv: could not read the token's account: it answered 502: an HTML page → If this goes on, look at \
         https://status.plex.tv",
    ),
    (
        |sandbox| drop(sandbox.plex.fail(get("/api/v2/shared_servers"), Fault::status(410))),
        "✗ plex.tv: could not read the list of shares: it answered 410: made to fail → Plex has withdrawn this call: \
         plex-prune needs an update.",
    ),
    (
        |sandbox| drop(sandbox.plex.fail(get("/api/v2/home"), Fault::status(418))),
        "✗ plex.tv: could not read the Plex Home: it answered 418: made to fail → If this goes on, plex-prune may need an \
         update.",
    ),
    (
        |sandbox| drop(sandbox.plex.fail(any(), Fault::too_many(3600))),
        "✗ plex.tv: could not read the token's account: it answered 429: Too many requests → That was too often for Plex: \
         let the passes run less often.",
    ),
    (
        |sandbox| drop(sandbox.plex.fail(get("/api/v2/user"), Fault::html(200))),
        "✗ plex.tv: could not read the token's account: its answer can't be understood (it is an HTML page) → Plex may have \
         changed it: if this goes on, plex-prune needs an update.",
    ),
];

#[test]
fn each_mistake_has_a_next_step_that_fits() {
    each(&CASES, |(make, finding)| {
        let sandbox = household();
        make(&sandbox);
        let finding = finding.replace("{TOKEN}", TOKEN).replace("{OTHER_TOKEN}", OTHER_TOKEN);
        let found = troubles(&sandbox);
        let (expected, view) = (finding.replace('"', ""), VIEW.to_owned());
        let found: Vec<String> = found.into_iter().map(|line| line.replace('"', "")).collect();
        assert!(found.starts_with(&[view, expected.clone()]), "{found:#?}\nlacks: {expected}");
        assert!(found[2..].iter().all(|line| line == WATCHES), "{found:#?}");
    });
}

#[test]
fn what_a_removal_needs_is_said_as_far_as_it_can_be_known() {
    let sandbox = household();
    sandbox.person(1002, "bob").also_on("Attic");
    sandbox.person(1003, "carl").only_on("Attic");
    sandbox.person(1008, "hugo").home_user();
    assert_eq!(
        about("plex.tv", &sandbox),
        [
            "✓ plex.tv: reached; the token is owner's (id 42)",
            "✓ plex.tv: Centauri is found, and this account owns it",
            "✓ plex.tv: Centauri is shared with 3 people",
            "✓ plex.tv: for a removal: Plex shows this token the owner's shares, so it may end them too; whether Plex does \
             so can't be tried without removing somebody",
            "✓ plex.tv: Plex Home: 2 members, the owner included, never removed",
        ]
    );
    sandbox.set_env("PRUNE_HOME_USERS", "yes");
    let home = "✓ plex.tv: Plex Home: 2 members, the owner included, judged like everybody else (PRUNE_HOME_USERS)";
    assert_eq!(about("plex.tv", &sandbox)[4], home);
    for answer in [HomeAnswer::Bare, HomeAnswer::Nothing] {
        sandbox.plex.home_answers(answer);
        let expected = if answer == HomeAnswer::Bare { home } else { "✓ plex.tv: no Plex Home" };
        assert_eq!(about("plex.tv", &sandbox)[4], expected);
    }
}

#[test]
fn a_server_that_is_shared_with_nobody_is_pointed_out() {
    let sandbox = sandbox();
    assert_eq!(
        troubles(&sandbox),
        [
            "! plex.tv: Centauri is shared with nobody → If you did invite people: is this the right server, and have they \
          accepted?"
        ]
    );
}

#[test]
fn a_list_that_lacks_too_many_is_not_believed() {
    let sandbox = household();
    sandbox.live().run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    sandbox.plex.forget_all_shares();
    let found = about("plex.tv", &sandbox);
    let last = found.last().unwrap();
    assert!(
        last.starts_with("✗ plex.tv: Plex lists nobody, and 1 person had access before; a sweep acts on nobody → "),
        "{last}"
    );
}

#[test]
fn the_people_who_vip_names_match_are_shown_without_tautulli() {
    let sandbox = household();
    sandbox.person(1015, "Max").watched(days_ago(1));
    sandbox.person(1016, "max").watched(days_ago(1));
    sandbox.set_env("VIP_NAMES", "MAX, ada@example.test, Owner, nobodee").tautulli.stop();
    let found = findings(&sandbox);
    assert_eq!(
        found[2..7],
        [
            "✓ settings: VIP MAX: Max (id 1015), max (id 1016)",
            "✓ settings: VIP ada@example.test: ada (id 1001)",
            "✓ settings: VIP Owner: owner, the owner",
            "! settings: VIP_NAMES: \"nobodee\" is nobody on Centauri → Is it a typo? `plex-prune whitelist list` shows everybody who is \
             safe, and why.",
            VIEW,
        ]
    );
}
