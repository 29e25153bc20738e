//! Dissolve a room: one small write, however many members it has. The sweeper removes them.

use super::{At, Outcome, Undecided, room_of};
use crate::event::{EventKind, EventWriter};
use crate::facts::{Facts, RoomFact};
use crate::id::ChatroomId;
use crate::model::{Room, RoomKey};
use crate::record::{Decision, Record, Sweep, Write};

/// Dissolve this room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DissolveRoom {
    /// The room.
    pub room: ChatroomId,
}

impl DissolveRoom {
    pub(super) fn decide(&self, facts: &dyn Facts, at: At) -> Result<Decision, Undecided> {
        let key = RoomKey { app: at.app, id: self.room };
        let fact = room_of(facts, &key)?;
        let mut decision = Decision::nothing(Outcome::RoomDissolved(key));
        dissolve(fact, at, &mut EventWriter::new(at.operation, at.moment), &mut decision);
        Ok(decision)
    }
}

/// Marks the room, writes its `DELETE` event and leaves its memberships to the sweeper (invariant 6).
pub(super) fn dissolve(fact: RoomFact<'_>, at: At, writer: &mut EventWriter, decision: &mut Decision) {
    let key = fact.room.key;
    let mut log = fact.counters;
    let room = Room { dissolved: Some(at.moment.0), ..fact.room.clone() };
    decision.writes.push(Write::Put(Record::Room(room)));
    decision.writes.push(Write::Put(Record::Sweep(Sweep::Room(key))));
    decision.events.push(writer.append(key, &mut log, fact.counters.members, EventKind::Dissolved));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Rejection;
    use crate::test_util::{HandFacts, decide};

    #[test]
    fn dissolving_a_room_is_three_records_however_many_members_it_has() {
        let mut facts = HandFacts::with_room("owner", &["u1", "u2", "u3"]);
        let action = crate::operation::Action::DissolveRoom(DissolveRoom { room: HandFacts::ROOM });
        let decision = decide(&facts, action.clone()).unwrap();
        assert_eq!(decision.records(), 3);
        assert_eq!(decision.events[0].kind, EventKind::Dissolved);
        facts.apply(decision);
        let again = decide(&facts, action).unwrap_err();
        assert_eq!(again, Rejection::RoomNotFound(HandFacts::ROOM.to_string().into()).into());
    }
}
