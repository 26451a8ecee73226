use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read, Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::fs::OFlags;
use time::OffsetDateTime;

use super::file::{is_root_in_others_folder, match_folder_owner, unusable};
use crate::{
    error::{Error, Kind},
    shutdown, words,
};

/// Opens no link, and doesn't wait if the file is a pipe.
const NOFOLLOW: i32 = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).bits().cast_signed();

/// Holds `state.json.lock` until dropped. The system frees it when the process ends, however that happens.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, waiting for as long as `wait`, and notes in the file who holds it.
    pub fn take(path: &Path, holder: &str, now: OffsetDateTime, wait: Duration) -> Result<Self, Error> {
        let context = |error| unusable("open the lock file", path, error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            // Root may be here by hand, in the folder of a user who could link to a file of root's.
            .custom_flags(NOFOLLOW)
            .open(path)
            .map_err(context)?;
        let found = file.metadata().map_err(context)?;
        if !found.is_file() {
            return Err(context(io::Error::other("it is no plain file")));
        }
        if found.nlink() > 1 && is_root_in_others_folder(path) {
            let why = "it has another name elsewhere (a hard link); delete it, and the next pass makes a new one";
            return Err(context(io::Error::other(why)));
        }
        match_folder_owner(&file, path);
        // `status` holds the lock for a moment to see whether it is free, and a new holder has to write its name.
        let deadline = Instant::now() + wait.max(Duration::from_millis(200));
        loop {
            match fs2::FileExt::try_lock_exclusive(&file) {
                Ok(()) => break,
                Err(error) if error.kind() != ErrorKind::WouldBlock => {
                    return Err(unusable("lock", path, error));
                }
                Err(_) if Instant::now() >= deadline || shutdown::requested() => {
                    return Err(busy(&read_holder(&mut file)));
                }
                Err(_) => sleep(Duration::from_millis(50)),
            }
        }
        let note = format!("{holder}, pid {}, since {}\n", std::process::id(), words::timestamp(now));
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(note.as_bytes()))
            .map_err(|error| unusable("write to the lock file", path, error))?;
        Ok(Self { _file: file })
    }
}

fn busy(holder: &str) -> Error {
    let what = format!("another pass is under way ({holder})");
    Error::new(Kind::Busy, what, "Nothing was touched, the next pass will do it")
}

/// Who holds the lock, if anybody does; nothing is made or changed.
pub fn holder(path: &Path) -> Option<String> {
    let mut file = OpenOptions::new().read(true).custom_flags(NOFOLLOW).open(path).ok()?;
    match fs2::FileExt::try_lock_shared(&file) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Some(read_holder(&mut file)),
        _ => None,
    }
}

/// What the file says of the holder: one who can't be read, or has not written yet, is still a holder.
fn read_holder(file: &mut File) -> String {
    let mut holder = String::new();
    let _ = file.read_to_string(&mut holder);
    let holder = holder.trim();
    if holder.is_empty() { "its name is not known yet".to_owned() } else { holder.to_owned() }
}
