//! The data directory: made with tight modes, and held by one process.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{LoadError, OpenError};

/// A data directory that no other process opens while this lives.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// The lock goes with the file.
    _lock: File,
}

impl Directory {
    /// Makes the directory if it is not there, and takes its lock.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |doing: &'static str| move |e: io::Error| LoadError::Io(e).at(path, doing);
        if !path.is_dir() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
            made.map_err(failed("making it"))?;
            if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                sync_dir(parent).map_err(failed("syncing the directory above it"))?;
            }
        }
        let mut lock = private_file(&path.join("lock")).map_err(failed("opening its lock file"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let known = lock.read_to_string(&mut pid).is_ok() && pid.trim().parse::<u32>().is_ok();
                let holder = if known { format!(" (pid {})", pid.trim()) } else { String::new() };
                return Err(OpenError::InUse { dir: path.to_owned(), holder });
            }
            Err(TryLockError::Error(e)) => return Err(failed("locking it")(e)),
        }
        let note = format!("{}\n", std::process::id());
        let written =
            lock.rewind().and_then(|()| lock.set_len(0)).and_then(|()| lock.write_all(note.as_bytes()));
        if let Err(error) = written {
            // Only the message of a second process loses by it.
            tracing::debug!(%error, "the lock file does not name this process");
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A file in the directory, made readable by its owner only if it is not there.
    pub(crate) fn file(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        if !path.exists() {
            private_file(&path)?;
            sync_dir(&self.path)?;
        }
        Ok(path)
    }
}

/// Opens a file for reading and writing; made readable by its owner only if it is not there.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
