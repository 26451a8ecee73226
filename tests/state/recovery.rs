//! What happens when `state.json` can't be used.

use std::{path::PathBuf, sync::OnceLock};

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

/// The state and the backup of [`with_backup`], which are the same each time.
static SAVED: OnceLock<(String, String)> = OnceLock::new();

/// A sandbox whose state was saved more than once: bob was there from the start, eve came later.
fn with_backup() -> Sandbox {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").watched(days_ago(2));
    sandbox.live().advance(hours(1)).joins(1003, "eve");
    sandbox.advance(hours(2));
    let (state, backup) = SAVED.get_or_init(saved);
    sandbox.write_state(state);
    std::fs::write(sandbox.backup(), backup).unwrap();
    sandbox
}

fn saved() -> (String, String) {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").watched(days_ago(2));
    sandbox.live().run(&["welcome"]).exits(0);
    sandbox.advance(hours(1)).joins(1003, "eve");
    sandbox.run(&["welcome"]).exits(0);
    sandbox.advance(hours(1)).run(&["sweep"]).exits(0);
    (sandbox.state_text(), std::fs::read_to_string(sandbox.backup()).unwrap())
}

trait Unusable {
    fn corrupt(&self) -> PathBuf;
    fn ruin(&self, bytes: &[u8]) -> &Self;
    fn refuses(&self, commands: &[&[&str]], says: &str);
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

    /// These commands refuse with this, ask nobody anything, and don't touch the files.
    #[track_caller]
    fn refuses(&self, commands: &[&[&str]], says: &str) {
        let files: Vec<_> = names(&self.state_dir()).into_iter().filter(|name| name != "state.json.lock").collect();
        let contents = || files.iter().map(|name| std::fs::read(self.state_dir().join(name)).ok()).collect::<Vec<_>>();
        let before = contents();
        for arguments in commands {
            self.run(arguments).exits(2).stdout("").stderr(&format!("2026-11-23T15:00:00Z error: {says}\n"));
        }
        let after: Vec<_> = names(&self.state_dir()).into_iter().filter(|name| name != "state.json.lock").collect();
        assert_eq!(after, files);
        assert_eq!(contents(), before);
        assert_eq!((self.requests().len(), self.mails().len()), (0, 0));
    }

    /// Every command refuses with this, however often it is tried.
    #[track_caller]
    fn gives_up(&self, says: &str) {
        self.refuses(&[&["welcome"], &["welcome"], &["sweep"], &["sweep", "--dry-run"], &["status"]], says);
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
    let sandbox = with_backup();
    let backup = std::fs::read(sandbox.backup()).unwrap();
    for (ruin, why) in ruins() {
        let can_t_be_used = format!(
            "2026-11-23T15:00:00Z warning: {} can't be used ({why}); going on with its backup, state.json.bak\n",
            sandbox.state_path().display()
        );
        sandbox.ruin(&ruin);
        sandbox.run(&["-q", "welcome"]).exits(0).stderr(&format!(
            "{can_t_be_used}2026-11-23T15:00:00Z warning: the unusable file was kept as {}\n",
            sandbox.corrupt().display(),
        ));
        assert_eq!(std::fs::read(sandbox.corrupt()).unwrap(), ruin);
        assert_eq!(std::fs::read(sandbox.backup()).unwrap(), backup);
        assert_eq!(sandbox.state()["welcomed"]["1003"]["name"], "eve");
        std::fs::remove_file(sandbox.corrupt()).unwrap();
    }
    sandbox.run(&["sweep"]).exits(0).stderr("2026-11-23T15:00:00Z sweep of 2 people on Centauri: nobody is due\n");
    assert_eq!(sandbox.writes(), [""; 0]);
}

#[test]
fn status_and_dry_runs_use_the_backup_and_put_nothing_aside() {
    let sandbox = with_backup();
    sandbox.ruin(b"");
    for arguments in [&["status"][..], &["sweep", "--dry-run"], &["welcome", "--dry-run"]] {
        let run = sandbox.run(arguments);
        run.exits(0).stderr_has("going on with its backup, state.json.bak\n").stderr_lacks("kept as");
    }
    assert_eq!(std::fs::read(sandbox.state_path()).unwrap(), b"");
    assert!(!sandbox.corrupt().exists());
}

#[test]
fn without_a_backup_a_ruined_file_stops_everything() {
    let sandbox = with_backup();
    std::fs::remove_file(sandbox.backup()).unwrap();
    for (ruin, why) in ruins() {
        let says = unusable(&sandbox, why, "it is missing");
        sandbox.ruin(&ruin).refuses(&[&["sweep"]], &says);
    }
    let says = unusable(&sandbox, "it is empty", "it is missing");
    sandbox.ruin(b"").gives_up(&says);
}

#[test]
fn a_file_that_was_cut_short_anywhere_is_not_read_as_nobody_known() {
    let sandbox = with_backup();
    let good = std::fs::read(sandbox.state_path()).unwrap();
    let end = good.iter().rposition(|byte| *byte == b'}').unwrap();
    for cut in [end / 2, end * 7 / 8, end] {
        let backup = std::fs::read(sandbox.backup()).unwrap();
        std::fs::remove_file(sandbox.backup()).unwrap();
        let run = sandbox.ruin(&good[..cut]).run(&["welcome"]);
        run.exits(2).stderr_has("Nobody was welcomed, warned or removed");
        std::fs::write(sandbox.backup(), backup).unwrap();
        sandbox.run(&["welcome"]).exits(0).stderr_has("nobody is new");
    }
    assert_eq!(sandbox.writes(), [""; 0]);
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
fn a_temporary_file_of_a_dead_pass_is_ignored() {
    let sandbox = with_backup();
    let stale = sandbox.state_dir().join(".state.json.aB3dE6");
    std::fs::write(&stale, "{\"version\": 1, \"welc").unwrap();
    sandbox.run(&["welcome"]).exits(0).stderr("2026-11-23T15:00:00Z welcome for 2 people on Centauri: nobody is new\n");
    assert_eq!(sandbox.writes(), [""; 0]);
}

#[test]
fn a_file_or_a_backup_of_a_newer_program_is_not_used() {
    let sandbox = with_backup();
    let newer = newer_than_known(&sandbox.state_path(), 2);
    sandbox.ruin(br#"{"version": 2}"#).gives_up(&newer);
    let newest = newer_than_known(&sandbox.state_path(), 999);
    sandbox.ruin(br#"{"welcomed": 7, "outbox": {"a": []}, "version": 999}"#).refuses(&[&["sweep"]], &newest);
    std::fs::write(sandbox.backup(), r#"{"version": 2}"#).unwrap();
    let newer = newer_than_known(&sandbox.backup(), 2);
    sandbox.ruin(b"").gives_up(&newer);
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
fn a_state_directory_that_can_t_be_made_is_an_error() {
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
