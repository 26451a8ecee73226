//! `--env-file` and `PLEX_PRUNE_ENV_FILE`.

use std::fmt::Write;

use super::complaint;
use crate::{
    sandbox,
    support::{Sandbox, days_ago},
};

const SLIP: &str = "VIP_NAME: is no setting; did you mean VIP_NAMES?";

trait InFile {
    fn settings_in_file(&self) -> String;
}

impl InFile for Sandbox {
    /// Moves all settings into a file, and returns its path.
    fn settings_in_file(&self) -> String {
        let mut text = String::from("# settings of the sandbox\n\n");
        for (name, value) in self.env().into_iter().filter(|(name, _)| name != "PLEX_PRUNE_TEST_NOW") {
            writeln!(text, "{name}='{value}'").unwrap();
            self.unset_env(&name);
        }
        self.file("settings.env", &text)
    }
}

#[test]
fn all_settings_may_come_from_a_file() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").joined(days_ago(90));
    let file = sandbox.live().settings_in_file();
    sandbox.run(&["--env-file", &file, "welcome"]).exits(0);
    sandbox.run(&["sweep", "--env-file", &file]).exits(0);
    assert_eq!(sandbox.mails_to("bob@example.test").len(), 1);
    sandbox.set_env("PLEX_PRUNE_ENV_FILE", &file).run(&["status"]).exits(0);
}

#[test]
fn the_command_line_names_the_file_rather_than_the_variable() {
    let sandbox = sandbox();
    let file = sandbox.settings_in_file();
    sandbox.set_env("PLEX_PRUNE_ENV_FILE", "nowhere").run(&["--env-file", &file, "status"]).exits(0);
}

#[test]
fn no_env_file_is_read_unasked() {
    let sandbox = sandbox();
    std::fs::write(sandbox.dir().join("cwd/.env"), "DRY_RUN=maybe\n").unwrap();
    sandbox.run(&["status"]).exits(0);
}

#[test]
fn the_real_environment_wins() {
    let sandbox = sandbox();
    let file = sandbox.file("settings.env", "DRY_RUN=false\nWARN_DAYS=maybe\n");
    sandbox.set_env("WARN_DAYS", 5);
    let report = sandbox.run(&["--env-file", &file, "status", "--json"]).exits(0).json();
    assert_eq!((&report["warn_days"], &report["dry_run"]), (&5.into(), &false.into()));
}

#[test]
fn every_bad_line_of_the_file_is_named() {
    let sandbox = sandbox();
    let text = "WARN_DAYS=5\nexport KICK_DAYS=9\n\nWARN_DAYS: 3\nWARN_DAYS=6\nPLEX TOKEN=hush-hush\n# end\n";
    let file = sandbox.file("settings.env", text);
    let expected = "expected NAME=VALUE (no export, no blanks around =) or a comment behind #";
    sandbox.live().run(&["-vv", "--env-file", &file, "sweep"]).exits(2).stdout("").stderr(&complaint(&[
        &format!("the env file {file}: line 2: {expected}"),
        &format!("the env file {file}: line 4: {expected}"),
        &format!("the env file {file}: line 5: WARN_DAYS was set in line 1 already"),
        &format!("the env file {file}: line 6: {expected}"),
    ]));
    sandbox.is_untouched();
}

#[test]
fn an_env_file_that_is_not_there_is_an_error() {
    let sandbox = sandbox();
    let problem = "the env file nowhere.env: can't be read: No such file or directory (os error 2)";
    sandbox.run(&["--env-file", "nowhere.env", "status"]).exits(2).stderr(&complaint(&[problem]));
    sandbox.set_env("PLEX_PRUNE_ENV_FILE", "nowhere.env").run(&["status"]).exits(2).stderr(&complaint(&[problem]));
}

#[test]
fn a_bad_line_is_reported_together_with_the_wrong_settings() {
    let sandbox = sandbox();
    let file = sandbox.file("settings.env", "nonsense\nWARN_DAYS=soon\n");
    sandbox.run(&["--env-file", &file, "sweep"]).exits(2).stdout("").stderr(&complaint(&[
        &format!(
            "the env file {file}: line 1: expected NAME=VALUE (no export, no blanks around =) or a comment behind #"
        ),
        "WARN_DAYS: \"soon\" is not a whole number from 1 to 3650",
    ]));
    sandbox.is_untouched();
}

#[test]
fn a_slip_in_a_name_is_an_error_and_another_program_s_variable_is_not() {
    let sandbox = sandbox();
    let file = sandbox.file("settings.env", "TZ=UTC\nVIP_NAME=mom\nPLEX_URL=http://plex.example.test\n");
    sandbox.run(&["--env-file", &file, "sweep"]).exits(2).stderr(&complaint(&[SLIP]));
    sandbox.is_untouched();
}

#[test]
fn an_empty_variable_names_no_file() {
    let sandbox = sandbox();
    sandbox.set_env("PLEX_PRUNE_ENV_FILE", "");
    sandbox.run(&["status"]).exits(0);
}

/// systemd's EnvironmentFile, Docker's and Kubernetes' hand over what they read as the real environment.
#[test]
fn a_slip_in_a_name_of_the_real_environment_is_an_error_too() {
    let sandbox = sandbox();
    sandbox.person(1007, "mom").watched(days_ago(90));
    sandbox.live().run(&["welcome"]).exits(0);
    sandbox
        .set_env("VIP_NAME", "mom")
        .set_env("WARN_DAYS_FILE", "/run/secrets/days")
        .set_env("PLEX_URL", "no business");
    let file = "WARN_DAYS_FILE: is no setting; only secrets come from files of their own: set WARN_DAYS";
    for command in ["sweep", "welcome", "status"] {
        sandbox.run(&[command]).exits(2).stdout("").stderr(&complaint(&[SLIP, file]));
    }
    sandbox.run(&["verify"]).exits(1).stdout_has("VIP_NAME");
    assert!(sandbox.on_plex(1007));
    sandbox.unset_env("WARN_DAYS_FILE").set_env("VIP_NAMES", "ada").run(&["sweep"]).exits(2);
    assert!(sandbox.on_plex(1007));
    // Another program's variable.
    sandbox.unset_env("VIP_NAME").set_env("ADMIN_MAIL", "me").set_env("TEST_LOG", "1").run(&["status"]).exits(0);
}
