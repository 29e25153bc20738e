//! Everything that a store holds, in a form that belongs to no store: for backups, and to move to another store.
//!
//! A [`Picture`] tells it, and an [`Import`] takes it. What something refers to comes before it; rules come behind the
//! events, because a rule is told of what comes behind it: how far it was told of what came before is in the cursors,
//! which come last.

use std::fmt;

use async_trait::async_trait;

use crate::app::App;
use crate::callback::{Cursor, DeadLetter, Rule};
use crate::error::StorageError;
use crate::event::Event;
use crate::id::{EventId, OperationId};
use crate::model::{Counters, Membership, Room, User};
use crate::record::Sweep;

/// The most that one part holds: in a commit it is less than what a commit may write (invariant 6), also where a room
/// and its counters are two records.
pub const PORTABLE_AT_ONCE: usize = 1_000;

/// One thing that a store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Portable {
    /// An app with its credentials, also one that is deleted and not swept yet.
    App(Box<App>),
    /// A user, also one that is deleted and not swept yet.
    User(User),
    /// A room and how far its log goes, also one that is dissolved and of which something is kept.
    Room(Room, Counters),
    /// A membership.
    Membership(Membership),
    /// Work that is left for the sweeper.
    Sweep(Sweep),
    /// An event that is kept. Those of a room come in order and without a gap; rooms may alternate.
    Event(Event),
    /// A rule of callbacks with its secrets.
    Rule(Box<Rule>),
    /// How far a room's log was told to a rule. Rooms without one are not behind.
    Cursor(Cursor),
    /// Events that a rule will not be told.
    DeadLetter(DeadLetter),
}

/// What something is, in the order in which the kinds come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PortableKind {
    /// [`Portable::App`]
    App,
    /// [`Portable::User`]
    User,
    /// [`Portable::Room`]
    Room,
    /// [`Portable::Membership`]
    Membership,
    /// [`Portable::Sweep`]
    Sweep,
    /// [`Portable::Event`]
    Event,
    /// [`Portable::Rule`]
    Rule,
    /// [`Portable::Cursor`]
    Cursor,
    /// [`Portable::DeadLetter`]
    DeadLetter,
}

impl Portable {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> PortableKind {
        match self {
            Self::App(_) => PortableKind::App,
            Self::User(_) => PortableKind::User,
            Self::Room(..) => PortableKind::Room,
            Self::Membership(_) => PortableKind::Membership,
            Self::Sweep(_) => PortableKind::Sweep,
            Self::Event(_) => PortableKind::Event,
            Self::Rule(_) => PortableKind::Rule,
            Self::Cursor(_) => PortableKind::Cursor,
            Self::DeadLetter(_) => PortableKind::DeadLetter,
        }
    }
}

impl PortableKind {
    /// All kinds, in their order.
    pub const ALL: [Self; 9] = [
        Self::App,
        Self::User,
        Self::Room,
        Self::Membership,
        Self::Sweep,
        Self::Event,
        Self::Rule,
        Self::Cursor,
        Self::DeadLetter,
    ];

    /// Its name: `dead_letter`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::User => "user",
            Self::Room => "room",
            Self::Membership => "membership",
            Self::Sweep => "sweep",
            Self::Event => "event",
            Self::Rule => "rule",
            Self::Cursor => "cursor",
            Self::DeadLetter => "dead_letter",
        }
    }
}

/// Everything that a store held at one moment, told in parts. What happens meanwhile is not in it.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Picture: Send {
    /// The next part, of at most [`PORTABLE_AT_ONCE`], in the order of the kinds; only cursors and dead letters may
    /// alternate. Empty at the end.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot read. The picture is of no use then.
    async fn next(&mut self) -> Result<Vec<Portable>, StorageError>;
}

/// The name of one export: two exports never have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExportId(pub u128);

impl ExportId {
    /// An export is named by the operation that makes it.
    #[must_use]
    pub fn of(operation: OperationId) -> Self {
        Self(operation.event(0).0)
    }
}

impl fmt::Display for ExportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        EventId(self.0).fmt(f)
    }
}

/// How far an import came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportMark {
    /// Of which export.
    pub export: ExportId,
    /// How many things of it the store holds.
    pub taken: u64,
}

/// What a store holds before an import begins or goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportState {
    /// Nothing.
    Empty,
    /// A part of an export. Nothing is served from it.
    Unfinished(ImportMark),
    /// Something that no import goes on with.
    Filled,
}

/// Why an export is not imported into a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImportRefusal {
    /// It holds something.
    #[error("it holds data: an export is imported into an empty store only")]
    Filled,
    /// It holds a part of another export.
    #[error("it holds a part of another export, {0}: finish that import, or begin with an empty store")]
    OtherExport(ExportId),
}

impl ImportState {
    /// How many things of this export are there, so that an import goes on behind them.
    ///
    /// # Errors
    /// [`ImportRefusal`] if the store holds anything else.
    pub fn go_on(self, export: ExportId) -> Result<u64, ImportRefusal> {
        match self {
            Self::Empty => Ok(0),
            Self::Unfinished(mark) if mark.export == export => Ok(mark.taken),
            Self::Unfinished(mark) => Err(ImportRefusal::OtherExport(mark.export)),
            Self::Filled => Err(ImportRefusal::Filled),
        }
    }
}

/// Takes everything that a [`Picture`] tells into an empty store.
///
/// From the first [`take`](Self::take) on until [`finish`](Self::finish), the store serves nobody.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Import: Send {
    /// What the store holds.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot read.
    async fn state(&mut self) -> Result<ImportState, StorageError>;

    /// Takes a part, of at most [`PORTABLE_AT_ONCE`], and the mark behind it: both or neither, durable on return. A
    /// part may be empty: the mark alone begins an import.
    ///
    /// # Errors
    /// [`StorageError`] if the store failed. Whether the part was taken is in the mark.
    async fn take(&mut self, part: Vec<Portable>, mark: ImportMark) -> Result<(), StorageError>;

    /// What was taken so far.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot read.
    async fn picture(&mut self) -> Result<Box<dyn Picture>, StorageError>;

    /// Everything was taken: from now on the store is one as any other. Durable on return.
    ///
    /// # Errors
    /// [`StorageError`] if the store failed. It may or may not be finished.
    async fn finish(&mut self) -> Result<(), StorageError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_goes_on_with_its_own_export_and_begins_in_an_empty_store_only() {
        let (export, other) = (ExportId(1), ExportId(2));
        let unfinished = ImportState::Unfinished(ImportMark { export, taken: 7 });
        assert_eq!(ImportState::Empty.go_on(export), Ok(0));
        assert_eq!(unfinished.go_on(export), Ok(7));
        assert_eq!(unfinished.go_on(other), Err(ImportRefusal::OtherExport(export)));
        assert_eq!(ImportState::Filled.go_on(export), Err(ImportRefusal::Filled));
    }
}
