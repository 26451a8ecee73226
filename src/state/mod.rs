//! `state.json`: the only memory between passes. Locked for a whole pass, written whole and durably, with the version
//! before as a backup. Nothing else touches the file.

mod file;
mod lock;
mod record;

use std::{
    fs::{self, DirBuilder},
    io::{self, ErrorKind},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use time::OffsetDateTime;

use crate::{
    error::{Error, Kind},
    logging::EVENT,
};
use file::unusable;
use lock::Lock;
pub use record::{Failure, RefusalRecord, Removed, Seen, State, VERSION, Warned, WhitelistEntry};

const FILE: &str = "state.json";
const BACKUP: &str = "state.json.bak";
const LOCK: &str = "state.json.lock";

/// What a pass may add to the state: some hundred notices.
const STATE_HEADROOM: usize = 64 << 10;

/// The state, locked for this pass.
#[derive(Debug)]
pub struct Store {
    /// Changes are on disk after [`Store::save`].
    pub state: State,
    path: PathBuf,
    backup: PathBuf,
    on_disk: Option<Vec<u8>>,
    lock: Option<Lock>,
}

impl Store {
    /// Locks and reads the state in `dir`, which is made (mode 0700) if it is missing.
    ///
    /// `holder` says who takes the lock, `wait` for how long to try. If the file can't be read and the backup is good, the
    /// backup is used and the file renamed. A `state.json` that is a link stays one: what it links to is read and replaced.
    ///
    /// # Errors
    /// `Busy`, `State`, or `Failure` if there is no room to write; nothing was changed.
    pub fn open(dir: &Path, holder: &str, now: OffsetDateTime, wait: Duration) -> Result<Self, Error> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|error| unusable("make the state directory", dir, error))?;
        let lock = Lock::take(&dir.join(LOCK), holder, now, wait)?;
        let (path, backup) = (dir.join(FILE), dir.join(BACKUP));
        let path = file::resolve_links(&path).map_err(|error| unusable("follow", &path, error))?;
        let Loaded { state, bytes, damage } = load(dir)?;
        file::remove_leftovers(&path);
        if backup.is_dir() {
            return Err(unusable("replace", &backup, ErrorKind::IsADirectory.into()));
        }
        // A pass that finds out after a mail or a removal that it can't note them would repeat them in the next.
        file::check_space(&path, bytes.as_ref().map_or(0, Vec::len) + STATE_HEADROOM)?;
        if let Some(damage) = &damage {
            log::warn!(target: EVENT, event = "state recovered"; "{damage}");
            file::quarantine(&path, now)?;
        }
        // After a recovery nothing is on disk under the file's own name, and the backup is the one good copy.
        let on_disk = bytes.filter(|_| damage.is_none());
        Ok(Self { state, path, backup, on_disk, lock: Some(lock) })
    }

    /// Reads the state for a dry run: without a lock, and [`Store::save`] writes nothing. Errors as [`read`].
    pub fn read_only(dir: &Path) -> Result<Self, Error> {
        Ok(Self { state: read(dir)?, path: dir.join(FILE), backup: dir.join(BACKUP), on_disk: None, lock: None })
    }

    /// Writes the state, if it changed: the version before to `state.json.bak`, then the new one, each to a temporary
    /// file that is fsynced and renamed, and last the folder is fsynced.
    ///
    /// # Errors
    /// `Failure`; the file is then as it was.
    pub fn save(&mut self) -> Result<(), Error> {
        if self.lock.is_none() {
            return Ok(());
        }
        let mut bytes =
            serde_json::to_vec_pretty(&self.state).map_err(|error| file::not_written(&self.path, error.into()))?;
        bytes.push(b'\n');
        if self.on_disk.as_ref() == Some(&bytes) {
            return Ok(());
        }
        if let Some(before) = &self.on_disk {
            file::replace(&self.backup, before)?;
        }
        file::replace(&self.path, &bytes)?;
        self.on_disk = Some(bytes);
        Ok(())
    }
}

/// Reads the state in `dir` without a lock and without touching anything: for `status` and dry runs. A whole file is
/// seen at any time, since it is replaced by a rename.
///
/// # Errors
/// `State`, as [`Store::open`].
pub fn read(dir: &Path) -> Result<State, Error> {
    let (state, damage) = inspect(dir)?;
    if let Some(damage) = damage {
        log::warn!(target: EVENT, event = "state recovered"; "{damage}");
    }
    Ok(state)
}

/// As [`read`], but why the backup is used in place of the file, if it is, is returned and not logged.
pub fn inspect(dir: &Path) -> Result<(State, Option<String>), Error> {
    load(dir).map(|loaded| (loaded.state, loaded.damage))
}

/// Who holds the lock in `dir` now, if anybody does.
pub fn lock_holder(dir: &Path) -> Option<String> {
    lock::holder(&dir.join(LOCK))
}

struct Loaded {
    state: State,
    bytes: Option<Vec<u8>>,
    /// Why the backup is used in place of the file, if it is.
    damage: Option<String>,
}

fn load(dir: &Path) -> Result<Loaded, Error> {
    let path = dir.join(FILE);
    let (is_missing, why) = match read_file(&path)? {
        Found::Good(state, bytes) => return Ok(Loaded { state: *state, bytes: Some(bytes), damage: None }),
        Found::Missing => (true, "it is missing".to_owned()),
        Found::Bad(why) => (false, why),
    };
    let backup_problem = match read_file(&dir.join(BACKUP))? {
        Found::Good(state, bytes) => {
            let damage = format!("{} can't be used ({why}); going on with its backup, state.json.bak", path.display());
            return Ok(Loaded { state: *state, bytes: Some(bytes), damage: Some(damage) });
        }
        Found::Missing if is_missing && path.is_symlink() => {
            // Not a first pass, but rather a disk that is not mounted.
            return Err(unusable("read", &path, io::Error::other("it links to a file that is not there")));
        }
        Found::Missing if is_missing => {
            let state = State { version: VERSION, ..State::default() };
            return Ok(Loaded { state, bytes: None, damage: None });
        }
        Found::Missing => "it is missing".to_owned(),
        Found::Bad(why) => why,
    };
    let what = format!(
        "{} can't be used: {why}. Its backup state.json.bak can't be used either: {backup_problem}. Nobody was \
         welcomed, warned or removed",
        path.display()
    );
    let advice = "Put a good copy back under this name; or delete both files to start anew: everybody on Plex is then \
                  recorded without a mail, and the whitelist and all warnings given so far are lost";
    Err(Error::new(Kind::State, what, advice))
}

enum Found {
    Good(Box<State>, Vec<u8>),
    Missing,
    Bad(String),
}

/// Reads one file; fails if it may be good and must not be replaced by an older backup.
fn read_file(path: &Path) -> Result<Found, Error> {
    #[derive(Deserialize)]
    struct Versioned {
        #[serde(default)]
        version: u32,
    }
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Missing),
        Err(error) => return Err(unusable("read", path, error)),
    };
    // Serde would take a list for the values in order, and an empty one for a state in which nothing has happened yet.
    match bytes.trim_ascii_start().first() {
        None => return Ok(Found::Bad("it is empty".to_owned())),
        Some(b'{') => {}
        Some(_) => return Ok(Found::Bad("it is not a JSON object".to_owned())),
    }
    // The version comes first: a newer file need not make sense to this program in any other way.
    match serde_json::from_slice::<Versioned>(&bytes) {
        Ok(Versioned { version }) if version > VERSION => return Err(newer(path, version)),
        Ok(_) => {}
        Err(error) => return Ok(Found::Bad(error.to_string())),
    }
    Ok(match serde_json::from_slice::<State>(&bytes) {
        Ok(mut state) => {
            if state.version == 0 {
                state.migrate();
            }
            Found::Good(Box::new(state), bytes)
        }
        Err(error) => Found::Bad(error.to_string()),
    })
}

fn newer(path: &Path, version: u32) -> Error {
    let what = format!(
        "{} has version {version}, and this plex-prune knows versions up to {VERSION}; nothing was touched",
        path.display()
    );
    Error::new(Kind::State, what, "Install the plex-prune that wrote it, or a newer one")
}
