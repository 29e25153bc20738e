//! A file that only its owner reads, and that is there as a whole or not at all.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file that is written beside its place, and takes it when it is finished.
pub(crate) struct PrivateFile {
    file: File,
    unfinished: PathBuf,
    place: PathBuf,
    finished: bool,
}

impl PrivateFile {
    /// Begins beside `place`.
    ///
    /// # Errors
    /// What the system says, and if another process writes the same file.
    pub(crate) fn begin(place: &Path) -> io::Result<Self> {
        let mut unfinished = place.as_os_str().to_owned();
        unfinished.push(".unfinished");
        let unfinished = PathBuf::from(unfinished);
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&unfinished)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(io::Error::other("another process writes it")),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // What somebody left behind there is neither kept nor trusted.
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.set_len(0)?;
        Ok(Self { file, unfinished, place: place.to_owned(), finished: false })
    }

    /// Takes its place, durably, instead of what was there.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.unfinished, &self.place)?;
        self.finished = true;
        let dir = self.place.parent().filter(|dir| !dir.as_os_str().is_empty());
        let dir = dir.map_or_else(|| PathBuf::from("."), Path::to_owned);
        File::open(dir)?.sync_all()
    }
}

impl Write for PrivateFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        if !self.finished
            && let Err(error) = std::fs::remove_file(&self.unfinished)
        {
            tracing::debug!(%error, "an unfinished file was gone already");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_when_it_is_finished_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("backup");
        std::fs::write(&place, "old").unwrap();
        std::fs::write(dir.path().join("backup.unfinished"), "left behind by a process").unwrap();
        let mut file = PrivateFile::begin(&place).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "old");
        assert!(PrivateFile::begin(&place).is_err(), "somebody writes it");
        file.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "new");
        assert_eq!(std::fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_given_up_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        drop(PrivateFile::begin(&dir.path().join("backup")).unwrap());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
