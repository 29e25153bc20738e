//! Old events go, oldest first, in small steps between which the writer commits.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use chatroom_core::{Facts, RoomKey, Timestamp};
use chatroom_store_memory::report_lost;

use super::{KeepError, Keeper, Trimmed};
use crate::codec::{Blob, DecodeError, Entry};
use crate::contents::trimmed;
use crate::engine::Phase;
use crate::journal::Head;

/// How many groups one step removes at most: each step is a commit, so not a few small ones.
const GROUPS: usize = 1_024;
/// About how many bytes one step removes at most.
const BYTES: u64 = 1 << 20;
/// How many rooms are looked at under one lock: some tenths of a millisecond.
const ROOMS_A_LOCK: usize = 128;
/// What a group takes beside its blob, about.
const OVERHEAD: u64 = 32;
/// Which part of the bytes that are kept may be too much until the next time.
const TOLERATED: u64 = 256;
/// Time for the writer between two steps.
const BREATH: Duration = Duration::from_millis(1);

impl Keeper {
    /// Trims what is too old or too much and what a snapshot covers.
    ///
    /// What becomes too old meanwhile, and a little that is too much, wait for the next time: they are a few groups, and
    /// would be a commit of their own, again and again.
    pub(super) fn trim(&mut self) -> Result<Trimmed, KeepError> {
        let too_old = self.shared.clock().now().minus(self.keep);
        let mut tolerated = 0;
        loop {
            let step = self.next_step(too_old, tolerated)?;
            tolerated = self.keep_bytes / TOLERATED;
            let Some((first, below)) = step.groups else { return Ok(step.why) };
            self.step(first, below)?;
            if self.shared.engine().phase != Phase::Open {
                return Err(KeepError::Stopped);
            }
            // Removing writes too: if nobody moved that, the writer would, with everybody waiting.
            self.checkpoint()?;
            std::thread::sleep(BREATH);
        }
    }

    fn next_step(&self, too_old: Timestamp, tolerated: u64) -> Result<Step, KeepError> {
        let looked = self.shared.write(|journal| Ok((journal.oldest(GROUPS)?, journal.bytes()?)));
        let (heads, bytes) = looked.ok_or(KeepError::Stopped)??;
        let mut excess = bytes.saturating_sub(self.keep_bytes.saturating_add(tolerated));
        let (mut groups, mut why, mut taken) = (None::<(u64, u64)>, Trimmed::All, 0);
        for Head { number, at, bytes } in heads {
            if at >= too_old && excess == 0 || taken > BYTES {
                break;
            }
            if number >= self.covered {
                why = Trimmed::Uncovered;
                break;
            }
            groups = Some((groups.map_or(number, |(first, _)| first), number + 1));
            excess = excess.saturating_sub(bytes + OVERHEAD);
            taken += bytes + OVERHEAD;
        }
        Ok(Step { groups, why })
    }

    /// Removes these groups, the oldest: first nobody finds their events, then they go.
    fn step(&mut self, first: u64, below: u64) -> Result<(), KeepError> {
        let rooms = self.rooms_of(first..below)?;
        self.shared.engine().first_kept = below;
        for rooms in rooms.chunks(ROOMS_A_LOCK) {
            self.forget_events(rooms, below);
        }
        let removed = self.shared.write(|journal| journal.trim(below)).ok_or(KeepError::Stopped)?;
        self.heed(removed)
    }

    /// Forgets where the events of these rooms were that lie in groups below this one.
    fn forget_events(&mut self, rooms: &[RoomKey], below: u64) {
        let now = self.shared.moment().0;
        let mut engine = self.shared.engine();
        let mut lost = Vec::new();
        for room in rooms {
            let had_events = engine.index.kept(room).is_some();
            engine.index.trim(room, |position| position.group < below);
            if had_events
                && engine.index.kept(room).is_none()
                && engine.state.room(room).is_some_and(|fact| fact.room.dissolved.is_some())
            {
                engine.forgettable.push_back(*room);
            }
            if let Some(through) = trimmed(&engine.state, &engine.index, room) {
                lost.extend(engine.deliveries.backlog.trimmed(room, through, now));
            }
        }
        report_lost(&engine.deliveries.backlog, &lost);
        engine.deliveries.keep(lost);
    }

    /// The rooms that have events in these groups.
    fn rooms_of(&mut self, groups: Range<u64>) -> Result<Vec<RoomKey>, KeepError> {
        let mut rooms = BTreeSet::new();
        for bytes in self.reader.groups(groups)? {
            Blob::open(&bytes)?.for_each(|entry| {
                if let Entry::Event(_, event) = entry {
                    rooms.insert(event.room);
                }
                Ok::<(), DecodeError>(())
            })?;
        }
        Ok(rooms.into_iter().collect())
    }
}

struct Step {
    /// Groups from the first number on and below the second are to go.
    groups: Option<(u64, u64)>,
    /// Why no others are.
    why: Trimmed,
}
