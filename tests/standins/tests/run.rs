//! Running a program: here, a shell.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::sandbox;

#[test]
fn a_run_has_the_sandbox_s_environment_and_no_other() {
    let sandbox = sandbox();
    let run = sandbox.run(&["-c", "echo $PLEX_TOKEN $HOME; echo oh >&2; ls; exit 3"]);
    run.exits(3).stdout("sandbox-plex-token\n").stderr("oh\n").stdout_has("plex").stderr_lacks("ah");
}

#[test]
fn leading_arguments_come_first() {
    let sandbox = sandbox();
    sandbox.program_args(&["-c", "echo $0 $1"]);
    sandbox.run(&["one", "two"]).exits(0).stdout("one two\n");
}

#[test]
fn a_run_can_be_killed_or_asked_to_end() {
    let sandbox = sandbox();
    assert_eq!(sandbox.spawn(&["-c", "exec sleep 100"]).kill().status, -9);
    assert_eq!(sandbox.spawn(&["-c", "exec sleep 100"]).terminate().status, -15);
}

#[test]
#[should_panic(expected = "--- stderr\noh\n")]
fn a_wrong_exit_shows_everything() {
    sandbox().run(&["-c", "echo oh >&2"]).exits(1);
}

#[test]
fn the_state_is_written_and_read() {
    let sandbox = sandbox();
    sandbox.write_state(r#"{"welcomed": {}}"#);
    assert_eq!(sandbox.state(), json!({"welcomed": {}}));
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(sandbox.state_dir()), mode(sandbox.state_path())), (0o700, 0o600));
}
