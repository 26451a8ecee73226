//! `whitelist`: who is never removed, and how the owner says so.

mod add;
mod list;
mod protects;
mod remove;

use serde_json::Value;

use crate::sandbox;
use crate::support::{Run, Sandbox, days_ago};

/// A household with nothing set for mail, Discord or Tautulli: the whitelist needs none of it.
fn household() -> Sandbox {
    let sandbox = sandbox();
    for name in ["SMTP_HOST", "SMTP_PORT", "SMTP_USERNAME", "SMTP_PASSWORD", "SMTP_FROM", "SMTP_TLS", "DISCORD_WEBHOOK"]
    {
        sandbox.unset_env(name);
    }
    sandbox.unset_env("TAUTULLI_URL").unset_env("TAUTULLI_API_KEY");
    sandbox.person(1005, "rita").title("Rita B.").email("Rita@example.test").watched(days_ago(33));
    sandbox.person(1007, "Mom Cat").watched(days_ago(90));
    sandbox.person(1015, "Max").email("max.one@example.test");
    sandbox.person(1016, "max").email("max.two@example.test");
    sandbox
}

#[track_caller]
fn whitelist(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let run = sandbox.run(&[&["whitelist"], arguments].concat());
    assert_eq!(sandbox.writes(), [""; 0], "nothing happens to anybody");
    assert_eq!(sandbox.violations(), [""; 0]);
    run
}

/// What a run that is refused says, without the time; nothing must have been written.
#[track_caller]
fn refused(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let before = std::fs::read(sandbox.state_path()).ok();
    let run = whitelist(sandbox, arguments);
    run.exits(2).stdout("");
    assert_eq!(std::fs::read(sandbox.state_path()).ok(), before, "something was changed");
    run.stderr.strip_prefix("2026-11-23T12:00:00Z error: ").unwrap_or(&run.stderr).to_owned()
}

/// The entries as they are on disk.
fn entries(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.state()["whitelist"].as_array().unwrap().clone()
}

#[test]
fn the_help_says_what_is_what() {
    let sandbox = sandbox();
    let run = sandbox.run(&["whitelist", "add", "--help"]);
    run.exits(0).stdout_has("<WHO>  Username, e-mail address, title or Plex id; looked up on Plex, so that\n");
    run.stdout_has("--until <DATE>         The last day that counts, in UTC: 2026-12-31; or\n");
    assert!(sandbox.requests().is_empty());
}

#[test]
fn an_entry_in_a_folder_that_nobody_named_says_where_it_went() {
    let sandbox = sandbox();
    sandbox.person(1001, "ada").watched(days_ago(1));
    let home = sandbox.dir().join("home");
    sandbox.unset_env("STATE_DIR").set_env("HOME", home.display());
    let dir = home.join(".local/state/plex-prune");
    let says = format!(
        "warning: STATE_DIR is not set: this goes into {}, and passes of another user have another\n",
        dir.display()
    );
    sandbox.run(&["whitelist", "add", "ada"]).exits(0).stderr_has(&says);
    sandbox.run(&["whitelist", "remove", "ada"]).exits(0).stderr_has(&says);
    let given = dir.display().to_string();
    sandbox.run(&["whitelist", "add", "ada", "--state-dir", &given]).exits(0).stderr("");
    sandbox.set_env("STATE_DIRECTORY", dir.display()).run(&["whitelist", "remove", "ada"]).exits(0).stderr("");
}
