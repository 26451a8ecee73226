//! Who is never removed.

use crate::story::{clean, logged, nothing_happened, settled};
use crate::support::{Sandbox, days, days_ago};

fn idle(sandbox: &Sandbox) {
    sandbox.person(1007, "Mom Cat").title("Mother").email("mom@example.test").watched(days_ago(90));
}

#[test]
fn a_vip_is_named_by_username_title_address_or_id_whatever_case_and_blanks() {
    for name in ["Mom Cat", " momcat ", "MOTHER", "Mom@Example.test", "1007", "nobody-else, mom cat,,"] {
        let sandbox = settled(idle);
        sandbox.set_env("VIP_NAMES", name).run(&["sweep"]).exits(0).stderr_has("nobody is due");
        nothing_happened(&sandbox);
        clean(&sandbox);
    }
}

#[test]
fn part_of_a_name_or_the_id_of_a_share_protects_nobody() {
    let sandbox = settled(idle);
    let share = sandbox.plex.share_id(1007, crate::support::CENTAURI).unwrap();
    let run = sandbox.set_env("VIP_NAMES", format!("Mom, mom@, {share}, 100")).run(&["sweep"]);
    run.exits(0).stderr_has("warning: VIP_NAMES: \"mom@\" is nobody on Centauri; is it a typo?\n");
    assert!(!sandbox.on_plex(1007));
    clean(&sandbox);
}

#[test]
fn the_admin_s_own_account_is_known_by_its_address() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1013, "second").email("ADMIN@example.test").watched(days_ago(90));
    });
    logged(sandbox.run(&["sweep"]).exits(0), &["sweep of 1 person on Centauri: nobody is due"]);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn people_without_an_address_are_not_taken_for_one_another() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada").no_email().watched(days_ago(1));
        sandbox.person(1002, "bob").empty_email().watched(days_ago(1));
        sandbox.person(1005, "rita").empty_email().watched(days_ago(60));
        sandbox.person(1006, "nick").no_email().watched(days_ago(60));
    });
    sandbox.run(&["sweep"]).exits(0);
    let there = [1001, 1002, 1005, 1006].map(|id| sandbox.on_plex(id));
    assert_eq!(there, [true, true, false, false]);
    clean(&sandbox);
}

#[test]
fn home_users_are_never_removed_unless_asked_for() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1008, "hugo").home_user().watched(days_ago(90));
        sandbox.person(1009, "kid").managed_user().watched(days_ago(90));
    });
    logged(sandbox.run(&["sweep"]).exits(0), &["sweep of 2 people on Centauri: nobody is due"]);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn the_whitelist_protects_through_its_last_day_and_then_leaves_the_whole_warning_period() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1001, "ada");
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    sandbox.run(&["whitelist", "add", "rita", "--until", "2026-11-25"]).exits(0);
    let sweep = || sandbox.run(&["sweep"]).exits(0).clone();
    let watches = || sandbox.watches(1001);
    sandbox.advance(days(2) + time::Duration::hours(11) + time::Duration::minutes(59));
    watches();
    sweep();
    nothing_happened(&sandbox);
    sandbox.advance(time::Duration::minutes(1));
    sweep().stderr_has("warned rita (id 1005): nothing watched for 35 days; access ends 2026-11-29 00:00 UTC");
    sandbox.advance(days(3) - time::Duration::minutes(1));
    sweep();
    assert!(sandbox.on_plex(1005));
    sandbox.advance(time::Duration::minutes(1));
    sweep();
    assert!(!sandbox.on_plex(1005));
    clean(&sandbox);
}

#[test]
fn the_whitelist_protects_until_somebody_is_taken_off() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    sandbox.run(&["whitelist", "add", "RITA"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    sandbox.run(&["whitelist", "remove", "rita"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    assert!(!sandbox.on_plex(1005));
    clean(&sandbox);
}
