//! Groups as rows of an SQLite database in WAL mode.
//!
//! With `synchronous=FULL` SQLite syncs the WAL before a commit returns. SQLite's own checkpoints are off, because they
//! would run inside a commit: another connection moves pages from the WAL to the database, and only when the WAL has
//! grown beyond a hard limit the writer stops to do so itself.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatroom_core::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};

use super::{Head, Journal, JournalError, JournalReader, Left, Visit};
use crate::error::LoadError;
use crate::options::Sync;

/// The format of the directory: of the tables, and of the files beside them. Blobs have versions of their own.
const FORMAT: u32 = 1;

/// When about this much of the WAL is not in the database, another connection moves it there.
const WAL_SOFT: u64 = 8 << 20;
/// When the WAL is about this large, the writer checkpoints it before it goes on.
const WAL_HARD: u64 = 64 << 20;

const PAGE: u64 = 4_096;

/// The journal of a data directory.
pub(crate) struct SqliteJournal {
    connection: Connection,
    path: PathBuf,
    sync: Sync,
    store_id: [u8; 16],
    /// About how far the WAL may have grown since it began anew.
    wal: u64,
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
        let wal = std::fs::metadata(wal_path(path)).map_or(0, |wal| wal.len());
        let log = Arc::new(Log { moving: Mutex::new(()), unmoved: AtomicU64::new(wal) });
        Ok(Self { connection, path: path.to_owned(), sync, store_id, wal, log })
    }

    fn insert(&mut self, number: u64, at: Timestamp, blob: &[u8]) -> rusqlite::Result<()> {
        let number = number.cast_signed();
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
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

    fn grew(&mut self, pages: u64) {
        self.wal += pages * PAGE;
        self.log.unmoved.fetch_add(pages * PAGE, Ordering::Relaxed);
    }

    fn checkpoint_if_huge(&mut self) -> Result<(), JournalError> {
        if self.wal < WAL_HARD {
            return Ok(());
        }
        // Only the writer knows that the WAL begins anew: beside it, more is appended while pages are moved.
        let _turn = self.log.turn();
        match checkpoint(&self.connection, "RESTART") {
            Ok(true) => {
                self.wal = 0;
                self.log.unmoved.store(0, Ordering::Relaxed);
            }
            Err(error) if error.left == Left::Unknown => return Err(error),
            // Somebody reads, or the disk is full: the log still has place, or the commit will say that it has none.
            _ => {}
        }
        Ok(())
    }
}

impl Journal for SqliteJournal {
    fn append(&mut self, number: u64, at: Timestamp, blob: &[u8]) -> Result<(), JournalError> {
        self.checkpoint_if_huge()?;
        let begun = self.insert(number, at, blob);
        self.commit("writing a group", begun)?;
        self.grew((blob.len() as u64).div_ceil(PAGE) + 2);
        Ok(())
    }

    fn trim(&mut self, below: u64) -> Result<(), JournalError> {
        let begun = (|| {
            self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            let mut delete = self.connection.prepare_cached("DELETE FROM groups WHERE number < ?1")?;
            delete.execute([below.cast_signed()]).map(drop)
        })();
        self.commit("removing old groups", begun)?;
        self.grew(16);
        Ok(())
    }

    fn oldest(&mut self, limit: usize) -> Result<Vec<Head>, JournalError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let heads: rusqlite::Result<_> = (|| {
            let mut select = self
                .connection
                .prepare_cached("SELECT number, at, length(body) FROM groups ORDER BY number LIMIT ?1")?;
            select.query_map([limit], |row| Ok(head(row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })();
        heads.map_err(reading("looking at the oldest groups"))
    }

    fn replay(&mut self, from: u64, visit: &mut Visit<'_>) -> Result<(), LoadError> {
        let failed = reading("reading groups");
        let mut select = self
            .connection
            .prepare("SELECT number, at, body FROM groups WHERE number >= ?1 ORDER BY number")
            .map_err(&failed)?;
        let mut rows = select.query([from.cast_signed()]).map_err(&failed)?;
        while let Some(row) = rows.next().map_err(&failed)? {
            let blob = row.get_ref(2).map_err(&failed)?.as_blob();
            let blob = blob.map_err(|_text| LoadError::Damaged("a group of it has no blob".into()))?;
            let bytes = i64::try_from(blob.len()).unwrap_or(i64::MAX);
            let head = head(row.get(0).map_err(&failed)?, row.get(1).map_err(&failed)?, bytes);
            visit(head, blob)?;
        }
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

    fn store_id(&self) -> [u8; 16] {
        self.store_id
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

    fn checkpoint(&mut self) -> Result<(), JournalError> {
        if self.log.unmoved.load(Ordering::Relaxed) < WAL_SOFT {
            return Ok(());
        }
        let _turn = self.log.turn();
        let unmoved = self.log.unmoved.load(Ordering::Relaxed);
        if checkpoint(&self.connection, "PASSIVE")? {
            // What was appended meanwhile is left.
            self.log.unmoved.fetch_sub(unmoved, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Moves pages from the WAL to the database. Answers whether it could do all that the mode asks for.
fn checkpoint(connection: &Connection, mode: &str) -> Result<bool, JournalError> {
    let pragma = format!("PRAGMA wal_checkpoint({mode})");
    let result = connection.query_row(&pragma, [], |row| Ok(row.get::<_, i64>(0)? == 0));
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
    connection.busy_timeout(Duration::from_secs(5))?;
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
        let format = "SELECT value FROM meta WHERE key = 'format'";
        let found: u32 = connection.query_row(format, [], |row| row.get(0)).map_err(&failed)?;
        if found > FORMAT {
            return Err(LoadError::Newer { found, known: FORMAT });
        }
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
    let id = "SELECT value FROM meta WHERE key = 'store_id'";
    Ok(connection.query_row(id, [], |row| row.get(0)).map_err(&failed)?)
}

fn head(number: i64, at: i64, bytes: i64) -> Head {
    let (number, at) = (number.cast_unsigned(), Timestamp::from_millis(at));
    Head { number, at, bytes: bytes.max(0).unsigned_abs() }
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
