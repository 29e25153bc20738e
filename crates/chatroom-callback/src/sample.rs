//! An event that did not happen, to try a rule out.

use chatroom_core::{
    ChatroomId, Event, EventId, EventKind, Leaving, RoomKey, Rule, Seq, Timestamp, Username,
};

/// The room and the member that it names.
const ROOM: u64 = 100_000_000_000_000;
const MEMBER: &str = "callback_test";

/// A removal from a room that no app has, for `callback test`. `id` is a UUID that nothing else has.
#[must_use]
pub fn sample_event(rule: &Rule, id: EventId, at: Timestamp) -> Option<Event> {
    let room = RoomKey { app: rule.app, id: ChatroomId::from_number(ROOM).ok()? };
    let member: Username = MEMBER.parse().ok()?;
    let kind = EventKind::Left { members: vec![member], why: Leaving::Kicked };
    Some(Event { id, room, seq: Seq(1), at, members: 0, kind })
}
