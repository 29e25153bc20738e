//! What a rule may ask before it decides.

use crate::app::App;
use crate::callback::Rule;
use crate::id::{AppId, AppKey, UserId, Username};
use crate::model::{Counters, JoinOrder, Room, RoomKey, User};

/// Answers the questions of the rules. A store implements it over what it holds, with everything applied that was
/// decided before in the same group.
///
/// Answers must agree with each other: a store takes whatever lock, or reads whatever snapshot, makes them so from
/// the first question to the decision's commit.
pub trait Facts {
    /// The app of this key, if it is not deleted.
    fn app(&self, key: &AppKey) -> Option<&App>;

    /// The app of this id, deleted or not.
    fn app_by_id(&self, id: AppId) -> Option<&App>;

    /// The user of this name, if it is not deleted.
    fn user(&self, app: AppId, name: &Username) -> Option<User>;

    /// The user of this id, deleted or not.
    fn user_by_id(&self, app: AppId, id: UserId) -> Option<User>;

    /// The room of this key, dissolved or not.
    fn room(&self, key: &RoomKey) -> Option<RoomFact<'_>>;

    /// Where this user stands in the room's join order, if it is a member.
    fn membership(&self, room: &RoomKey, user: UserId) -> Option<JoinOrder>;

    /// Up to `limit` members of the room in join order, whether or not their users are deleted.
    fn members(&self, room: &RoomKey, limit: usize) -> Vec<(UserId, Username)>;

    /// Up to `limit` rooms that the user is a member of, dissolved or not.
    fn rooms_of(&self, app: AppId, user: UserId, limit: usize) -> Vec<RoomKey>;

    /// Up to `limit` rooms that the user owns and that are not marked as dissolved.
    fn owned_by(&self, app: AppId, user: UserId, limit: usize) -> Vec<RoomKey>;

    /// Up to `limit` rooms of the app, dissolved or not.
    fn rooms_in(&self, app: AppId, limit: usize) -> Vec<RoomKey>;

    /// Up to `limit` users of the app, deleted or not.
    fn users_in(&self, app: AppId, limit: usize) -> Vec<UserId>;

    /// All rules of callbacks of the app. There are few. A store that is never asked to change them has none.
    fn rules(&self, _app: AppId) -> Vec<Rule> {
        Vec::new()
    }

    /// How many memberships the store holds and may hold.
    fn capacity(&self) -> Capacity;
}

/// A room as the rules see it.
#[derive(Debug, Clone, Copy)]
pub struct RoomFact<'a> {
    /// What was said about it.
    pub room: &'a Room,
    /// What its last event carries.
    pub counters: Counters,
    /// Whether its owner is a user that is not deleted.
    pub owner_lives: bool,
}

impl RoomFact<'_> {
    /// Whether the room is there for callers: neither dissolved nor left without an owner (decision 36).
    #[must_use]
    pub fn exists(&self) -> bool {
        self.room.dissolved.is_none() && self.owner_lives
    }
}

/// How many memberships a store holds and may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capacity {
    /// Those it holds.
    pub used: u64,
    /// Those it may hold; `None`: as many as fit.
    pub limit: Option<u64>,
}
