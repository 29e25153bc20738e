//! The dead letters of one rule.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::super::cursor::{Burial, DeadLetter};
use crate::event::Seq;
use crate::id::ChatroomId;

/// By room and first event.
#[derive(Debug, Default)]
pub(super) struct Letters {
    by_place: BTreeMap<(ChatroomId, Seq), DeadLetter>,
    /// Those that retention took.
    lost: BTreeSet<(ChatroomId, Seq)>,
}

impl Letters {
    /// Takes a letter in the place of one that begins with the same event.
    pub(super) fn put(&mut self, letter: DeadLetter) {
        let place = (letter.room.id, letter.span.first);
        if letter.why == Burial::Trimmed {
            self.lost.insert(place);
        } else {
            self.lost.remove(&place);
        }
        self.by_place.insert(place, letter);
    }

    /// Buries; a run that retention took grows if it took what comes next. The letter as it is now.
    pub(super) fn bury(&mut self, mut letter: DeadLetter) -> DeadLetter {
        let before = (letter.room.id, Seq(0))..(letter.room.id, letter.span.first);
        if letter.why == Burial::Trimmed
            && let Some((_, run)) = self.by_place.range(before).next_back()
            && run.why == Burial::Trimmed
            && run.span.last.next() == letter.span.first
        {
            letter.span.first = run.span.first;
        }
        self.put(letter.clone());
        letter
    }

    pub(super) fn remove(&mut self, room: ChatroomId, first: Seq) {
        self.by_place.remove(&(room, first));
        self.lost.remove(&(room, first));
    }

    pub(super) fn forget(&mut self, room: ChatroomId) {
        for letter in self.of(room) {
            self.remove(room, letter.span.first);
        }
    }

    /// Whether there are letters of a room.
    pub(super) fn holds(&self, room: ChatroomId) -> bool {
        self.by_place.range((room, Seq(0))..=(room, Seq(u64::MAX))).next().is_some()
    }

    /// The letters of a room.
    pub(super) fn of(&self, room: ChatroomId) -> Vec<DeadLetter> {
        self.by_place
            .range((room, Seq(0))..=(room, Seq(u64::MAX)))
            .map(|(_, letter)| letter.clone())
            .collect()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &DeadLetter> {
        self.by_place.values()
    }

    /// Those behind the one in this place.
    pub(super) fn behind(&self, after: Option<(ChatroomId, Seq)>) -> impl Iterator<Item = &DeadLetter> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_place.range((from, Bound::Unbounded)).map(|(_, letter)| letter)
    }

    pub(super) fn lost_ones(&self) -> impl Iterator<Item = &DeadLetter> {
        self.lost.iter().filter_map(|place| self.by_place.get(place))
    }

    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.by_place.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn lost(&self) -> u64 {
        u64::try_from(self.lost.len()).unwrap_or(u64::MAX)
    }
}
