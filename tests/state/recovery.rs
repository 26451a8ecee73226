//! What happens when `state.json` can't be used.

use std::path::PathBuf;

use super::names;
use crate::{
    sandbox,
    support::{Sandbox, days_ago, hours},
};

/// Ways for a file to be of no use, and what is said of each.
fn ruins() -> Vec<(Vec<u8>, &'static str)> {
    let deep = format!(r#"{{"removed": {{"1002": {}0{}}}}}"#, r#"{"when":"#.repeat(500), "}".repeat(500));
    vec![
        (Vec::new(), "it is empty"),
        (b"\n".to_vec(), "it is empty"),
        (vec![0; 4096], "it is not a JSON object"),
        (b"[]".to_vec(), "it is not a JSON object"),
        (b"null".to_vec(), "it is not a JSON object"),
        (br#"{"version": 1, "welcomed": {"10"#.to_vec(), "EOF while parsing a string at line 1 column 31"),
        (br#"{"version": 1}}"#.to_vec(), "trailing characters at line 1 column 15"),
        (b"{\"welcomed\": {\"1002\": \"\xff\xfe\"}}".to_vec(), "invalid unicode code point at line 1 column 24"),
        (deep.into_bytes(), "recursion limit exceeded at line 1 column 1022"),
        (
            br#"{"version": 1, "welcomed": {"1002": "soon"}}"#.to_vec(),
            "entry 1002: \"soon\" is not a time at line 1 column 44",
        ),
        (br#"{"version": 1, "warned": {"1002": {}}}"#.to_vec(), "entry 1002: missing field `when` at line 1 column 38"),
        (br#"{"version": "one"}"#.to_vec(), "invalid type: string \"one\", expected u32 at line 1 column 17"),
    ]
}

/// A sandbox whose state was saved more than once: bob was there from the start, eve came later.
fn with_backup() -> Sandbox {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").watched(days_ago(2));
    sandbox.live().run(&["welcome"]).exits(0);
    sandbox.advance(hours(1)).joins(1003, "eve");
    sandbox.run(&["welcome"]).exits(0);
    sandbox.advance(hours(1)).run(&["sweep"]).exits(0);
    sandbox.advance(hours(1)).forget();
    sandbox
}

trait Unusable {
    fn corrupt(&self) -> PathBuf;
    fn ruin(&self, bytes: &[u8]) -> &Self;
    fn gives_up(&self, says: &str);
}

impl Unusable for Sandbox {
    fn corrupt(&self) -> PathBuf {
        self.state_dir().join("state.json.corrupt-2026-11-23T150000Z")
    }

    fn ruin(&self, bytes: &[u8]) -> &Self {
        std::fs::write(self.state_path(), bytes).unwrap();
        self
    }

    /// Every command refuses with this, however often it is tried, asks nobody anything, and leaves the file alone.
    #[track_caller]
    fn gives_up(&self, says: &str) {
        let files: Vec<_> = names(&self.state_dir()).into_iter().filter(|name| name != "state.json.lock").collect();
        let contents = || files.iter().map(|name| std::fs::read(self.state_dir().join(name)).ok()).collect::<Vec<_>>();
        let before = contents();
        for arguments in [&["welcome"][..], &["welcome"], &["sweep"], &["sweep", "--dry-run"], &["status"]] {
            self.run(arguments).exits(2).stdout("").stderr(&format!("2026-11-23T15:00:00Z error: {says}\n"));
        }
        let after: Vec<_> = names(&self.state_dir()).into_iter().filter(|name| name != "state.json.lock").collect();
        assert_eq!(after, files);
        assert_eq!(contents(), before);
        assert_eq!((self.requests().len(), self.mails().len()), (0, 0));
    }
}

fn unusable(sandbox: &Sandbox, why: &str, backup: &str) -> String {
    format!(
        "{} can't be used: {why}. Its backup state.json.bak can't be used either: {backup}. \
         Nobody was welcomed, warned or removed. Put a good copy back under this name; or delete both files to start \
         anew: everybody on Plex is then recorded without a mail, and the whitelist and all warnings given so far are \
         lost",
        sandbox.state_path().display()
    )
}

#[test]
fn a_ruined_file_is_kept_aside_and_the_backup_goes_on() {
    for (ruin, why) in ruins() {
        let sandbox = with_backup();
        let backup = std::fs::read(sandbox.backup()).unwrap();
        let (state, corrupt) = (sandbox.state_path(), sandbox.corrupt());
        sandbox.ruin(&ruin).run(&["welcome"]).exits(0).stderr(&format!(
            "2026-11-23T15:00:00Z warning: {} can't be used ({why}); going on with its backup, state.json.bak\n\
             2026-11-23T15:00:00Z warning: the unusable file was kept as {}\n\
             2026-11-23T15:00:00Z welcome for 2 people on Centauri: nobody is new\n",
            state.display(),
            corrupt.display(),
        ));
        assert_eq!(std::fs::read(&corrupt).unwrap(), ruin);
        assert_eq!(std::fs::read(sandbox.backup()).unwrap(), backup);
        assert_eq!(sandbox.state()["welcomed"]["1003"]["name"], "eve");
        sandbox.run(&["sweep"]).exits(0).stderr_lacks("warning");
        assert_eq!(sandbox.writes(), [""; 0]);
    }
}

#[test]
fn even_a_quiet_pass_says_that_the_file_was_ruined() {
    let sandbox = with_backup();
    sandbox.ruin(b"").run(&["-q", "welcome"]).exits(0).stderr_has("state.json can't be used (it is empty)");
}

#[test]
fn status_and_dry_runs_use_the_backup_and_put_nothing_aside() {
    let sandbox = with_backup();
    sandbox.ruin(b"");
    for arguments in [&["status"][..], &["sweep", "--dry-run"], &["welcome", "--dry-run"]] {
        sandbox
            .run(arguments)
            .exits(0)
            .stderr_has("going on with its backup, state.json.bak\n")
            .stderr_lacks("kept as");
    }
    assert_eq!(std::fs::read(sandbox.state_path()).unwrap(), b"");
    assert!(!sandbox.corrupt().exists());
}

#[test]
fn without_a_backup_a_ruined_file_stops_everything() {
    for (ruin, why) in ruins() {
        let sandbox = with_backup();
        std::fs::remove_file(sandbox.backup()).unwrap();
        let says = unusable(&sandbox, why, "it is missing");
        sandbox.ruin(&ruin).gives_up(&says);
    }
}

#[test]
fn a_ruined_backup_is_no_backup() {
    let sandbox = with_backup();
    std::fs::write(sandbox.backup(), "").unwrap();
    let says = unusable(&sandbox, "it is not a JSON object", "it is empty");
    sandbox.ruin(b"nonsense").gives_up(&says);
    std::fs::remove_file(sandbox.state_path()).unwrap();
    let says = unusable(&sandbox, "it is missing", "it is empty");
    sandbox.gives_up(&says);
}

#[test]
fn a_missing_file_is_replaced_by_its_backup() {
    let sandbox = with_backup();
    std::fs::remove_file(sandbox.state_path()).unwrap();
    sandbox.run(&["welcome"]).exits(0).stderr(&format!(
        "2026-11-23T15:00:00Z warning: {} can't be used (it is missing); going on with its backup, state.json.bak\n\
         2026-11-23T15:00:00Z welcome for 2 people on Centauri: nobody is new\n",
        sandbox.state_path().display()
    ));
    assert_eq!(names(&sandbox.state_dir()), ["state.json", "state.json.bak", "state.json.lock"]);
    assert_eq!(sandbox.writes(), [""; 0]);
}

#[test]
fn after_both_files_are_gone_everybody_is_recorded_silently() {
    let sandbox = with_backup();
    std::fs::remove_file(sandbox.state_path()).unwrap();
    std::fs::remove_file(sandbox.backup()).unwrap();
    sandbox.run(&["welcome"]).exits(0).stderr_has("first pass: recorded 2 people without a mail");
    assert_eq!(sandbox.writes(), [""; 0]);
}

#[test]
fn a_stale_temporary_file_doesn_t_disturb() {
    let sandbox = with_backup();
    let stale = sandbox.state_dir().join(".state.json.aB3dE6");
    std::fs::write(&stale, "{\"version\": 1, \"welc").unwrap();
    sandbox.run(&["welcome"]).exits(0).stderr("2026-11-23T15:00:00Z welcome for 2 people on Centauri: nobody is new\n");
    assert_eq!(sandbox.writes(), [""; 0]);
}

#[test]
fn a_newer_file_is_left_to_a_newer_program() {
    for newer in [r#"{"version": 2}"#, r#"{"welcomed": 7, "outbox": {"a": []}, "version": 999}"#] {
        let sandbox = with_backup();
        let found = if newer.contains("999") { 999 } else { 2 };
        let says = newer_than_known(&sandbox.state_path(), found);
        sandbox.ruin(newer.as_bytes()).gives_up(&says);
    }
}

#[test]
fn a_newer_backup_isn_t_used_either() {
    let sandbox = with_backup();
    std::fs::write(sandbox.backup(), r#"{"version": 2}"#).unwrap();
    let says = newer_than_known(&sandbox.backup(), 2);
    sandbox.ruin(b"").gives_up(&says);
}

fn newer_than_known(path: &std::path::Path, found: u32) -> String {
    format!(
        "{} has version {found}, and this plex-prune knows versions up to 1; nothing was touched. \
         Install the plex-prune that wrote it, or a newer one",
        path.display()
    )
}

#[test]
fn a_folder_in_the_place_of_the_file_is_an_error() {
    let sandbox = with_backup();
    std::fs::remove_file(sandbox.state_path()).unwrap();
    std::fs::create_dir(sandbox.state_path()).unwrap();
    let says = format!(
        "could not read {}: Is a directory (os error 21). Nothing was touched. \
         Check STATE_DIR, and whom the folder belongs to",
        sandbox.state_path().display()
    );
    sandbox.gives_up(&says);
}

#[test]
fn a_file_that_may_not_be_read_is_not_replaced_by_its_backup() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = with_backup();
    std::fs::set_permissions(sandbox.state_path(), std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(sandbox.state_path()).is_ok() {
        return; // root may read anything
    }
    let says = format!(
        "could not read {}: Permission denied (os error 13). Nothing was touched. \
         Check STATE_DIR, and whom the folder belongs to",
        sandbox.state_path().display()
    );
    sandbox.gives_up(&says);
}

#[test]
fn a_state_directory_that_can_t_be_had_is_an_error() {
    let sandbox = sandbox();
    sandbox.live();
    let file = sandbox.dir().join("file");
    std::fs::write(&file, "").unwrap();
    for (dir, error) in
        [(file.clone(), "File exists (os error 17)"), (file.join("below"), "Not a directory (os error 20)")]
    {
        sandbox.set_env("STATE_DIR", dir.display());
        for command in ["welcome", "sweep"] {
            sandbox.run(&[command]).exits(2).stderr(&format!(
                "2026-11-23T12:00:00Z error: could not make the state directory {}: {error}. Nothing was touched. \
                 Check STATE_DIR, and whom the folder belongs to\n",
                dir.display()
            ));
        }
        sandbox.run(&["status"]).exits(2).stderr_has("Not a directory (os error 20). Nothing was touched.");
    }
    assert_eq!(sandbox.requests().len(), 0);
}
