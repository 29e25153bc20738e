//! The members of one room, in join order: about 16 bytes each.

use std::hash::BuildHasher;

use chatroom_core::JoinOrder;
use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Marks a seat whose member left. It stays until enough of them are worth closing ranks.
const EMPTY: u32 = u32::MAX;

/// Seats in join order, and an index from a user's slot to its seat.
#[derive(Debug, Default)]
pub(super) struct Members {
    users: Vec<u32>,
    joined: Vec<JoinOrder>,
    index: HashTable<u32>,
    hasher: RandomState,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn joined(&self, user: u32) -> Option<JoinOrder> {
        self.seat(user).and_then(|seat| self.joined.get(seat).copied())
    }

    /// Everybody from behind `after` on, in join order. Starting costs the same wherever `after` stands.
    pub(super) fn ascending(&self, after: Option<JoinOrder>) -> impl Iterator<Item = (u32, JoinOrder)> + '_ {
        let from = after.map_or(0, |after| self.joined.partition_point(|joined| *joined <= after));
        self.taken(from..self.users.len())
    }

    /// Everybody from before `before` on, in reverse join order.
    pub(super) fn descending(
        &self,
        before: Option<JoinOrder>,
    ) -> impl Iterator<Item = (u32, JoinOrder)> + '_ {
        let to =
            before.map_or(self.users.len(), |before| self.joined.partition_point(|joined| *joined < before));
        self.taken((0..to).rev())
    }

    fn taken<'a>(
        &'a self,
        seats: impl Iterator<Item = usize> + 'a,
    ) -> impl Iterator<Item = (u32, JoinOrder)> + 'a {
        seats
            .filter_map(|seat| Some((*self.users.get(seat)?, *self.joined.get(seat)?)))
            .filter(|(user, _)| *user != EMPTY)
    }

    /// Seats a user. Answers where it sat before, if it did.
    pub(super) fn insert(&mut self, user: u32, joined: JoinOrder) -> Option<JoinOrder> {
        let before = self.joined(user);
        if before == Some(joined) {
            return before;
        }
        if before.is_some() {
            self.remove(user);
        }
        if self.joined.last().is_none_or(|last| *last < joined) {
            self.users.push(user);
            self.joined.push(joined);
            self.enter(self.users.len() - 1);
            return before;
        }
        // Only when a removal is undone or a journal is replayed: the seat was there, or ranks were closed since.
        let seat = self.joined.partition_point(|other| *other < joined);
        if self.joined.get(seat) == Some(&joined) && self.users.get(seat) == Some(&EMPTY) {
            if let Some(empty) = self.users.get_mut(seat) {
                *empty = user;
            }
            self.enter(seat);
        } else {
            self.users.insert(seat, user);
            self.joined.insert(seat, joined);
            self.rebuild_index();
        }
        before
    }

    /// Frees a user's seat. Answers where it was.
    pub(super) fn remove(&mut self, user: u32) -> Option<JoinOrder> {
        let seat = self.seat(user)?;
        let entry = self.index.find_entry(self.hasher.hash_one(user), |other| *other as usize == seat);
        entry.ok()?.remove();
        if let Some(taken) = self.users.get_mut(seat) {
            *taken = EMPTY;
        }
        let joined = self.joined.get(seat).copied();
        if self.users.len() > self.len() + self.len() / 4 + 32 {
            self.close_ranks();
        }
        joined
    }

    fn seat(&self, user: u32) -> Option<usize> {
        let holds = |seat: &u32| self.users.get(*seat as usize) == Some(&user);
        self.index.find(self.hasher.hash_one(user), holds).map(|seat| *seat as usize)
    }

    fn enter(&mut self, seat: usize) {
        let Self { users, index, hasher, .. } = self;
        let user_at = |seat: u32| users.get(seat as usize).copied().unwrap_or(EMPTY);
        // A room holds at most u32::MAX members, since its `max_users` is a u32.
        let seat = u32::try_from(seat).unwrap_or(EMPTY);
        index.insert_unique(hasher.hash_one(user_at(seat)), seat, |seat| hasher.hash_one(user_at(*seat)));
    }

    fn close_ranks(&mut self) {
        let mut seats = self.users.iter();
        self.joined.retain(|_| seats.next() != Some(&EMPTY));
        self.users.retain(|user| *user != EMPTY);
        if self.users.capacity() > 2 * self.users.len() + 64 {
            self.users.shrink_to_fit();
            self.joined.shrink_to_fit();
            self.index = HashTable::with_capacity(self.users.len());
        }
        self.rebuild_index();
    }

    fn rebuild_index(&mut self) {
        self.index.clear();
        for seat in 0..self.users.len() {
            if self.users.get(seat) != Some(&EMPTY) {
                self.enter(seat);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn members_behave_like_a_map_ordered_by_join(steps in prop::collection::vec((0_u32..40, any::<bool>()), 0..400)) {
            let (mut members, mut model, mut next) = (Members::default(), BTreeMap::new(), 0);
            for (user, joins) in steps {
                if joins && !model.contains_key(&user) {
                    next += 1;
                    prop_assert_eq!(members.insert(user, JoinOrder(next)), None);
                    model.insert(user, JoinOrder(next));
                } else if !joins {
                    let joined = model.remove(&user);
                    prop_assert_eq!(members.remove(user), joined);
                    if let Some(joined) = joined {
                        members.insert(user, joined);
                        prop_assert_eq!(members.joined(user), Some(joined));
                        members.remove(user);
                    }
                }
                let mut expected: Vec<_> = model.iter().map(|(user, joined)| (*user, *joined)).collect();
                expected.sort_by_key(|(_, joined)| *joined);
                let behind: Vec<_> = expected.iter().filter(|(_, joined)| *joined > JoinOrder(5)).copied().collect();
                prop_assert_eq!(members.ascending(Some(JoinOrder(5))).collect::<Vec<_>>(), behind);
                prop_assert_eq!(members.ascending(None).collect::<Vec<_>>(), expected.clone());
                expected.reverse();
                prop_assert_eq!(members.descending(None).collect::<Vec<_>>(), expected);
            }
        }
    }
}
