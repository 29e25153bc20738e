//! All users of all apps, in slots that memberships point at.

use std::hash::{BuildHasher, Hash, Hasher};
use std::hint::black_box;
use std::sync::Arc;

use chatroom_core::{AppId, User, UserId, Username};
use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// A user and the rooms that it is in.
#[derive(Debug)]
pub(super) struct UserSlot {
    pub(super) app: AppId,
    pub(super) id: UserId,
    pub(super) name: Username,
    nickname: Option<Box<Arc<str>>>,
    pub(super) deleted: bool,
    /// Slots of the rooms that it is a member of, in no order.
    pub(super) rooms: Vec<u32>,
}

impl UserSlot {
    pub(super) fn user(&self) -> User {
        User {
            app: self.app,
            id: self.id,
            name: self.name.clone(),
            nickname: self.nickname.as_deref().cloned(),
            deleted: self.deleted,
        }
    }
}

/// How many users of a list are read at once, at most.
const AT_ONCE: usize = 64;

/// Slots of users, an index of all by id, and one of the living ones by name.
#[derive(Debug, Default)]
pub(super) struct Users {
    slots: Vec<Option<UserSlot>>,
    free: Vec<u32>,
    by_id: HashTable<u32>,
    by_name: HashTable<u32>,
    hasher: RandomState,
}

impl Users {
    pub(super) fn get(&self, slot: u32) -> Option<&UserSlot> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut UserSlot> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// The same slots, of which so many are wanted, whose users are in the caches when they are asked for: the users of a room lie anywhere in memory,
    /// and to wait for many of them at once takes little longer than to wait for one. A list of 100 cold ones takes 11
    /// instead of 18 us.
    pub(super) fn near<T>(
        &self,
        mut slots: impl Iterator<Item = (u32, T)>,
        wanted: usize,
    ) -> impl Iterator<Item = (u32, T)> {
        let at_once = wanted.clamp(1, AT_ONCE);
        let mut near = Vec::new().into_iter();
        std::iter::from_fn(move || {
            if near.len() == 0 {
                let next: Vec<(u32, T)> = slots.by_ref().take(at_once).collect();
                let users = next.iter().filter_map(|(slot, _)| self.get(*slot));
                // Nothing is done with what was read, so none waits for the one before.
                black_box(users.fold(0, |all, user| all ^ user.id.0 ^ user.name.as_str().len() as u64));
                near = next.into_iter();
            }
            near.next()
        })
    }

    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The living user of this name.
    pub(super) fn find(&self, app: AppId, name: &str) -> Option<u32> {
        let is_it = |slot: &u32| self.get(*slot).is_some_and(|u| u.app == app && u.name.as_str() == name);
        self.by_name.find(self.hash(app, name), is_it).copied()
    }

    /// The user of this id, deleted or not.
    pub(super) fn find_id(&self, app: AppId, id: UserId) -> Option<u32> {
        let is_it = |slot: &u32| self.get(*slot).is_some_and(|u| u.id == id && u.app == app);
        self.by_id.find(hash_of_id(&self.hasher, app, id), is_it).copied()
    }

    /// Puts a user into a free slot.
    pub(super) fn insert(&mut self, user: &User) -> u32 {
        let slot = UserSlot {
            app: user.app,
            id: user.id,
            name: user.name.clone(),
            nickname: user.nickname.clone().map(Box::new),
            deleted: user.deleted,
            rooms: Vec::new(),
        };
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(place) = self.slots.get_mut(at as usize) {
            *place = Some(slot);
        }
        let Self { slots, by_id, hasher, .. } = self;
        by_id.insert_unique(hash_of_id(hasher, user.app, user.id), at, |slot| {
            let user = slots.get(*slot as usize).and_then(Option::as_ref);
            user.map_or(0, |u| hash_of_id(hasher, u.app, u.id))
        });
        self.index(at);
        at
    }

    /// Changes the user in this slot; its id, app and name stay.
    pub(super) fn update(&mut self, at: u32, user: &User) {
        self.unindex(at);
        if let Some(slot) = self.get_mut(at) {
            slot.nickname = user.nickname.clone().map(Box::new);
            slot.deleted = user.deleted;
        }
        self.index(at);
    }

    pub(super) fn remove(&mut self, at: u32) {
        self.unindex(at);
        if let Some(slot) = self.get(at) {
            let hash = hash_of_id(&self.hasher, slot.app, slot.id);
            if let Ok(entry) = self.by_id.find_entry(hash, |other| *other == at) {
                entry.remove();
            }
        }
        if let Some(place) = self.slots.get_mut(at as usize)
            && place.take().is_some()
        {
            self.free.push(at);
        }
    }

    /// The last living user that was put under a name has it: while a journal is replayed, an older one may come by.
    fn index(&mut self, at: u32) {
        let Some(slot) = self.get(at).filter(|slot| !slot.deleted) else { return };
        let (app, name) = (slot.app, slot.name.clone());
        let hash = self.hash(app, name.as_str());
        let Self { slots, by_name, hasher, .. } = self;
        let user_at = |slot: u32| slots.get(slot as usize).and_then(Option::as_ref);
        let is_it = |slot: &u32| user_at(*slot).is_some_and(|u| u.app == app && u.name == name);
        if let Some(entry) = by_name.find_mut(hash, is_it) {
            *entry = at;
            return;
        }
        by_name.insert_unique(hash, at, |slot| {
            user_at(*slot).map_or(0, |u| hash_of(hasher, u.app, u.name.as_str()))
        });
    }

    fn unindex(&mut self, at: u32) {
        let Some(slot) = self.get(at) else { return };
        let hash = self.hash(slot.app, slot.name.as_str());
        if let Ok(entry) = self.by_name.find_entry(hash, |other| *other == at) {
            entry.remove();
        }
    }

    fn hash(&self, app: AppId, name: &str) -> u64 {
        hash_of(&self.hasher, app, name)
    }
}

fn hash_of_id(hasher: &RandomState, app: AppId, id: UserId) -> u64 {
    hasher.hash_one((app, id))
}

fn hash_of(hasher: &RandomState, app: AppId, name: &str) -> u64 {
    let mut state = hasher.build_hasher();
    app.hash(&mut state);
    name.hash(&mut state);
    state.finish()
}
