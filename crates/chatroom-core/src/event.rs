//! What happened in a room, as facts. Formats are made of them elsewhere.

use std::sync::Arc;

use crate::clock::{Moment, Timestamp};
use crate::id::{EventId, OperationId, Username};
use crate::model::{Counters, RoomInfo, RoomKey};

/// The place of an event in its room's log: 1, 2, 3, … without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Seq(pub u64);

impl Seq {
    /// The one behind this.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One event of a room's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The same on every attempt to deliver it.
    pub id: EventId,
    /// Whose log it is in.
    pub room: RoomKey,
    /// Where in the log.
    pub seq: Seq,
    /// When the change was decided.
    pub at: Timestamp,
    /// Members of the room after the change (decision 30).
    pub members: u32,
    /// What happened.
    pub kind: EventKind,
}

/// What happened to a room. Every event of this version is caused through an app token, so the operator is
/// `@ppAdmin` (decision 29) and is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// The room was made: `CREATE`. The members that it begins with follow in [`EventKind::Joined`].
    Created {
        /// Its owner.
        owner: Username,
        /// What was said about it.
        info: Arc<RoomInfo>,
    },
    /// Users were added: `JOIN`, payload type `DIRECT`. At most 1,000 an event.
    Joined {
        /// Who was not a member before, in the order of the request.
        members: Vec<Username>,
    },
    /// Members left or were made to: `LEAVE`. At most 1,000 an event.
    Left {
        /// Who was a member before, in the order of the request.
        members: Vec<Username>,
        /// Why they are gone.
        why: Leaving,
    },
    /// The room is no more: `DELETE`. Its members follow in [`EventKind::Left`].
    Dissolved,
}

/// Why members are gone: the payload's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leaving {
    /// Removed by the app: `KICK`.
    Kicked,
    /// The user was deleted: `QUIT`, with `action` `user_deleted` (decision 36).
    UserDeleted,
    /// The room was dissolved: `DELETE`.
    RoomDissolved,
}

/// The most members that one event lists (decision 37).
pub const MEMBERS_PER_EVENT: usize = 1_000;

/// Writes the events of one operation: numbers them, counts members, and gives each its id.
///
/// One operation may write to the logs of several rooms; `index` runs over all of them, so that the ids differ.
#[derive(Debug)]
pub struct EventWriter {
    operation: OperationId,
    moment: Moment,
    index: u16,
}

impl EventWriter {
    /// Starts with the operation's first event.
    #[must_use]
    pub fn new(operation: OperationId, moment: Moment) -> Self {
        Self { operation, moment, index: 0 }
    }

    /// The next event of this room. `log` is moved on: its sequence by one, its members to `members`.
    pub fn append(&mut self, room: RoomKey, log: &mut Counters, members: u32, kind: EventKind) -> Event {
        *log = Counters { seq: log.seq.next(), members };
        let id = self.operation.event(self.index);
        self.index = self.index.wrapping_add(1);
        Event { id, room, seq: log.seq, at: self.moment.0, members, kind }
    }
}
