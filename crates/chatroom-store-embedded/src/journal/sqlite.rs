//! Groups as rows of an SQLite database in WAL mode.
//!
//! With `synchronous=FULL` SQLite syncs the WAL before a commit returns. SQLite's own checkpoints are off, because they
//! would run inside a commit: another connection moves pages from the WAL to the database, and only when the WAL has
//! grown beyond a hard limit the writer stops to do so itself.

mod frozen;
mod import;
mod read;

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatroom_core::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};

pub(crate) use frozen::FrozenJournal;

use super::{Groups, Head, Journal, JournalError, JournalReader, Left, Visit};
use crate::directory::sync_dir;
use crate::error::LoadError;
use crate::options::Sync;

/// The format of the directory: of the tables, and of the files beside them. Blobs have versions of their own.
const FORMAT: u32 = 1;

/// When about this much of the WAL is not in the database, another connection moves it there.
const WAL_SOFT: u64 = 8 << 20;
/// When the WAL is about this large, the writer checkpoints it before it goes on.
const WAL_HARD: u64 = 64 << 20;

/// How long the writer waits then for those who read, once: they read a group. Who reads for longer makes the log grow.
const READERS: Duration = Duration::from_millis(50);
/// How long anything else waits for another connection.
const BUSY: Duration = Duration::from_secs(5);

const PAGE: u64 = 4_096;

/// The journal of a data directory.
pub(crate) struct SqliteJournal {
    connection: Connection,
    path: PathBuf,
    sync: Sync,
    store_id: [u8; 16],
    /// About how far the WAL may have grown since it began anew.
    wal: u64,
    /// Whether somebody reads for so long that the WAL could not begin anew.
    held_up: bool,
    log: Arc<Log>,
}

/// What those share who move pages from the WAL to the database.
struct Log {
    /// One at a time: SQLite refuses a second one instead of letting it wait.
    moving: Mutex<()>,
    /// About how many bytes nobody has moved yet.
    unmoved: AtomicU64,
}

impl Log {
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SqliteJournal {
    /// Opens the database at `path`; an empty file is made into one.
    pub(crate) fn open(path: &Path, sync: Sync) -> Result<Self, LoadError> {
        let mut connection = connect(path, sync).map_err(reading("opening the journal"))?;
        let store_id = prepare(&mut connection)?;
        sync_found(&connection, path, sync)?;
        let wal = std::fs::metadata(wal_path(path)).map_or(0, |wal| wal.len());
        let log = Arc::new(Log { moving: Mutex::new(()), unmoved: AtomicU64::new(wal) });
        Ok(Self { connection, path: path.to_owned(), sync, store_id, wal, held_up: false, log })
    }

    fn begin(&self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop)
    }

    fn insert(&self, number: u64, at: Timestamp, blob: &[u8]) -> rusqlite::Result<()> {
        let number = number.cast_signed();
        let mut insert = self.connection.prepare_cached("INSERT INTO groups VALUES (?1, ?2, ?3)")?;
        insert.execute(params![number, at.as_millis(), blob]).map(drop)
    }

    /// Commits what `begun` did since it began a transaction, or takes it back.
    fn commit(&self, doing: &'static str, begun: rusqlite::Result<()>) -> Result<(), JournalError> {
        let commit = || self.connection.prepare_cached("COMMIT").and_then(|mut c| c.execute([]).map(drop));
        let committing = begun.is_ok();
        let Err(error) = begun.and_then(|()| commit()) else { return Ok(()) };
        // A sync or a write that failed in the commit itself may have left a whole commit behind, which a later start
        // would find. A full disk is met before the last frame, without which there is none.
        let full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
        let left = match (committing && !full && !is_busy(&error), full) {
            (true, _) => Left::Unknown,
            (false, _) if !self.roll_back() => Left::Unknown,
            (false, true) => Left::NothingFull,
            (false, false) => Left::Nothing,
        };
        Err(JournalError { left, doing, source: Box::new(error) })
    }

    /// Whether no transaction is open any more.
    fn roll_back(&self) -> bool {
        self.connection.is_autocommit() || self.connection.execute_batch("ROLLBACK").is_ok()
    }

    /// Notes that a blob of so many bytes was written, and so many other pages.
    fn grew(&mut self, blob: usize, others: u64) {
        let bytes = ((blob as u64).div_ceil(PAGE) + others) * PAGE;
        self.wal += bytes;
        self.log.unmoved.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Never waits for somebody who reads for long, such as an export: then others move pages as far as they can, and
    /// the log begins anew when the reader is gone and they have moved nearly all.
    fn checkpoint_if_huge(&mut self) -> Result<(), JournalError> {
        let unmoved = self.log.unmoved.load(Ordering::Relaxed);
        if self.wal < WAL_HARD || self.held_up && unmoved >= WAL_SOFT {
            return Ok(());
        }
        // Only the writer knows that the WAL begins anew: beside it, more is appended while pages are moved.
        let _turn = self.log.turn();
        let patience = if self.held_up { Duration::ZERO } else { READERS };
        let waiting = |patience| self.connection.busy_timeout(patience).map_err(reading("setting a wait"));
        waiting(patience)?;
        let done = checkpoint(&self.connection, "RESTART");
        waiting(BUSY)?;
        match done {
            Ok(Moved { all: true, .. }) => {
                (self.wal, self.held_up) = (0, false);
                self.log.unmoved.store(0, Ordering::Relaxed);
            }
            Ok(Moved { all: false, left }) => {
                self.held_up = true;
                self.log.unmoved.store(left, Ordering::Relaxed);
            }
            Err(error) if error.left == Left::Unknown => return Err(error),
            // The disk is full: the commit will say whether the log has place.
            Err(_) => {}
        }
        Ok(())
    }
}

impl Groups for SqliteJournal {
    fn oldest(&mut self, limit: usize) -> Result<Vec<Head>, JournalError> {
        read::oldest(&self.connection, limit)
    }

    fn replay(&mut self, from: u64, visit: &mut Visit<'_>) -> Result<(), LoadError> {
        read::replay(&self.connection, from, visit)
    }

    fn store_id(&self) -> [u8; 16] {
        self.store_id
    }
}

impl Journal for SqliteJournal {
    fn append(&mut self, number: u64, at: Timestamp, blob: &[u8]) -> Result<(), JournalError> {
        self.checkpoint_if_huge()?;
        let begun = self.begin().and_then(|()| self.insert(number, at, blob));
        self.commit("writing a group", begun)?;
        self.grew(blob.len(), 2);
        Ok(())
    }

    fn trim(&mut self, below: u64) -> Result<(), JournalError> {
        let begun = (|| {
            self.begin()?;
            let mut delete = self.connection.prepare_cached("DELETE FROM groups WHERE number < ?1")?;
            delete.execute([below.cast_signed()]).map(drop)
        })();
        self.commit("removing old groups", begun)?;
        self.grew(0, 16);
        Ok(())
    }

    fn bytes(&mut self) -> Result<u64, JournalError> {
        let pages: rusqlite::Result<_> = (|| {
            let all: i64 = self.connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            let free: i64 = self.connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
            Ok(all.saturating_sub(free).max(0).unsigned_abs())
        })();
        Ok(pages.map_err(reading("measuring the journal"))? * PAGE)
    }

    fn reader(&self) -> Result<Box<dyn JournalReader>, JournalError> {
        let connection = connect(&self.path, self.sync).map_err(reading("opening the journal once more"))?;
        Ok(Box::new(SqliteReader { connection, log: self.log.clone() }))
    }
}

struct SqliteReader {
    connection: Connection,
    log: Arc<Log>,
}

impl JournalReader for SqliteReader {
    fn group(&mut self, number: u64) -> Result<Option<Vec<u8>>, JournalError> {
        let body = self
            .connection
            .prepare_cached("SELECT body FROM groups WHERE number = ?1")
            .and_then(|mut select| select.query_row([number.cast_signed()], |row| row.get(0)).optional());
        body.map_err(reading("reading a group"))
    }

    fn groups(&mut self, numbers: Range<u64>) -> Result<Vec<Vec<u8>>, JournalError> {
        let select = "SELECT body FROM groups WHERE number >= ?1 AND number < ?2 ORDER BY number";
        let bodies = self.connection.prepare_cached(select).and_then(|mut select| {
            let between = [numbers.start.cast_signed(), numbers.end.cast_signed()];
            select.query_map(between, |row| row.get(0))?.collect()
        });
        bodies.map_err(reading("reading groups"))
    }

    fn checkpoint(&mut self) -> Result<(), JournalError> {
        if self.log.unmoved.load(Ordering::Relaxed) < WAL_SOFT {
            return Ok(());
        }
        let _turn = self.log.turn();
        let unmoved = self.log.unmoved.load(Ordering::Relaxed);
        let Moved { left, .. } = checkpoint(&self.connection, "PASSIVE")?;
        // What was appended meanwhile is left, and what somebody reads.
        self.log.unmoved.fetch_sub(unmoved.saturating_sub(left), Ordering::Relaxed);
        Ok(())
    }
}

/// What a checkpoint did.
struct Moved {
    /// All that its mode asks for.
    all: bool,
    /// How many bytes of the WAL are not in the database.
    left: u64,
}

/// Moves pages from the WAL to the database.
fn checkpoint(connection: &Connection, mode: &str) -> Result<Moved, JournalError> {
    let pragma = format!("PRAGMA wal_checkpoint({mode})");
    let result = connection.query_row(&pragma, [], |row| {
        let (busy, log, moved): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let left = log.saturating_sub(moved).max(0).unsigned_abs() * PAGE;
        Ok(Moved { all: busy == 0, left })
    });
    result.map_err(|error| {
        // The WAL still holds everything, but a sync that failed once is not to be trusted the next time.
        let left = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Left::NothingFull,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Left::Nothing,
            _ => Left::Unknown,
        };
        JournalError { left, doing: "moving groups from the log to the database", source: Box::new(error) }
    })
}

fn connect(path: &Path, sync: Sync) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(
        None,
        "synchronous",
        match sync {
            Sync::Full => "FULL",
            Sync::None => "OFF",
        },
    )?;
    // Without these, a sync on macOS ends in the disk's cache.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // Closing writes nothing: after a failed sync nothing may be written.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Nothing of a group goes to the disk before its commit.
    connection.pragma_update(None, "cache_spill", false)?;
    Ok(connection)
}

/// Makes the tables if they are not there. Answers the store's id.
fn prepare(connection: &mut Connection) -> Result<[u8; 16], LoadError> {
    let failed = reading("opening the journal");
    let exists = connection.table_exists(None, "meta").map_err(&failed)?;
    if exists {
        read::check_format(connection)?;
    }
    let mode: String =
        connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0)).map_err(&failed)?;
    if mode != "wal" {
        return Err(LoadError::Damaged(format!(
            "its database cannot have a write-ahead log, but is in mode {mode}"
        )));
    }
    if !exists {
        let made = connection.execute_batch(&format!(
            "BEGIN IMMEDIATE;
             CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
             CREATE TABLE groups (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL);
             INSERT INTO meta VALUES ('format', {FORMAT}), ('store_id', randomblob(16));
             COMMIT;"
        ));
        made.map_err(&failed)?;
    }
    Ok(read::store_id(connection)?)
}

/// Makes durable what was found, before any of it is told: a process that was killed between a write and its sync left
/// groups that look as if they were.
///
/// A checkpoint writes them once more, since pages whose sync failed may look clean and not be on the disk. Where none
/// can be made, because somebody reads the log or the disk is full, the log is synced as it is.
fn sync_found(connection: &Connection, path: &Path, sync: Sync) -> Result<(), LoadError> {
    let waiting = |patience| connection.busy_timeout(patience).map_err(reading("setting a wait"));
    waiting(READERS)?;
    let done = checkpoint(connection, "TRUNCATE");
    waiting(BUSY)?;
    match done {
        Ok(Moved { all: true, .. }) => return Ok(()),
        Err(error) if error.left == Left::Unknown => return Err(error.into()),
        Ok(_) | Err(_) => {}
    }
    if sync == Sync::Full {
        File::open(wal_path(path))?.sync_all()?;
        path.parent().map_or(Ok(()), sync_dir)?;
    }
    Ok(())
}

/// A failure of something that writes nothing.
fn reading(doing: &'static str) -> impl Fn(rusqlite::Error) -> JournalError {
    move |error| {
        let left = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Left::Damage,
            Some(ErrorCode::DiskFull) => Left::NothingFull,
            _ => Left::Nothing,
        };
        JournalError { left, doing, source: Box::new(error) }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn wal_path(path: &Path) -> PathBuf {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    wal.into()
}

#[cfg(test)]
mod tests;
