//! How a file in the state directory is replaced: whole, durably, and by the right user.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, fchown},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;
use time::OffsetDateTime;

use crate::{
    error::{Error, Kind},
    logging::EVENT,
    test_hooks::crash_point,
    words,
};

/// How the names of temporary files begin.
const TEMPORARY: &str = ".state.json.";
/// Links in a circle are followed no further; reading the file then fails.
const MAX_LINKS: usize = 40;

/// Something can't be used as it is, before anything was changed.
pub fn unusable(doing: &str, path: &Path, error: io::Error) -> Error {
    let what = format!("could not {doing} {}: {error}. Nothing was touched", path.display());
    Error::new(Kind::State, what, "Check STATE_DIR, and whom the folder belongs to")
}

/// The disk is full, or something else came up.
pub fn not_written(path: &Path, error: io::Error) -> Error {
    let what = format!("could not write {}", path.display());
    Error::new(Kind::Failure, what, "What it held before is still there").because(error.to_string())
}

/// Replaces a file: at any time, the old or the new one is there, whole.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().display();
    let write = || -> io::Result<()> {
        let file = temporary(path, bytes)?;
        crash_point(&format!("before the rename to {name}"));
        file.persist(path)?;
        crash_point(&format!("after the rename to {name}"));
        File::open(folder(path))?.sync_all()
    };
    crash_point(&format!("before writing {name}"));
    write().map_err(|error| not_written(path, error))
}

/// Fails if a file of this size can't be written next to `path`.
pub fn check_space(path: &Path, size: usize) -> Result<(), Error> {
    let write = || temporary(path, &vec![b' '; size])?.close();
    write().map_err(|error| not_written(path, error))
}

/// Removes the temporary files that a killed pass left next to `path`.
pub fn remove_leftovers(path: &Path) {
    for entry in fs::read_dir(folder(path)).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            // One that can't be removed takes up room and does no other harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Renames an unusable file to `NAME.corrupt-TIME`, for whoever wants to know what happened to it.
pub fn quarantine(path: &Path, now: OffsetDateTime) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let kept = path.with_file_name(format!("{name}.corrupt-{}", words::timestamp(now).replace(':', "")));
    match fs::rename(path, &kept) {
        Ok(()) => {
            log::warn!(target: EVENT, event = "state recovered"; "the unusable file was kept as {}", kept.display())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(unusable("put aside", path, error)),
    }
    crash_point("after putting the unusable file aside");
    Ok(())
}

/// What a link links to in the end, whether that exists or not; `path` itself if it is no link.
///
/// Fails if root is in another user's folder, and the link is neither root's nor leads to a folder of its owner's.
pub fn resolve_links(path: &Path) -> io::Result<PathBuf> {
    let is_others = is_root_in_others_folder(path);
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(to) = fs::read_link(&path) else { break };
        let to = folder(&path).join(to);
        let owner = fs::symlink_metadata(&path)?.uid();
        if is_others && owner != 0 && fs::metadata(folder(&to)).is_ok_and(|there| there.uid() != owner) {
            return Err(io::Error::other(format!("it is a link of user {owner}'s, to a folder that is not theirs")));
        }
        path = to;
    }
    Ok(path)
}

/// Whether the owner runs this by hand as root, in another user's folder: then that user's links must not lead root to
/// files elsewhere.
pub fn is_root_in_others_folder(path: &Path) -> bool {
    rustix::process::geteuid().is_root() && fs::metadata(folder(path)).is_ok_and(|folder| folder.uid() != 0)
}

/// Gives a file that root made to the owner of the folder of `path`, or else of the state there: what the owner does by
/// hand as root must not shut out the user that the passes run as.
pub fn match_folder_owner(file: &File, path: &Path) {
    let is_roots = file.metadata().is_ok_and(|made| made.uid() == 0);
    let places = [folder(path), path, &folder(path).join("state.json")];
    let others = places.into_iter().filter_map(|place| fs::metadata(place).ok());
    if let Some(owner) = others.into_iter().find(|place| is_roots && place.uid() != 0) {
        // Where that can't be done (in some containers and on some network file systems), it stays root's.
        let _ = fchown(file, Some(owner.uid()), Some(owner.gid()));
    }
}

/// A temporary file next to `path`, on disk for certain. Its mode is 0600 from the start.
fn temporary(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::with_prefix_in(TEMPORARY, folder(path))?;
    match_folder_owner(file.as_file(), path);
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
