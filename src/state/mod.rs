//! `state.json`: the only memory between passes. Locked for a whole pass, written whole and durably, with the version
//! before as a backup. Nothing else touches the file.

mod lock;
mod outbox;
mod record;

use std::{
    fs::{self, DirBuilder, File},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, fchown},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use tempfile::NamedTempFile;
use time::OffsetDateTime;

use crate::rehearsal;
use lock::Lock;
pub use outbox::{Notice, Outbox};
pub use record::{Failure, Refusal, Removed, Seen, Spared, State, VERSION, Warned};

use crate::logging::EVENT;

/// How the names of temporary files begin.
const TEMPORARY: &str = ".state.json.";
/// What a pass may add to the state: some hundred notices.
const ROOM: usize = 64 << 10;

/// What can be wrong with the state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another pass holds the lock. Exit code 75.
    #[error("another pass is under way ({holder}); nothing was touched, the next pass will do it")]
    Busy {
        /// Who holds it, since when.
        holder: String,
    },
    /// Written by a newer program. Exit code 2.
    #[error(
        "{} has version {found}, and this plex-prune knows versions up to {VERSION}; nothing was touched. \
         Install the plex-prune that wrote it, or a newer one",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// Neither the file nor its backup can be used. Exit code 2.
    #[error(
        "{} can't be used: {why}. Its backup state.json.bak can't be used either: {backup}. Nobody was welcomed, warned \
         or removed. Put a good copy back under this name; or delete both files to start anew: \
         everybody on Plex is then recorded without a mail, and the whitelist and all warnings given so far are lost",
        path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// What is wrong with the backup.
        backup: String,
    },
    /// The state can't be had as things are. Exit code 2.
    #[error("could not {what} {}: {error}. Nothing was touched. Check STATE_DIR, and whom the folder belongs to", path.display())]
    Open {
        /// What was tried.
        what: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// The disk is full, or something else came up. Exit code 1.
    #[error("could not write {}: {error}. What it held before is still there", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
}

impl StateError {
    fn open(what: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Open { what, path: path.to_owned(), error }
    }

    fn write(path: &Path, error: io::Error) -> Self {
        Self::Write { path: path.to_owned(), error }
    }
}

/// The state, locked for this pass.
#[derive(Debug)]
pub struct Store {
    /// What is kept. Changes are on disk after [`Store::save`].
    pub state: State,
    path: PathBuf,
    backup: PathBuf,
    on_disk: Option<Vec<u8>>,
    lock: Option<Lock>,
}

impl Store {
    /// Locks and reads the state in `dir`, which is made (mode 0700) if it is missing.
    ///
    /// `holder` says who takes the lock, `wait` for how long to try. A file that can't be read is put aside as
    /// `state.json.corrupt-TIME` if the backup is good, and the backup is used. A `state.json` that is a link stays one:
    /// what it links to is read and replaced.
    ///
    /// # Errors
    /// [`StateError`], all of them before anything was changed; one of them if there is no room to write.
    pub fn open(dir: &Path, holder: &str, now: OffsetDateTime, wait: Duration) -> Result<Self, StateError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|error| StateError::open("make the state directory", dir, error))?;
        let lock = Lock::take(&dir.join("state.json.lock"), holder, now, wait)?;
        let (path, backup) = (dir.join("state.json"), dir.join("state.json.bak"));
        let path = target(&path).map_err(|error| StateError::open("follow", &path, error))?;
        let Loaded { state, bytes, damage } = load(dir)?;
        remove_leftovers(&path);
        // A pass that finds out after a mail or a removal that it can't note them would repeat them in the next.
        let size = bytes.as_ref().map_or(0, Vec::len) + ROOM;
        if backup.is_dir() {
            return Err(StateError::open("replace", &backup, io::ErrorKind::IsADirectory.into()));
        }
        try_out(&path, size).map_err(|error| StateError::write(&path, error))?;
        if let Some(damage) = &damage {
            log::warn!(target: EVENT, event = "state recovered"; "{damage}");
            put_aside(&path, now)?;
        }
        // After a recovery nothing is on disk under the file's own name, and the backup is the one good copy.
        let on_disk = bytes.filter(|_| damage.is_none());
        Ok(Self { state, path, backup, on_disk, lock: Some(lock) })
    }

    /// Reads the state for a dry run: without a lock, and [`Store::save`] writes nothing.
    ///
    /// # Errors
    /// As [`peek`].
    pub fn rehearse(dir: &Path) -> Result<Self, StateError> {
        let (path, backup) = (dir.join("state.json"), dir.join("state.json.bak"));
        Ok(Self { state: peek(dir)?, path, backup, on_disk: None, lock: None })
    }

    /// Writes the state, if it changed: the version before to `state.json.bak`, then the new one, each to a temporary
    /// file that is fsynced and renamed, and last the folder is fsynced.
    ///
    /// # Errors
    /// [`StateError::Write`]; the file is then as it was.
    pub fn save(&mut self) -> Result<(), StateError> {
        if self.lock.is_none() {
            return Ok(());
        }
        let mut bytes = serde_json::to_vec_pretty(&self.state)
            .map_err(|error| StateError::write(&self.path, io::Error::other(error)))?;
        bytes.push(b'\n');
        if self.on_disk.as_ref() == Some(&bytes) {
            return Ok(());
        }
        if let Some(before) = &self.on_disk {
            write(&self.backup, before)?;
        }
        write(&self.path, &bytes)?;
        self.on_disk = Some(bytes);
        Ok(())
    }
}

/// Replaces a file: at any time, the old or the new one is there, whole.
fn write(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let name = path.file_name().unwrap_or_default().display();
    let write = || -> io::Result<()> {
        let file = temporary(path, bytes)?;
        rehearsal::crash_point(&format!("before the rename to {name}"));
        file.persist(path)?;
        rehearsal::crash_point(&format!("after the rename to {name}"));
        File::open(folder(path))?.sync_all()
    };
    rehearsal::crash_point(&format!("before writing {name}"));
    write().map_err(|error| StateError::write(path, error))
}

/// A temporary file next to `path`, on disk for certain. Its mode is 0600 from the start.
fn temporary(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::with_prefix_in(TEMPORARY, folder(path))?;
    give_away(file.as_file(), path);
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Gives a file that root made to whomever the folder of `path`, or else the state there, belongs to: what the owner does
/// by hand as root must not shut out the user that the passes run as.
fn give_away(file: &File, path: &Path) {
    let is_roots = file.metadata().is_ok_and(|made| made.uid() == 0);
    let places = [folder(path), path, &folder(path).join("state.json")];
    let others = places.into_iter().filter_map(|place| fs::metadata(place).ok());
    if let Some(owner) = others.into_iter().find(|place| is_roots && place.uid() != 0) {
        // Where that can't be done (in some containers and on some network file systems), it stays root's, as it was made.
        let _ = fchown(file, Some(owner.uid()), Some(owner.gid()));
    }
}

/// Whether a file of this size can be written next to `path`.
fn try_out(path: &Path, size: usize) -> io::Result<()> {
    temporary(path, &vec![b' '; size])?.close()
}

/// Removes the temporary files that a killed pass left.
fn remove_leftovers(path: &Path) {
    for entry in fs::read_dir(folder(path)).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            // They only take up room: what remains does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether root is here by hand, in another user's folder, and must not be led elsewhere by that user's links.
fn is_visiting_root(path: &Path) -> bool {
    rustix::process::geteuid().is_root() && fs::metadata(folder(path)).is_ok_and(|folder| folder.uid() != 0)
}

/// What a link links to in the end, whether that is there or not; `path` itself if it is no link.
///
/// # Errors
/// Root visits another user's folder, and the link is neither root's nor leads to a folder of its owner's.
fn target(path: &Path) -> io::Result<PathBuf> {
    let is_visiting = is_visiting_root(path);
    let mut path = path.to_owned();
    // Links in a circle can't be read, which shows right after this.
    for _ in 0..40 {
        let Ok(to) = fs::read_link(&path) else { break };
        let to = folder(&path).join(to);
        let link = fs::symlink_metadata(&path)?.uid();
        if is_visiting && link != 0 && fs::metadata(folder(&to)).is_ok_and(|there| there.uid() != link) {
            return Err(io::Error::other(format!("it is a link of user {link}'s, to a folder that is not theirs")));
        }
        path = to;
    }
    Ok(path)
}

/// Reads the state in `dir` without a lock and without touching anything: for `status` and dry runs. A whole file is
/// seen at any time, since it is replaced by a rename.
///
/// # Errors
/// As [`Store::open`], but never [`StateError::Busy`].
pub fn peek(dir: &Path) -> Result<State, StateError> {
    let (state, damage) = inspect(dir)?;
    if let Some(damage) = damage {
        log::warn!(target: EVENT, event = "state recovered"; "{damage}");
    }
    Ok(state)
}

/// As [`peek`], but what is wrong with the file, if the backup has to stand in for it, is given back and not logged.
///
/// # Errors
/// As [`peek`].
pub fn inspect(dir: &Path) -> Result<(State, Option<String>), StateError> {
    load(dir).map(|loaded| (loaded.state, loaded.damage))
}

/// Who holds the lock in `dir` now, if anybody does.
pub fn lock_holder(dir: &Path) -> Option<String> {
    lock::holder(&dir.join("state.json.lock"))
}

struct Loaded {
    state: State,
    bytes: Option<Vec<u8>>,
    /// Why the backup stands in for the file, if it does.
    damage: Option<String>,
}

fn load(dir: &Path) -> Result<Loaded, StateError> {
    let (path, backup_path) = (dir.join("state.json"), dir.join("state.json.bak"));
    let (missing, why) = match read(&path)? {
        Found::Good(state, bytes) => return Ok(Loaded { state: *state, bytes: Some(bytes), damage: None }),
        Found::Missing => (true, "it is missing".to_owned()),
        Found::Bad(why) => (false, why),
    };
    match read(&backup_path)? {
        Found::Good(state, bytes) => {
            let damage = format!("{} can't be used ({why}); going on with its backup, state.json.bak", path.display());
            Ok(Loaded { state: *state, bytes: Some(bytes), damage: Some(damage) })
        }
        Found::Missing if missing && path.is_symlink() => {
            // Not a first pass, but rather a disk that is not mounted.
            Err(StateError::open("read", &path, io::Error::other("it links to a file that is not there")))
        }
        Found::Missing if missing => Ok(Loaded { state: State::default(), bytes: None, damage: None }),
        Found::Missing => Err(StateError::Unreadable { path, why, backup: "it is missing".to_owned() }),
        Found::Bad(backup) => Err(StateError::Unreadable { path, why, backup }),
    }
}

enum Found {
    Good(Box<State>, Vec<u8>),
    Missing,
    Bad(String),
}

fn read(path: &Path) -> Result<Found, StateError> {
    #[derive(Deserialize)]
    struct Versioned {
        #[serde(default)]
        version: u32,
    }
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Missing),
        // A file that may be good must not be replaced by an older backup.
        Err(error) => return Err(StateError::open("read", path, error)),
    };
    // Serde would take a list for the values in order, and an empty one for a state in which nothing has happened yet.
    match bytes.trim_ascii_start().first() {
        None => return Ok(Found::Bad("it is empty".to_owned())),
        Some(b'{') => {}
        Some(_) => return Ok(Found::Bad("it is not a JSON object".to_owned())),
    }
    // The version comes first: a newer file need not make sense to this program in any other way.
    match serde_json::from_slice::<Versioned>(&bytes) {
        Ok(Versioned { version }) if version > VERSION => {
            return Err(StateError::Newer { path: path.to_owned(), found: version });
        }
        Ok(_) => {}
        Err(error) => return Ok(Found::Bad(error.to_string())),
    }
    Ok(match serde_json::from_slice::<State>(&bytes) {
        Ok(mut state) => {
            if state.version == 0 {
                state.take_over();
            }
            Found::Good(Box::new(state), bytes)
        }
        Err(error) => Found::Bad(error.to_string()),
    })
}

/// Keeps an unusable `state.json` for whoever wants to know what happened to it.
fn put_aside(path: &Path, now: OffsetDateTime) -> Result<(), StateError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!("{name}.corrupt-{}", crate::words::timestamp(now).replace(':', "")));
    match fs::rename(path, &aside) {
        Ok(()) => {
            log::warn!(target: EVENT, event = "state recovered"; "the unusable file was kept as {}", aside.display())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(StateError::open("put aside", path, error)),
    }
    rehearsal::crash_point("after putting the unusable file aside");
    Ok(())
}
