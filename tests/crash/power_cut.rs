//! The power fails at every point of a pass. What was not fsynced may be lost: the end of a temporary file, a rename.

use std::fs;

use super::{Killed, SWEEP, Scene, WELCOME, until_quiet};
use crate::support::Sandbox;

/// What a power cut leaves of the state.
#[derive(Clone, Copy, Debug)]
enum Left {
    /// The temporary file has only half of its bytes.
    HalfATemporaryFile,
    /// The rename never reached the disk.
    TheOldFile,
    /// The file is there and empty, as some file systems leave it.
    AnEmptyFile,
    /// Nothing but the backup, though all was fsynced: no good disk does that.
    TheBackup,
}

impl Left {
    /// What may be left at a point of a pass.
    fn at(point: &str) -> &'static [Self] {
        match point {
            "before the rename to state.json" | "before the rename to state.json.bak" => &[Self::HalfATemporaryFile],
            "after the rename to state.json" => &[Self::TheOldFile, Self::AnEmptyFile],
            // The backup is no worse than the file.
            "before writing state.json" | "after the rename to state.json.bak" => &[Self::AnEmptyFile],
            _ => &[Self::TheBackup],
        }
    }

    fn leave(self, sandbox: &Sandbox) {
        let (state, backup) = (sandbox.state_path(), sandbox.state_dir().join("state.json.bak"));
        match self {
            Self::HalfATemporaryFile => {
                let mut entries = fs::read_dir(sandbox.state_dir()).unwrap().map(|entry| entry.unwrap().path());
                let file = entries.find(|path| path.display().to_string().contains("/.state.json."));
                let file = file.expect("there is a temporary file");
                let bytes = fs::read(&file).unwrap();
                fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
            }
            Self::TheOldFile => drop(fs::copy(&backup, &state).unwrap()),
            Self::AnEmptyFile => fs::write(&state, "").unwrap(),
            Self::TheBackup => fs::remove_file(&state).unwrap(),
        }
    }
}

/// Cuts the power at each point, with everything that may be left there.
fn power_cuts(scene: &Scene) {
    scene.killed_everywhere(|n, killed| {
        for left in Left::at(&killed.point) {
            let killed = scene.killed_at(n).expect("the point is there again");
            if killed.sandbox.state_dir().join("state.json.bak").exists() {
                left.leave(&killed.sandbox);
                until_quiet(&killed.sandbox);
                match left {
                    Left::TheBackup => little_is_lost(scene, &killed),
                    _ => scene.is_done(&killed),
                }
            }
        }
    });
}

/// One save behind, a notice may go out twice, and a removal that was just intended may be taken for somebody who left.
/// Nobody loses access who should not.
fn little_is_lost(scene: &Scene, killed: &Killed) {
    scene.nobody_is_harmed(killed);
    let writes = killed.sandbox.writes();
    for effect in scene.effects {
        let times = writes.iter().filter(|write| write == effect).count();
        assert!(times <= 2, "after a kill {}: {effect}: {times} times", killed.point);
    }
}

#[test]
fn a_power_cut_anywhere_in_a_sweep_loses_nothing_that_was_fsynced() {
    power_cuts(&SWEEP);
}

#[test]
fn a_power_cut_anywhere_in_a_welcome_loses_nothing_that_was_fsynced() {
    power_cuts(&WELCOME);
}
