//! Make a room, with its owner and its first members.

use std::sync::Arc;

use super::add_members::{check_capacity, join};
use super::{At, Outcome, Undecided};
use crate::batch::UserBatch;
use crate::error::Rejection;
use crate::event::{EventKind, EventWriter};
use crate::facts::Facts;
use crate::id::ChatroomId;
use crate::model::{Counters, JoinOrder, Membership, Room, RoomInfo, RoomKey};
use crate::record::{Decision, Record, Write};

/// Make a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateRoom {
    /// The owner: exactly one name.
    pub owner: UserBatch,
    /// Further members; may hold the owner, who is counted once (decision 15).
    pub members: UserBatch,
    /// What is said about it.
    pub info: RoomInfo,
}

impl CreateRoom {
    /// The members must be no more than the room may have (decision 15), then the owner must be there, then all
    /// members must (decision 14).
    pub(super) fn decide(&self, facts: &dyn Facts, at: At) -> Result<Decision, Undecided> {
        if self.members.len_without(self.owner.names().first()) >= self.info.max_users as usize {
            return Err(Rejection::MembersExceedMaxUsers.into());
        }
        let owners = self.owner.resolve(facts, at.app)?;
        let (Some(&owner), Some(owner_name)) = (owners.first(), self.owner.names().first()) else {
            return Err(Rejection::UserNotFound("".into()).into());
        };
        let users = self.members.resolve(facts, at.app)?;
        let names = self.members.names().iter().cloned();
        let others: Vec<_> = names.zip(users).filter(|(_, user)| *user != owner).collect();
        check_capacity(facts.capacity(), others.len() + 1)?;
        let key = RoomKey { app: at.app, id: ChatroomId::at(at.moment.0, at.operation.entropy()) };
        if facts.room(&key).is_some() {
            return Err(Undecided::IdTaken);
        }

        let info = Arc::new(self.info.clone());
        let room = Room {
            key,
            owner,
            owner_name: owner_name.clone(),
            info: info.clone(),
            created: at.moment.0,
            dissolved: None,
        };
        let mut log = Counters::default();
        let mut writer = EventWriter::new(at.operation, at.moment);
        let created = writer.append(key, &mut log, 1, EventKind::Created { owner: owner_name.clone(), info });
        let seat = Membership { room: key, user: owner, joined: JoinOrder::of(created.seq, 0) };
        let (joins, joined) = join(key, &others, &mut log, &mut writer);

        let mut writes = vec![Write::Put(Record::Room(room.clone())), Write::Put(Record::Membership(seat))];
        writes.extend(joins);
        let mut events = vec![created];
        events.extend(joined);
        Ok(Decision { writes, events, outcome: Outcome::RoomCreated(Box::new(room)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{HandFacts, decide, name};

    fn create(owner: &str, members: &[&str], max_users: u32) -> crate::operation::Action {
        crate::operation::Action::CreateRoom(CreateRoom {
            owner: UserBatch::parse_any([owner]),
            members: UserBatch::parse_any(members.iter().copied()),
            info: RoomInfo { max_users, ..RoomInfo::default() },
        })
    }

    #[test]
    fn the_owner_joins_first_and_the_members_follow_in_an_event_of_their_own() {
        let facts = HandFacts::with_users(&["owner", "u1"]);
        let decision = decide(&facts, create("owner", &["u1"], 10)).unwrap();
        assert_eq!(decision.events.iter().map(|e| e.members).collect::<Vec<_>>(), [1, 2]);
        assert!(
            matches!(&decision.events[0].kind, EventKind::Created { owner, .. } if *owner == name("owner"))
        );
        assert_eq!(decision.events[1].kind, EventKind::Joined { members: vec![name("u1")] });
    }

    #[test]
    fn decision_15_the_owner_among_the_members_is_counted_once_and_only_maxusers_bounds_them() {
        let facts = HandFacts::with_users(&["owner", "u1"]);
        assert!(decide(&facts, create("owner", &["owner", "u1"], 2)).is_ok());
        assert!(decide(&facts, create("owner", &[], 1)).is_ok());
        let rejected = decide(&facts, create("owner", &["u1"], 1)).unwrap_err();
        assert_eq!(rejected, Rejection::MembersExceedMaxUsers.into());
    }

    #[test]
    fn decision_04_the_number_of_members_is_looked_at_before_who_they_are() {
        let facts = HandFacts::with_users(&["owner"]);
        for members in [["ghost", "owner"], ["bad!name", "owner"]] {
            let rejected = decide(&facts, create("owner", &members, 1)).unwrap_err();
            assert_eq!(rejected, Rejection::MembersExceedMaxUsers.into());
        }
        let rejected = decide(&facts, create("ghost", &["owner"], 1)).unwrap_err();
        assert_eq!(rejected, Rejection::MembersExceedMaxUsers.into());
    }

    #[test]
    fn decision_14_an_unknown_owner_or_member_refuses_the_room() {
        let facts = HandFacts::with_users(&["owner"]);
        for (owner, members, unknown) in [("ghost", ["owner"], "ghost"), ("owner", ["ghost"], "ghost")] {
            let rejected = decide(&facts, create(owner, &members, 10)).unwrap_err();
            assert_eq!(rejected, Rejection::UserNotFound(unknown.into()).into());
        }
    }

    #[test]
    fn decision_37_the_members_a_room_begins_with_are_listed_1000_an_event() {
        let names: Vec<String> = (0..2_500).map(|n| format!("u{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let facts = HandFacts::with_users(&names).and_users(&["owner"]);
        let decision = decide(&facts, create("owner", &names, 10_000)).unwrap();
        assert_eq!(decision.events.iter().map(|e| e.members).collect::<Vec<_>>(), [1, 1_001, 2_001, 2_501]);
    }

    #[test]
    fn a_taken_id_is_told_apart_from_a_rejection() {
        let mut facts = HandFacts::with_users(&["owner"]);
        facts.apply(decide(&facts, create("owner", &[], 10)).unwrap());
        assert_eq!(decide(&facts, create("owner", &[], 10)).unwrap_err(), Undecided::IdTaken);
    }
}
