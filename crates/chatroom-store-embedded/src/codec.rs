//! How groups and parts of snapshots are written as bytes.
//!
//! A blob is a version, entries, and a checksum over both. Entries are short because they lean on those before them:
//! on the same room, the same app, the user before. Only an event stands for itself (but for its room), so that it can
//! be read alone: a [`Position`] tells where.
//!
//! Bytes that are not a blob are an error, never a panic.

mod bytes;
mod callbacks;
mod read;
mod records;
#[cfg(test)]
mod tests;
mod write;

use chatroom_core::{Counters, CursorWrite, Event, RoomKey, RuleId, Seq, Write};

pub(crate) use read::Blob;
pub(crate) use write::BlobWriter;

/// The newest version that this code writes and reads. Every older one, from 1 on, stays readable: 1 has no rules of
/// callbacks and no cursors.
pub(crate) const VERSION: u8 = 2;

/// Where an event lies: in which group, and how far into its blob. Kept small, since there is one for every kept
/// event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(Rust, packed(4))]
pub(crate) struct Position {
    /// The number of the group.
    pub(crate) group: u64,
    /// Where the event begins in the group's blob.
    pub(crate) offset: u32,
}

/// One thing that a blob holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A change.
    Write(Write),
    /// An event, and where in the blob it begins.
    Event(u32, Event),
    /// What became of deliveries.
    Cursor(CursorWrite),
    /// A room's counters (snapshots and imports only).
    Counters(RoomKey, Counters),
    /// Where events of a room are, from this one on (snapshots only).
    Positions(RoomKey, Seq, Vec<Position>),
}

/// Why bytes are not a blob that this code reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("it was written by a newer version: format {found}, and this one reads formats up to {VERSION}")]
    Newer { found: u8 },
    #[error("its checksum does not match")]
    Checksum,
    #[error("{0}")]
    Malformed(&'static str),
}

/// An event or a record of a kind that this version of the format has no place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal has no format for {0}")]
pub(crate) struct Unencodable(pub(crate) &'static str);

/// What an entry is: the low five bits of its first byte.
mod kind {
    pub(super) const PUT_MEMBERSHIPS: u8 = 1;
    pub(super) const DELETE_MEMBERSHIPS: u8 = 2;
    pub(super) const PUT_USER: u8 = 3;
    pub(super) const PUT_ROOM: u8 = 4;
    pub(super) const PUT_APP: u8 = 5;
    pub(super) const PUT_SWEEP_ROOM: u8 = 6;
    pub(super) const PUT_SWEEP_USER: u8 = 7;
    pub(super) const PUT_SWEEP_APP: u8 = 8;
    pub(super) const DELETE_USER: u8 = 9;
    pub(super) const DELETE_ROOM: u8 = 10;
    pub(super) const DELETE_APP: u8 = 11;
    pub(super) const DELETE_SWEEP_ROOM: u8 = 12;
    pub(super) const DELETE_SWEEP_USER: u8 = 13;
    pub(super) const DELETE_SWEEP_APP: u8 = 14;
    pub(super) const EVENT: u8 = 15;
    pub(super) const COUNTERS: u8 = 16;
    pub(super) const POSITIONS: u8 = 17;
    pub(super) const PUT_RULE: u8 = 18;
    pub(super) const DELETE_RULE: u8 = 19;
    pub(super) const PUT_CURSOR: u8 = 20;
    pub(super) const CURSOR_DONE: u8 = 21;
    pub(super) const BURY: u8 = 22;
    pub(super) const UNBURY: u8 = 23;
    pub(super) const MASK: u8 = 0x1F;

    /// Of the room (or app) of the entry before.
    pub(super) const SAME: u8 = 0;
    /// Of another room of the same app; the room's id follows.
    pub(super) const SAME_APP: u8 = 1 << 5;
    /// Of another app; its id follows, and then the room's.
    pub(super) const OTHER_APP: u8 = 2 << 5;
}

/// What entries lean on.
#[derive(Debug, Clone, Copy, Default)]
struct Context {
    app: Option<chatroom_core::AppId>,
    room: Option<chatroom_core::ChatroomId>,
    user: u64,
    joined: u64,
    rule: Option<RuleId>,
}
