//! `export` and `import`: everything that a store holds, as lines of JSON.
//!
//! The first line names the export and its format, then comes one record a line, and the last line holds checksums:
//! one over all bytes before it, which shows damage, and one for each kind of record, which is the same for the same
//! records in whatever store and order they lie. After an import the store is told again and must have the same ones.
//!
//! Credentials are among the records: client secrets as SHA-256, keys of tokens and secrets of callbacks as they are.

mod file;
mod line;
mod open;
mod read;
mod run;
mod sums;
#[cfg(test)]
mod tests;
mod write;

use chatroom_core::{ExportId, Picture, Timestamp};

pub(crate) use file::PrivateFile;
pub(crate) use open::{open_export, open_import};
pub(crate) use read::Reader;
pub(crate) use run::{Imported, export, import};
pub(crate) use sums::{Sum, Sums};

/// The newest format that this code writes and reads. Every older one stays readable.
const FORMAT: u32 = 1;

/// Everything that a store holds, and what this export of it is called.
pub struct Export {
    /// Its name.
    pub id: ExportId,
    /// When it was taken.
    pub at: Timestamp,
    /// What it holds.
    pub picture: Box<dyn Picture>,
}

/// What is told of work under way: how many records and bytes are done.
pub(crate) type Progress<'a> = dyn FnMut(u64, u64) + Send + 'a;
