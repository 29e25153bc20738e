//! A dissolved room is kept for its log. When that is trimmed, nothing of the room is needed any more.

use chatroom_core::{Facts, Key, RoomKey, Seq, Write};

use super::Keeper;
use crate::engine::{Engine, Phase};

/// How many rooms are looked at under one lock.
const AT_ONCE: usize = 200;

impl Keeper {
    /// Deletes dissolved rooms that have neither members nor events, as far as the group that fills has room.
    pub(super) fn forget(&mut self) {
        if self.forgettable.is_empty() {
            return;
        }
        let moment = self.shared.moment();
        let mut engine = self.shared.engine();
        if engine.phase != Phase::Open {
            return;
        }
        for _ in 0..AT_ONCE {
            let Some(room) = self.forgettable.last() else { break };
            if is_empty(&engine, room) && !engine.write(&[Write::Delete(Key::Room(*room))], moment) {
                break;
            }
            self.forgettable.pop();
        }
        self.shared.wake_writer(engine);
    }
}

fn is_empty(engine: &Engine, room: &RoomKey) -> bool {
    engine.state.room(room).is_some_and(|fact| fact.room.dissolved.is_some())
        && engine.state.members(room, 1).is_empty()
        && engine.index.after(room, Seq(0), 1).next().is_none()
}
