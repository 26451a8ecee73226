//! `state.json` on disk.

mod lock;
mod recovery;

use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use crate::{
    sandbox,
    support::{Fault, cmd, days, days_ago, get, hours},
};

/// Names in a folder, sorted; those of a folder that isn't there: none.
fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// By which a file that was written again is told from one that was not.
fn identity(path: &Path) -> (u64, i64, i64) {
    let metadata = std::fs::metadata(path).unwrap();
    (metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
}

#[test]
fn the_state_is_for_nobody_else_to_read() {
    let sandbox = sandbox();
    sandbox.live().run(&["welcome"]).exits(0);
    sandbox.advance(hours(1)).run(&["sweep"]).exits(0);
    let dir = sandbox.state_dir();
    assert_eq!(names(&dir), ["state.json", "state.json.bak", "state.json.lock"]);
    assert_eq!(mode(&dir), 0o700);
    for name in names(&dir) {
        assert_eq!(mode(&dir.join(&name)), 0o600, "{name}");
    }
}

#[test]
fn folders_on_the_way_are_made_and_one_that_is_there_keeps_its_mode() {
    let sandbox = sandbox();
    let deep = sandbox.dir().join("a/b/c");
    sandbox.live().set_env("STATE_DIR", deep.display()).run(&["welcome"]).exits(0);
    assert_eq!((mode(&deep), mode(&sandbox.dir().join("a"))), (0o700, 0o700));

    let shared = sandbox.dir().join("shared");
    std::fs::DirBuilder::new().mode(0o750).create(&shared).unwrap();
    let before = mode(&shared);
    sandbox.set_env("STATE_DIR", shared.display()).run(&["welcome"]).exits(0);
    assert_eq!((mode(&shared), mode(&shared.join("state.json"))), (before, 0o600));
}

#[test]
fn the_backup_is_the_version_before() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob");
    sandbox.live().run(&["welcome"]).exits(0);
    assert!(!sandbox.backup().exists());
    let before = sandbox.state_text();
    sandbox.advance(hours(1)).run(&["welcome"]).exits(0);
    assert_ne!(sandbox.state_text(), before);
    assert_eq!(std::fs::read_to_string(sandbox.backup()).unwrap(), before);
}

#[test]
fn a_state_that_has_not_changed_is_not_written_again() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob");
    sandbox.live().run(&["welcome"]).exits(0);
    let before = identity(&sandbox.state_path());
    sandbox.run(&["welcome"]).exits(0);
    sandbox.plex.fail(get("/api/v2/resources"), Fault::status(401));
    sandbox.advance(hours(1)).run(&["welcome"]).exits(1);
    sandbox.run(&["sweep"]).exits(1);
    assert_eq!(identity(&sandbox.state_path()), before);
    assert!(!sandbox.backup().exists());
}

#[test]
fn status_and_dry_runs_write_nothing_at_all() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").joined(days_ago(90));
    for arguments in [&["status"][..], &["status", "--json"], &["welcome"], &["sweep"], &["sweep", "--dry-run"]] {
        sandbox.run(arguments).exits(0);
        assert!(!sandbox.state_dir().exists(), "{arguments:?}");
    }

    sandbox.run(&["welcome", "--dry-run=false"]).exits(0);
    std::fs::remove_file(sandbox.state_dir().join("state.json.lock")).unwrap();
    let before = identity(&sandbox.state_path());
    sandbox.forget().advance(days(40)).joins(1003, "eve");
    for arguments in [&["status"][..], &["welcome"], &["sweep"]] {
        sandbox.run(arguments).exits(0);
        assert_eq!(names(&sandbox.state_dir()), ["state.json"], "{arguments:?}");
        assert_eq!(identity(&sandbox.state_path()), before, "{arguments:?}");
    }
    assert_eq!(sandbox.writes(), [""; 0]);
}

#[test]
fn people_can_read_the_file() {
    let sandbox = sandbox();
    for (id, name, watched) in [(1002, "bob", 2), (1003, "carol", 2), (1004, "dave", 6), (1005, "eve", 2)] {
        sandbox.person(id, name).watched(days_ago(watched));
    }
    sandbox.live().unset_env("DISCORD_WEBHOOK").run(&["welcome"]).exits(0);
    sandbox.advance(days(25)).advance(hours(20)).watches(1003);
    sandbox.leaves(1005);
    sandbox.run(&["welcome"]).exits(0);
    sandbox.smtp.defer("bob@example.test");
    sandbox.tautulli.fail(cmd("delete_user"), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    assert_eq!(sandbox.state_text(), EXPECTED);
}

/// bob was warned, and the mail still waits; dave was removed, and Tautulli still has him; eve left.
const EXPECTED: &str = r#"{
  "version": 1,
  "server": {
    "name": "Centauri",
    "machine_identifier": "0f3c000000000000000000000000000000centauri"
  },
  "last_welcome_scan": "2026-12-19T08:00:00Z",
  "last_inactivity_scan": "2026-12-19T08:00:00Z",
  "people_on_plex": 2,
  "welcomed": {
    "1002": {
      "name": "bob",
      "when": "2026-11-23T12:00:00Z",
      "share": 71001
    },
    "1003": {
      "name": "carol",
      "when": "2026-11-23T12:00:00Z",
      "share": 71002
    }
  },
  "warned": {
    "1002": {
      "name": "bob",
      "when": "2026-12-19T08:00:00Z",
      "delivered": null
    }
  },
  "removed": {
    "1004": {
      "name": "dave",
      "email": "dave@example.test",
      "when": "2026-12-19T08:00:00Z",
      "reason": "nothing watched for 31 days",
      "share": 71003,
      "ok": true,
      "plex": "access to Centauri ended",
      "tautulli_deleted": false,
      "announced": true
    }
  },
  "gone": {
    "1005": {
      "name": "eve",
      "when": "2026-12-19T08:00:00Z",
      "share": 71004
    }
  },
  "whitelist": [],
  "refusals": {},
  "outbox": [
    {
      "id": "warning-1002-person-20261219T080000Z",
      "to": "person",
      "written": "2026-12-19T08:00:00Z",
      "event": "warned",
      "who": {
        "id": 1002,
        "name": "bob",
        "email": "bob@example.test"
      },
      "idle_days": 27,
      "access_ends": "2026-12-21T12:00:00Z",
      "days_left": 3,
      "last_watched": "2026-11-21T12:00:00Z",
      "last_error": "the mail server puts the mail off (at RCPT TO): 450 4.7.1 Greylisted, try again later. Try again in some minutes; passes do so by themselves"
    }
  ]
}
"#;
