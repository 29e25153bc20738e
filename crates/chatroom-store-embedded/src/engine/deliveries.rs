//! What is to be delivered, and what of it is not written yet.

use std::collections::BTreeMap;

use chatroom_core::{
    Backlog, Cursor, CursorWrite, DeadLetter, Happened, LeaseId, Progress, RoomKey, Rule, RuleId, Seq,
    Settlement, Timestamp,
};

use super::recent::Recent;

/// The most that one group writes of it.
pub(super) const AT_ONCE: usize = 1_000;

/// The backlog, which is told only of what is durable, and its writes that wait for a group.
///
/// A write waits for up to a quarter of a second, so that a room whose events are delivered one after the other costs
/// the journal one write, not many. What a crash takes of it is delivered again.
#[derive(Default)]
pub(crate) struct Deliveries {
    pub(crate) backlog: Backlog,
    /// The blobs of the newest groups, while anybody is to be told.
    pub(crate) recent: Recent,
    /// What is not in a group yet, the newest of each place.
    unwritten: BTreeMap<Place, CursorWrite>,
    /// Whether the next groups take it along.
    is_due: bool,
}

/// What a write replaces: a cursor, or the dead letter that begins with an event.
type Place = (RuleId, RoomKey, Option<Seq>);

/// What a group tells the backlog when it is durable.
#[derive(Debug)]
pub(super) enum Noted {
    Happened(Happened),
    Rule(Box<Rule>),
    NoRule(RuleId),
    /// The room and its log are gone.
    NoRoom(RoomKey),
}

impl Deliveries {
    /// Tells the backlog what became durable. Whether there may be more to lease than before.
    pub(super) fn landed(&mut self, noted: Vec<Noted>, now: Timestamp) -> bool {
        let mut more = false;
        for noted in noted {
            match noted {
                Noted::Happened(event) => more |= self.backlog.appended(&event),
                Noted::Rule(rule) => {
                    self.backlog.put_rule(*rule, now);
                    more = true;
                }
                Noted::NoRule(rule) => self.backlog.remove_rule(rule),
                Noted::NoRoom(room) => self.backlog.forget_room(&room),
            }
        }
        more
    }

    /// Ends leases without having delivered anything.
    pub(crate) fn release(&mut self, leases: impl Iterator<Item = LeaseId>, now: Timestamp) {
        let released: Vec<_> =
            leases.map(|lease| Settlement { lease, through: None, taken: 0, then: Progress::Go }).collect();
        let (_, writes) = self.backlog.settle(now, &released);
        self.keep(writes);
    }

    /// Writes these with the others, when there is time.
    pub(crate) fn keep(&mut self, writes: Vec<CursorWrite>) {
        for write in writes {
            self.unwritten.insert(place(&write), write);
        }
    }

    /// Takes back what a group did not write after all. What came since is newer, and so is what came later in it.
    pub(super) fn give_back(&mut self, writes: Vec<CursorWrite>) {
        for write in writes.into_iter().rev() {
            self.unwritten.entry(place(&write)).or_insert(write);
        }
        self.is_due = false;
    }

    /// Gives up what waits: the store closes, and it cannot be written. It is delivered again.
    pub(crate) fn forget_unwritten(&mut self) {
        self.unwritten.clear();
        self.is_due = false;
    }

    /// Lets the next groups take along what waits. Whether anything does.
    pub(crate) fn flush(&mut self) -> bool {
        self.is_due = !self.unwritten.is_empty();
        self.is_due
    }

    pub(super) fn is_due(&self) -> bool {
        self.is_due
    }

    /// What the next group takes along, at most so many.
    pub(super) fn take(&mut self, most: usize) -> Vec<CursorWrite> {
        let most = most.min(AT_ONCE);
        let mut taken = Vec::with_capacity(self.unwritten.len().min(most));
        while taken.len() < most
            && let Some((&(rule, room, _), _)) = self.unwritten.first_key_value()
        {
            let mut writes = self.take_room(rule, room);
            let later = writes.split_off(writes.len().min(most - taken.len()));
            taken.extend(writes);
            self.keep(later);
        }
        self.is_due = !self.unwritten.is_empty();
        taken
    }

    /// What a group takes along so that the room's cursor is durable with it: also the dead letters that the cursor
    /// passes, however many, and as many others as it may.
    pub(super) fn take_cursor(&mut self, rule: RuleId, room: RoomKey) -> Vec<CursorWrite> {
        let mut writes = self.take_room(rule, room);
        let needed = writes.partition_point(|write| turn(write) <= Turn::Cursor);
        let later = writes.split_off(writes.len().min(AT_ONCE.max(needed)));
        self.keep(later);
        self.is_due &= !self.unwritten.is_empty();
        writes
    }

    /// Takes all that waits of a room, in the order in which it is to be written.
    fn take_room(&mut self, rule: RuleId, room: RoomKey) -> Vec<CursorWrite> {
        let places = (rule, room, None)..=(rule, room, Some(Seq(u64::MAX)));
        let mut writes: Vec<_> =
            self.unwritten.extract_if(places, |_, _| true).map(|(_, write)| write).collect();
        writes.sort_by_key(turn);
        writes
    }
}

/// When it is a write's turn among those of its room. Groups may end between any two, and a crash may come between
/// two groups: an event is a dead letter before the cursor passes it, and is one until the cursor tells it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Bury,
    Cursor,
    Unbury,
}

fn turn(write: &CursorWrite) -> Turn {
    match write {
        CursorWrite::Bury(_) => Turn::Bury,
        CursorWrite::Put(_) | CursorWrite::Done { .. } => Turn::Cursor,
        CursorWrite::Unbury { .. } => Turn::Unbury,
    }
}

fn place(write: &CursorWrite) -> Place {
    match write {
        CursorWrite::Put(Cursor { rule, room, .. }) | CursorWrite::Done { rule, room, .. } => {
            (*rule, *room, None)
        }
        CursorWrite::Bury(DeadLetter { rule, room, span, .. }) => (*rule, *room, Some(span.first)),
        CursorWrite::Unbury { rule, room, first } => (*rule, *room, Some(*first)),
    }
}

#[cfg(test)]
mod tests;
