//! The configuration as read: what is missing, who is meant, who is due.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::{findings, household, troubles};
use crate::sandbox;
use crate::support::days_ago;

#[test]
fn thresholds_and_switches_are_shown_as_read() {
    let sandbox = household();
    sandbox.live().set_env("WARN_DAYS", 10).set_env("KICK_DAYS", 20).set_env("MAX_REMOVALS", 1);
    sandbox.set_env("WARN_FIRST", "yes").set_env("PRUNE_HOME_USERS", "1");
    assert_eq!(
        findings(&sandbox)[..3],
        [
            "✓ settings: live: passes warn and remove",
            "✓ settings: a warning after 10 idle days, removal after 20, at most 1 removal in one pass; nobody without a \
             delivered warning (WARN_FIRST); Home users too (PRUNE_HOME_USERS)",
            "✓ settings: due now: nobody",
        ]
    );
}

#[test]
fn people_who_are_due_are_named() {
    let sandbox = household();
    sandbox.person(1003, "walt").watched(days_ago(28));
    let shown = |sandbox| findings(sandbox).into_iter().find(|line| line.contains("due now")).unwrap();
    assert_eq!(shown(&sandbox), "✓ settings: due now: 1 to be warned (walt), nobody to be removed");
    sandbox.person(1005, "rita").watched(days_ago(33));
    sandbox.person(1006, "mom").watched(days_ago(33));
    sandbox.set_env("VIP_NAMES", "mom");
    let remove = "! settings: due now: 1 to be warned (walt), 1 to be removed (rita) → `plex-prune status` shows why. Whoever \
                  is to stay: `plex-prune whitelist add WHO`";
    assert_eq!(shown(&sandbox), remove);
    for id in 0..12 {
        sandbox.person(1100 + id, &format!("old{id:02}")).watched(days_ago(40));
    }
    assert_eq!(
        shown(&sandbox),
        "! settings: due now: 1 to be warned (walt), 13 to be removed (old00, old01, old02, old03, old04, old05, old06, \
         old07, old08, old09 and 3 more): more than MAX_REMOVALS, so a sweep removes nobody → Look at `plex-prune status`; \
         if it is right: `plex-prune sweep --max-removals 13`"
    );
}

#[test]
fn entries_of_the_whitelist_that_mean_nobody_are_pointed_out() {
    let sandbox = household();
    sandbox.person(1005, "rita").watched(days_ago(3));
    sandbox.run(&["whitelist", "add", "ada"]).exits(0);
    sandbox.run(&["whitelist", "add", "rita"]).exits(0);
    sandbox.run(&["whitelist", "add", "nobodee", "--offline"]).exits(0);
    sandbox.leaves(1005);
    assert_eq!(
        troubles(&sandbox),
        [
            "! settings: whitelist: rita (id 1005) has no share on Centauri now → If they won't be back: `plex-prune \
             whitelist remove 1005`",
            "! settings: whitelist: \"nobodee\" is nobody on Centauri → Is it a typo? `plex-prune whitelist list` shows \
             everybody who is safe, and why.",
        ]
    );
}

#[test]
fn every_wrong_setting_is_listed_and_what_it_leaves_is_checked() {
    let sandbox = household();
    sandbox.unset_env("PLEX_TOKEN").unset_env("ADMIN_EMAIL").set_env("SMTP_PORT", "smtps");
    sandbox.set_env("BRAND_COLOR", "red").set_env("CA_FILE", "/nowhere");
    assert_eq!(
        findings(&sandbox),
        [
            "✗ settings: ADMIN_EMAIL: is not set; your address, which is told of everything → Set it right: no pass runs \
             before.",
            "✗ settings: PLEX_TOKEN: is not set, nor is PLEX_TOKEN_FILE; the server owner's token → Set it right: no pass \
             runs before, and plex.tv can't be checked.",
            "✗ settings: CA_FILE: the file /nowhere can't be read: No such file or directory (os error 2) → Set it right: no \
             pass runs before.",
            "✗ settings: SMTP_PORT: \"smtps\" is not a whole number from 1 to 65535 → Set it right: no pass runs before, and \
             the mail server can't be checked.",
            "✗ settings: BRAND_COLOR: \"red\" is not a colour like #7A5CFF → Set it right: no pass runs before.",
            "! settings: no env file was named → --env-file FILE or PLEX_PRUNE_ENV_FILE names one; sudo drops that variable.",
            "✓ Tautulli: reached, the key is accepted; version v2.17.2",
            "✓ Tautulli: connected to Plex",
            "✓ Tautulli: recording since 2025-11-25 at least",
            "! Tautulli: watches Centauri → Mend what fails above; then this shows whether it is the right server.",
            "✓ Discord: the webhook \"plex-prune\" posts to channel 1100000000000000002",
            "✓ state: DIR/state is not there yet; the first live pass makes it",
        ]
    );
}

#[test]
fn one_wrong_setting_takes_away_no_more_than_its_own_service() {
    let cases = [
        ("TAUTULLI_URL", "tautulli:8181", "Tautulli: ", "Tautulli"),
        ("SMTP_FROM", "plex", "mail: ", "the mail server"),
        ("DISCORD_WEBHOOK", "https://discord.com/", "Discord: ", "Discord"),
        ("PLEX_SERVER_NAME", "", "plex.tv: ", "plex.tv"),
    ];
    super::each(&cases, |(name, value, area, service)| {
        let sandbox = household();
        sandbox.set_env(name, value);
        let found = findings(&sandbox);
        assert!(found[0].starts_with(&format!("✗ settings: {name}: ")), "{found:#?}");
        assert!(found[0].ends_with(&format!(" → Set it right: no pass runs before, and {service} can't be checked.")));
        for other in ["plex.tv: reached", "Tautulli: reached", "mail: may send", "Discord: the webhook", "state: "] {
            let is_there = found.iter().any(|line| line.starts_with(&format!("✓ {other}")));
            assert_eq!(is_there, !other.starts_with(area), "{other}: {found:#?}");
        }
    });
}

#[test]
fn a_new_owner_with_nothing_set_is_told_of_everything() {
    let sandbox = sandbox();
    for (name, _) in sandbox.env() {
        if name != "STATE_DIR" && !name.starts_with("PLEX_PRUNE_TEST") {
            sandbox.unset_env(&name);
        }
    }
    let run = sandbox.run(&["verify"]);
    run.exits(1).stderr("");
    let missing: Vec<&str> = run
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("✗ settings ")?.split_once(": is not set").map(|(name, _)| name))
        .collect();
    assert_eq!(
        missing,
        [
            "ADMIN_EMAIL",
            "PLEX_TOKEN",
            "PLEX_SERVER_NAME",
            "TAUTULLI_URL",
            "TAUTULLI_API_KEY",
            "SMTP_HOST",
            "SMTP_PORT",
            "SMTP_FROM",
            "SMTP_USERNAME",
            "SMTP_PASSWORD",
        ]
    );
    assert!(sandbox.requests().is_empty());
}

#[test]
fn services_without_tls_are_checked_even_if_tls_can_not_be_set_up() {
    let sandbox = household();
    let file = sandbox.dir().join("authority.pem");
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    sandbox.set_env("CA_FILE", file.display());
    let found = findings(&sandbox);
    assert!(found[0].starts_with("✗ settings: could not set up TLS: "), "{found:#?}");
    assert!(found.iter().any(|line| line == "✓ mail: may send as plex@example.test"), "{found:#?}");
    assert!(found.iter().any(|line| line.starts_with("✓ state: ")), "{found:#?}");
}

#[test]
fn an_env_file_that_everybody_can_read_is_pointed_out() {
    let sandbox = household();
    let file = sandbox.dir().join("settings.env");
    std::fs::write(&file, "WARN_DAYS=20\n").unwrap();
    sandbox.set_env("PLEX_PRUNE_ENV_FILE", file.display());
    let about = |mode| {
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let found = findings(&sandbox).into_iter().find(|line| line.contains("env file"));
        found.map(|line| line.replace(&sandbox.dir().display().to_string(), "DIR"))
    };
    let open = "! settings: every user of this machine can read the env file DIR/settings.env, which may hold secrets → Take that \
                from them: `chmod o=`";
    assert_eq!(about(0o644).as_deref(), Some(open));
    assert_eq!((about(0o640), about(0o600)), (None, None));
}
