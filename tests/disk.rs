//! The disk is full, the folder can't be written, the files are links. A pass finds out before it does anything.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::{Path, PathBuf};

use crate::story::{ADMIN, clean, minutes, settled, subjects, titles, waiting};
use crate::support::{Fault, Sandbox, cmd, days, days_ago, delete};

/// rita is to be removed, walt to be warned; newt is new.
fn people(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
    sandbox.person(1003, "walt").watched(days_ago(27));
    sandbox.person(1005, "rita").watched(days_ago(33));
}

fn sandbox() -> Sandbox {
    let sandbox = settled(people);
    sandbox.joins(1020, "newt");
    sandbox
}

/// Everything that is in the state's folder, but for the lock.
fn files(sandbox: &Sandbox) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = fs::read_dir(sandbox.state_dir()).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| !path.ends_with("state.json.lock")).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap_or_default())).collect()
}

/// Neither pass can write: nobody is asked anything, nothing happens, and no file is changed.
#[track_caller]
fn does_nothing(sandbox: &Sandbox, exits: &[i32], says: &str) {
    let (before, asked) = (files(sandbox), sandbox.requests().len());
    for command in ["welcome", "sweep"] {
        let run = sandbox.run(&[command]);
        assert!(exits.contains(&run.status) && run.stderr.contains(says), "{run}");
        run.stderr_lacks("panicked");
    }
    assert_eq!(sandbox.requests().len(), asked);
    assert!(sandbox.writes().is_empty());
    assert!(files(sandbox) == before, "a file was changed");
}

/// Everything is done, once.
#[track_caller]
fn does_everything(sandbox: &Sandbox) {
    for command in ["welcome", "sweep", "welcome", "sweep"] {
        sandbox.advance(minutes(2)).run(&[command]).exits(0);
    }
    assert_eq!([1001, 1003, 1005, 1020].map(|id| sandbox.on_plex(id)), [true, true, false, true]);
    let mut titles = titles(sandbox);
    titles.sort();
    assert_eq!(titles, ["Joined: newt", "Removed: rita", "Warned: walt"]);
    assert_eq!((sandbox.mails().len(), waiting(sandbox).len()), (6, 0));
    clean(sandbox);
}

#[test]
fn on_a_full_disk_nothing_is_begun() {
    let sandbox = Sandbox::new("/bin/sh");
    people(&sandbox);
    sandbox.live();
    // No file may grow beyond so many blocks; what is more fails, as on a full disk.
    let limited = |blocks: &str| format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let program = env!("CARGO_BIN_EXE_plex-prune");
    sandbox.program_args(&["-c", &limited("unlimited"), program]).run(&["welcome"]).exits(0);
    sandbox.forget().joins(1020, "newt");
    for blocks in ["0", "1", "2", "3", "8", "32", "60"] {
        sandbox.program_args(&["-c", &limited(blocks), program]);
        does_nothing(&sandbox, if blocks == "0" { &[2] } else { &[1] }, "File too large (os error 27)");
        sandbox.run(&["status"]).exits(0);
        sandbox.run(&["sweep", "--dry-run"]).exits(0);
    }
    sandbox.program_args(&["-c", &limited("unlimited"), program]);
    does_everything(&sandbox);
}

#[test]
fn a_disk_that_goes_away_in_the_middle_stops_the_pass_at_once() {
    type Lay = fn(&Sandbox) -> crate::support::Gate;
    let gates: [(Lay, &[&str]); 3] = [
        (
            |sandbox| {
                let (fault, gate) = Fault::gate_before();
                sandbox.plex.fail(delete("/"), fault).times(1);
                gate
            },
            &["plex DELETE /api/v2/sharings/1005"],
        ),
        (
            |sandbox| {
                let (fault, gate) = Fault::gate_before();
                sandbox.tautulli.fail(cmd("delete_user"), fault).times(1);
                gate
            },
            &["plex DELETE /api/v2/sharings/1005", "tautulli delete_user 1005"],
        ),
        (
            |sandbox| sandbox.smtp.gate_before().1,
            &[
                "plex DELETE /api/v2/sharings/1005",
                "tautulli delete_user 1005",
                "mail rita@example.test: Your access to Centauri has ended",
            ],
        ),
    ];
    for (lay, until_then) in gates {
        let sandbox = settled(people);
        let gate = lay(&sandbox);
        let (dir, away) = (sandbox.state_dir(), sandbox.dir().join("away"));
        let sweep = sandbox.spawn(&["sweep"]);
        gate.wait();
        fs::rename(&dir, &away).unwrap();
        gate.open();
        let run = sweep.wait();
        run.exits(1).stderr_has("error: could not write ").stderr_has("What it held before is still there");
        let writes: Vec<String> = sandbox.writes().into_iter().filter(|write| !write.contains("warn")).collect();
        assert_eq!(writes, until_then);
        fs::rename(&away, &dir).unwrap();
        sandbox.mend();
        for _ in 0..2 {
            sandbox.advance(minutes(30)).run(&["sweep"]).exits(0);
        }
        let again = usize::from(until_then.len() == 3);
        assert_eq!(subjects(&sandbox, "rita@example.test").len(), 1 + again, "only what was in flight comes again");
        assert_eq!((subjects(&sandbox, ADMIN).len(), titles(&sandbox).len(), waiting(&sandbox).len()), (2, 2, 0));
        assert!(!sandbox.on_plex(1005) && !sandbox.in_tautulli(1005));
        clean(&sandbox);
    }
}

#[test]
fn a_folder_that_may_not_be_written_stops_a_pass_before_it_begins() {
    let sandbox = sandbox();
    // In a folder that may not be written, the lock can only be taken where an earlier pass left its file.
    fs::write(sandbox.state_dir().join("state.json.lock"), "").unwrap();
    let chattr = |flag: &str| {
        let done = std::process::Command::new("chattr").arg(flag).arg(sandbox.state_dir()).output();
        done.is_ok_and(|output| output.status.success())
    };
    if !chattr("+i") {
        return; // Not root, or a file system without such flags.
    }
    let before = files(&sandbox);
    for command in ["welcome", "sweep"] {
        sandbox.run(&[command]).exits(1).stderr_has("Operation not permitted");
    }
    assert!(files(&sandbox) == before && sandbox.requests().is_empty());
    assert!(chattr("-i"));
    does_everything(&sandbox);
}

#[test]
fn a_folder_in_the_place_of_the_backup_or_of_the_lock_is_an_error() {
    for name in ["state.json.bak", "state.json.lock"] {
        let sandbox = sandbox();
        let path = sandbox.state_dir().join(name);
        let _ = fs::remove_file(&path);
        fs::create_dir(&path).unwrap();
        does_nothing(&sandbox, &[2], &format!("{}: ", path.display()));
        fs::remove_dir(&path).unwrap();
        does_everything(&sandbox);
    }
}

/// Makes `state.json` a link to a file in another folder, which has what it had.
fn linked(sandbox: &Sandbox) -> PathBuf {
    let volume = sandbox.dir().join("volume");
    fs::create_dir(&volume).unwrap();
    let target = volume.join("plex.json");
    fs::rename(sandbox.state_path(), &target).unwrap();
    symlink("../volume/plex.json", sandbox.state_path()).unwrap();
    target
}

#[test]
fn a_link_stays_a_link_and_what_it_links_to_is_written() {
    let sandbox = sandbox();
    let target = linked(&sandbox);
    does_everything(&sandbox);
    assert!(sandbox.state_path().is_symlink());
    let names: Vec<_> = fs::read_dir(target.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(names, [target]);
}

#[test]
fn a_link_to_an_unusable_file_is_recovered_like_the_file() {
    let sandbox = sandbox();
    sandbox.advance(minutes(2)).run(&["sweep"]).exits(0);
    let target = linked(&sandbox);
    fs::copy(&target, sandbox.state_dir().join("state.json.bak")).unwrap();
    fs::write(&target, "{").unwrap();
    sandbox.run(&["welcome"]).exits(0).stderr_has("going on with its backup");
    assert!(sandbox.state_path().is_symlink());
    assert!(target.with_file_name("plex.json.corrupt-2026-11-23T120200Z").exists());
    does_everything(&sandbox);
}

#[test]
fn a_link_to_nothing_is_no_first_pass() {
    let sandbox = sandbox();
    let target = linked(&sandbox);
    let away = target.with_extension("away");
    fs::rename(&target, &away).unwrap();
    let backup = sandbox.state_dir().join("state.json.bak");
    let _ = fs::remove_file(&backup);
    does_nothing(&sandbox, &[2], "state.json: it links to a file that is not there. Nothing was touched");
    fs::rename(&away, &target).unwrap();
    does_everything(&sandbox);
}

#[test]
fn a_volume_that_is_gone_is_not_written_to_even_if_there_is_a_backup() {
    let sandbox = sandbox();
    sandbox.run(&["sweep"]).exits(0);
    sandbox.forget();
    let target = linked(&sandbox);
    let (volume, away) = (target.parent().unwrap(), sandbox.dir().join("away"));
    fs::rename(volume, &away).unwrap();
    does_nothing(&sandbox, &[1], "No such file or directory");
    fs::rename(&away, volume).unwrap();
    sandbox.run(&["welcome"]).exits(0);
    assert_eq!(titles(&sandbox), ["Joined: newt"]);
}

#[test]
fn links_in_a_circle_are_an_error() {
    let sandbox = sandbox();
    let kept = sandbox.dir().join("kept.json");
    fs::rename(sandbox.state_path(), &kept).unwrap();
    symlink("state.json", sandbox.state_path()).unwrap();
    does_nothing(&sandbox, &[2], "Too many levels of symbolic links");
    fs::rename(&kept, sandbox.state_path()).unwrap();
    does_everything(&sandbox);
}

#[test]
fn a_missing_folder_is_made_and_a_link_to_no_folder_is_an_error() {
    let sandbox = settled(people);
    sandbox.set_env("STATE_DIR", sandbox.dir().join("a/b/c").display());
    sandbox.run(&["welcome"]).exits(0).stderr_has("first pass");
    assert!(sandbox.dir().join("a/b/c/state.json").exists());
    let link = sandbox.dir().join("link");
    symlink("/nonexistent/folder", &link).unwrap();
    sandbox.set_env("STATE_DIR", link.display()).forget();
    sandbox.advance(days(1));
    for command in ["welcome", "sweep"] {
        sandbox.run(&[command]).exits(2).stderr_has("could not make the state directory").stderr_lacks("panicked");
    }
    assert!(sandbox.requests().is_empty() && sandbox.writes().is_empty());
}

/// Whom each file in the state's folder belongs to, if it is not `user`.
fn strangers(sandbox: &Sandbox, user: u32) -> Vec<PathBuf> {
    let paths = fs::read_dir(sandbox.state_dir()).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| fs::metadata(path).unwrap().uid() != user).collect()
}

#[test]
fn what_root_does_by_hand_does_not_shut_out_the_user_of_the_passes() {
    let sandbox = settled(people);
    let user = 4242;
    if chown(sandbox.state_dir(), Some(user), Some(user)).is_err() {
        // Only root can try this.
        return;
    }
    // As a folder is in which root alone has worked so far.
    sandbox.run(&["whitelist", "add", "ada"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(strangers(&sandbox, user), Vec::<PathBuf>::new());
    // As Kubernetes hands out a volume: the folder is root's, the files are not.
    chown(sandbox.state_dir(), Some(0), Some(0)).unwrap();
    fs::remove_file(sandbox.state_dir().join("state.json.lock")).unwrap();
    sandbox.run(&["whitelist", "remove", "ada"]).exits(0);
    assert_eq!(strangers(&sandbox, user), Vec::<PathBuf>::new());
}

/// Whoever the folder belongs to could plant links, for root to follow.
#[test]
fn root_follows_no_link_of_another_user_to_where_that_user_may_not_write() {
    let sandbox = settled(people);
    // A pass that makes the lock file.
    sandbox.run(&["welcome"]).exits(0);
    let (user, precious) = (4242, sandbox.dir().join("precious"));
    fs::create_dir(&precious).unwrap();
    fs::write(precious.join("file"), "root's").unwrap();
    if chown(sandbox.state_dir(), Some(user), Some(user)).is_err() {
        // Only root can try this.
        return;
    }
    let add = ["whitelist", "add", "ada", "--offline"];
    let lock = sandbox.state_dir().join("state.json.lock");
    let planted: [&dyn Fn(&Path); 3] = [
        &|link| symlink("../precious/file", link).unwrap(),
        &|link| symlink("../precious/new", link).unwrap(),
        &|link| fs::hard_link(precious.join("file"), link).unwrap(),
    ];
    for plant in planted {
        fs::remove_file(&lock).unwrap();
        plant(&lock);
        sandbox.run(&add).exits(2).stderr_has("could not open the lock file");
    }
    fs::remove_file(&lock).unwrap();
    // Its backup would do in place of what the link leads to.
    fs::rename(sandbox.state_path(), sandbox.state_dir().join("state.json.bak")).unwrap();
    symlink("../precious/file", sandbox.state_path()).unwrap();
    std::os::unix::fs::lchown(sandbox.state_path(), Some(user), Some(user)).unwrap();
    let says = "it is a link of user 4242's, to a folder that is not theirs";
    sandbox.run(&add).exits(2).stderr_has(says);
    assert_eq!(fs::read_dir(&precious).unwrap().count(), 1);
    let file = precious.join("file");
    assert_eq!((fs::read_to_string(&file).unwrap(), fs::metadata(&file).unwrap().uid()), ("root's".to_owned(), 0));
    // To a folder of their own it may lead.
    chown(&precious, Some(user), Some(user)).unwrap();
    sandbox.run(&add).exits(0);
}

#[test]
fn a_folder_of_roots_stays_roots() {
    let sandbox = settled(people);
    if chown(sandbox.state_dir(), Some(0), Some(0)).is_err() {
        // Only root can try this.
        return;
    }
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!(strangers(&sandbox, 0), Vec::<PathBuf>::new());
}
