use std::time::Duration;

use chatroom_core::{OperationId, RemoveMembers, RoomKey, UserBatch};
use futures_util::FutureExt as _;

use super::*;

const APP: AppId = AppId(1);
const OTHER: AppId = AppId(2);

fn room(number: usize) -> ChatroomId {
    ChatroomId::from_number(100_000_000_000_000 + number as u64).unwrap()
}

/// Removes so many names from a room.
fn removal(app: AppId, of: usize, names: usize) -> Operation {
    let names: Vec<String> = (0..names).map(|index| format!("u{index}")).collect();
    let members = UserBatch::parse(names.iter().map(String::as_str), 1_000).unwrap();
    let action = Action::RemoveMembers(RemoveMembers { room: room(of), members });
    Operation { id: OperationId::new(7), app, action }
}

fn push(queue: &Queue, operation: Operation) -> Ticket<'_> {
    queue.push(operation, Deadline::after(Duration::from_secs(9))).unwrap()
}

/// The next group, if there is one now.
fn take(queue: &Queue) -> Option<Group> {
    queue.take().now_or_never().flatten()
}

/// The rooms of a group's members.
fn rooms(group: &Group) -> Vec<(AppId, ChatroomId)> {
    let key = |member: &Waiting| match &member.operation.action {
        Action::RemoveMembers(action) => (member.operation.app, action.room),
        other => panic!("{other:?}"),
    };
    group.members.iter().map(key).collect()
}

#[test]
fn what_changes_one_room_waits_for_the_group_that_holds_it() {
    let queue = Queue::new(9);
    let _waiting = [1, 1, 2].map(|of| push(&queue, removal(APP, of, 1)));
    let first = take(&queue).unwrap();
    assert_eq!(rooms(&first), [(APP, room(1)), (APP, room(1)), (APP, room(2))], "together");
    let _waiting = [1, 3].map(|of| push(&queue, removal(APP, of, 1)));
    let second = take(&queue).unwrap();
    assert_eq!(rooms(&second), [(APP, room(3))], "what nobody holds");
    assert!(take(&queue).is_none());
    queue.release(first.lanes());
    assert_eq!(rooms(&take(&queue).unwrap()), [(APP, room(1))]);
}

#[test]
fn a_group_is_cut_at_its_operations_and_at_its_records() {
    let queue = Queue::new(1_000);
    let _waiting: Vec<_> = (0..=OPERATIONS).map(|of| push(&queue, removal(APP, of + 1, 1))).collect();
    assert_eq!(take(&queue).unwrap().members.len(), OPERATIONS);
    assert_eq!(take(&queue).unwrap().members.len(), 1);
    // 203 records each.
    let _waiting: Vec<_> = (0..10).map(|_| push(&queue, removal(OTHER, 1, 100))).collect();
    let first = take(&queue).unwrap();
    assert_eq!(first.members.len(), 9);
    queue.release(first.lanes());
    assert_eq!(take(&queue).unwrap().members.len(), 1);
}

fn sweep(app: AppId, of: usize) -> Operation {
    let action = Action::Sweep(Sweep::Room(RoomKey { app, id: room(of) }));
    Operation { id: OperationId::new(7), app, action }
}

#[test]
fn what_is_as_large_as_a_group_is_the_next_one_however_many_small_ones_come() {
    for app in [APP, OTHER] {
        let queue = Queue::new(99);
        let _waiting = [push(&queue, removal(APP, 1, 1)), push(&queue, sweep(app, 90))];
        let _more: Vec<_> = (2..9).map(|of| push(&queue, removal(APP, of, 1))).collect();
        assert!(!rooms(&take(&queue).unwrap()).is_empty());
        let _later: Vec<_> = (9..20).map(|of| push(&queue, removal(APP, of, 1))).collect();
        let second = take(&queue).unwrap();
        let members: Vec<_> = second.members.iter().map(|member| &member.operation).collect();
        assert_eq!(members, [&sweep(app, 90)]);
        let third = take(&queue).unwrap();
        assert!(third.members.len() > 10, "nothing cuts it short: {}", third.members.len());
    }
}

#[test]
fn what_is_as_large_as_a_group_is_one() {
    let queue = Queue::new(9);
    let _waiting =
        [push(&queue, sweep(APP, 1)), push(&queue, sweep(APP, 2)), push(&queue, removal(APP, 3, 1))];
    assert_eq!([(); 3].map(|()| take(&queue).unwrap().members.len()), [1, 1, 1]);
}

#[test]
fn an_app_that_asks_without_end_delays_itself() {
    let queue = Queue::new(1_000);
    let _waiting: Vec<_> = (0..2 * OPERATIONS).map(|of| push(&queue, removal(APP, of + 1, 1))).collect();
    let _last = push(&queue, removal(OTHER, 1, 1));
    assert!(rooms(&take(&queue).unwrap()).contains(&(OTHER, room(1))));
}

#[test]
fn who_gave_up_before_his_group_is_in_none() {
    let queue = Queue::new(9);
    let mut gone = push(&queue, removal(APP, 1, 1));
    let _stays = push(&queue, removal(APP, 1, 2));
    assert!(!gone.give_up(), "it is in no group");
    let group = take(&queue).unwrap();
    assert_eq!(group.members.len(), 1);
    assert_eq!(weight(&group.members[0].operation), 7);
}

#[test]
fn who_has_hardly_any_time_left_is_in_no_group_and_learns_that_nothing_was_done() {
    for left in [Duration::ZERO, LEAST / 2] {
        let queue = Queue::new(2);
        let mut late = queue.push(removal(APP, 1, 1), Deadline::after(left)).unwrap();
        let _fresh = push(&queue, removal(APP, 1, 2));
        let group = take(&queue).unwrap();
        let weights: Vec<_> = group.members.iter().map(|member| weight(&member.operation)).collect();
        assert_eq!(weights, [7], "{left:?} left: the other is alone");
        let told = late.answer.try_recv().unwrap().unwrap_err();
        let TransactError::Storage(told) = told else { panic!("{told:?}") };
        assert_eq!(told.kind(), StorageErrorKind::Unavailable);
        assert!(!late.give_up(), "it was never in a group");
        let _next = [2, 3].map(|of| push(&queue, removal(APP, of, 1)));
    }
}

#[test]
fn who_gave_up_in_a_group_is_waited_for_by_the_next_ones_of_the_app() {
    let queue = Queue::new(9);
    let mut gone = push(&queue, removal(APP, 1, 1));
    let group = take(&queue).unwrap();
    assert!(gone.give_up(), "it is in a group");
    drop(gone);
    let _waiting = [push(&queue, removal(APP, 2, 1)), push(&queue, removal(OTHER, 1, 1))];
    assert_eq!(rooms(&take(&queue).unwrap()), [(OTHER, room(1))]);
    assert!(take(&queue).is_none(), "what comes later may not be decided sooner");
    queue.release(group.lanes());
    assert_eq!(rooms(&take(&queue).unwrap()), [(APP, room(2))]);
}

#[test]
fn an_answer_ends_the_wait_for_who_took_it() {
    let queue = Queue::new(9);
    let answered = push(&queue, removal(APP, 1, 1));
    let group = take(&queue).unwrap();
    answered.settle();
    let _waiting = push(&queue, removal(APP, 2, 1));
    assert_eq!(rooms(&take(&queue).unwrap()), [(APP, room(2))]);
    queue.release(group.lanes());
}

#[test]
fn a_full_queue_and_a_closed_one_refuse_and_what_waits_is_finished() {
    let queue = Queue::new(1);
    let deadline = Deadline::after(Duration::from_secs(9));
    let _waiting = push(&queue, removal(APP, 1, 1));
    let refused = queue.push(removal(APP, 1, 1), deadline).err().unwrap();
    assert_eq!(refused.kind(), StorageErrorKind::Overloaded);
    queue.close();
    let refused = queue.push(removal(APP, 1, 1), deadline).err().unwrap();
    assert_eq!(refused.kind(), StorageErrorKind::Unavailable);
    assert_eq!(take(&queue).unwrap().members.len(), 1);
    assert!(queue.take().now_or_never().unwrap().is_none(), "closed and empty");
}

#[test]
fn who_gives_up_when_the_group_is_over_does_not_take_it_for_never_begun() {
    let queue = Queue::new(9);
    let mut early = push(&queue, removal(APP, 1, 1));
    assert!(!early.give_up(), "it was never in a group");
    let mut late = push(&queue, removal(APP, 2, 1));
    let group = take(&queue).unwrap();
    // Its answer is on its way to another runtime.
    queue.release(group.lanes());
    assert!(late.give_up());
    drop(late);
    assert!(queue.held().abandoned.is_empty());
}
