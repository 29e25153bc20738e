//! All users of all apps, in slots that memberships point at.

use std::hash::{BuildHasher, Hash, Hasher};
use std::hint::black_box;
use std::sync::Arc;

use chatroom_core::{AppId, User, UserId, Username};
use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// What lists show of a user: 32 bytes, so that two lie in a line of the processor's caches.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: Username,
    pub(super) deleted: bool,
}

/// What lists do not show of a user, beside its id.
#[derive(Debug)]
struct Rest {
    app: AppId,
    nickname: Option<Box<Arc<str>>>,
    /// Slots of the rooms that it is a member of, in no order.
    rooms: Vec<u32>,
}

/// How many users of a list are read at once, at most.
const AT_ONCE: usize = 64;

/// Slots of users, an index of all by id, and one of the living ones by name.
///
/// A slot lies in three arrays, because there are calls that ask many users for little: a list for names, a snapshot
/// for ids.
#[derive(Debug, Default)]
pub(super) struct Users {
    /// `None` in slots that are free.
    named: Vec<Option<Named>>,
    ids: Vec<UserId>,
    rest: Vec<Rest>,
    free: Vec<u32>,
    by_id: HashTable<u32>,
    by_name: HashTable<u32>,
    hasher: RandomState,
}

impl Users {
    /// The user in this slot, if there is one.
    pub(super) fn user(&self, slot: u32) -> Option<User> {
        let Named { name, deleted } = self.named(slot)?;
        let rest = self.rest.get(slot as usize)?;
        Some(User {
            app: rest.app,
            id: self.id(slot)?,
            name: name.clone(),
            nickname: rest.nickname.as_deref().cloned(),
            deleted: *deleted,
        })
    }

    pub(super) fn named(&self, slot: u32) -> Option<&Named> {
        self.named.get(slot as usize)?.as_ref()
    }

    /// The id of the user in this slot. In one that is free, that of a user who is gone.
    pub(super) fn id(&self, slot: u32) -> Option<UserId> {
        self.ids.get(slot as usize).copied()
    }

    /// Whether this slot holds the living user of this id.
    pub(super) fn lives(&self, slot: u32, id: UserId) -> bool {
        self.id(slot) == Some(id) && self.named(slot).is_some_and(|user| !user.deleted)
    }

    /// Slots of the rooms that the user in this slot is a member of, in no order.
    pub(super) fn rooms(&self, slot: u32) -> &[u32] {
        self.rest.get(slot as usize).map_or(&[], |rest| rest.rooms.as_slice())
    }

    pub(super) fn rooms_mut(&mut self, slot: u32) -> Option<&mut Vec<u32>> {
        self.rest.get_mut(slot as usize).map(|rest| &mut rest.rooms)
    }

    /// The same slots, of which so many are wanted, with their users near: those of a room lie anywhere in memory, and
    /// to wait for many of them at once takes little longer than to wait for one.
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
                let users = next.iter().filter_map(|(slot, _)| self.named(*slot));
                // Nothing is done with what was read, so none waits for the one before.
                black_box(users.fold(0, |all, user| all ^ user.name.as_str().len()));
                near = next.into_iter();
            }
            near.next()
        })
    }

    pub(super) fn slots(&self) -> usize {
        self.named.len()
    }

    /// The living user of this name.
    pub(super) fn find(&self, app: AppId, name: &str) -> Option<u32> {
        let is_it = |slot: &u32| {
            self.named(*slot).is_some_and(|user| user.name.as_str() == name) && self.app(*slot) == Some(app)
        };
        self.by_name.find(self.hash(app, name), is_it).copied()
    }

    /// The user of this id, deleted or not.
    pub(super) fn find_id(&self, app: AppId, id: UserId) -> Option<u32> {
        let is_it = |slot: &u32| self.id(*slot) == Some(id) && self.app(*slot) == Some(app);
        self.by_id.find(hash_of_id(&self.hasher, app, id), is_it).copied()
    }

    fn app(&self, slot: u32) -> Option<AppId> {
        self.rest.get(slot as usize).map(|rest| rest.app)
    }

    /// Puts a user into a free slot.
    pub(super) fn insert(&mut self, user: &User) -> u32 {
        let named = Some(Named { name: user.name.clone(), deleted: user.deleted });
        let nickname = user.nickname.clone().map(Box::new);
        let rest = Rest { app: user.app, nickname, rooms: Vec::new() };
        let at = self.free.pop();
        let places = at
            .map(|at| at as usize)
            .map(|at| (self.named.get_mut(at), self.ids.get_mut(at), self.rest.get_mut(at)));
        let at = if let (Some(at), Some((Some(free), Some(id), Some(gone)))) = (at, places) {
            (*free, *id, *gone) = (named, user.id, rest);
            at
        } else {
            self.named.push(named);
            self.ids.push(user.id);
            self.rest.push(rest);
            u32::try_from(self.named.len() - 1).unwrap_or(u32::MAX)
        };
        let Self { ids, rest, by_id, hasher, .. } = self;
        by_id.insert_unique(hash_of_id(hasher, user.app, user.id), at, |slot| {
            let both = (rest.get(*slot as usize), ids.get(*slot as usize));
            if let (Some(rest), Some(id)) = both { hash_of_id(hasher, rest.app, *id) } else { 0 }
        });
        self.index(at);
        at
    }

    /// Changes the user in this slot; its id, app and name stay.
    pub(super) fn update(&mut self, at: u32, user: &User) {
        self.unindex(at);
        if let Some(Some(named)) = self.named.get_mut(at as usize) {
            named.deleted = user.deleted;
        }
        if let Some(rest) = self.rest.get_mut(at as usize) {
            rest.nickname = user.nickname.clone().map(Box::new);
        }
        self.index(at);
    }

    pub(super) fn remove(&mut self, at: u32) {
        self.unindex(at);
        if let (Some(app), Some(id)) = (self.app(at), self.id(at)) {
            let hash = hash_of_id(&self.hasher, app, id);
            if let Ok(entry) = self.by_id.find_entry(hash, |other| *other == at) {
                entry.remove();
            }
        }
        if let Some(rest) = self.rest.get_mut(at as usize) {
            (rest.nickname, rest.rooms) = (None, Vec::new());
        }
        if let Some(place) = self.named.get_mut(at as usize)
            && place.take().is_some()
        {
            self.free.push(at);
        }
    }

    /// The last living user that was put under a name has it: while a journal is replayed, an older one may come by.
    fn index(&mut self, at: u32) {
        let Some(named) = self.named(at).filter(|user| !user.deleted) else { return };
        let (Some(app), name) = (self.app(at), named.name.clone()) else { return };
        let hash = self.hash(app, name.as_str());
        let Self { named, rest, by_name, hasher, .. } = self;
        let user_at =
            |slot: u32| Some((rest.get(slot as usize)?.app, &named.get(slot as usize)?.as_ref()?.name));
        let is_it = |slot: &u32| user_at(*slot) == Some((app, &name));
        if let Some(entry) = by_name.find_mut(hash, is_it) {
            *entry = at;
            return;
        }
        by_name.insert_unique(hash, at, |slot| {
            user_at(*slot).map_or(0, |(app, name)| hash_of(hasher, app, name.as_str()))
        });
    }

    fn unindex(&mut self, at: u32) {
        let (Some(named), Some(app)) = (self.named(at), self.app(at)) else { return };
        let hash = self.hash(app, named.name.as_str());
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
