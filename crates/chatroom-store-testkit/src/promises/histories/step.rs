//! The steps of a random history: a few names and rooms, so that they meet.

use chatroom_core::{JoinOrder, MembersRequest, Order, Seq};
use proptest::prelude::*;

/// One step of a history. Users are numbers of [`name`]; rooms count those that the history made
/// in its present app, again and again.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Register(Vec<u8>),
    DeleteUser(u8),
    Create { owner: u8, members: Vec<u8>, max_users: u32 },
    Dissolve(u8),
    Add(u8, Vec<u8>),
    Remove(u8, Vec<u8>),
    Sweep(u8),
    Page(u8, MembersRequest),
    Rooms { after: u8, skip: usize, limit: usize },
    RotateSecret,
    RemakeApp,
    Restart,
}

/// Users that may exist.
const USERS: u8 = 6;

/// The name of a user; the last is one that no user can have.
pub(super) fn name(user: u8) -> String {
    if user < USERS { format!("u{user}") } else { "bad!name".to_owned() }
}

/// A user that may exist.
fn user() -> impl Strategy<Value = u8> {
    0..USERS
}

/// Up to four users, now and then one that cannot exist.
fn users() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        20 => proptest::collection::vec(user(), 1..5),
        1 => proptest::collection::vec(0..=USERS, 1..5),
    ]
}

/// A room that no history made.
pub(super) const UNKNOWN: u8 = 9;
/// The first room that a history made, perhaps in an app that is deleted.
pub(super) const FIRST: u8 = 8;

/// Mostly a room that may be there.
fn room() -> impl Strategy<Value = u8> {
    0..=UNKNOWN
}

fn page() -> impl Strategy<Value = MembersRequest> {
    let place = (0..6_u64, 0..4_usize).prop_map(|(seq, index)| JoinOrder::of(Seq(seq), index));
    let from = prop_oneof![
        Just(chatroom_core::From::Start),
        place.prop_map(chatroom_core::From::After),
        (0..6_usize).prop_map(chatroom_core::From::Skip),
    ];
    let order = prop_oneof![Just(Order::Ascending), Just(Order::Descending)];
    (from, 0..5_usize, order).prop_map(|(from, limit, order)| MembersRequest { from, limit, order })
}

/// Any step; a restart only where there may be one.
pub(super) fn any(restarts: bool) -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => proptest::collection::vec(user(), 1..5).prop_map(Step::Register),
        2 => user().prop_map(Step::DeleteUser),
        4 => (user(), users(), 1..7_u32)
            .prop_map(|(owner, members, max_users)| Step::Create { owner, members, max_users }),
        1 => room().prop_map(Step::Dissolve),
        7 => (room(), users()).prop_map(|(room, users)| Step::Add(room, users)),
        7 => (room(), users()).prop_map(|(room, users)| Step::Remove(room, users)),
        4 => proptest::arbitrary::any::<u8>().prop_map(Step::Sweep),
        2 => (room(), page()).prop_map(|(room, page)| Step::Page(room, page)),
        1 => (room(), 0..3_usize, 0..4_usize)
            .prop_map(|(after, skip, limit)| Step::Rooms { after, skip, limit }),
        1 => Just(Step::RotateSecret),
        1 => Just(Step::RemakeApp),
        2 => Just(if restarts { Step::Restart } else { Step::Sweep(0) }),
    ]
}
