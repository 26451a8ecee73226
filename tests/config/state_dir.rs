//! Where `state.json` is.

use std::path::PathBuf;

use super::complaint;
use crate::{sandbox, support::Sandbox};

/// A sandbox in which nothing says where the state is.
fn homeless() -> Sandbox {
    let sandbox = sandbox();
    sandbox.live().unset_env("STATE_DIR");
    sandbox
}

trait Places {
    fn place(&self, name: &str) -> PathBuf;
    fn keeps_state_in(&self, arguments: &[&str], expected: &str);
}

impl Places for Sandbox {
    /// A place of that name, not made.
    fn place(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// A pass writes its state here and nowhere else.
    #[track_caller]
    fn keeps_state_in(&self, arguments: &[&str], expected: &str) {
        self.run(&[arguments, &["welcome"]].concat()).exits(0);
        let path = self.place(expected);
        assert!(path.join("state.json").is_file(), "no state in {}", path.display());
        std::fs::remove_dir_all(path).unwrap();
    }
}

#[test]
fn the_most_specific_setting_says_where_the_state_is() {
    let sandbox = homeless();
    sandbox.set_env("HOME", sandbox.place("home").display());
    sandbox.keeps_state_in(&[], "home/.local/state/plex-prune");
    sandbox.set_env("XDG_STATE_HOME", sandbox.place("xdg").display());
    sandbox.keeps_state_in(&[], "xdg/plex-prune");
    sandbox.set_env("STATE_DIRECTORY", sandbox.place("systemd").display());
    sandbox.keeps_state_in(&[], "systemd");
    sandbox.set_env("STATE_DIR", sandbox.place("variable").display());
    sandbox.keeps_state_in(&[], "variable");
    let argument = sandbox.place("argument").display().to_string();
    sandbox.keeps_state_in(&["--state-dir", &argument], "argument");
}

#[test]
fn of_two_directories_of_systemd_the_first_is_taken() {
    let sandbox = homeless();
    let both = format!("{}:{}", sandbox.place("one").display(), sandbox.place("two").display());
    sandbox.set_env("STATE_DIRECTORY", both);
    sandbox.keeps_state_in(&[], "one");
    assert!(!sandbox.place("two").exists());
}

#[test]
fn a_relative_xdg_state_home_doesn_t_count() {
    let sandbox = homeless();
    sandbox.set_env("XDG_STATE_HOME", "xdg").set_env("HOME", sandbox.place("home").display());
    sandbox.keeps_state_in(&[], "home/.local/state/plex-prune");
}

#[test]
fn without_a_home_the_folder_must_be_named() {
    let sandbox = homeless();
    let problem = "STATE_DIR: is not set, and neither is HOME; name the folder for state.json";
    for command in ["welcome", "sweep", "status"] {
        sandbox.run(&[command]).exits(2).stderr(&complaint(&[problem]));
    }
    assert_eq!(sandbox.requests().len(), 0);
    sandbox.run(&["--state-dir", "here", "welcome"]).exits(0);
    assert!(sandbox.place("cwd/here/state.json").is_file());
}
