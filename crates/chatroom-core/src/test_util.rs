//! Facts made by hand, a clock that stands still, ids that count, and a ledger of shared limits in memory.

mod ledger;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::app::{App, AppState, Credentials, Origin, SecretDigest, SigningKey};
use crate::callback::{Rule, RuleId};
use crate::clock::{Clock, Moment, Timestamp};
use crate::facts::{Capacity, Facts, RoomFact};
use crate::id::{AppId, AppKey, ChatroomId, OperationId, UserId, Username};
use crate::ids::Ids;
use crate::model::{Counters, JoinOrder, Membership, Room, RoomInfo, RoomKey, User};
use crate::operation::{Action, Operation, Undecided};
use crate::record::{Decision, Key, Record, Sweep, Write};

pub use ledger::{Book, MemoryLedger};

/// A legal username.
///
/// # Panics
/// If it is not legal.
#[must_use]
pub fn name(text: &str) -> Username {
    text.parse().expect("a legal username")
}

/// Decides this action at a fixed moment, as the app of [`HandFacts`].
///
/// # Errors
/// What deciding says.
pub fn decide(facts: &HandFacts, action: Action) -> Result<Decision, Undecided> {
    let operation = Operation { id: OperationId::new(0xFFFF_0000), app: HandFacts::APP, action };
    operation.decide(facts, Moment(HandFacts::NOW))
}

/// A clock that stands where it is put.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Starts at so many milliseconds.
    #[must_use]
    pub fn at(millis: i64) -> Self {
        Self(AtomicI64::new(millis))
    }

    /// Moves on by so many milliseconds.
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Ids that count up from 1: the same in every run.
#[derive(Debug, Default)]
pub struct CountingIds(AtomicU64);

impl CountingIds {
    fn next(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

impl Ids for CountingIds {
    fn operation(&self) -> OperationId {
        OperationId::new(self.next() << 16)
    }

    fn app(&self) -> AppId {
        AppId(self.next())
    }
}

/// Facts in plain maps: slow, and easy to see through.
#[derive(Debug, Default, Clone)]
pub struct HandFacts {
    apps: BTreeMap<AppId, App>,
    users: BTreeMap<(AppId, UserId), User>,
    rooms: BTreeMap<RoomKey, (Room, Counters)>,
    memberships: BTreeMap<(RoomKey, UserId), JoinOrder>,
    sweeps: Vec<Sweep>,
    rules: BTreeMap<RuleId, Rule>,
    limit: Option<u64>,
}

impl HandFacts {
    /// The app that all made facts belong to.
    pub const APP: AppId = AppId(1);
    /// The room that [`HandFacts::with_room`] makes.
    pub const ROOM: ChatroomId = ChatroomId::TEST;
    /// When [`decide`] decides.
    pub const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    /// The key of [`HandFacts::APP`].
    #[must_use]
    pub fn app_key() -> AppKey {
        AppKey::from_parts("demo", "chat").expect("a legal app key")
    }

    /// An app with these users.
    #[must_use]
    pub fn with_users(users: &[&str]) -> Self {
        let mut facts = Self::default();
        let credentials =
            Credentials { client_id: "id".into(), secret: SecretDigest([1; 32]), generation: 1 };
        let app = App {
            id: Self::APP,
            key: Self::app_key(),
            credentials,
            signing_key: SigningKey([2; 32]),
            origin: Origin::Command,
            state: AppState::Enabled,
            created: Self::NOW,
        };
        facts.apps.insert(app.id, app);
        facts.and_users(users)
    }

    /// An app with a room, its owner and these members.
    #[must_use]
    pub fn with_room(owner: &str, members: &[&str]) -> Self {
        let mut facts = Self::with_users(&[owner]).and_users(members);
        let key = facts.key();
        let id = |name: &str| facts.users.values().find(|u| u.name.as_str() == name).expect("made above").id;
        let everybody: Vec<UserId> = std::iter::once(owner).chain(members.iter().copied()).map(id).collect();
        let info = RoomInfo { max_users: 10_000, ..RoomInfo::default() };
        let room = Room {
            key,
            owner: everybody[0],
            owner_name: name(owner),
            info: Arc::new(info),
            created: Self::NOW,
            dissolved: None,
        };
        let counters = Counters { seq: crate::Seq(1), members: u32::try_from(everybody.len()).expect("few") };
        facts.rooms.insert(key, (room, counters));
        for (order, user) in (0_u64..).zip(everybody) {
            facts.memberships.insert((key, user), JoinOrder(order));
        }
        facts
    }

    /// More users.
    #[must_use]
    pub fn and_users(mut self, users: &[&str]) -> Self {
        for text in users {
            let id = UserId(self.users.len() as u64 + 1);
            let user = User { app: Self::APP, id, name: name(text), nickname: None, deleted: false };
            self.users.insert((Self::APP, id), user);
        }
        self
    }

    /// The room's `max_users`.
    #[must_use]
    pub fn with_max_users(mut self, max_users: u32) -> Self {
        for (room, _) in self.rooms.values_mut() {
            room.info = Arc::new(RoomInfo { max_users, ..RoomInfo::default() });
        }
        self
    }

    /// The most memberships that the store may hold.
    #[must_use]
    pub fn with_capacity(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The key of [`HandFacts::ROOM`].
    #[must_use]
    pub fn key(&self) -> RoomKey {
        RoomKey { app: Self::APP, id: Self::ROOM }
    }

    /// The room's counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.rooms.get(&self.key()).map(|(_, counters)| *counters).unwrap_or_default()
    }

    /// Whether this user is a member of the room.
    #[must_use]
    pub fn is_member(&self, user: &str) -> bool {
        self.user(Self::APP, &name(user)).is_some_and(|u| self.membership(&self.key(), u.id).is_some())
    }

    /// What is left to sweep.
    #[must_use]
    pub fn sweeps(&self) -> &[Sweep] {
        &self.sweeps
    }

    /// Does what was decided.
    pub fn apply(&mut self, decision: Decision) {
        for write in decision.writes {
            match write {
                Write::Put(record) => self.put(record),
                Write::Delete(key) => self.delete(&key),
            }
        }
        for event in decision.events {
            if let Some((_, counters)) = self.rooms.get_mut(&event.room) {
                assert_eq!(event.seq, counters.seq.next(), "a gap in the log");
                *counters = Counters { seq: event.seq, members: event.members };
            }
        }
    }

    fn put(&mut self, record: Record) {
        match record {
            Record::App(app) => drop(self.apps.insert(app.id, *app)),
            Record::User(user) => drop(self.users.insert((user.app, user.id), user)),
            Record::Room(room) => {
                let counters = self.rooms.get(&room.key).map(|(_, c)| *c).unwrap_or_default();
                self.rooms.insert(room.key, (room, counters));
            }
            Record::Membership(Membership { room, user, joined }) => {
                self.memberships.insert((room, user), joined);
            }
            Record::Sweep(sweep) => self.sweeps.push(sweep),
            Record::Rule(rule) => drop(self.rules.insert(rule.id, *rule)),
        }
    }

    fn delete(&mut self, key: &Key) {
        match key {
            Key::App(app) => drop(self.apps.remove(app)),
            Key::User(app, user) => drop(self.users.remove(&(*app, *user))),
            Key::Room(room) => drop(self.rooms.remove(room)),
            Key::Membership(room, user) => drop(self.memberships.remove(&(*room, *user))),
            Key::Sweep(sweep) => self.sweeps.retain(|s| s != sweep),
            Key::Rule(_, rule) => drop(self.rules.remove(rule)),
        }
    }
}

impl Facts for HandFacts {
    fn app(&self, key: &AppKey) -> Option<&App> {
        self.apps.values().find(|app| app.key == *key && app.state != AppState::Deleted)
    }

    fn app_by_id(&self, id: AppId) -> Option<&App> {
        self.apps.get(&id)
    }

    fn user(&self, app: AppId, name: &Username) -> Option<User> {
        self.users.values().find(|u| u.app == app && u.name == *name && !u.deleted).cloned()
    }

    fn user_by_id(&self, app: AppId, id: UserId) -> Option<User> {
        self.users.get(&(app, id)).cloned()
    }

    fn room(&self, key: &RoomKey) -> Option<RoomFact<'_>> {
        let (room, counters) = self.rooms.get(key)?;
        let owner = self.users.get(&(key.app, room.owner));
        Some(RoomFact { room, counters: *counters, owner_lives: owner.is_some_and(|u| !u.deleted) })
    }

    fn membership(&self, room: &RoomKey, user: UserId) -> Option<JoinOrder> {
        self.memberships.get(&(*room, user)).copied()
    }

    fn members(&self, room: &RoomKey, limit: usize) -> Vec<(UserId, Username)> {
        let mut members: Vec<_> = self.memberships.iter().filter(|((key, _), _)| key == room).collect();
        members.sort_by_key(|(_, joined)| **joined);
        let users = members.into_iter().filter_map(|((_, id), _)| self.users.get(&(room.app, *id)));
        users.map(|user| (user.id, user.name.clone())).take(limit).collect()
    }

    fn rooms_of(&self, app: AppId, user: UserId, limit: usize) -> Vec<RoomKey> {
        let keys = self.memberships.keys().filter(|(room, id)| room.app == app && *id == user);
        keys.map(|(room, _)| *room).take(limit).collect()
    }

    fn owned_by(&self, app: AppId, user: UserId, limit: usize) -> Vec<RoomKey> {
        let rooms = self.rooms.values().map(|(room, _)| room);
        let owned = rooms.filter(|r| r.key.app == app && r.owner == user && r.dissolved.is_none());
        owned.map(|room| room.key).take(limit).collect()
    }

    fn rooms_in(&self, app: AppId, limit: usize) -> Vec<RoomKey> {
        self.rooms.keys().filter(|key| key.app == app).take(limit).copied().collect()
    }

    fn users_in(&self, app: AppId, limit: usize) -> Vec<UserId> {
        self.users.keys().filter(|(of, _)| *of == app).take(limit).map(|(_, id)| *id).collect()
    }

    fn rules(&self, app: AppId) -> Vec<Rule> {
        self.rules.values().filter(|rule| rule.app == app).cloned().collect()
    }

    fn capacity(&self) -> Capacity {
        Capacity { used: self.memberships.len() as u64, limit: self.limit }
    }
}
