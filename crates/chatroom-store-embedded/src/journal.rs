//! What makes groups durable: a short list of things that an engine must do.

#[cfg(test)]
pub(crate) mod faulty;
mod sqlite;

use std::ops::Range;

use chatroom_core::Timestamp;

pub(crate) use sqlite::{FrozenJournal, SqliteJournal};

use crate::error::LoadError;

/// Groups, by number, on a disk.
pub(crate) trait Groups: Send {
    /// The oldest groups, at most so many, oldest first.
    fn oldest(&mut self, limit: usize) -> Result<Vec<Head>, JournalError>;

    /// Shows every group from this number on, in order.
    fn replay(&mut self, from: u64, visit: &mut Visit<'_>) -> Result<(), LoadError>;

    /// Drawn by lot when the store was made.
    fn store_id(&self) -> [u8; 16];
}

/// Groups that somebody writes: one thread at a time.
pub(crate) trait Journal: Groups {
    /// Adds a group and syncs it: durable on return. Numbers go up by one.
    fn append(&mut self, number: u64, at: Timestamp, blob: &[u8]) -> Result<(), JournalError>;

    /// Removes the groups below this number.
    fn trim(&mut self, below: u64) -> Result<(), JournalError>;

    /// How many bytes the groups take on the disk, about.
    fn bytes(&mut self) -> Result<u64, JournalError>;

    /// Another handle to the same groups, for another thread.
    fn reader(&self) -> Result<Box<dyn JournalReader>, JournalError>;
}

/// Shown one group after the other, with their blobs.
pub(crate) type Visit<'a> = dyn FnMut(Head, &[u8]) -> Result<(), LoadError> + 'a;

/// Reads groups, and does what work there is beside the writer.
pub(crate) trait JournalReader: Send {
    /// The blob of this group, if it is there.
    fn group(&mut self, number: u64) -> Result<Option<Vec<u8>>, JournalError>;

    /// The blobs of the groups with these numbers that are there, oldest first.
    fn groups(&mut self, numbers: Range<u64>) -> Result<Vec<Vec<u8>>, JournalError>;

    /// Moves what was appended to its final place, as far as that goes without stopping the writer.
    fn checkpoint(&mut self) -> Result<(), JournalError>;
}

/// A group without its blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) number: u64,
    /// The newest moment in it.
    pub(crate) at: Timestamp,
    /// The size of its blob.
    pub(crate) bytes: u64,
}

/// A failure of the engine.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {source}")]
pub(crate) struct JournalError {
    /// What it leaves behind.
    pub(crate) left: Left,
    pub(crate) doing: &'static str,
    #[source]
    pub(crate) source: Box<dyn std::error::Error + Send + Sync>,
}

/// What a failure leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nothing was written, since the disk is full. It may work later.
    NothingFull,
    /// Nothing was written. It may work later.
    Nothing,
    /// Nobody knows what was written.
    Unknown,
    /// Nothing was written, and what is there cannot be read.
    Damage,
}

impl JournalError {
    pub(crate) fn is_damage(&self) -> bool {
        self.left == Left::Damage
    }
}
