//! People, time and the environment.

use super::{plex, sandbox};
use plex_prune_standins::{SmtpTls, days, days_ago};
use serde_json::Value;
use time::macros::datetime;

#[test]
fn people_come_go_and_come_back() {
    let sandbox = sandbox();
    sandbox.joins(1002, "bob");
    assert!(sandbox.on_plex(1002) && sandbox.in_tautulli(1002));
    let first = sandbox.plex.share_id(1002, plex_prune_standins::CENTAURI);

    sandbox.advance(days(40)).watches(1002);
    assert_eq!(sandbox.tautulli.plays(1002), 1);
    sandbox.leaves(1002);
    sandbox.watches(1002);
    assert!(!sandbox.on_plex(1002) && sandbox.in_tautulli(1002));
    assert_eq!(sandbox.tautulli.plays(1002), 1, "nobody watches without access");

    sandbox.advance(days(1)).invite_again(1002);
    let shares: Vec<Value> = plex(&sandbox, "GET", "/api/v2/shared_servers/owned/accepted").json().unwrap();
    assert_eq!(shares.len(), 1);
    assert_eq!(shares[0]["acceptedAt"], "2027-01-03T12:00:00Z");
    assert_ne!(sandbox.plex.share_id(1002, plex_prune_standins::CENTAURI), first);
}

#[test]
fn the_environment_is_complete_and_can_be_changed() {
    let sandbox = sandbox();
    let get = |name: &str| sandbox.env().into_iter().find(|(known, _)| known == name).map(|(_, value)| value);
    assert_eq!(get("PLEX_PRUNE_TEST_NOW").unwrap(), "2026-11-23T12:00:00Z");
    assert_eq!(get("DRY_RUN"), None);
    sandbox.live().set_env("WARN_DAYS", 3).unset_env("DISCORD_WEBHOOK").advance(days(1));
    assert_eq!(get("DRY_RUN").unwrap(), "false");
    assert_eq!(get("WARN_DAYS").unwrap(), "3");
    assert_eq!(get("DISCORD_WEBHOOK"), None);
    assert_eq!(get("PLEX_PRUNE_TEST_NOW").unwrap(), "2026-11-24T12:00:00Z");
    sandbox.smtp_tls(SmtpTls::Implicit);
    assert_eq!(get("SMTP_TLS").unwrap(), "implicit");
    let authority = std::fs::read_to_string(get("CA_FILE").unwrap()).unwrap();
    assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"));
}

#[test]
fn another_now_moves_the_record_as_well() {
    let sandbox = sandbox();
    sandbox.set_now(datetime!(2025-01-01 00:00 UTC));
    assert_eq!(sandbox.tautulli.plays(42), 400);
    sandbox.recording_since(days_ago(800));
    assert_eq!(sandbox.tautulli.plays(42), 800);
    sandbox.advance(days(1)).disconnected().advance(days(5));
    assert_eq!(sandbox.tautulli.plays(42), 801, "nothing is recorded while out of touch");
}

#[test]
fn a_new_chapter_keeps_only_the_violations() {
    let sandbox = sandbox();
    plex(&sandbox, "DELETE", "/api/friends/1002");
    sandbox.forget();
    assert!(sandbox.requests().is_empty() && sandbox.writes().is_empty());
    assert_eq!(sandbox.violations().len(), 1);
    plex(&sandbox, "GET", "/api/v2/user");
    assert_eq!(sandbox.requests()[0].status, Some(200));
}

#[test]
fn names_of_any_kind_have_an_address() {
    let sandbox = sandbox();
    sandbox.person(1, "Zoë <b>O'Hara</b>").watched(days_ago(1));
    let shares: Vec<Value> = plex(&sandbox, "GET", "/api/v2/shared_servers/owned/accepted").json().unwrap();
    assert_eq!(shares[0]["invited"]["username"], "Zoë <b>O'Hara</b>");
    let address = shares[0]["invited"]["email"].as_str().unwrap();
    assert!(address.ends_with("@example.test") && address.is_ascii() && !address.contains('<'));
}
