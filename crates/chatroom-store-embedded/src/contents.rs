//! What a store holds in memory, while it is read from the disk.

use std::collections::{BTreeSet, VecDeque};

use chatroom_core::{
    Backlog, CursorWrite, Event, Facts, Happened, Key, Record, RoomKey, Seq, Timestamp, Write,
};
use chatroom_store_memory::{EventIndex, State};

use crate::codec::Position;

/// State, where events are, and what is to be delivered of them.
pub(crate) struct Contents {
    pub(crate) state: State,
    pub(crate) index: EventIndex<Position>,
    pub(crate) backlog: Backlog,
    now: Timestamp,
}

impl Contents {
    pub(crate) fn new(max_members: Option<u64>, now: Timestamp) -> Self {
        let (state, index) = (State::new(max_members), EventIndex::default());
        Self { state, index, backlog: Backlog::default(), now }
    }

    /// Does once more what was written.
    pub(crate) fn write(&mut self, write: Write) {
        drop(self.state.apply(&write));
        match write {
            Write::Delete(Key::Room(room)) => {
                self.index.remove(&room);
                self.backlog.forget_room(&room);
            }
            Write::Put(Record::Rule(rule)) => self.backlog.put_rule(*rule, self.now),
            Write::Delete(Key::Rule(_, rule)) => self.backlog.remove_rule(rule),
            Write::Put(_) | Write::Delete(_) => {}
        }
    }

    pub(crate) fn event(&mut self, event: &Event, at: Position) {
        drop(self.state.append(event));
        self.index.push(event.room, event.seq, at);
        self.backlog.appended(&Happened::of(event));
    }

    /// Passes over what is of a room that is not there: it may have been written behind the end of its room, and a
    /// cursor would be due for ever. A room that was made while a snapshot was taken is in the replay with its events.
    pub(crate) fn cursor(&mut self, write: CursorWrite) {
        if self.state.room(write.room()).is_some() {
            self.backlog.restore(write, self.now);
        }
    }

    /// Dissolved rooms without events. To be called when everything is read.
    pub(crate) fn forgettable(&self) -> VecDeque<RoomKey> {
        self.state.dissolved().filter(|room| self.index.kept(room).is_none()).collect()
    }

    /// Up to which event retention took the room's log.
    fn trimmed(&self, room: &RoomKey) -> Option<Seq> {
        trimmed(&self.state, &self.index, room)
    }

    /// Looks for what retention took before it was delivered, and nobody wrote down. To be called when everything is
    /// read; answers what is to be written.
    pub(crate) fn find_lost(&mut self) -> Vec<CursorWrite> {
        let behind: BTreeSet<_> = self.backlog.rooms_behind().collect();
        let mut lost = Vec::new();
        for room in behind {
            if let Some(through) = self.trimmed(&room) {
                lost.extend(self.backlog.trimmed(&room, through, self.now));
            }
        }
        lost
    }
}

/// Up to which event retention took the room's log; `None`: it took nothing.
pub(crate) fn trimmed(state: &State, index: &EventIndex<Position>, room: &RoomKey) -> Option<Seq> {
    let through = match index.kept(room) {
        Some(kept) => Seq(kept.first.0.saturating_sub(1)),
        None => state.room(room)?.counters.seq,
    };
    (through > Seq(0)).then_some(through)
}
