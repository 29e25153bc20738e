//! Remove members from a room: one, or a batch. The call this project exists for.

use super::{At, Outcome, Undecided, room_of};
use crate::batch::UserBatch;
use crate::error::Rejection;
use crate::event::{EventKind, EventWriter, Leaving, MEMBERS_PER_EVENT};
use crate::facts::Facts;
use crate::id::{ChatroomId, Username};
use crate::model::RoomKey;
use crate::record::{Decision, Key, Write};

/// Remove these users from this room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveMembers {
    /// The room.
    pub room: ChatroomId,
    /// Who is to go.
    pub members: UserBatch,
}

/// What became of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembersRemoved {
    /// One a name, in the order of the call.
    pub removals: Vec<Removal>,
}

/// What became of one name of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The name.
    pub user: Username,
    /// Whether it was a member, and so was removed.
    pub removed: bool,
}

impl RemoveMembers {
    /// The room must be there, then all users must (decision 14), then at least one must be a member (decisions 1
    /// and 13). The owner is removed like any other and stays the owner (decision 8).
    pub(super) fn decide(&self, facts: &dyn Facts, at: At) -> Result<Decision, Undecided> {
        let key = RoomKey { app: at.app, id: self.room };
        let mut log = room_of(facts, &key)?.counters;
        let users = self.members.resolve(facts, at.app)?;

        let mut writes = Vec::with_capacity(users.len());
        let mut gone = Vec::with_capacity(users.len());
        let mut removals = Vec::with_capacity(users.len());
        for (name, user) in self.members.names().iter().zip(users) {
            let removed = facts.membership(&key, user).is_some();
            if removed {
                writes.push(Write::Delete(Key::Membership(key, user)));
                gone.push(name.clone());
            }
            removals.push(Removal { user: name.clone(), removed });
        }
        if gone.is_empty() {
            return Err(Rejection::NotMembers(self.members.names().to_vec()).into());
        }

        let mut writer = EventWriter::new(at.operation, at.moment);
        let mut events = Vec::with_capacity(1);
        for part in gone.chunks(MEMBERS_PER_EVENT) {
            let members = log.members.saturating_sub(u32::try_from(part.len()).unwrap_or(u32::MAX));
            let kind = EventKind::Left { members: part.to_vec(), why: Leaving::Kicked };
            events.push(writer.append(key, &mut log, members, kind));
        }
        Ok(Decision { writes, events, outcome: Outcome::MembersRemoved(MembersRemoved { removals }) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Counters;
    use crate::test_util::{HandFacts, decide, name};

    fn remove(members: &[&str]) -> crate::operation::Action {
        let members = UserBatch::parse(members.iter().copied(), 100).unwrap();
        crate::operation::Action::RemoveMembers(RemoveMembers { room: HandFacts::ROOM, members })
    }

    #[test]
    fn a_member_is_removed_with_one_event_that_carries_the_counters() {
        let mut facts = HandFacts::with_room("owner", &["u1", "u2"]);
        let before = facts.counters();
        let decision = decide(&facts, remove(&["u1"])).unwrap();
        assert_eq!(decision.records(), 2);
        assert_eq!(decision.events[0].seq, before.seq.next());
        assert_eq!(decision.events[0].members, 2);
        facts.apply(decision);
        assert!(!facts.is_member("u1"));
        assert_eq!(facts.counters(), Counters { seq: before.seq.next(), members: 2 });
    }

    #[test]
    fn decision_01_a_user_who_is_not_in_the_room_is_rejected() {
        let facts = HandFacts::with_room("owner", &[]).and_users(&["stranger"]);
        let rejected = decide(&facts, remove(&["stranger"])).unwrap_err();
        assert_eq!(rejected, Rejection::NotMembers(vec![name("stranger")]).into());
    }

    #[test]
    fn decision_04_the_room_is_looked_at_before_the_user() {
        let facts = HandFacts::with_users(&[]);
        let rejected = decide(&facts, remove(&["bad!name"])).unwrap_err();
        assert_eq!(rejected, Rejection::RoomNotFound(HandFacts::ROOM.to_string().into()).into());
    }

    #[test]
    fn decision_08_the_owner_is_removed_and_stays_the_owner() {
        let mut facts = HandFacts::with_room("owner", &["u1"]);
        facts.apply(decide(&facts, remove(&["owner"])).unwrap());
        assert!(!facts.is_member("owner"));
        assert_eq!(facts.room(&facts.key()).unwrap().room.owner_name, name("owner"));
        assert_eq!(facts.counters().members, 1);
    }

    #[test]
    fn decision_12_members_of_a_batch_go_and_others_are_reported_in_one_event() {
        let facts = HandFacts::with_room("owner", &["u1", "u2"]).and_users(&["stranger"]);
        let decision = decide(&facts, remove(&["u2", "stranger", "u1"])).unwrap();
        let Outcome::MembersRemoved(removed) = decision.outcome else { panic!("{:?}", decision.outcome) };
        assert_eq!(removed.removals.iter().map(|r| r.removed).collect::<Vec<_>>(), [true, false, true]);
        assert_eq!(decision.events.len(), 1);
        let kind = EventKind::Left { members: vec![name("u2"), name("u1")], why: Leaving::Kicked };
        assert_eq!(decision.events[0].kind, kind);
    }

    #[test]
    fn decision_13_a_batch_without_a_member_is_rejected_with_all_names() {
        let facts = HandFacts::with_room("owner", &[]).and_users(&["a", "b"]);
        let rejected = decide(&facts, remove(&["a", "b"])).unwrap_err();
        assert_eq!(rejected, Rejection::NotMembers(vec![name("a"), name("b")]).into());
    }

    #[test]
    fn decision_14_one_unknown_user_refuses_the_whole_batch_with_the_first_unknown_name() {
        let facts = HandFacts::with_room("owner", &["u1"]);
        for (members, first) in [(["u1", "ghost", "bad!"], "ghost"), (["u1", "bad!", "ghost"], "bad!")] {
            let rejected = decide(&facts, remove(&members)).unwrap_err();
            assert_eq!(rejected, Rejection::UserNotFound(first.into()).into());
        }
    }
}
