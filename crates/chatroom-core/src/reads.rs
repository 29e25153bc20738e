//! What an operation reads, named before it is read: for stores whose facts are far away.
//!
//! [`Operation::reads`] names what follows from the operation alone. A sweep learns from that which rooms it is about;
//! [`Operation::reads_more`] names them. Nothing needs a third round. What a rule asks of [`Facts`] beyond what was
//! named is answered as if it were not there, so a test holds every rule to its names.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::app::AppChange;
use crate::batch::UserBatch;
use crate::clock::Moment;
use crate::event::MEMBERS_PER_EVENT;
use crate::facts::Facts;
use crate::id::{AppId, AppKey, ChatroomId, UserId, Username};
use crate::model::RoomKey;
use crate::operation::{Action, Operation, RECORDS_A_SWEEP, ROOMS_A_SWEEP};
use crate::record::Sweep;

/// How firmly a fact must stand from its reading to the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// As it is when it is read. It chooses between answers each of which was right at some moment of the call.
    Peek,
    /// It must still be there at the commit. Any number of operations may rely on that at once.
    Stay,
    /// Nobody else changes it before the commit, or anything that it guards: a room guards its memberships and its
    /// log.
    Guard,
}

/// What is to be read for one operation, or for several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadSet {
    /// Apps by id.
    pub apps: BTreeMap<AppId, Strength>,
    /// Apps by key, of those that are not deleted.
    pub app_keys: BTreeMap<AppKey, Strength>,
    /// Rooms, each with its counters and whether its owner lives.
    pub rooms: BTreeMap<RoomKey, Strength>,
    /// Users by name, of those that are not deleted.
    pub names: BTreeMap<(AppId, Username), Strength>,
    /// Users by id, deleted or not.
    pub users: BTreeSet<(AppId, UserId)>,
    /// Whether users, by name, are members of rooms.
    pub places: BTreeSet<(RoomKey, Username)>,
    /// Apps whose rules are wanted.
    pub rules: BTreeSet<AppId>,
    /// Lists.
    pub lists: BTreeSet<List>,
    /// Whether it must be known how many memberships the store holds. Nobody may add any before the commit.
    pub capacity: bool,
}

/// A list of what belongs to something, bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum List {
    /// [`Facts::members`] of the rooms that are read, in the order of their keys: so many in all.
    Members(usize),
    /// [`Facts::rooms_of`].
    RoomsOf(AppId, UserId, usize),
    /// [`Facts::owned_by`].
    OwnedBy(AppId, UserId, usize),
    /// [`Facts::rooms_in`].
    RoomsIn(AppId, usize),
    /// [`Facts::users_in`].
    UsersIn(AppId, usize),
}

impl ReadSet {
    /// What all of these read when they are decided at this moment. What several read must stand as firmly as the
    /// strictest of them needs.
    #[must_use]
    pub fn of<'o>(operations: impl IntoIterator<Item = &'o Operation>, moment: Moment) -> Self {
        let mut reads = Self::default();
        for operation in operations {
            operation.read_into(&mut reads, moment);
        }
        reads
    }

    /// Takes in what another operation reads. What both read must stand as firmly as the stricter of them needs.
    pub fn merge(&mut self, other: Self) {
        firmer(&mut self.apps, other.apps);
        firmer(&mut self.app_keys, other.app_keys);
        firmer(&mut self.rooms, other.rooms);
        firmer(&mut self.names, other.names);
        self.users.extend(other.users);
        self.places.extend(other.places);
        self.rules.extend(other.rules);
        self.lists.extend(other.lists);
        self.capacity |= other.capacity;
    }

    /// How many records it may read, about: what the bound of a commit counts (invariant 6).
    #[must_use]
    pub fn records(&self) -> usize {
        let listed: usize = self.lists.iter().map(|list| list.limit()).sum();
        self.rooms.len() + self.names.len() + self.places.len() + listed
    }

    fn users_named(&mut self, app: AppId, batch: &UserBatch, strength: Strength) {
        firmer(&mut self.names, batch.names().iter().map(|name| ((app, name.clone()), strength)));
    }
}

impl List {
    /// How many records it may hold.
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::Members(limit)
            | Self::RoomsOf(_, _, limit)
            | Self::OwnedBy(_, _, limit)
            | Self::RoomsIn(_, limit)
            | Self::UsersIn(_, limit) => limit,
        }
    }
}

fn firmer<K: Ord>(into: &mut BTreeMap<K, Strength>, more: impl IntoIterator<Item = (K, Strength)>) {
    for (key, strength) in more {
        firm(into, key, strength);
    }
}

fn firm<K: Ord>(into: &mut BTreeMap<K, Strength>, key: K, strength: Strength) {
    let held = into.entry(key).or_insert(strength);
    *held = strength.max(*held);
}

impl Operation {
    /// What it reads when it is decided at this moment. Deciding at a later one reads the same, but for the id that a
    /// new room or a new user gets.
    #[must_use]
    pub fn reads(&self, moment: Moment) -> ReadSet {
        ReadSet::of([self], moment)
    }

    fn read_into(&self, reads: &mut ReadSet, moment: Moment) {
        let app = self.app;
        let room = |id: ChatroomId| RoomKey { app, id };
        match &self.action {
            Action::RemoveMembers(action) => {
                // A removal from a room that is guarded may come before or after its user's deletion, whoever commits
                // first: both leave the membership gone.
                firm(&mut reads.apps, app, Strength::Peek);
                firm(&mut reads.rooms, room(action.room), Strength::Guard);
                reads.places_of(room(action.room), &action.members);
                reads.users_named(app, &action.members, Strength::Peek);
            }
            Action::AddMembers(action) => {
                firm(&mut reads.apps, app, Strength::Peek);
                firm(&mut reads.rooms, room(action.room), Strength::Guard);
                reads.places_of(room(action.room), &action.members);
                // The sweep of a deleted user must find every membership it has.
                reads.users_named(app, &action.members, Strength::Stay);
                reads.capacity = true;
            }
            Action::CreateRoom(action) => {
                // The sweep of a deleted app must find every room it has.
                firm(&mut reads.apps, app, Strength::Stay);
                firm(&mut reads.rooms, room(ChatroomId::at(moment.0, self.id.entropy())), Strength::Peek);
                reads.users_named(app, &action.owner, Strength::Stay);
                reads.users_named(app, &action.members, Strength::Stay);
                reads.capacity = true;
            }
            Action::DissolveRoom(action) => {
                firm(&mut reads.apps, app, Strength::Peek);
                firm(&mut reads.rooms, room(action.room), Strength::Guard);
            }
            Action::RegisterUsers(action) => {
                firm(&mut reads.apps, app, Strength::Stay);
                let names = action.users.iter().map(|user| ((app, user.name.clone()), Strength::Peek));
                firmer(&mut reads.names, names);
                let ids = self.id.entropy()..;
                let ids = action.users.iter().zip(ids).map(|(_, entropy)| UserId::at(moment.0, entropy));
                reads.users.extend(ids.map(|id| (app, id)));
            }
            Action::DeleteUser(action) => {
                firm(&mut reads.apps, app, Strength::Peek);
                firm(&mut reads.names, (app, action.name.clone()), Strength::Guard);
            }
            Action::ChangeApp(change) => reads.app_changed(app, change),
            Action::ChangeRule(_) => {
                // Two changes of one app's rules must not both find a place free.
                firm(&mut reads.apps, app, Strength::Guard);
                reads.rules.insert(app);
            }
            Action::Sweep(sweep) => reads.swept(*sweep),
        }
    }

    /// Whether it [reads more](Self::reads_more) than follows from itself.
    #[must_use]
    pub fn has_more_to_read(&self) -> bool {
        matches!(
            self.action,
            Action::Sweep(Sweep::User(..) | Sweep::App(_)) | Action::ChangeApp(AppChange::Delete(_))
        )
    }

    /// What it reads beside that, now that the first is known: the rooms that a sweep is about, the rules that a
    /// deleted app has.
    #[must_use]
    pub fn reads_more(&self, first: &dyn Facts) -> ReadSet {
        let mut reads = ReadSet::default();
        let named = match self.action {
            Action::Sweep(Sweep::User(app, user)) => {
                let mut rooms = first.owned_by(app, user, ROOMS_A_SWEEP);
                if rooms.is_empty() {
                    rooms = first.rooms_of(app, user, ROOMS_A_SWEEP);
                }
                rooms
            }
            Action::Sweep(Sweep::App(app)) => {
                reads.lists.insert(List::Members(RECORDS_A_SWEEP));
                first.rooms_in(app, RECORDS_A_SWEEP)
            }
            Action::ChangeApp(AppChange::Delete(ref key)) => {
                reads.rules.extend(first.app(key).map(|app| app.id));
                Vec::new()
            }
            _ => Vec::new(),
        };
        reads.rooms.extend(named.into_iter().map(|room| (room, Strength::Guard)));
        reads
    }
}

impl ReadSet {
    fn places_of(&mut self, room: RoomKey, batch: &UserBatch) {
        self.places.extend(batch.names().iter().map(|name| (room, name.clone())));
    }

    fn app_changed(&mut self, id: AppId, change: &AppChange) {
        let (AppChange::Create(new) | AppChange::Declare(new)) = change else {
            let (AppChange::Retire(key) | AppChange::RotateSecret(key, _) | AppChange::Delete(key)) = change
            else {
                return;
            };
            firm(&mut self.app_keys, key.clone(), Strength::Guard);
            return;
        };
        firm(&mut self.app_keys, new.key.clone(), Strength::Guard);
        firm(&mut self.apps, id, Strength::Peek);
    }

    fn swept(&mut self, sweep: Sweep) {
        match sweep {
            Sweep::Room(room) => {
                firm(&mut self.rooms, room, Strength::Guard);
                self.lists.insert(List::Members(MEMBERS_PER_EVENT));
            }
            Sweep::User(app, user) => {
                self.users.insert((app, user));
                self.lists.insert(List::OwnedBy(app, user, ROOMS_A_SWEEP));
                self.lists.insert(List::RoomsOf(app, user, ROOMS_A_SWEEP));
            }
            Sweep::App(app) => {
                self.lists.insert(List::RoomsIn(app, RECORDS_A_SWEEP));
                self.lists.insert(List::UsersIn(app, RECORDS_A_SWEEP));
            }
        }
    }
}
