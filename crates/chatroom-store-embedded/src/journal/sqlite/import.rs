//! Groups that an import writes: how far it came is in the commit of each.

use chatroom_core::{ImportMark, Timestamp};
use rusqlite::params;

use super::super::JournalError;
use super::{SqliteJournal, read, reading};
use crate::error::LoadError;

impl SqliteJournal {
    /// How far an import came, if one is not finished.
    pub(crate) fn import(&self) -> Result<Option<ImportMark>, LoadError> {
        read::import(&self.connection)
    }

    /// The number of the last group, and the newest moment of all.
    pub(crate) fn last(&self) -> Result<Option<(u64, Timestamp)>, JournalError> {
        let select = "SELECT max(number), max(at) FROM groups";
        let last = self.connection.query_row(select, [], |row| {
            let (number, at): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
            Ok(number.map(i64::cast_unsigned).zip(at.map(Timestamp::from_millis)))
        });
        last.map_err(reading("looking at the last group"))
    }

    /// Adds a group, if there is one, and the mark behind it, and syncs both.
    pub(crate) fn append_import(
        &mut self,
        group: Option<(u64, Timestamp, &[u8])>,
        mark: ImportMark,
    ) -> Result<(), JournalError> {
        self.checkpoint_if_huge()?;
        let begun = (|| {
            self.begin()?;
            if let Some((number, at, blob)) = group {
                self.insert(number, at, blob)?;
            }
            let value = [&mark.export.0.to_be_bytes()[..], &mark.taken.to_be_bytes()].concat();
            let put = "INSERT OR REPLACE INTO meta VALUES ('import', ?1)";
            self.connection.prepare_cached(put)?.execute(params![value]).map(drop)
        })();
        self.commit("writing a group of an import", begun)?;
        self.grew(group.map_or(0, |(_, _, blob)| blob.len()), 4);
        Ok(())
    }

    /// Takes the mark away: the import is finished.
    pub(crate) fn finish_import(&mut self) -> Result<(), JournalError> {
        let begun = (|| {
            self.begin()?;
            self.connection.execute("DELETE FROM meta WHERE key = 'import'", []).map(drop)
        })();
        self.commit("finishing an import", begun)?;
        self.grew(0, 2);
        Ok(())
    }
}
