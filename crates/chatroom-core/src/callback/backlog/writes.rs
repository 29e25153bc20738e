//! What of a backlog is kept, and how it is made again.

use std::time::Duration;

use super::super::cursor::{Burial, Cursor, CursorWrite, DeadLetter, Span};
use super::super::cursors::Shown;
use super::super::lease::{Progress, Settlement};
use super::super::time::between;
use super::{Backlog, Line};
use crate::clock::Timestamp;
use crate::event::Seq;
use crate::model::RoomKey;

impl Line {
    /// Whether the lease had not ended.
    pub(super) fn settle(
        &mut self,
        now: Timestamp,
        settled: &Settlement,
        writes: &mut Vec<CursorWrite>,
    ) -> bool {
        self.bury_lost(now, writes);
        let Some(change) = self.cursors.settle(now, settled) else { return false };
        let room = settled.lease.room;
        if let (Some(seq), Progress::Bury { why, .. }) = (change.buried, &settled.then) {
            self.bury(room, Span::one(seq), Burial::GivenUp(why.words.clone()), now, writes);
        }
        for span in &change.lost {
            self.bury(room, *span, Burial::Trimmed, now, writes);
        }
        self.write(room, Some(change.after), now, writes);
        true
    }

    pub(super) fn trimmed(
        &mut self,
        room: &RoomKey,
        through: Seq,
        now: Timestamp,
        writes: &mut Vec<CursorWrite>,
    ) {
        self.bury_lost(now, writes);
        let lost = self.cursors.trimmed(room.id, through);
        for span in &lost {
            self.bury(*room, *span, Burial::Trimmed, now, writes);
        }
        if !lost.is_empty() {
            self.write(*room, Some(through), now, writes);
        }
    }

    pub(super) fn replay(
        &mut self,
        room: &RoomKey,
        span: Span,
        log: Span,
        now: Timestamp,
        writes: &mut Vec<CursorWrite>,
    ) -> u64 {
        let span = Span { first: span.first.max(log.first), last: span.last.min(log.last) };
        let events = self.cursors.replay(room.id, span, log.last, now);
        if events == 0 {
            return 0;
        }
        for letter in self.letters.of(room.id) {
            let first = letter.span.first;
            if letter.why != Burial::Trimmed && span.first <= first && letter.span.last <= span.last {
                self.letters.remove(room.id, first);
                writes.push(CursorWrite::Unbury { rule: self.rule.id, room: *room, first });
            }
        }
        self.write(*room, None, now, writes);
        events
    }

    /// Says how the room stands now.
    fn write(&self, room: RoomKey, through: Option<Seq>, now: Timestamp, writes: &mut Vec<CursorWrite>) {
        if let Some(cursor) = self.cursor(room, now) {
            writes.push(CursorWrite::Put(cursor));
        } else if let Some(through) = through {
            writes.push(CursorWrite::Done { rule: self.rule.id, room, through });
        }
    }

    pub(super) fn cursor(&self, room: RoomKey, now: Timestamp) -> Option<Cursor> {
        let (shown, due) = self.cursors.show(room.id, now)?;
        let Shown { after, last, again, failures, failing_for, behind_since } = shown;
        let rule = self.rule.id;
        Some(Cursor { rule, room, after, last, again, failures, failing_for, due, behind_since })
    }

    fn bury(&mut self, room: RoomKey, span: Span, why: Burial, at: Timestamp, writes: &mut Vec<CursorWrite>) {
        let letter = DeadLetter { rule: self.rule.id, room, span, why, at };
        writes.push(CursorWrite::Bury(self.letters.bury(letter)));
    }

    fn bury_lost(&mut self, now: Timestamp, writes: &mut Vec<CursorWrite>) {
        for (id, span) in self.cursors.take_lost() {
            let room = RoomKey { app: self.rule.app, id };
            self.bury(room, span, Burial::Trimmed, now, writes);
            self.write(room, Some(span.last), now, writes);
        }
    }
}

impl Backlog {
    /// Applies what was kept, in its order and in order with [`appended`](Self::appended), to make the backlog again
    /// that was there before. No lease of it is held any more. Rules that are not there are passed over.
    ///
    /// Afterwards, [`trimmed`](Self::trimmed) is to be told of the rooms that are [behind](Self::rooms_behind) and
    /// whose log does not begin with 1, since retention may have taken events that nothing was noted of yet.
    pub fn restore(&mut self, write: CursorWrite, now: Timestamp) {
        let id = match &write {
            CursorWrite::Put(Cursor { rule, .. })
            | CursorWrite::Done { rule, .. }
            | CursorWrite::Bury(DeadLetter { rule, .. })
            | CursorWrite::Unbury { rule, .. } => *rule,
        };
        let Some(line) = self.rules.get_mut(&id) else { return };
        match write {
            CursorWrite::Put(cursor) => {
                let Cursor { room, after, last, again, failures, failing_for, due, behind_since, .. } =
                    cursor;
                let shown = Shown { after, last, again, failures, failing_for, behind_since };
                line.cursors.restore(room.id, shown, due, now);
            }
            CursorWrite::Done { room, through, .. } => line.cursors.restore_done(room.id, through),
            CursorWrite::Bury(letter) => line.letters.put(letter),
            CursorWrite::Unbury { room, first, .. } => line.letters.remove(room.id, first),
        }
        self.turn(id, now);
    }

    /// All rooms that are behind, some more than once.
    pub fn rooms_behind(&self) -> impl Iterator<Item = RoomKey> {
        self.rules.values().flat_map(|line| line.cursors.rooms().map(|id| RoomKey { app: line.rule.app, id }))
    }

    /// What is to be done now and then, as often as events are trimmed: forgets dead letters that have lain for longer
    /// than `keep`, and notes what retention took of rooms whose lease ended unsettled.
    pub fn tidy(&mut self, keep: Duration, now: Timestamp) -> Vec<CursorWrite> {
        let mut writes = Vec::new();
        for line in self.rules.values_mut() {
            line.bury_lost(now, &mut writes);
            let old = line.letters.all().filter(|letter| between(letter.at, now) > keep);
            let old: Vec<_> = old.map(|letter| (letter.room, letter.span.first)).collect();
            for (room, first) in old {
                line.letters.remove(room.id, first);
                writes.push(CursorWrite::Unbury { rule: line.rule.id, room, first });
            }
        }
        writes
    }
}
