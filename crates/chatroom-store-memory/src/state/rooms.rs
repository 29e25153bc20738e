//! All rooms of all apps, in slots that users point at.

use std::hash::BuildHasher;

use chatroom_core::{Counters, Room, RoomKey};
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::members::Members;

/// A room with its members.
#[derive(Debug)]
pub(super) struct RoomSlot {
    pub(super) room: Room,
    /// The slot of its owner, if the slot still holds a user of that id.
    pub(super) owner: u32,
    pub(super) counters: Counters,
    pub(super) members: Members,
}

/// Slots of rooms, and an index of them by key.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    slots: Vec<Option<RoomSlot>>,
    free: Vec<u32>,
    by_key: HashTable<u32>,
    hasher: RandomState,
}

impl Rooms {
    pub(super) fn get(&self, slot: u32) -> Option<&RoomSlot> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut RoomSlot> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn find(&self, key: &RoomKey) -> Option<u32> {
        let is_it = |slot: &u32| self.get(*slot).is_some_and(|room| room.room.key == *key);
        self.by_key.find(self.hasher.hash_one(key), is_it).copied()
    }

    pub(super) fn insert(&mut self, slot: RoomSlot) -> u32 {
        let key = slot.room.key;
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(place) = self.slots.get_mut(at as usize) {
            *place = Some(slot);
        }
        let Self { slots, by_key, hasher, .. } = self;
        by_key.insert_unique(hasher.hash_one(key), at, |slot| {
            let room = slots.get(*slot as usize).and_then(Option::as_ref);
            room.map_or(0, |room| hasher.hash_one(room.room.key))
        });
        at
    }

    pub(super) fn remove(&mut self, at: u32) -> Option<RoomSlot> {
        let gone = self.slots.get_mut(at as usize)?.take()?;
        self.free.push(at);
        if let Ok(entry) = self.by_key.find_entry(self.hasher.hash_one(gone.room.key), |other| *other == at) {
            entry.remove();
        }
        Some(gone)
    }
}
