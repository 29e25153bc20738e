//! Where the events of each room are.

use std::collections::HashMap;

use chatroom_core::{RoomKey, Seq, Span};
use foldhash::fast::RandomState;

use crate::pieces::Pieces;

/// For each room, where its kept events are: `T` is the event itself, or its place on disk.
///
/// A room's events have sequence numbers without a gap, so only the first kept one is stored.
#[derive(Debug)]
pub struct EventIndex<T> {
    rooms: HashMap<RoomKey, RoomLog<T>, RandomState>,
}

#[derive(Debug)]
struct RoomLog<T> {
    /// The sequence number of the first kept event.
    first: u64,
    events: Pieces<T>,
}

impl<T> Default for EventIndex<T> {
    fn default() -> Self {
        Self { rooms: HashMap::default() }
    }
}

impl<T> EventIndex<T> {
    /// Notes the next event of a room. One that was noted before is left as it is; one behind a gap begins the
    /// room's log anew, since what was before it is no longer kept.
    pub fn push(&mut self, room: RoomKey, seq: Seq, event: T) {
        let log =
            self.rooms.entry(room).or_insert_with(|| RoomLog { first: seq.0, events: Pieces::default() });
        let next = log.first + log.events.len() as u64;
        if seq.0 > next {
            log.events.clear();
            log.first = seq.0;
        }
        if seq.0 >= next {
            log.events.push_back(event);
        }
    }

    /// Takes back the last event of a room, if it is this one.
    pub fn pop(&mut self, room: &RoomKey, seq: Seq) {
        if let Some(log) = self.rooms.get_mut(room)
            && log.first + log.events.len() as u64 == seq.0 + 1
        {
            log.events.pop_back();
            if log.events.is_empty() {
                // A creation that is taken back again and again has another room each time.
                self.rooms.remove(room);
            }
        }
    }

    /// Up to `limit` events of the room behind `after`, with their sequence numbers.
    pub fn after(&self, room: &RoomKey, after: Seq, limit: usize) -> impl Iterator<Item = (Seq, &T)> {
        self.rooms.get(room).into_iter().flat_map(move |log| {
            let skip = usize::try_from(after.next().0.saturating_sub(log.first)).unwrap_or(usize::MAX);
            let skip = skip.min(log.events.len());
            (log.first + skip as u64..).map(Seq).zip(log.events.from(skip)).take(limit)
        })
    }

    /// Which events of the room are kept; `None` if none are.
    pub fn kept(&self, room: &RoomKey) -> Option<Span> {
        let log = self.rooms.get(room).filter(|log| !log.events.is_empty())?;
        Some(Span { first: Seq(log.first), last: Seq(log.first + log.events.len() as u64 - 1) })
    }

    /// Which events of the room are kept, up to the last for which `holds` is true: it is true of a beginning.
    pub fn kept_while(&self, room: &RoomKey, holds: impl Fn(&T) -> bool) -> Option<Span> {
        let log = self.rooms.get(room)?;
        let held = log.events.count_while(holds) as u64;
        (held > 0).then(|| Span { first: Seq(log.first), last: Seq(log.first + held - 1) })
    }

    /// Forgets the events at the beginning of a room's log for which `old` is true.
    pub fn trim(&mut self, room: &RoomKey, old: impl Fn(&T) -> bool) {
        let Some(log) = self.rooms.get_mut(room) else { return };
        while log.events.front().is_some_and(&old) {
            log.events.pop_front();
            log.first += 1;
        }
        log.events.shrink();
        if log.events.is_empty() {
            self.rooms.remove(room);
        }
    }

    /// Forgets a room's log.
    pub fn remove(&mut self, room: &RoomKey) {
        self.rooms.remove(room);
    }

    /// All rooms of which events are kept, in no order.
    pub fn rooms(&self) -> impl Iterator<Item = &RoomKey> {
        self.rooms.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatroom_core::test_util::HandFacts;

    fn kept(index: &EventIndex<char>, after: u64) -> Vec<(u64, char)> {
        let room = HandFacts::default().key();
        index.after(&room, Seq(after), 10).map(|(seq, event)| (seq.0, *event)).collect()
    }

    #[test]
    fn events_are_found_behind_a_sequence_number_also_after_the_first_were_trimmed() {
        let (mut index, room) = (EventIndex::default(), HandFacts::default().key());
        for (seq, event) in (1..).zip(['a', 'b', 'c', 'd']) {
            index.push(room, Seq(seq), event);
        }
        index.push(room, Seq(2), 'x');
        assert_eq!(kept(&index, 1), [(2, 'b'), (3, 'c'), (4, 'd')]);
        index.trim(&room, |event| *event < 'c');
        assert_eq!(kept(&index, 0), [(3, 'c'), (4, 'd')]);
        let span = |first, last| Some(Span { first: Seq(first), last: Seq(last) });
        assert_eq!(index.kept(&room), span(3, 4));
        assert_eq!(index.kept_while(&room, |event| *event < 'd'), span(3, 3));
        assert_eq!(index.kept_while(&room, |event| *event < 'c'), None);
        index.pop(&room, Seq(4));
        assert_eq!(kept(&index, 3), []);
    }

    #[test]
    fn a_room_whose_only_event_is_taken_back_leaves_nothing() {
        let (mut index, room) = (EventIndex::default(), HandFacts::default().key());
        index.push(room, Seq(1), 'a');
        index.pop(&room, Seq(2));
        assert_eq!(index.rooms().collect::<Vec<_>>(), [&room]);
        index.pop(&room, Seq(1));
        assert_eq!(index.rooms().count(), 0);
        index.push(room, Seq(1), 'b');
        assert_eq!(kept(&index, 0), [(1, 'b')]);
    }

    #[test]
    fn a_log_that_goes_on_behind_a_gap_begins_there() {
        let (mut index, room) = (EventIndex::default(), HandFacts::default().key());
        index.push(room, Seq(1), 'a');
        index.push(room, Seq(7), 'g');
        assert_eq!(kept(&index, 0), [(7, 'g')]);
    }
}
