//! What the rules are about: users, rooms and memberships.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::event::Seq;
use crate::id::{AppId, ChatroomId, UserId, Username};

/// A user of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The app it belongs to.
    pub app: AppId,
    /// Its internal id, never used again.
    pub id: UserId,
    /// Its name, unique in the app while the user lives.
    pub name: Username,
    /// What the app gave as a nickname; never invented (decision 28).
    pub nickname: Option<Arc<str>>,
    /// Whether it was deleted. Such a user exists for nobody but the sweeper, which needs the name for its events.
    pub deleted: bool,
}

/// The name of a room for the whole service: its app and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomKey {
    /// The app it belongs to.
    pub app: AppId,
    /// Its id inside the app.
    pub id: ChatroomId,
}

/// A chatroom, without what changes with every membership: that is in its [`Counters`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its app and id.
    pub key: RoomKey,
    /// The owner: stays the owner when he is not a member (decision 8). A room whose owner is gone is gone too
    /// (decision 36).
    pub owner: UserId,
    /// The owner's name, so that a reader need not look it up.
    pub owner_name: Username,
    /// What people see: the rest of the room's description.
    pub info: Arc<RoomInfo>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was dissolved. Such a room exists for nobody but the sweeper and the readers of its events.
    pub dissolved: Option<Timestamp>,
}

/// What people say about a room when they make it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoomInfo {
    /// Its title, at most 128 characters.
    pub name: Box<str>,
    /// Its description, at most 512 characters.
    pub description: Box<str>,
    /// How many members it may have, the owner counted.
    pub max_users: u32,
    /// Anything the app wants to keep with the room, at most 8 KiB.
    pub custom: Box<str>,
}

/// What the last event of a room carries: how far its log goes and how many members it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// The sequence number of the last event; 0 before the first.
    pub seq: Seq,
    /// Members after the last event, the owner counted while a member (decision 30).
    pub members: u32,
}

/// A user's place in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Membership {
    /// The room.
    pub room: RoomKey,
    /// The member.
    pub user: UserId,
    /// Where it stands in join order.
    pub joined: JoinOrder,
}

/// Orders the members of a room by when they joined: the sequence number of the event that tells of it, and the
/// place in that event. Never used twice in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JoinOrder(pub u64);

impl JoinOrder {
    /// The most members that one event can bring.
    pub const PER_EVENT: u64 = 1 << 10;

    /// The place `index` in the event `seq`. `index` is below [`Self::PER_EVENT`].
    #[must_use]
    pub fn of(seq: Seq, index: usize) -> Self {
        let index = u64::try_from(index).unwrap_or(u64::MAX) % Self::PER_EVENT;
        Self(seq.0.saturating_mul(Self::PER_EVENT) | index)
    }
}
