//! Takes an export into a directory of its own.
//!
//! Every part is a group of the journal as any other, with the mark of how far the import came in its commit. While
//! the mark is there, the directory is opened by nobody else. Nothing of it is held in memory meanwhile.

use std::sync::Arc;

use async_trait::async_trait;
use chatroom_core::{
    Clock, CursorWrite, Import, ImportMark, ImportState, Picture, Portable, Record, StorageError,
    StorageErrorKind, Timestamp,
};

use crate::codec::{BlobWriter, Unencodable};
use crate::directory::Directory;
use crate::error::{LoadError, OpenError};
use crate::journal::{JournalError, Left, SqliteJournal};
use crate::options::Options;
use crate::picture::EmbeddedPicture;
use crate::snapshot;

/// A data directory that takes an export. No other process opens it while this lives.
pub struct EmbeddedImport {
    directory: Directory,
    journal: SqliteJournal,
    has_snapshots: bool,
    /// The number of the next group.
    next: u64,
    /// The newest moment of all that was taken.
    newest: Timestamp,
    clock: Arc<dyn Clock>,
}

impl EmbeddedImport {
    /// Opens the directory, which is made if it is not there. Of the options, the directory and the sync count.
    ///
    /// # Errors
    /// [`OpenError`]: another process holds it, a newer version wrote it, it is damaged, or the file system says no.
    pub fn open(options: &Options, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let directory = Directory::open(&options.dir)?;
        let opened = (|| {
            let journal = SqliteJournal::open(&directory.file("journal.db")?, options.sync)?;
            let has_snapshots = !snapshot::open_all(directory.path())?.is_empty();
            Ok((journal.last()?, journal, has_snapshots))
        })();
        let (last, journal, has_snapshots) =
            opened.map_err(|e: LoadError| e.at(directory.path(), "its journal"))?;
        let (last, newest) = last.unwrap_or_default();
        Ok(Self { directory, journal, has_snapshots, next: last + 1, newest, clock })
    }
}

/// Everything here works on the disk where it is polled: for whoever does nothing else meanwhile.
#[async_trait]
impl Import for EmbeddedImport {
    async fn state(&mut self) -> Result<ImportState, StorageError> {
        let mark = self.journal.import().map_err(|error| {
            StorageError::caused_by(StorageErrorKind::Corrupt, "the mark of an import cannot be read", error)
        })?;
        Ok(match mark {
            Some(mark) => ImportState::Unfinished(mark),
            None if self.next > 1 || self.has_snapshots => ImportState::Filled,
            None => ImportState::Empty,
        })
    }

    async fn take(&mut self, part: Vec<Portable>, mark: ImportMark) -> Result<(), StorageError> {
        let mut at = self.clock.now().max(self.newest);
        let mut blob = BlobWriter::new();
        for portable in &part {
            if let Portable::Event(event) = portable {
                // Time does not go back within a room, whatever the clock of this machine says.
                at = at.max(event.at);
            }
            write(&mut blob, portable).map_err(|unencodable| {
                let message = "something of the export cannot be written";
                StorageError::caused_by(StorageErrorKind::Unavailable, message, unencodable)
            })?;
        }
        let blob = (!blob.is_empty()).then(|| blob.finish());
        let group = blob.as_deref().map(|blob| (self.next, at, blob));
        self.journal.append_import(group, mark).map_err(unwritten)?;
        self.next += u64::from(group.is_some());
        self.newest = at;
        Ok(())
    }

    async fn picture(&mut self) -> Result<Box<dyn Picture>, StorageError> {
        let (dir, now) = (self.directory.path().to_owned(), self.clock.now());
        let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| {
            StorageError::caused_by(StorageErrorKind::Corrupt, "what was imported cannot be read", error)
        };
        let read = tokio::task::spawn_blocking(move || EmbeddedPicture::read(&dir, now)).await;
        let (picture, _) = read.map_err(|e| unreadable(e.into()))?.map_err(|e| unreadable(e.into()))?;
        Ok(Box::new(picture))
    }

    async fn finish(&mut self) -> Result<(), StorageError> {
        self.journal.finish_import().map_err(unwritten)
    }
}

fn write(blob: &mut BlobWriter, portable: &Portable) -> Result<(), Unencodable> {
    match portable {
        Portable::App(app) => blob.put(&Record::App(app.clone())),
        Portable::User(user) => blob.put(&Record::User(user.clone())),
        Portable::Room(room, counters) => {
            blob.put(&Record::Room(room.clone()));
            blob.counters(&room.key, *counters);
        }
        Portable::Membership(membership) => blob.put(&Record::Membership(*membership)),
        Portable::Sweep(sweep) => blob.put(&Record::Sweep(*sweep)),
        Portable::Event(event) => drop(blob.event(event)?),
        Portable::Rule(rule) => blob.put(&Record::Rule(rule.clone())),
        Portable::Cursor(cursor) => blob.cursor(&CursorWrite::Put(cursor.clone())),
        Portable::DeadLetter(letter) => blob.cursor(&CursorWrite::Bury(letter.clone())),
    }
    Ok(())
}

fn unwritten(error: JournalError) -> StorageError {
    let kind = match error.left {
        Left::Unknown => StorageErrorKind::OutcomeUnknown,
        Left::Damage => StorageErrorKind::Corrupt,
        Left::Nothing | Left::NothingFull => StorageErrorKind::Unavailable,
    };
    StorageError::caused_by(kind, "the import cannot be written", error)
}
