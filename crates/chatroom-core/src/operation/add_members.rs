//! Add users to a room: one, or a batch.

use super::{At, Outcome, Undecided, room_of};
use crate::batch::UserBatch;
use crate::error::Rejection;
use crate::event::{Event, EventKind, EventWriter, MEMBERS_PER_EVENT};
use crate::facts::{Capacity, Facts};
use crate::id::{ChatroomId, UserId, Username};
use crate::model::{Counters, JoinOrder, Membership, RoomKey};
use crate::record::{Decision, Record, Write};

/// Add these users to this room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddMembers {
    /// The room.
    pub room: ChatroomId,
    /// Who is to join.
    pub members: UserBatch,
}

/// What became of an addition: everybody named is a member now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembersAdded {
    /// Everybody named, in the order of the call, those who were members before too (decision 16).
    pub members: Vec<Username>,
    /// How many were not members before.
    pub joined: usize,
}

impl AddMembers {
    /// The room must be there, then all users must (decision 14), then there must be place for all who are not
    /// members yet (decision 17).
    pub(super) fn decide(&self, facts: &dyn Facts, at: At) -> Result<Decision, Undecided> {
        let key = RoomKey { app: at.app, id: self.room };
        let fact = room_of(facts, &key)?;
        let mut log = fact.counters;
        let users = self.members.resolve(facts, at.app)?;
        let names = self.members.names().iter().cloned();
        let new: Vec<_> =
            names.zip(users).filter(|(_, user)| facts.membership(&key, *user).is_none()).collect();

        let free = fact.room.info.max_users.saturating_sub(log.members);
        if new.len() > usize::try_from(free).unwrap_or(usize::MAX) {
            return Err(Rejection::RoomFull.into());
        }
        check_capacity(facts.capacity(), new.len())?;

        let joined = new.len();
        let mut writer = EventWriter::new(at.operation, at.moment);
        let (writes, events) = join(key, &new, &mut log, &mut writer);
        let members = self.members.names().to_vec();
        Ok(Decision { writes, events, outcome: Outcome::MembersAdded(MembersAdded { members, joined }) })
    }
}

/// Whether the store has place for so many memberships more.
pub(super) fn check_capacity(capacity: Capacity, more: usize) -> Result<(), Rejection> {
    match capacity.limit {
        Some(limit) if more > 0 && capacity.used.saturating_add(more as u64) > limit => {
            Err(Rejection::StoreFull { limit })
        }
        _ => Ok(()),
    }
}

/// Makes these users members, with an event for every 1,000 of them (decision 37).
pub(super) fn join(
    key: RoomKey,
    new: &[(Username, UserId)],
    log: &mut Counters,
    writer: &mut EventWriter,
) -> (Vec<Write>, Vec<Event>) {
    let mut writes = Vec::with_capacity(new.len());
    let mut events = Vec::with_capacity(new.len().div_ceil(MEMBERS_PER_EVENT));
    for part in new.chunks(MEMBERS_PER_EVENT) {
        let members = log.members.saturating_add(u32::try_from(part.len()).unwrap_or(u32::MAX));
        let names = part.iter().map(|(name, _)| name.clone()).collect();
        let event = writer.append(key, log, members, EventKind::Joined { members: names });
        for (index, (_, user)) in part.iter().enumerate() {
            let joined = JoinOrder::of(event.seq, index);
            writes.push(Write::Put(Record::Membership(Membership { room: key, user: *user, joined })));
        }
        events.push(event);
    }
    (writes, events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{HandFacts, decide, name};

    fn add(members: &[&str]) -> crate::operation::Action {
        let members = UserBatch::parse(members.iter().copied(), 100).unwrap();
        crate::operation::Action::AddMembers(AddMembers { room: HandFacts::ROOM, members })
    }

    #[test]
    fn users_join_in_the_order_of_the_call() {
        let mut facts = HandFacts::with_room("owner", &[]).and_users(&["z", "a"]);
        facts.apply(decide(&facts, add(&["z", "a"])).unwrap());
        let members = facts.members(&facts.key(), 10);
        assert_eq!(members.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["owner", "z", "a"]);
    }

    #[test]
    fn decision_16_a_member_is_listed_but_not_in_the_event_and_not_counted() {
        let facts = HandFacts::with_room("owner", &["old"]).and_users(&["new"]);
        let decision = decide(&facts, add(&["old", "new"])).unwrap();
        let Outcome::MembersAdded(added) = &decision.outcome else { panic!("{:?}", decision.outcome) };
        assert_eq!((added.members.len(), added.joined), (2, 1));
        assert_eq!(decision.events[0].kind, EventKind::Joined { members: vec![name("new")] });
        assert_eq!(decision.events[0].members, 3);

        let again = decide(&facts, add(&["old"])).unwrap();
        assert_eq!(again.records(), 0);
    }

    #[test]
    fn decision_17_a_batch_that_does_not_fit_is_refused_as_a_whole() {
        let facts = HandFacts::with_room("owner", &["u1"]).and_users(&["u2", "u3"]).with_max_users(3);
        assert_eq!(decide(&facts, add(&["u2", "u3"])).unwrap_err(), Rejection::RoomFull.into());
        assert!(decide(&facts, add(&["u1", "u2"])).is_ok());
    }

    #[test]
    fn additions_beyond_the_stores_bound_are_refused() {
        let facts = HandFacts::with_room("owner", &["u1"]).and_users(&["u2"]).with_capacity(2);
        assert_eq!(decide(&facts, add(&["u2"])).unwrap_err(), Rejection::StoreFull { limit: 2 }.into());
        assert!(decide(&facts, add(&["u1"])).is_ok());
    }
}
