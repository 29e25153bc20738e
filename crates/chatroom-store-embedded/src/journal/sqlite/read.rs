//! What is read of a database, whoever has opened it.

use chatroom_core::{ExportId, ImportMark, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use super::super::{Head, JournalError, Visit};
use super::{FORMAT, reading};
use crate::error::LoadError;

/// Refuses a directory that a newer version wrote.
pub(super) fn check_format(connection: &Connection) -> Result<(), LoadError> {
    let format = "SELECT value FROM meta WHERE key = 'format'";
    let found: u32 =
        connection.query_row(format, [], |row| row.get(0)).map_err(reading("opening the journal"))?;
    if found > FORMAT { Err(LoadError::Newer { found, known: FORMAT }) } else { Ok(()) }
}

pub(super) fn store_id(connection: &Connection) -> Result<[u8; 16], JournalError> {
    let id = "SELECT value FROM meta WHERE key = 'store_id'";
    connection.query_row(id, [], |row| row.get(0)).map_err(reading("opening the journal"))
}

/// How far an import came, if one is not finished.
pub(super) fn import(connection: &Connection) -> Result<Option<ImportMark>, LoadError> {
    let failed = reading("looking for an import");
    let mark = "SELECT value FROM meta WHERE key = 'import'";
    let mark: Option<Vec<u8>> =
        connection.query_row(mark, [], |row| row.get(0)).optional().map_err(failed)?;
    let Some(bytes) = mark else { return Ok(None) };
    let parts = bytes.split_first_chunk::<16>().and_then(|(id, taken)| Some((id, taken.first_chunk::<8>()?)));
    let (id, taken) =
        parts.ok_or_else(|| LoadError::Damaged("the mark of its import is too short".into()))?;
    let export = ExportId(u128::from_be_bytes(*id));
    Ok(Some(ImportMark { export, taken: u64::from_be_bytes(*taken) }))
}

pub(super) fn oldest(connection: &Connection, limit: usize) -> Result<Vec<Head>, JournalError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let heads: rusqlite::Result<_> = (|| {
        let mut select = connection
            .prepare_cached("SELECT number, at, length(body) FROM groups ORDER BY number LIMIT ?1")?;
        select.query_map([limit], |row| Ok(head(row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
    })();
    heads.map_err(reading("looking at the oldest groups"))
}

pub(super) fn replay(connection: &Connection, from: u64, visit: &mut Visit<'_>) -> Result<(), LoadError> {
    let failed = reading("reading groups");
    let mut select = connection
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

fn head(number: i64, at: i64, bytes: i64) -> Head {
    let (number, at) = (number.cast_unsigned(), Timestamp::from_millis(at));
    Head { number, at, bytes: bytes.max(0).unsigned_abs() }
}
