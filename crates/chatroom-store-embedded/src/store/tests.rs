//! The store as callers use it, each on a directory of its own.

mod deliveries;
mod failures;
mod groups;
mod opening;
mod portable;
mod retention;
mod snapshots;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use chatroom_core::test_util::{CountingIds, ManualClock};
use chatroom_core::{
    Action, AppChange, AppId, AppKey, AppRegistry, CallbackOutbox, ChatroomRepository, Chatrooms, Error,
    Facts, Ids, Limits, NewApp, NewRoom, NewUser, Origin, RegisterUsers, RoomKey, SecretDigest, Seq,
    SigningKey,
};
use chatroom_store_memory::{DumpCursor, State};

use super::*;
use crate::journal::faulty::FaultyJournal;

/// Polls once; who waits longer polls again.
fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

const NOW: i64 = 1_700_000_000_000;

/// A store in a directory, and what is needed to use it.
struct World {
    store: Arc<EmbeddedStore>,
    rooms: Chatrooms,
    app: AppId,
    options: Options,
    clock: Arc<ManualClock>,
    ids: Arc<CountingIds>,
    _dir: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(set: impl FnOnce(&mut Options)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::new(dir.path().join("data"));
        set(&mut options);
        let clock = Arc::new(ManualClock::at(NOW));
        let store = EmbeddedStore::open(&options, clock.clone()).unwrap();
        Self::around(store, options, clock, dir).await
    }

    /// On a journal that fails when it is told to.
    async fn faulty(journal: &FaultyJournal, set: impl FnOnce(&mut Options)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::new(dir.path().join("data"));
        set(&mut options);
        let clock = Arc::new(ManualClock::at(NOW));
        let directory = Directory::open(&options.dir).unwrap();
        let opened = open::load(&options.dir, Box::new(journal.clone()), &options, clock.now()).unwrap();
        let store = EmbeddedStore::start(directory, opened, &options, clock.clone()).unwrap();
        Self::around(store, options, clock, dir).await
    }

    async fn around(
        store: EmbeddedStore,
        options: Options,
        clock: Arc<ManualClock>,
        dir: tempfile::TempDir,
    ) -> Self {
        let (store, ids) = (Arc::new(store), Arc::new(CountingIds::default()));
        let key = AppKey::from_parts("demo", "chat").unwrap();
        let (secret, signing_key) = (SecretDigest([1; 32]), SigningKey([2; 32]));
        let new = NewApp { key, client_id: "id".into(), secret, signing_key, origin: Origin::Command };
        let app = store.change(ids.operation(), AppId(77), AppChange::Create(new)).await.unwrap().id;
        let rooms = Chatrooms::new(store.clone(), ids.clone(), Limits::default());
        Self { store, rooms, app, options, clock, ids, _dir: dir }
    }

    /// Closes the store and opens it again.
    async fn reopen(mut self) -> Self {
        self.store.close().await;
        self.store = Arc::new(EmbeddedStore::open(&self.options, self.clock.clone()).unwrap());
        self.rooms = Chatrooms::new(self.store.clone(), self.ids.clone(), Limits::default());
        self
    }

    async fn register(&self, names: &[String]) {
        for part in names.chunks(60) {
            // Ids that count up are not spread over the places of one millisecond.
            self.clock.advance(1);
            let new = |name: &String| NewUser { name: name.parse().unwrap(), nickname: None };
            let users = part.iter().map(new).collect();
            self.operate(Action::RegisterUsers(RegisterUsers { users })).await.unwrap();
        }
    }

    async fn operate(&self, action: Action) -> Result<Outcome, TransactError> {
        let operation = Operation { id: self.ids.operation(), app: self.app, action };
        self.store.transact(operation).await
    }

    /// Registers `owner` and `u0`, `u1`, …, and makes a room of them.
    async fn room_of(&self, members: usize) -> RoomKey {
        let mut names: Vec<String> = (0..members).map(|n| format!("u{n}")).collect();
        names.push("owner".into());
        self.register(&names).await;
        self.room(&names[..members]).await
    }

    /// Makes a room of users that are registered.
    async fn room(&self, members: &[String]) -> RoomKey {
        self.clock.advance(1);
        let members = members.iter().map(String::as_str).collect();
        let new = NewRoom { owner: "owner", members, max_users: Some(10_000), ..NewRoom::default() };
        self.rooms.create_room(self.app, new).await.unwrap().key
    }

    async fn remove(&self, room: &RoomKey, name: &str) -> Result<(), Error> {
        self.rooms.remove_members(self.app, room.id, [name]).await.map(drop)
    }

    async fn add(&self, room: &RoomKey, name: &str) -> Result<(), Error> {
        self.rooms.add_members(self.app, room.id, [name]).await.map(drop)
    }

    /// Everything that the store holds in memory.
    fn whole(&self) -> Vec<String> {
        let engine = self.store.shared.engine();
        let mut all = whole(&engine.state);
        for room in engine.state.rooms_in(self.app, usize::MAX) {
            let places: Vec<_> = engine.index.after(&room, Seq(0), usize::MAX).collect();
            all.push(format!("{room:?} {places:?}"));
        }
        all
    }
}

/// Everything that a state holds, in an order that does not depend on how it came about.
fn whole(state: &State) -> Vec<String> {
    let (mut all, mut from) = (Vec::new(), Some(DumpCursor::start()));
    while let Some(cursor) = from {
        let (part, next) = state.dump(cursor, 10_000);
        all.extend(part.iter().map(|dumped| format!("{dumped:?}")));
        from = next;
    }
    all.sort();
    all
}

#[tokio::test]
async fn a_removal_is_there_after_a_restart_with_its_event() {
    let world = World::new().await;
    let room = world.room_of(3).await;
    world.remove(&room, "u1").await.unwrap();
    let events = world.store.events(&room, Seq(0), 10).await.unwrap();
    let before = world.whole();
    let world = world.reopen().await;
    assert_eq!(world.whole(), before);
    assert_eq!(world.store.events(&room, Seq(0), 10).await.unwrap(), events);
    assert_eq!(events.len(), 3);
    assert!(world.remove(&room, "u1").await.is_err(), "it is gone");
    world.remove(&room, "u2").await.unwrap();
    assert_eq!(world.store.events(&room, Seq(3), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn time_goes_on_from_what_is_stored_when_the_clock_went_back() {
    let world = World::new().await;
    let room = world.room_of(2).await;
    world.clock.advance(10_000);
    world.remove(&room, "u0").await.unwrap();
    world.clock.advance(-20_000);
    let world = world.reopen().await;
    world.remove(&room, "u1").await.unwrap();
    let events = world.store.events(&room, Seq(2), 10).await.unwrap();
    assert_eq!(events[0].at, events[1].at);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_100_that_remove_the_same_member_one_wins() {
    let world = Arc::new(World::new().await);
    let room = world.room_of(3).await;
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.remove(&room, "u1").await.is_ok() })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        won += usize::from(task.await.unwrap());
    }
    assert_eq!(won, 1);
    assert_eq!(world.store.events(&room, Seq(2), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let world = World::new().await;
    let room = world.room_of(1).await;
    world.store.close().await;
    assert_eq!(world.store.health(), Health::Closed);
    let refused = world.remove(&room, "u0").await.unwrap_err();
    assert!(matches!(refused, Error::Storage(e) if e.kind() == StorageErrorKind::Unavailable));
    assert!(world.store.room(&room).await.is_err());
    assert!(world.store.maintain().is_err());
    world.store.close().await;
}
