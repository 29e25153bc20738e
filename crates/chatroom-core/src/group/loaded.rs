//! Facts that a store loaded for a group, and what the group makes of them.

use std::collections::{BTreeMap, HashMap};

use super::Change;
use crate::app::{App, AppState};
use crate::callback::Rule;
use crate::clock::Timestamp;
use crate::facts::{Capacity, Facts, RoomFact};
use crate::id::{AppId, AppKey, UserId, Username};
use crate::model::{Counters, JoinOrder, Membership, Room, RoomKey, User};
use crate::reads::List;
use crate::record::{Decision, Key, Record, Write};

/// Facts that a store loaded for a group, with everything applied that the group decided so far. What was not loaded
/// is not there.
#[derive(Debug, Default)]
pub struct Loaded {
    apps: HashMap<AppId, App>,
    app_keys: HashMap<AppKey, AppId>,
    users: HashMap<(AppId, UserId), User>,
    names: HashMap<(AppId, Username), UserId>,
    rooms: BTreeMap<RoomKey, LoadedRoom>,
    places: HashMap<(RoomKey, UserId), JoinOrder>,
    rules: HashMap<AppId, Vec<Rule>>,
    rooms_listed: HashMap<List, Vec<RoomKey>>,
    users_listed: HashMap<List, Vec<UserId>>,
    members_listed: HashMap<RoomKey, Vec<(UserId, Username)>>,
    capacity: Capacity,
    /// What was there before the group, of what it changed.
    changes: BTreeMap<Key, Change>,
}

/// A room as a store loads it.
#[derive(Debug, Clone)]
pub struct LoadedRoom {
    /// What was said about it.
    pub room: Room,
    /// What its last event carries.
    pub counters: Counters,
    /// The time of its last event.
    pub at: Timestamp,
    /// Whether its owner is a user that is not deleted.
    pub owner_lives: bool,
}

impl Loaded {
    /// An app, deleted or not.
    pub fn load_app(&mut self, app: App) {
        if app.state != AppState::Deleted {
            self.app_keys.insert(app.key.clone(), app.id);
        }
        self.apps.insert(app.id, app);
    }

    /// A user, deleted or not.
    pub fn load_user(&mut self, user: User) {
        if !user.deleted {
            self.names.insert((user.app, user.name.clone()), user.id);
        }
        self.users.insert((user.app, user.id), user);
    }

    /// A room, dissolved or not.
    pub fn load_room(&mut self, room: LoadedRoom) {
        self.rooms.insert(room.room.key, room);
    }

    /// A membership.
    pub fn load_membership(&mut self, membership: Membership) {
        self.places.insert((membership.room, membership.user), membership.joined);
    }

    /// A rule.
    pub fn load_rule(&mut self, rule: Rule) {
        self.rules.entry(rule.app).or_default().push(rule);
    }

    /// A member of a room in a list of members: those of a room in join order, one after the other.
    pub fn list_member(&mut self, membership: Membership, name: Username) {
        self.load_membership(membership);
        self.members_listed.entry(membership.room).or_default().push((membership.user, name));
    }

    /// A list of rooms.
    pub fn list_rooms(&mut self, list: List, rooms: Vec<RoomKey>) {
        self.rooms_listed.insert(list, rooms);
    }

    /// A list of users.
    pub fn list_users(&mut self, list: List, users: Vec<UserId>) {
        self.users_listed.insert(list, users);
    }

    /// How many memberships the store holds and may hold.
    pub fn load_capacity(&mut self, capacity: Capacity) {
        self.capacity = capacity;
    }

    pub(super) fn room_at(&self, key: &RoomKey) -> Option<Timestamp> {
        self.rooms.get(key).map(|loaded| loaded.at)
    }

    pub(super) fn newest_of_all(&self) -> Option<Timestamp> {
        self.rooms.values().map(|loaded| loaded.at).max()
    }

    pub(super) fn take_changes(&mut self) -> BTreeMap<Key, Change> {
        let mut changes = std::mem::take(&mut self.changes);
        // What came and went inside the group was never there.
        changes.retain(|_, change| change.was_there || change.now.is_some());
        changes
    }

    pub(super) fn apply(&mut self, decision: &Decision) {
        for write in &decision.writes {
            let (key, now) = match write {
                Write::Put(record) => (record.key(), Some(record.clone())),
                Write::Delete(key) => (key.clone(), None),
            };
            let was_there = self.holds(&key) || now.is_none();
            let change = self.changes.entry(key).or_insert(Change { was_there, now: None });
            change.now = now;
            match write {
                Write::Put(record) => self.put(record),
                Write::Delete(key) => self.delete(key),
            }
        }
        for event in &decision.events {
            if let Some(loaded) = self.rooms.get_mut(&event.room) {
                loaded.counters = Counters { seq: event.seq, members: event.members };
                loaded.at = event.at;
            }
        }
    }

    fn holds(&self, key: &Key) -> bool {
        match key {
            Key::App(app) => self.apps.contains_key(app),
            Key::User(app, user) => self.users.contains_key(&(*app, *user)),
            Key::Room(room) => self.rooms.contains_key(room),
            Key::Membership(room, user) => self.places.contains_key(&(*room, *user)),
            Key::Rule(app, id) => {
                self.rules.get(app).is_some_and(|all| all.iter().any(|rule| rule.id == *id))
            }
            Key::Sweep(_) => false,
        }
    }

    fn put(&mut self, record: &Record) {
        match record {
            Record::App(app) => {
                self.forget_app_key(app.id);
                self.load_app((**app).clone());
            }
            Record::User(user) => {
                self.forget_name(user.app, user.id);
                self.load_user(user.clone());
            }
            Record::Room(room) => {
                if let Some(loaded) = self.rooms.get_mut(&room.key) {
                    loaded.room = room.clone();
                    return;
                }
                let (counters, at) = (Counters::default(), Timestamp::default());
                self.load_room(LoadedRoom { room: room.clone(), counters, at, owner_lives: true });
            }
            Record::Membership(membership) => {
                self.load_membership(*membership);
                self.capacity.used += 1;
            }
            Record::Rule(rule) => {
                self.forget_rule(rule.app, rule);
                self.load_rule((**rule).clone());
            }
            Record::Sweep(_) => {}
        }
    }

    fn delete(&mut self, key: &Key) {
        match key {
            Key::App(app) => {
                self.forget_app_key(*app);
                self.apps.remove(app);
            }
            Key::User(app, user) => {
                self.forget_name(*app, *user);
                self.users.remove(&(*app, *user));
            }
            Key::Room(room) => drop(self.rooms.remove(room)),
            Key::Membership(room, user) => {
                self.places.remove(&(*room, *user));
                self.capacity.used = self.capacity.used.saturating_sub(1);
            }
            Key::Rule(app, id) => {
                self.rules.entry(*app).or_default().retain(|rule| rule.id != *id);
            }
            Key::Sweep(_) => {}
        }
    }

    fn forget_app_key(&mut self, app: AppId) {
        if let Some(held) = self.apps.get(&app) {
            self.app_keys.remove(&held.key);
        }
    }

    fn forget_name(&mut self, app: AppId, user: UserId) {
        if let Some(held) = self.users.get(&(app, user)) {
            self.names.remove(&(app, held.name.clone()));
        }
    }

    fn forget_rule(&mut self, app: AppId, changed: &Rule) {
        self.rules.entry(app).or_default().retain(|rule| rule.id != changed.id);
    }
}

impl Facts for Loaded {
    fn app(&self, key: &AppKey) -> Option<&App> {
        self.apps.get(self.app_keys.get(key)?)
    }

    fn app_by_id(&self, id: AppId) -> Option<&App> {
        self.apps.get(&id)
    }

    fn user(&self, app: AppId, name: &Username) -> Option<User> {
        self.user_by_id(app, *self.names.get(&(app, name.clone()))?)
    }

    fn user_by_id(&self, app: AppId, id: UserId) -> Option<User> {
        self.users.get(&(app, id)).cloned()
    }

    fn room(&self, key: &RoomKey) -> Option<RoomFact<'_>> {
        let LoadedRoom { room, counters, owner_lives, .. } = self.rooms.get(key)?;
        // The owner may have been deleted by an operation of this group.
        let owner = self.users.get(&(key.app, room.owner));
        let owner_lives = owner.map_or(*owner_lives, |owner| !owner.deleted);
        Some(RoomFact { room, counters: *counters, owner_lives })
    }

    fn membership(&self, room: &RoomKey, user: UserId) -> Option<JoinOrder> {
        self.places.get(&(*room, user)).copied()
    }

    fn members(&self, room: &RoomKey, limit: usize) -> Vec<(UserId, Username)> {
        self.members_listed.get(room).into_iter().flatten().take(limit).cloned().collect()
    }

    fn rooms_of(&self, app: AppId, user: UserId, limit: usize) -> Vec<RoomKey> {
        self.rooms_listed.get(&List::RoomsOf(app, user, limit)).cloned().unwrap_or_default()
    }

    fn owned_by(&self, app: AppId, user: UserId, limit: usize) -> Vec<RoomKey> {
        self.rooms_listed.get(&List::OwnedBy(app, user, limit)).cloned().unwrap_or_default()
    }

    fn rooms_in(&self, app: AppId, limit: usize) -> Vec<RoomKey> {
        self.rooms_listed.get(&List::RoomsIn(app, limit)).cloned().unwrap_or_default()
    }

    fn users_in(&self, app: AppId, limit: usize) -> Vec<UserId> {
        // Asked for with what is left of a budget.
        let listed =
            self.users_listed.iter().find(|(list, _)| matches!(list, List::UsersIn(of, _) if *of == app));
        listed.into_iter().flat_map(|(_, users)| users).take(limit).copied().collect()
    }

    fn rules(&self, app: AppId) -> Vec<Rule> {
        self.rules.get(&app).cloned().unwrap_or_default()
    }

    fn capacity(&self) -> Capacity {
        self.capacity
    }
}
