//! Groups as they were at one moment, read beside the process that writes.

use std::path::Path;

use chatroom_core::ImportMark;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::super::{Groups, Head, JournalError, Visit};
use super::{BUSY, read, reading};
use crate::error::LoadError;

/// The journal as it was when it was opened. Whoever writes it goes on: SQLite keeps what was there in the log for as
/// long as this lives, so the log grows meanwhile.
pub(crate) struct FrozenJournal {
    connection: Connection,
    store_id: [u8; 16],
}

impl FrozenJournal {
    /// Opens the database at `path`, and changes nothing in it. `None` if nothing was written to it yet.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, LoadError> {
        let failed = reading("opening the journal");
        let connection = connect(path).map_err(&failed)?;
        connection.execute_batch("BEGIN").map_err(&failed)?;
        // The first look decides which moment it is.
        if !connection.table_exists(None, "meta").map_err(&failed)? {
            return Ok(None);
        }
        read::check_format(&connection)?;
        let store_id = read::store_id(&connection)?;
        Ok(Some(Self { connection, store_id }))
    }

    /// How far an import came, if one is not finished.
    pub(crate) fn import(&self) -> Result<Option<ImportMark>, LoadError> {
        read::import(&self.connection)
    }

    /// The first group from this number on, with its number.
    pub(crate) fn next(&self, from: u64) -> Result<Option<(u64, Vec<u8>)>, JournalError> {
        let select = "SELECT number, body FROM groups WHERE number >= ?1 ORDER BY number LIMIT 1";
        let group = self.connection.prepare_cached(select).and_then(|mut select| {
            let number = |row: &rusqlite::Row<'_>| row.get(0).map(i64::cast_unsigned);
            select.query_row([from.cast_signed()], |row| Ok((number(row)?, row.get(1)?))).optional()
        });
        group.map_err(reading("reading a group"))
    }
}

impl Groups for FrozenJournal {
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

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}
