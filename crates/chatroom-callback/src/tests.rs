//! Whole deliveries: from a store in memory, by a dispatcher, through sockets.

mod dispatching;
mod faults;
mod outbox;
mod posting;
mod receiver;

use std::collections::BTreeSet;

use chatroom_core::test_util::{HandFacts, name};
use chatroom_core::{
    ChatroomId, Event, EventId, EventKind, Leaving, Origin, RoomKey, Rule, RuleId, RuleSecret, RuleSecrets,
    RuleState, Seq, Timestamp,
};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn rule(id: u128, url: &str) -> Rule {
    Rule {
        id: RuleId(id),
        app: HandFacts::APP,
        app_key: HandFacts::app_key(),
        name: format!("rule_{id}").parse().unwrap(),
        url: url.into(),
        secrets: RuleSecrets::one(RuleSecret::new(SECRET)),
        state: RuleState::Enabled,
        events: None,
        rooms: None,
        origin: Origin::Command,
        created: HandFacts::NOW,
    }
}

fn room(number: u64) -> ChatroomId {
    ChatroomId::from_number(100_000_000_000_000 + number).unwrap()
}

/// A removal, the event `seq` of the room with this number. Its id says which it is.
fn kicked(number: u64, seq: u64, at: Timestamp) -> Event {
    let members = vec![name("u1")];
    Event {
        id: EventId(u128::from(number) << 64 | u128::from(seq)),
        room: RoomKey { app: HandFacts::APP, id: room(number) },
        seq: Seq(seq),
        at,
        members: 1,
        kind: EventKind::Left { members, why: Leaving::Kicked },
    }
}

fn of_room(number: u64) -> Option<BTreeSet<ChatroomId>> {
    Some([room(number)].into())
}
