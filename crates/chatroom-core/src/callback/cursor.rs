//! What a store keeps of deliveries.

use std::time::Duration;

use super::rule::RuleId;
use crate::clock::Timestamp;
use crate::event::Seq;
use crate::model::RoomKey;

/// A run of events of a room: from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The first.
    pub first: Seq,
    /// The last.
    pub last: Seq,
}

impl Span {
    /// One event.
    #[must_use]
    pub fn one(seq: Seq) -> Self {
        Self { first: seq, last: seq }
    }

    /// How many events.
    #[must_use]
    pub fn events(self) -> u64 {
        if self.is_empty() { 0 } else { (self.last.0 - self.first.0).saturating_add(1) }
    }

    pub(super) fn is_empty(self) -> bool {
        self.first > self.last
    }
}

/// How far a room's log was told to a rule. It is there only while the room is behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The rule.
    pub rule: RuleId,
    /// The room.
    pub room: RoomKey,
    /// Everything up to here is done: delivered, not wanted, given up or trimmed. Never goes back.
    pub after: Seq,
    /// The last event that the rule wants.
    pub last: Seq,
    /// What is to be told again before the room goes on: in order, disjoint, not behind `after`.
    pub again: Vec<Span>,
    /// How often the next event failed.
    pub failures: u32,
    /// How long ago it did for the first time, on the rule's own clock, when this was written.
    pub failing_for: Duration,
    /// When it is tried again at the earliest.
    pub due: Timestamp,
    /// Since when the room is behind.
    pub behind_since: Timestamp,
}

/// One change to what is stored of deliveries. Applied in their order, and in order with the events of the log, they
/// make a [`Backlog`](super::Backlog) what it was; one that is lost costs a repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CursorWrite {
    /// The room is behind, here.
    Put(Cursor),
    /// Everything up to `through` is done. If the log goes no further, no cursor is there any more.
    Done {
        /// The rule.
        rule: RuleId,
        /// The room.
        room: RoomKey,
        /// The last event that is done.
        through: Seq,
    },
    /// A dead letter is there. It replaces one of the same rule and room that begins with the same event.
    Bury(DeadLetter),
    /// The dead letter that begins with `first` is there no more: it is told again.
    Unbury {
        /// The rule.
        rule: RuleId,
        /// The room.
        room: RoomKey,
        /// Its first event.
        first: Seq,
    },
}

impl CursorWrite {
    /// The room that it is about.
    #[must_use]
    pub fn room(&self) -> &RoomKey {
        match self {
            Self::Put(Cursor { room, .. })
            | Self::Done { room, .. }
            | Self::Bury(DeadLetter { room, .. })
            | Self::Unbury { room, .. } => room,
        }
    }
}

/// Events that a rule will not be told, unless somebody asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The rule.
    pub rule: RuleId,
    /// The room.
    pub room: RoomKey,
    /// Which events: one that was given up, or a run that retention took.
    pub span: Span,
    /// Why.
    pub why: Burial,
    /// Since when; of a run, when its last event went.
    pub at: Timestamp,
}

/// Why events became a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Burial {
    /// The receiver did not take it for too long: the last failure, in words.
    GivenUp(Box<str>),
    /// Retention took them before they were delivered. They cannot be told again.
    Trimmed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_counts_both_its_ends_however_far_it_goes() {
        let events = |first, last| Span { first: Seq(first), last: Seq(last) }.events();
        assert_eq!([events(3, 5), events(4, 4), events(5, 4)], [3, 1, 0]);
        assert_eq!([events(1, u64::MAX), events(0, u64::MAX)], [u64::MAX; 2]);
    }
}
