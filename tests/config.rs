//! Settings: what is asked for, and what is said about what is wrong.

mod env_file;
mod secrets;
mod state_dir;
mod usage;

use std::collections::HashSet;

use crate::{
    sandbox,
    support::{Run, days_ago},
};

const REQUIRED: [&str; 10] = [
    "PLEX_TOKEN",
    "PLEX_SERVER_NAME",
    "TAUTULLI_URL",
    "TAUTULLI_API_KEY",
    "SMTP_HOST",
    "SMTP_PORT",
    "SMTP_USERNAME",
    "SMTP_PASSWORD",
    "SMTP_FROM",
    "ADMIN_EMAIL",
];

/// The log's one line about settings.
fn complaint(problems: &[&str]) -> String {
    let head = match problems.len() {
        1 => "a setting needs mending".to_owned(),
        n => format!("{n} settings need mending"),
    };
    let lines: String = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    format!("2026-11-23T12:00:00Z error: {head}; nothing was touched:{lines}\n")
}

trait Complaint {
    fn complains(&self, problems: &[&str]) -> &Self;
}

impl Complaint for Run {
    /// It ended because of these settings, with not a word more.
    #[track_caller]
    fn complains(&self, problems: &[&str]) -> &Self {
        self.exits(2).stdout("").stderr(&complaint(problems))
    }
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let sandbox = sandbox();
    for name in REQUIRED {
        sandbox.unset_env(name);
    }
    let missing = [
        "ADMIN_EMAIL: is not set; your address, which is told of everything",
        "PLEX_TOKEN: is not set, nor is PLEX_TOKEN_FILE; the server owner's token",
        "PLEX_SERVER_NAME: is not set; the server's name as Plex shows it",
        "TAUTULLI_URL: is not set; Tautulli's address, such as http://192.168.1.10:8181",
        "TAUTULLI_API_KEY: is not set, nor is TAUTULLI_API_KEY_FILE; see Tautulli's Settings, Web Interface",
        "SMTP_HOST: is not set; the mail server's name, such as smtp.example.test",
        "SMTP_PORT: is not set; 465, 587 or what your mail server says",
        "SMTP_FROM: is not set; the sender's address, such as plex@example.test",
        "SMTP_USERNAME: is not set; the mail server's login",
        "SMTP_PASSWORD: is not set, nor is SMTP_PASSWORD_FILE; Gmail wants an app password",
    ];
    for arguments in [&["welcome", "--dry-run=false"][..], &["sweep", "--dry-run"]] {
        sandbox.run(arguments).complains(&missing);
    }
    sandbox.is_untouched();
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let sandbox = sandbox();
    sandbox.set_env("PLEX_TOKEN", "").set_env("SMTP_HOST", "  ").set_env("WARN_DAYS", "").set_env("SMTP_TLS", "");
    sandbox.run(&["sweep"]).complains(&[
        "PLEX_TOKEN: is not set, nor is PLEX_TOKEN_FILE; the server owner's token",
        "SMTP_HOST: is not set; the mail server's name, such as smtp.example.test",
    ]);
}

#[test]
fn status_asks_for_nothing_that_mails_need() {
    let sandbox = sandbox();
    for name in REQUIRED.into_iter().filter(|name| name.starts_with("SMTP_")) {
        sandbox.unset_env(name);
    }
    sandbox.set_env("BRAND_COLOR", "nonsense").set_env("SMTP_TLS", "nonsense");
    sandbox.run(&["status"]).exits(0).stderr("");
}

#[test]
fn a_bad_value_is_shown_with_what_would_be_right() {
    let day = "is not a whole number from 1 to 3650";
    let limit = "is not a whole number from 2 to 3651";
    let switch = "is neither true (1, yes) nor false (0, no)";
    let seconds = "is not a whole number from 1 to 31536000";
    let port = "is not a whole number from 1 to 65535";
    let tls = "is not one of auto, implicit, starttls, none";
    let order = "and must be less than KICK_DAYS, which is 30 (the default)";
    let url = "is not an address like http://192.168.1.10:8181 (no ? or #)";
    let colour = "is not a colour like #7A5CFF";
    let web = "is not a link that starts with https://, http:// or mailto:";
    // What is wrong with a value that is shown first.
    let shown = [
        ("WARN_DAYS", "0", day),
        ("WARN_DAYS", "27 days", day),
        ("KICK_DAYS", "0", limit),
        ("KICK_DAYS", "1", limit),
        ("KICK_DAYS", "-30", limit),
        ("KICK_DAYS", "4294967297", limit),
        ("DRY_RUN", "maybe", switch),
        ("DRY_RUN", "flase", switch),
        ("WARN_FIRST", "2", switch),
        ("PRUNE_HOME_USERS", "nope", switch),
        ("MAX_REMOVALS", "-1", "is not a whole number from 0 to 100000"),
        ("CHECK_NEW_USERS_SECS", "0", seconds),
        ("CHECK_INACTIVITY_SECS", "0", seconds),
        ("CHECK_INACTIVITY_SECS", "30m", seconds),
        ("SMTP_PORT", "0", port),
        ("SMTP_PORT", "70000", port),
        ("SMTP_PORT", "abc", port),
        ("SMTP_TLS", "ssl", tls),
        ("SMTP_TLS", "true", tls),
        ("ADMIN_EMAIL", "admin", "is not an address like admin@example.test"),
        ("SMTP_FROM", "Plex <plex>", "is not an address like plex@example.test or Plex <plex@example.test>"),
        ("BRAND_COLOR", "purple", colour),
        ("BRAND_COLOR", "#fff", colour),
        ("BRAND_COLOR", "#7A5CFé", colour),
        ("LINK_PLEX", "app.plex.tv", web),
        ("LINK_REQUESTS", "javascript:alert(1)", web),
        ("LINK_CONTACT", "admin@example.test", web),
    ];
    let discord = "expected the address that Discord gives under Server Settings, Integrations, Webhooks";
    // What is wrong with a value that is not shown, or shown otherwise.
    let others = [
        ("WARN_DAYS", "30", &*format!("is 30, {order}")),
        ("WARN_DAYS", "31", &*format!("is 31, {order}")),
        ("TAUTULLI_URL", "192.168.1.10:8181", url),
        ("TAUTULLI_URL", "localhost:8181", url),
        ("TAUTULLI_URL", "ftp://tautulli", url),
        ("TAUTULLI_URL", "http://tautulli/?a=b", url),
        ("PLEX_TV_URL", "plex.tv", "is not an address like https://plex.tv (no ? or #)"),
        ("DISCORD_WEBHOOK", "https://discord.com/channels/1/2", discord),
        ("TEMPLATE_DIR", "nowhere", "there is no folder nowhere"),
        ("CA_FILE", "nowhere.pem", "the file nowhere.pem can't be read: No such file or directory (os error 2)"),
    ];
    let shown = shown.map(|(name, value, what)| (name, value, format!("{value:?} {what}")));
    let others = others.map(|(name, value, what)| (name, value, what.to_owned()));
    // Of each name one value a run: all of them are complained about at once.
    let mut rows: Vec<(&str, &str, String)> = shown.into_iter().chain(others).collect();
    while !rows.is_empty() {
        let sandbox = sandbox();
        sandbox.live();
        let (mut now, mut later, mut names) = (Vec::new(), Vec::new(), HashSet::new());
        for row in rows {
            // The two thresholds are judged together.
            if names.insert(row.0.replace("KICK_DAYS", "WARN_DAYS")) { now.push(row) } else { later.push(row) }
        }
        rows = later;
        for (name, value, _) in &now {
            sandbox.set_env(name, value);
        }
        let run = sandbox.run(&["sweep"]);
        run.exits(2).stdout("");
        let head = match now.len() {
            1 => "a setting needs mending".to_owned(),
            count => format!("{count} settings need mending"),
        };
        run.stderr_has(&format!("error: {head}; nothing was touched:\n"));
        for (name, _, what) in &now {
            run.stderr_has(&format!("\n  {name}: {what}\n"));
        }
        assert_eq!(run.stderr.lines().count(), 1 + now.len(), "{run}");
        sandbox.is_untouched();
    }
}

#[test]
fn a_default_that_no_longer_fits_is_called_one() {
    let sandbox = sandbox();
    sandbox.set_env("KICK_DAYS", 14);
    sandbox
        .run(&["status"])
        .complains(&["WARN_DAYS: is 27 (the default), and must be less than KICK_DAYS, which is 14"]);
    sandbox.set_env("WARN_DAYS", "two weeks");
    sandbox.run(&["status"]).complains(&["WARN_DAYS: \"two weeks\" is not a whole number from 1 to 3650"]);
    sandbox.set_env("WARN_DAYS", "1").set_env("KICK_DAYS", "2");
    sandbox.run(&["status"]).exits(0);
}

#[test]
fn a_file_of_authorities_must_hold_at_least_one() {
    let sandbox = sandbox();
    let file = sandbox.dir().join("ca.pem");
    sandbox.set_env("CA_FILE", file.display());
    std::fs::write(&file, "garbage\n").unwrap();
    let none = format!("CA_FILE: the file {} holds no certificate (-----BEGIN CERTIFICATE-----)", file.display());
    sandbox.run(&["status"]).complains(&[&none]);
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n").unwrap();
    let broken = format!("CA_FILE: the file {} is not PEM: base64 decode error: InvalidCharacter(33)", file.display());
    sandbox.run(&["status"]).complains(&[&broken]);
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n").unwrap();
    sandbox.run(&["status"]).exits(2).stderr_has("CA_FILE");
    sandbox.is_untouched();
}

#[test]
fn switches_are_read_as_people_write_them() {
    let sandbox = sandbox();
    for (value, is_dry) in
        [("true", true), ("1", true), ("Yes", true), (" TRUE ", true), ("false", false), ("0", false), ("No", false)]
    {
        sandbox.set_env("DRY_RUN", value);
        assert_eq!(sandbox.run(&["status", "--json"]).exits(0).json()["dry_run"], is_dry, "DRY_RUN={value}");
    }
    sandbox.unset_env("DRY_RUN");
    assert_eq!(sandbox.run(&["status", "--json"]).json()["dry_run"], true);
}

#[test]
fn the_command_line_decides_over_dry_run() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").watched(days_ago(3));
    sandbox.live().run(&["welcome", "--dry-run"]).exits(0).stderr_has(" would record 1 person without a mail");
    sandbox.run(&["sweep", "--dry-run=yes"]).exits(0).stderr_has(" dry sweep of 1 person");
    assert!(!sandbox.state_dir().exists());

    sandbox.unset_env("DRY_RUN").run(&["welcome", "--dry-run=false"]).exits(0).stderr_lacks("would");
    assert!(sandbox.state()["welcomed"]["1002"].is_object());
}

#[test]
fn an_unclear_dry_run_is_an_error_whatever_the_other_side_says() {
    let sandbox = sandbox();
    sandbox.live().run(&["sweep", "--dry-run=maybe"]).exits(2).stdout("").stderr(
        "error: invalid value 'maybe' for '--dry-run[=<BOOL>]': \"maybe\" is neither true (1, yes) nor false (0, no)\n\
         \n\
         For more information, try '--help'.\n",
    );
    sandbox.set_env("DRY_RUN", "maybe").run(&["sweep", "--dry-run=false"]).exits(2);
    sandbox.is_untouched();
}

#[test]
fn blanks_around_values_don_t_matter() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").joined(days_ago(90));
    sandbox.live().run(&["welcome"]).exits(0);
    for (name, value) in sandbox.env() {
        if name != "PLEX_PRUNE_TEST_NOW" && !name.starts_with("SSL_") {
            sandbox.set_env(&name, format!(" {value}\t"));
        }
    }
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(sandbox.mails_to("bob@example.test").len(), 1);
}

#[test]
fn vip_names_may_have_blanks_and_a_comma_too_many() {
    let sandbox = sandbox();
    for (id, name) in [(1002, "mom"), (1003, "dad"), (1004, "Big Brother"), (1005, "bob")] {
        sandbox.person(id, name).joined(days_ago(90));
    }
    sandbox.set_env("VIP_NAMES", " Mom,, DAD@example.test , big brother,");
    let people = sandbox.run(&["status", "--json"]).exits(0).stderr("").json()["people"].take();
    let protected: Vec<_> = people.as_array().unwrap().iter().map(|p| p["standing"] == "protected").collect();
    let names: Vec<_> = people.as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Big Brother", "bob", "dad", "mom"]);
    assert_eq!(protected, [true, false, true, true], "{people:#}");
}
