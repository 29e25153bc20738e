//! Facts that count how many records were read of them: a group is cut when it read too many (invariant 6).

use std::cell::Cell;

use chatroom_core::{
    App, AppId, AppKey, Capacity, Facts, JoinOrder, RoomFact, RoomKey, Rule, User, UserId, Username,
};
use chatroom_store_memory::State;

pub(crate) struct Counted<'a> {
    state: &'a State,
    reads: Cell<usize>,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(state: &'a State) -> Self {
        Self { state, reads: Cell::new(0) }
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.get()
    }

    fn count(&self, more: usize) -> &'a State {
        self.reads.set(self.reads.get() + more);
        self.state
    }

    fn list<T>(&self, list: Vec<T>) -> Vec<T> {
        self.count(list.len());
        list
    }
}

impl Facts for Counted<'_> {
    fn app(&self, key: &AppKey) -> Option<&App> {
        self.count(1).app(key)
    }

    /// Not counted: every operation asks for its app, and a group has few of them.
    fn app_by_id(&self, id: AppId) -> Option<&App> {
        self.state.app_by_id(id)
    }

    fn user(&self, app: AppId, name: &Username) -> Option<User> {
        self.count(1).user(app, name)
    }

    fn user_by_id(&self, app: AppId, id: UserId) -> Option<User> {
        self.count(1).user_by_id(app, id)
    }

    fn room(&self, key: &RoomKey) -> Option<RoomFact<'_>> {
        self.count(1).room(key)
    }

    fn membership(&self, room: &RoomKey, user: UserId) -> Option<JoinOrder> {
        self.count(1).membership(room, user)
    }

    fn members(&self, room: &RoomKey, limit: usize) -> Vec<(UserId, Username)> {
        self.list(self.state.members(room, limit))
    }

    fn rooms_of(&self, app: AppId, user: UserId, limit: usize) -> Vec<RoomKey> {
        self.list(self.state.rooms_of(app, user, limit))
    }

    fn owned_by(&self, app: AppId, user: UserId, limit: usize) -> Vec<RoomKey> {
        self.list(self.state.owned_by(app, user, limit))
    }

    fn rooms_in(&self, app: AppId, limit: usize) -> Vec<RoomKey> {
        self.list(self.state.rooms_in(app, limit))
    }

    fn users_in(&self, app: AppId, limit: usize) -> Vec<UserId> {
        self.list(self.state.users_in(app, limit))
    }

    /// Not counted: an app has few.
    fn rules(&self, app: AppId) -> Vec<Rule> {
        self.state.rules(app)
    }

    /// Read from no record.
    fn capacity(&self) -> Capacity {
        self.state.capacity()
    }
}
