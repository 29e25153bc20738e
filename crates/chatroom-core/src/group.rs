//! Many operations, one commit: each decides on the facts that those before it left.

mod loaded;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::clock::{Moment, Timestamp};
use crate::event::Event;
use crate::model::{Counters, RoomKey};
use crate::operation::{Action, Operation, Outcome, Undecided};
use crate::record::{Key, Record};

pub use loaded::{Loaded, LoadedRoom};

/// What a group decided.
#[derive(Debug, Default)]
#[must_use = "a plan that is not committed is a lost write"]
pub struct Plan {
    /// What each operation is told once the commit is durable, in their order. One that is refused changes nothing.
    pub answers: Vec<Result<Outcome, Undecided>>,
    /// What all of them change together, each key once.
    pub changes: BTreeMap<Key, Change>,
    /// What is appended to rooms' logs, each log in its order.
    pub events: Vec<Event>,
    /// Where the logs that were appended to end now.
    pub ends: BTreeMap<RoomKey, LogEnd>,
}

/// What becomes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whether something was there before the group, as far as it was read.
    pub was_there: bool,
    /// What is there behind it; `None`: nothing.
    pub now: Option<Record>,
}

/// Where a room's log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEnd {
    /// Its counters.
    pub counters: Counters,
    /// The time of its last event.
    pub at: Timestamp,
}

impl Plan {
    /// Whether nothing is to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.events.is_empty()
    }
}

/// Decides the operations in their order. `facts` holds what all of them [read](Operation::reads), and afterwards what
/// they made of it. `now` is the clock's time: an operation is decided then, or at the time of the newest event of the
/// rooms that it changes if the clock went back (invariant 7).
pub fn plan<'o>(
    facts: &mut Loaded,
    operations: impl IntoIterator<Item = &'o Operation>,
    now: Timestamp,
) -> Plan {
    let mut plan = Plan::default();
    for operation in operations {
        let moment = Moment(now.max(facts.newest(operation)));
        let answer = operation.decide(facts, moment).map(|decision| {
            facts.apply(&decision);
            for event in &decision.events {
                let counters = Counters { seq: event.seq, members: event.members };
                plan.ends.insert(event.room, LogEnd { counters, at: event.at });
            }
            plan.events.extend(decision.events);
            decision.outcome
        });
        plan.answers.push(answer);
    }
    plan.changes = facts.take_changes();
    plan
}

impl Loaded {
    /// The time of the newest event of the rooms that the operation may change.
    fn newest(&self, operation: &Operation) -> Timestamp {
        let app = operation.app;
        let of = |id| self.room_at(&RoomKey { app, id });
        match &operation.action {
            Action::RemoveMembers(action) => of(action.room),
            Action::AddMembers(action) => of(action.room),
            Action::DissolveRoom(action) => of(action.room),
            Action::Sweep(_) => self.newest_of_all(),
            _ => None,
        }
        .unwrap_or_default()
    }
}
