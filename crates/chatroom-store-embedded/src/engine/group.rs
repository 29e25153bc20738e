use std::sync::Arc;

use chatroom_core::{
    CursorWrite, Decision, Happened, Key, Moment, Outcome, Record, RoomKey, Seq, Timestamp, Write,
};
use chatroom_store_memory::{EventIndex, State, Undo};

use super::deliveries::Noted;
use crate::codec::{BlobWriter, Position, Unencodable};
use crate::signal::Signal;

/// What is committed together.
pub(crate) struct Group {
    pub(crate) number: u64,
    pub(super) blob: BlobWriter,
    /// How to take back what was applied, in the order in which it was.
    undo: Vec<Undo>,
    /// The events that were noted, in order.
    events: Vec<(RoomKey, Seq)>,
    /// Rooms that go with their logs. The logs go when the group is durable: they cannot be taken back.
    pub(super) dissolved_logs: Vec<RoomKey>,
    /// What the backlog is told when the group is durable, in order.
    pub(super) noted: Vec<Noted>,
    /// What it writes of deliveries.
    cursors: Vec<CursorWrite>,
    pub(super) writes: usize,
    pub(super) reads: usize,
    pub(super) newest: Timestamp,
    /// Nothing more is added: it is full, or something did not fit.
    pub(super) sealed: bool,
    pub(crate) signal: Arc<Signal>,
}

impl Group {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            blob: BlobWriter::new(),
            undo: Vec::new(),
            events: Vec::new(),
            dissolved_logs: Vec::new(),
            noted: Vec::new(),
            cursors: Vec::new(),
            writes: 0,
            reads: 0,
            newest: Timestamp::default(),
            sealed: false,
            signal: Arc::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.blob.is_empty() && self.undo.is_empty()
    }

    /// Writes the decision down and applies it: all of it, or, on an error, nothing.
    pub(super) fn add(
        &mut self,
        decision: Decision,
        moment: Moment,
        reads: usize,
        state: &mut State,
        index: &mut EventIndex<Position>,
    ) -> Result<Outcome, Unencodable> {
        let mark = self.blob.mark();
        self.blob.writes(&decision.writes);
        let noted = self.events.len();
        for event in &decision.events {
            match self.blob.event(event) {
                Ok(offset) => {
                    index.push(event.room, event.seq, Position { group: self.number, offset });
                    self.events.push((event.room, event.seq));
                }
                Err(unencodable) => {
                    self.blob.rewind(mark);
                    for (room, seq) in self.events.drain(noted..).rev() {
                        index.pop(&room, seq);
                    }
                    return Err(unencodable);
                }
            }
        }
        self.apply(&decision.writes, moment, state);
        self.writes += decision.events.len();
        self.reads += reads;
        self.undo.extend(decision.events.iter().map(|event| state.append(event)));
        // Events of apps without a rule are no news to the backlog.
        let told = decision.events.iter().filter(|event| state.has_rules(event.room.app));
        self.noted.extend(told.map(|event| Noted::Happened(Happened::of(event))));
        Ok(decision.outcome)
    }

    /// Writes these down and applies them.
    pub(super) fn write(&mut self, writes: &[Write], moment: Moment, state: &mut State) {
        self.blob.writes(writes);
        self.apply(writes, moment, state);
    }

    fn apply(&mut self, writes: &[Write], moment: Moment, state: &mut State) {
        self.writes += writes.len();
        self.newest = self.newest.max(moment.0);
        for write in writes {
            self.undo.push(state.apply(write));
            match write {
                Write::Delete(Key::Room(room)) => {
                    self.dissolved_logs.push(*room);
                    self.noted.push(Noted::NoRoom(*room));
                }
                Write::Put(Record::Rule(rule)) => self.noted.push(Noted::Rule(rule.clone())),
                Write::Delete(Key::Rule(_, rule)) => self.noted.push(Noted::NoRule(*rule)),
                Write::Put(_) | Write::Delete(_) => {}
            }
        }
    }

    /// Writes down what became of deliveries.
    pub(super) fn deliveries(&mut self, writes: Vec<CursorWrite>, moment: Moment) {
        self.newest = self.newest.max(moment.0);
        self.writes += writes.len();
        writes.iter().for_each(|write| self.blob.cursor(write));
        self.cursors.extend(writes);
    }

    /// Takes everything back, newest first. Answers what was not written of deliveries.
    pub(super) fn take_back(self, state: &mut State, index: &mut EventIndex<Position>) -> Vec<CursorWrite> {
        for (room, seq) in self.events.iter().rev() {
            index.pop(room, *seq);
        }
        for undo in self.undo.into_iter().rev() {
            state.undo(undo);
        }
        self.cursors
    }
}
