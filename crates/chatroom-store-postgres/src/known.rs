//! What this process knows from what it read and wrote, so that removals need not read it again.
//!
//! It may be out of date: other processes write too. So nobody is answered by it alone. A removal that was decided by
//! it is written by a statement that compares (ADR 11).

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chatroom_core::{
    App, AppId, Facts as _, Key, Loaded, LoadedRoom, Plan, ReadSet, RoomKey, User, Username,
};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::group::Logs;

/// How many apps are known, at most.
const APPS: usize = 1_024;
/// How many users are known, at most: some 20 MB.
const USERS: usize = 131_072;
/// How many rooms are expected, and how many bytes of them are known at most.
const ROOMS: (usize, u64) = (16_384, 16 << 20);
/// What a room takes beside its texts.
const ROOM: u64 = 320;

pub(crate) struct Known {
    apps: Cache<AppId, Arc<KnownApp>>,
    rooms: Cache<RoomKey, LoadedRoom, Texts>,
    users: Cache<(AppId, Username), User>,
    /// The newest version of the registry that was seen.
    version: AtomicI64,
    /// Which server all of it is of.
    server: Mutex<String>,
}

/// An app as it was at a version of the registry.
pub(crate) struct KnownApp {
    pub(crate) app: App,
    /// Whether somebody is told of its events.
    pub(crate) told: bool,
    pub(crate) version: i64,
}

#[derive(Clone)]
struct Texts;

impl Weighter<RoomKey, LoadedRoom> for Texts {
    fn weight(&self, _key: &RoomKey, known: &LoadedRoom) -> u64 {
        let info = &known.room.info;
        let texts = info.name.len()
            + info.description.len()
            + info.custom.len()
            + known.room.owner_name.as_str().len();
        ROOM + u64::try_from(texts).unwrap_or(u64::MAX >> 1)
    }
}

impl Default for Known {
    fn default() -> Self {
        let (rooms, bytes) = ROOMS;
        Self {
            apps: Cache::new(APPS),
            rooms: Cache::with_weighter(rooms, bytes, Texts),
            users: Cache::new(USERS),
            version: AtomicI64::default(),
            server: Mutex::default(),
        }
    }
}

impl Known {
    /// These apps, if all of them are known as they were at the newest version of the registry that was seen.
    pub(crate) fn apps<'a>(&self, ids: impl Iterator<Item = &'a AppId>) -> Option<Vec<Arc<KnownApp>>> {
        let apps: Vec<_> = ids.map(|id| self.apps.get(id)).collect::<Option<_>>()?;
        let newest = self.version.load(Ordering::Relaxed);
        apps.iter().all(|app| app.version == newest).then_some(apps)
    }

    /// A room with where its log ended.
    pub(crate) fn room(&self, key: &RoomKey) -> Option<LoadedRoom> {
        self.rooms.get(key)
    }

    /// Who had this name.
    pub(crate) fn user(&self, name: &(AppId, Username)) -> Option<User> {
        self.users.get(name)
    }

    pub(crate) fn learn_app(&self, app: Arc<KnownApp>) {
        self.version.fetch_max(app.version, Ordering::Relaxed);
        self.apps.insert(app.app.id, app);
    }

    pub(crate) fn learn_room(&self, room: LoadedRoom) {
        self.rooms.insert(room.room.key, room);
    }

    /// Its nickname is left out: no removal asks for it.
    pub(crate) fn learn_user(&self, user: User) {
        self.users.insert((user.app, user.name.clone()), User { nickname: None, ..user });
    }

    /// Takes in what was committed on logs that ended at `before`.
    ///
    /// A room is known as it was when its log ended where it is known to end. So the end moves on only from there: who
    /// swept a room that another node dissolved must not make the room that was known before look current.
    pub(crate) fn committed(&self, plan: &Plan, before: &Logs) {
        for key in plan.changes.keys() {
            match key {
                Key::Room(room) => drop(self.rooms.remove(room)),
                Key::App(app) => drop(self.apps.remove(app)),
                _ => {}
            }
        }
        for (key, end) in &plan.ends {
            let Some(mut known) = self.rooms.get(key) else { continue };
            if before.get(key) == Some(&(known.counters, known.at)) {
                (known.counters, known.at) = (end.counters, end.at);
                self.rooms.insert(*key, known);
            } else {
                self.rooms.remove(key);
            }
        }
    }

    /// Says which server is asked from now on. What is known of another one is forgotten: this one may never have had
    /// the last of what was committed there.
    pub(crate) fn is_of(&self, server: String) {
        let mut known = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != server {
            self.apps.clear();
            self.rooms.clear();
            self.users.clear();
            self.version.store(0, Ordering::Relaxed);
            *known = server;
        }
    }

    /// These are read again: who is not there then is not known any more.
    pub(crate) fn forget(&self, reads: &ReadSet) {
        reads.apps.keys().for_each(|app| drop(self.apps.remove(app)));
        reads.rooms.keys().for_each(|room| drop(self.rooms.remove(room)));
        reads.names.keys().for_each(|name| drop(self.users.remove(name)));
    }

    /// Takes in which users the database has, of those that were read by name.
    pub(crate) fn read(&self, reads: &ReadSet, found: &Loaded) {
        reads
            .names
            .keys()
            .filter_map(|name| found.user(name.0, &name.1))
            .for_each(|user| self.learn_user(user));
    }
}

#[cfg(test)]
mod tests {
    use chatroom_core::test_util::name;
    use chatroom_core::{ChatroomId, Counters, Room, RoomInfo, Seq, Timestamp, UserId};

    use super::*;

    const APP: AppId = AppId(1);

    fn room(number: u64, custom: usize) -> LoadedRoom {
        let key = RoomKey { app: APP, id: ChatroomId::from_number(100_000_000_000_000 + number).unwrap() };
        let info = RoomInfo { custom: "x".repeat(custom).into(), ..RoomInfo::default() };
        let room = Room {
            key,
            owner: UserId(1),
            owner_name: name("owner"),
            info: Arc::new(info),
            created: Timestamp::default(),
            dissolved: None,
        };
        LoadedRoom { room, counters: Counters::default(), at: Timestamp::default(), owner_lives: true }
    }

    #[test]
    fn what_is_known_is_bounded_by_users_and_by_the_texts_of_rooms() {
        let known = Known::default();
        for number in 0..4_000 {
            known.learn_room(room(number, 8 << 10));
        }
        assert!(known.rooms.weight() <= ROOMS.1, "{}", known.rooms.weight());
        assert!(known.rooms.len() > 1_000, "{}", known.rooms.len());
        for number in 0..200_000 {
            let user = User {
                app: APP,
                id: UserId(number),
                name: name(&format!("u{number}")),
                nickname: None,
                deleted: false,
            };
            known.learn_user(user);
        }
        assert!((USERS / 2..=USERS).contains(&known.users.len()), "{}", known.users.len());
    }

    #[test]
    fn what_is_known_of_one_server_is_not_known_of_another() {
        let known = Known::default();
        known.is_of("one".to_owned());
        let room = room(1, 0);
        let key = room.room.key;
        known.learn_room(room);
        known.is_of("one".to_owned());
        assert!(known.room(&key).is_some());
        known.is_of("other".to_owned());
        assert!(known.room(&key).is_none());
    }

    #[test]
    fn a_known_room_moves_on_only_from_where_it_was_known_to_end() {
        let known = Known::default();
        let room = room(1, 0);
        let key = room.room.key;
        known.learn_room(room);
        let committed = |from, to| {
            let at = |seq| (Counters { seq: Seq(seq), members: 1 }, Timestamp::default());
            let (mut plan, (counters, time)) = (Plan::default(), at(to));
            plan.ends.insert(key, chatroom_core::LogEnd { counters, at: time });
            known.committed(&plan, &Logs::from_iter([(key, at(from))]));
            known.room(&key).map(|room| room.counters.seq)
        };
        let end = chatroom_core::LogEnd {
            counters: Counters { seq: Seq(1), members: 1 },
            at: Timestamp::default(),
        };
        let (mut first, mut before) = (Plan::default(), Logs::default());
        first.ends.insert(key, end);
        before.insert(key, (Counters::default(), Timestamp::default()));
        known.committed(&first, &before);
        assert_eq!(committed(1, 2), Some(Seq(2)));
        // Somebody else dissolved it at 3, and what is committed at 4 is its sweep.
        assert_eq!(committed(3, 4), None);
    }
}
