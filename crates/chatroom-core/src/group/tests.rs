//! A group decides what its operations would have decided one after the other.

use super::*;
use crate::batch::UserBatch;
use crate::clock::Clock;
use crate::error::Rejection;
use crate::facts::Facts;
use crate::id::OperationId;
use crate::model::{JoinOrder, Membership};
use crate::operation::{AddMembers, DeleteUser, NewUser, RegisterUsers, RemoveMembers};
use crate::test_util::{HandFacts, ManualClock, name};

/// The facts of a room, loaded.
fn loaded(members: &[&str]) -> Loaded {
    let hand = HandFacts::with_room("owner", members).and_users(&["stranger"]);
    let mut facts = Loaded::default();
    facts.load_app(hand.app_by_id(HandFacts::APP).unwrap().clone());
    for user in hand.users_in(HandFacts::APP, 99) {
        facts.load_user(hand.user_by_id(HandFacts::APP, user).unwrap());
    }
    let key = hand.key();
    let fact = hand.room(&key).unwrap();
    let (room, counters) = (fact.room.clone(), fact.counters);
    facts.load_room(LoadedRoom { room, counters, at: HandFacts::NOW, owner_lives: true });
    for (user, _) in hand.members(&key, 99) {
        let joined = hand.membership(&key, user).unwrap();
        facts.load_membership(Membership { room: key, user, joined });
    }
    facts
}

fn operations(actions: Vec<Action>) -> Vec<Operation> {
    let numbered = (1_u128..).zip(actions);
    numbered
        .map(|(number, action)| Operation { id: OperationId::new(number << 16), app: HandFacts::APP, action })
        .collect()
}

fn remove(user: &str) -> Action {
    let members = UserBatch::one(name(user));
    Action::RemoveMembers(RemoveMembers { room: HandFacts::ROOM, members })
}

fn add(user: &str) -> Action {
    let members = UserBatch::one(name(user));
    Action::AddMembers(AddMembers { room: HandFacts::ROOM, members })
}

#[test]
fn a_refusal_does_not_disturb_its_neighbours() {
    let mut facts = loaded(&["a", "b"]);
    let operations = operations(vec![remove("a"), remove("a"), remove("stranger"), remove("b")]);
    let plan = plan(&mut facts, &operations, HandFacts::NOW);
    let refused: Vec<bool> = plan.answers.iter().map(Result::is_err).collect();
    assert_eq!(refused, [false, true, true, false]);
    assert_eq!(plan.answers[1], Err(Rejection::NotMembers(vec![name("a")]).into()));
    assert_eq!(plan.events.iter().map(|event| event.seq.0).collect::<Vec<_>>(), [2, 3], "without a gap");
    assert_eq!(plan.events.iter().map(|event| event.members).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(plan.changes.len(), 2);
    let end = plan.ends.values().next().unwrap();
    assert_eq!((end.counters.seq.0, end.counters.members), (3, 1));
}

#[test]
fn what_comes_and_goes_in_a_group_is_one_change_or_none() {
    let mut facts = loaded(&["a"]);
    let operations = operations(vec![remove("a"), add("a"), add("stranger"), remove("stranger")]);
    let plan = plan(&mut facts, &operations, HandFacts::NOW);
    assert!(plan.answers.iter().all(Result::is_ok), "{:?}", plan.answers);
    assert_eq!(plan.events.len(), 4, "all of it is told");
    let changes: Vec<_> = plan.changes.values().collect();
    let [Change { was_there: true, now: Some(Record::Membership(moved)) }] = changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!(moved.joined, JoinOrder::of(plan.events[1].seq, 0), "who left and came stands last");
}

#[test]
fn a_name_is_given_up_and_taken_in_one_group() {
    let mut facts = loaded(&["a"]);
    let users = vec![NewUser { name: name("a"), nickname: None }];
    let register = Action::RegisterUsers(RegisterUsers { users });
    let delete = Action::DeleteUser(DeleteUser { name: name("a") });
    let operations = operations(vec![delete, register, remove("a")]);
    let plan = plan(&mut facts, &operations, HandFacts::NOW);
    assert_eq!(plan.answers[2], Err(Rejection::NotMembers(vec![name("a")]).into()), "another user");
    let users = plan.changes.keys().filter(|key| matches!(key, Key::User(..))).count();
    assert_eq!(users, 2, "the old one is marked, the new one comes");
}

#[test]
fn time_does_not_go_back_in_a_room_whatever_the_clock_says() {
    let clock = ManualClock::at(HandFacts::NOW.as_millis() - 5_000);
    let mut facts = loaded(&["a", "b"]);
    let plan = plan(&mut facts, &operations(vec![remove("a")]), clock.now());
    assert_eq!(plan.events[0].at, HandFacts::NOW);
}

#[test]
fn an_owner_deleted_in_the_group_takes_the_room_along() {
    let mut facts = loaded(&["a"]);
    let delete = Action::DeleteUser(DeleteUser { name: name("owner") });
    let plan = plan(&mut facts, &operations(vec![delete, remove("a")]), HandFacts::NOW);
    let gone = Rejection::RoomNotFound(HandFacts::ROOM.to_string().into());
    assert_eq!(plan.answers[1], Err(gone.into()));
}
