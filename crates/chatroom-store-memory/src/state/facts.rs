//! The questions of the rules, answered from memory.

use chatroom_core::{
    App, AppId, AppKey, Capacity, Facts, JoinOrder, RoomFact, RoomKey, Rule, User, UserId, Username,
};

use super::State;

impl Facts for State {
    fn app(&self, key: &AppKey) -> Option<&App> {
        self.app_by_id(*self.app_keys.get(key)?)
    }

    fn app_by_id(&self, id: AppId) -> Option<&App> {
        self.apps.get(&id).map(|slot| &slot.app)
    }

    fn user(&self, app: AppId, name: &Username) -> Option<User> {
        self.users.user(self.users.find(app, name.as_str())?)
    }

    fn user_by_id(&self, app: AppId, id: UserId) -> Option<User> {
        self.users.user(self.user_slot(app, id)?)
    }

    fn room(&self, key: &RoomKey) -> Option<RoomFact<'_>> {
        let slot = self.rooms.get(self.rooms.find(key)?)?;
        let owner_lives = self.users.lives(slot.owner, slot.room.owner);
        Some(RoomFact { room: &slot.room, counters: slot.counters, owner_lives })
    }

    fn membership(&self, room: &RoomKey, user: UserId) -> Option<JoinOrder> {
        let (room, user) = self.places(room, user)?;
        self.rooms.get(room)?.members.joined(user)
    }

    fn members(&self, room: &RoomKey, limit: usize) -> Vec<(UserId, Username)> {
        let Some(slot) = self.rooms.find(room).and_then(|at| self.rooms.get(at)) else { return Vec::new() };
        let users = slot.members.ascending(None);
        let named = |at| Some((self.users.id(at)?, self.users.named(at)?.name.clone()));
        users.filter_map(|(at, _)| named(at)).take(limit).collect()
    }

    fn rooms_of(&self, app: AppId, user: UserId, limit: usize) -> Vec<RoomKey> {
        let rooms = self.user_slot(app, user).map(|at| self.users.rooms(at));
        self.keys(rooms, limit, |_| true)
    }

    fn owned_by(&self, app: AppId, user: UserId, limit: usize) -> Vec<RoomKey> {
        let owned = self.user_slot(app, user).and_then(|at| self.owned.get(&at));
        let is_owned = |room: &chatroom_core::Room| room.owner == user && room.dissolved.is_none();
        self.keys(owned.map(Vec::as_slice), limit, is_owned)
    }

    fn rooms_in(&self, app: AppId, limit: usize) -> Vec<RoomKey> {
        let rooms = self.apps.get(&app).into_iter().flat_map(|slot| slot.rooms.keys());
        rooms.take(limit).map(|id| RoomKey { app, id: *id }).collect()
    }

    fn users_in(&self, app: AppId, limit: usize) -> Vec<UserId> {
        self.apps.get(&app).into_iter().flat_map(|slot| slot.users.keys()).take(limit).copied().collect()
    }

    fn rules(&self, app: AppId) -> Vec<Rule> {
        self.apps.get(&app).into_iter().flat_map(|slot| slot.rules.values()).cloned().collect()
    }

    fn capacity(&self) -> Capacity {
        Capacity { used: self.memberships, limit: self.max_memberships }
    }
}

impl State {
    fn keys(
        &self,
        slots: Option<&[u32]>,
        limit: usize,
        wanted: impl Fn(&chatroom_core::Room) -> bool,
    ) -> Vec<RoomKey> {
        let rooms =
            slots.unwrap_or_default().iter().filter_map(|at| self.rooms.get(*at)).map(|slot| &slot.room);
        rooms.filter(|room| wanted(room)).map(|room| room.key).take(limit).collect()
    }
}
