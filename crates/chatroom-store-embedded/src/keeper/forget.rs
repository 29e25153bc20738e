//! A dissolved room is kept for its log, and for what its rules were not told of it. When neither is there any more,
//! nothing of the room is needed.

use chatroom_core::{Facts, Key, RoomKey, Write};

use super::Keeper;
use crate::engine::{Engine, Phase};

/// How many rooms are looked at under one lock.
const AT_ONCE: usize = 200;

impl Keeper {
    /// Deletes dissolved rooms of which nothing is left, as far as the group that fills has room. Those of which
    /// something is left are looked at again after the others.
    pub(super) fn forget(&mut self) {
        let moment = self.shared.moment();
        let mut engine = self.shared.engine();
        if engine.phase != Phase::Open || super::was_full_lately(&engine, moment.0) {
            return;
        }
        let mut wrote = false;
        for _ in 0..AT_ONCE.min(engine.forgettable.len()) {
            let Some(room) = engine.forgettable.pop_front() else { break };
            if !is_dissolved(&engine, &room) {
                continue;
            }
            if is_needed(&engine, &room) {
                engine.forgettable.push_back(room);
                continue;
            }
            // If it is taken back, the room is looked at once more.
            if !engine.write(&[Write::Delete(Key::Room(room))], moment) {
                engine.forgettable.push_front(room);
                break;
            }
            wrote = true;
        }
        if wrote {
            self.shared.wake_writer(engine);
        }
    }
}

fn is_dissolved(engine: &Engine, room: &RoomKey) -> bool {
    engine.state.room(room).is_some_and(|fact| fact.room.dissolved.is_some())
}

fn is_needed(engine: &Engine, room: &RoomKey) -> bool {
    engine.index.kept(room).is_some()
        || !engine.state.members(room, 1).is_empty()
        || engine.deliveries.backlog.holds(room)
}
