//! A repository over the importer's own maps.
//!
//! ```sh
//! cargo run -p chatroom-core --example own_map
//! ```
//!
//! A store answers the questions of the rules ([`Facts`]), does what they decide, and shows it. The lock makes every
//! operation all or nothing; over a database it would be a transaction, and the events would go into it too. The
//! rules are not here. That this is right is shown by the testkit (`tests/embedding/own_map.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chatroom_core::{
    App, AppId, AppKey, Capacity, ChatroomId, ChatroomRepository, Clock, Counters, Facts, From, JoinOrder,
    Key, Member, MembersRequest, MembersSlice, Operation, Order, Outcome, Record, Room, RoomFact, RoomKey,
    RoomView, StorageError, Sweep, Ticker, Timestamp, TransactError, User, UserId, Username, Write,
};

/// Chatrooms of one app, in maps behind a lock.
pub(crate) struct OwnMap {
    maps: Mutex<Maps>,
    clock: Arc<dyn Clock>,
    ticker: Ticker,
}

struct Maps {
    app: App,
    users: BTreeMap<UserId, User>,
    rooms: BTreeMap<ChatroomId, (Room, Counters)>,
    members: BTreeMap<ChatroomId, BTreeMap<JoinOrder, UserId>>,
    sweeps: BTreeSet<Sweep>,
}

impl OwnMap {
    /// Nothing yet, for this app.
    pub(crate) fn new(app: App, clock: Arc<dyn Clock>) -> Self {
        let (users, rooms) = (BTreeMap::new(), BTreeMap::new());
        let maps = Maps { app, users, rooms, members: BTreeMap::new(), sweeps: BTreeSet::new() };
        Self { maps: Mutex::new(maps), clock, ticker: Ticker::starting_at(Timestamp::default()) }
    }

    fn maps(&self) -> MutexGuard<'_, Maps> {
        self.maps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Maps {
    fn write(&mut self, write: Write) {
        match write {
            Write::Put(Record::User(user)) => drop(self.users.insert(user.id, user)),
            Write::Put(Record::Room(room)) => {
                let counters = self.rooms.get(&room.key.id).map_or_else(Counters::default, |(_, old)| *old);
                self.rooms.insert(room.key.id, (room, counters));
            }
            Write::Put(Record::Membership(new)) => {
                self.members.entry(new.room.id).or_default().insert(new.joined, new.user);
            }
            Write::Put(Record::Sweep(sweep)) => drop(self.sweeps.insert(sweep)),
            Write::Delete(Key::User(_, user)) => drop(self.users.remove(&user)),
            Write::Delete(Key::Room(room)) => drop(self.rooms.remove(&room.id)),
            Write::Delete(Key::Membership(room, user)) => {
                self.members.entry(room.id).or_default().retain(|_, member| *member != user);
            }
            Write::Delete(Key::Sweep(sweep)) => drop(self.sweeps.remove(&sweep)),
            // The app is the importer's own, and it has no callbacks; nobody asks to change either.
            Write::Put(Record::App(_) | Record::Rule(_)) | Write::Delete(Key::App(_) | Key::Rule(..)) => {}
        }
    }

    /// Members in join order, whether or not their users are deleted.
    fn joined(&self, room: &RoomKey) -> impl DoubleEndedIterator<Item = (JoinOrder, &User)> {
        let members = self.members.get(&room.id).filter(|_| room.app == self.app.id).into_iter().flatten();
        members.filter_map(|(joined, user)| Some((*joined, self.users.get(user)?)))
    }

    /// Users that are not deleted, oldest first.
    fn living(&self, app: AppId) -> impl Iterator<Item = &User> {
        self.users.values().filter(move |user| user.app == app && !user.deleted)
    }

    fn view(&self, key: &RoomKey) -> Option<RoomView> {
        let fact = Facts::room(self, key).filter(RoomFact::exists)?;
        Some(RoomView { room: fact.room.clone(), members: fact.counters.members })
    }
}

impl Facts for Maps {
    fn app(&self, key: &AppKey) -> Option<&App> {
        Some(&self.app).filter(|app| app.key == *key)
    }

    fn app_by_id(&self, id: AppId) -> Option<&App> {
        Some(&self.app).filter(|app| app.id == id)
    }

    fn user(&self, app: AppId, name: &Username) -> Option<User> {
        self.living(app).find(|user| user.name == *name).cloned()
    }

    fn user_by_id(&self, _: AppId, id: UserId) -> Option<User> {
        self.users.get(&id).cloned()
    }

    fn room(&self, key: &RoomKey) -> Option<RoomFact<'_>> {
        let (room, counters) = self.rooms.get(&key.id).filter(|(room, _)| room.key == *key)?;
        let owner_lives = self.users.get(&room.owner).is_some_and(|owner| !owner.deleted);
        Some(RoomFact { room, counters: *counters, owner_lives })
    }

    fn membership(&self, room: &RoomKey, user: UserId) -> Option<JoinOrder> {
        self.joined(room).find(|(_, member)| member.id == user).map(|(joined, _)| joined)
    }

    fn members(&self, room: &RoomKey, limit: usize) -> Vec<(UserId, Username)> {
        self.joined(room).take(limit).map(|(_, user)| (user.id, user.name.clone())).collect()
    }

    fn rooms_of(&self, _: AppId, user: UserId, limit: usize) -> Vec<RoomKey> {
        let rooms = self.rooms.values().map(|(room, _)| room.key);
        rooms.filter(|key| self.membership(key, user).is_some()).take(limit).collect()
    }

    fn owned_by(&self, _: AppId, user: UserId, limit: usize) -> Vec<RoomKey> {
        let rooms = self.rooms.values().map(|(room, _)| room);
        let owned = rooms.filter(|room| room.owner == user && room.dissolved.is_none());
        owned.take(limit).map(|room| room.key).collect()
    }

    fn rooms_in(&self, _: AppId, limit: usize) -> Vec<RoomKey> {
        self.rooms.values().take(limit).map(|(room, _)| room.key).collect()
    }

    fn users_in(&self, _: AppId, limit: usize) -> Vec<UserId> {
        self.users.keys().take(limit).copied().collect()
    }

    fn capacity(&self) -> Capacity {
        Capacity::default()
    }
}

#[async_trait]
impl ChatroomRepository for OwnMap {
    async fn transact(&self, operation: Operation) -> Result<Outcome, TransactError> {
        let mut maps = self.maps();
        let decision = operation.decide(&*maps, self.ticker.tick(&*self.clock))?;
        decision.writes.into_iter().for_each(|write| maps.write(write));
        for event in decision.events {
            // Here an importer also keeps the event, or tells whoever wants to know.
            if let Some((_, counters)) = maps.rooms.get_mut(&event.room.id) {
                *counters = Counters { seq: event.seq, members: event.members };
            }
        }
        Ok(decision.outcome)
    }

    async fn user(&self, app: AppId, name: &Username) -> Result<Option<User>, StorageError> {
        Ok(Facts::user(&*self.maps(), app, name))
    }

    async fn users(
        &self,
        app: AppId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<User>, StorageError> {
        let maps = self.maps();
        let users = maps.living(app).filter(|user| after.is_none_or(|after| user.id > after));
        Ok(users.take(limit).cloned().collect())
    }

    async fn room(&self, key: &RoomKey) -> Result<Option<RoomView>, StorageError> {
        Ok(self.maps().view(key))
    }

    async fn rooms(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RoomView>, StorageError> {
        let maps = self.maps();
        let ids = maps.rooms.keys().filter(|id| after.is_none_or(|after| **id > after));
        let rooms = ids.filter_map(|id| maps.view(&RoomKey { app, id: *id }));
        Ok(rooms.skip(skip).take(limit).collect())
    }

    async fn members(
        &self,
        key: &RoomKey,
        request: MembersRequest,
    ) -> Result<Option<MembersSlice>, StorageError> {
        let maps = self.maps();
        let Some(RoomView { room, .. }) = maps.view(key) else { return Ok(None) };
        let others = maps.joined(key).filter(|(_, user)| user.id != room.owner && !user.deleted);
        let mut all: Vec<Member> =
            others.map(|(joined, user)| Member { name: user.name.clone(), joined }).collect();
        if request.order == Order::Descending {
            all.reverse();
        }
        let (after, skip) = match request.from {
            From::Start => (None, 0),
            From::After(place) => (Some(place), 0),
            From::Skip(skip) => (None, skip.min(all.len())),
        };
        all.retain(|member| match request.order {
            Order::Ascending => after.is_none_or(|place| member.joined > place),
            Order::Descending => after.is_none_or(|place| member.joined < place),
        });
        let more = all.len() - skip > request.limit;
        Ok(Some(MembersSlice {
            owner_is_member: maps.membership(key, room.owner).is_some(),
            owner: room.owner_name,
            members: all.into_iter().skip(skip).take(request.limit).collect(),
            skipped: skip,
            more,
        }))
    }

    async fn sweeps(&self, limit: usize) -> Result<Vec<Sweep>, StorageError> {
        Ok(self.maps().sweeps.iter().take(limit).copied().collect())
    }
}

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    use chatroom_core::test_util::{CountingIds, HandFacts, ManualClock};
    use chatroom_core::{Chatrooms, Limits, NewRoom, NewUser};

    // The importer's app, clock and ids; `embed_memory` shows real ones.
    let Some(app) = HandFacts::with_users(&[]).app(&HandFacts::app_key()).cloned() else { return Ok(()) };
    let clock = Arc::new(ManualClock::at(1_700_000_000_000));
    let (id, store) = (app.id, Arc::new(OwnMap::new(app, clock)));
    let chatrooms = Chatrooms::new(store.clone(), Arc::new(CountingIds::default()), Limits::default());

    for name in ["alice", "bob"] {
        chatrooms.register_users(id, vec![NewUser { name: name.parse()?, nickname: None }]).await?;
    }
    let new = NewRoom { owner: "alice", members: vec!["bob"], ..NewRoom::default() };
    let room = chatrooms.create_room(id, new).await?;
    chatrooms.remove_members(id, room.key.id, ["bob"]).await?;
    let left = chatrooms.room(id, room.key.id).await?.map(|view| view.members);
    assert_eq!(left, Some(1));
    Ok(())
}
