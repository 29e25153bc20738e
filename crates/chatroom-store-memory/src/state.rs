//! What a store holds, in compact maps: the facts that rules ask for, and what lists show.

mod dump;
mod facts;
mod members;
mod reads;
mod rooms;
#[cfg(test)]
mod tests;
mod users;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chatroom_core::{
    App, AppId, AppKey, AppState, ChatroomId, Counters, Event, Key, Membership, Record, Room, RoomKey, Rule,
    RuleId, Sweep, User, UserId, Write,
};

pub use dump::{DumpCursor, Dumped};
use members::Members;
use rooms::{RoomSlot, Rooms};
use users::Users;

/// Apps, users, rooms and memberships in memory, without their events.
///
/// It is changed by [`apply`](Self::apply) and [`append`](Self::append), which take whatever was decided, in order.
/// Both bear being told again what they were told before, and being told of what is no longer there: a snapshot that
/// was taken in parts, with everything applied that was decided since its first part, is the state as it was.
#[derive(Debug, Default)]
pub struct State {
    apps: BTreeMap<AppId, AppSlot>,
    app_keys: HashMap<AppKey, AppId>,
    users: Users,
    rooms: Rooms,
    /// Slots of the rooms that the user in a slot owns.
    owned: HashMap<u32, Vec<u32>>,
    sweeps: BTreeSet<Sweep>,
    memberships: u64,
    max_memberships: Option<u64>,
}

#[derive(Debug)]
struct AppSlot {
    app: App,
    users: BTreeMap<UserId, u32>,
    rooms: BTreeMap<ChatroomId, u32>,
    rules: BTreeMap<RuleId, Rule>,
}

impl AppSlot {
    fn of(app: App) -> Self {
        Self { app, users: BTreeMap::new(), rooms: BTreeMap::new(), rules: BTreeMap::new() }
    }
}

/// Takes one write or event back.
#[derive(Debug)]
pub struct Undo(Back);

#[derive(Debug)]
enum Back {
    Nothing,
    Write(Write),
    Room(Room, Counters),
    Counters(RoomKey, Counters),
}

impl State {
    /// Nothing yet. `max_memberships` is what [`Facts::capacity`](chatroom_core::Facts::capacity) tells.
    #[must_use]
    pub fn new(max_memberships: Option<u64>) -> Self {
        Self { max_memberships, ..Self::default() }
    }

    /// Makes one write. Answers how to take it back.
    pub fn apply(&mut self, write: &Write) -> Undo {
        Undo(match write {
            Write::Put(Record::App(app)) => self.put_app(app),
            Write::Put(Record::User(user)) => self.put_user(user),
            Write::Put(Record::Room(room)) => self.put_room(room),
            Write::Put(Record::Membership(membership)) => self.put_membership(membership),
            Write::Put(Record::Sweep(sweep)) if self.sweeps.insert(*sweep) => delete(Key::Sweep(*sweep)),
            Write::Put(Record::Sweep(_)) => Back::Nothing,
            Write::Put(Record::Rule(rule)) => self.put_rule(rule),
            Write::Delete(Key::App(app)) => self.delete_app(*app),
            Write::Delete(Key::User(app, user)) => self.delete_user(*app, *user),
            Write::Delete(Key::Room(key)) => self.delete_room(key),
            Write::Delete(Key::Membership(key, user)) => self.delete_membership(key, *user),
            Write::Delete(Key::Sweep(sweep)) if self.sweeps.remove(sweep) => put(Record::Sweep(*sweep)),
            Write::Delete(Key::Sweep(_)) => Back::Nothing,
            Write::Delete(Key::Rule(app, rule)) => self.delete_rule(*app, *rule),
        })
    }

    /// Moves a room's counters on to what this event carries. Answers how to take it back.
    pub fn append(&mut self, event: &Event) -> Undo {
        let counters = Counters { seq: event.seq, members: event.members };
        let Some(slot) = self.rooms.find(&event.room).and_then(|at| self.rooms.get_mut(at)) else {
            return Undo(Back::Nothing);
        };
        if event.seq <= slot.counters.seq {
            return Undo(Back::Nothing);
        }
        let before = std::mem::replace(&mut slot.counters, counters);
        Undo(Back::Counters(event.room, before))
    }

    /// Takes back what was done last. Several are taken back in reverse order.
    pub fn undo(&mut self, undo: Undo) {
        match undo.0 {
            Back::Nothing => {}
            Back::Write(write) => drop(self.apply(&write)),
            Back::Room(room, counters) => {
                self.put_room(&room);
                self.set_counters(&room.key, counters);
            }
            Back::Counters(key, counters) => self.set_counters(&key, counters),
        }
    }

    /// Sets a room's counters to what a dump said.
    pub fn set_counters(&mut self, key: &RoomKey, counters: Counters) {
        if let Some(slot) = self.rooms.find(key).and_then(|at| self.rooms.get_mut(at)) {
            slot.counters = counters;
        }
    }

    fn put_app(&mut self, app: &App) -> Back {
        let before = match self.apps.get_mut(&app.id) {
            Some(slot) => put(Record::App(Box::new(std::mem::replace(&mut slot.app, app.clone())))),
            None => {
                self.apps.insert(app.id, AppSlot::of(app.clone()));
                delete(Key::App(app.id))
            }
        };
        if app.state == AppState::Deleted {
            self.free_app_key(&app.key, app.id);
        } else {
            self.app_keys.insert(app.key.clone(), app.id);
        }
        before
    }

    fn free_app_key(&mut self, key: &AppKey, id: AppId) {
        if self.app_keys.get(key) == Some(&id) {
            self.app_keys.remove(key);
        }
    }

    fn delete_app(&mut self, id: AppId) -> Back {
        let Some(slot) = self.apps.remove(&id) else { return Back::Nothing };
        self.free_app_key(&slot.app.key, id);
        put(Record::App(Box::new(slot.app)))
    }

    fn put_rule(&mut self, rule: &Rule) -> Back {
        let Some(app) = self.apps.get_mut(&rule.app) else { return Back::Nothing };
        match app.rules.insert(rule.id, rule.clone()) {
            Some(before) => put(Record::Rule(Box::new(before))),
            None => delete(Key::Rule(rule.app, rule.id)),
        }
    }

    fn delete_rule(&mut self, app: AppId, id: RuleId) -> Back {
        let before = self.apps.get_mut(&app).and_then(|app| app.rules.remove(&id));
        before.map_or(Back::Nothing, |rule| put(Record::Rule(Box::new(rule))))
    }

    fn put_user(&mut self, user: &User) -> Back {
        let Some(app) = self.apps.get_mut(&user.app) else { return Back::Nothing };
        if let Some(at) = app.users.get(&user.id).copied() {
            let before = self.users.user(at);
            self.users.update(at, user);
            return before.map_or(Back::Nothing, |before| put(Record::User(before)));
        }
        app.users.insert(user.id, self.users.insert(user));
        delete(Key::User(user.app, user.id))
    }

    fn delete_user(&mut self, app: AppId, id: UserId) -> Back {
        let Some(at) = self.apps.get_mut(&app).and_then(|app| app.users.remove(&id)) else {
            return Back::Nothing;
        };
        let Some(user) = self.users.user(at) else { return Back::Nothing };
        // The rules remove a user's memberships first; a seat that pointed at a free slot would be another's.
        for room in self.users.rooms_mut(at).map(std::mem::take).unwrap_or_default() {
            if self.rooms.get_mut(room).is_some_and(|room| room.members.remove(at).is_some()) {
                self.memberships -= 1;
            }
        }
        self.users.remove(at);
        put(Record::User(user))
    }

    fn put_room(&mut self, room: &Room) -> Back {
        let owner = self.user_slot(room.key.app, room.owner).unwrap_or(u32::MAX);
        if let Some(at) = self.rooms.find(&room.key)
            && let Some(slot) = self.rooms.get_mut(at)
        {
            if slot.owner == u32::MAX && owner != u32::MAX {
                // A dump in parts held the room, but not yet its owner.
                slot.owner = owner;
                self.owned.entry(owner).or_default().push(at);
            }
            return put(Record::Room(std::mem::replace(&mut slot.room, room.clone())));
        }
        let Some(app) = self.apps.get_mut(&room.key.app) else { return Back::Nothing };
        let (counters, members) = (Counters::default(), Members::default());
        let at = self.rooms.insert(RoomSlot { room: room.clone(), owner, counters, members });
        app.rooms.insert(room.key.id, at);
        if owner != u32::MAX {
            self.owned.entry(owner).or_default().push(at);
        }
        delete(Key::Room(room.key))
    }

    fn delete_room(&mut self, key: &RoomKey) -> Back {
        let Some(at) = self.rooms.find(key) else { return Back::Nothing };
        let Some(slot) = self.rooms.remove(at) else { return Back::Nothing };
        for (user, _) in slot.members.ascending(None) {
            leave(&mut self.users, user, at);
            self.memberships -= 1;
        }
        if let Some(app) = self.apps.get_mut(&key.app) {
            app.rooms.remove(&key.id);
        }
        if let Some(owned) = self.owned.get_mut(&slot.owner) {
            owned.retain(|room| *room != at);
            if owned.is_empty() {
                self.owned.remove(&slot.owner);
            }
        }
        Back::Room(slot.room, slot.counters)
    }

    fn put_membership(&mut self, membership: &Membership) -> Back {
        let Membership { room, user, joined } = *membership;
        let Some(room_at) = self.rooms.find(&room) else { return Back::Nothing };
        // A start does this for every membership there is. The tree is narrow, so it stays in the processor's cache; the
        // index leads to the users themselves, which do not.
        let user_at = self.apps.get(&room.app).and_then(|app| app.users.get(&user)).copied();
        let (Some(user_at), Some(slot)) = (user_at, self.rooms.get_mut(room_at)) else {
            return Back::Nothing;
        };
        if let Some(before) = slot.members.insert(user_at, joined) {
            return put(Record::Membership(Membership { room, user, joined: before }));
        }
        if let Some(rooms) = self.users.rooms_mut(user_at) {
            rooms.push(room_at);
        }
        self.memberships += 1;
        delete(Key::Membership(room, user))
    }

    fn delete_membership(&mut self, room: &RoomKey, user: UserId) -> Back {
        let Some((room_at, user_at)) = self.places(room, user) else { return Back::Nothing };
        let Some(slot) = self.rooms.get_mut(room_at) else { return Back::Nothing };
        let Some(joined) = slot.members.remove(user_at) else { return Back::Nothing };
        leave(&mut self.users, user_at, room_at);
        self.memberships -= 1;
        put(Record::Membership(Membership { room: *room, user, joined }))
    }

    fn places(&self, room: &RoomKey, user: UserId) -> Option<(u32, u32)> {
        Some((self.rooms.find(room)?, self.user_slot(room.app, user)?))
    }

    fn user_slot(&self, app: AppId, id: UserId) -> Option<u32> {
        self.users.find_id(app, id)
    }
}

fn leave(users: &mut Users, user: u32, room: u32) {
    if let Some(rooms) = users.rooms_mut(user)
        && let Some(place) = rooms.iter().position(|other| *other == room)
    {
        rooms.swap_remove(place);
    }
}

fn put(record: Record) -> Back {
    Back::Write(Write::Put(record))
}

fn delete(key: Key) -> Back {
    Back::Write(Write::Delete(key))
}
