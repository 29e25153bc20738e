//! The store as callers use it, on a directory of its own.

use std::sync::Arc;

use chatroom_core::test_util::{CountingIds, ManualClock};
use chatroom_core::{
    App, AppChange, AppId, AppKey, AppRegistry, CallbackOutbox, ChatroomRepository, Chatrooms, Error, Limits,
    NewApp, NewRoom, OperationId, Origin, RoomKey, SecretDigest, Seq, SigningKey,
};

use super::*;

pub(crate) const NOW: i64 = 1_700_000_000_000;

/// A store in a directory, and what is needed to use it.
pub(crate) struct World {
    pub(crate) store: Arc<EmbeddedStore>,
    pub(crate) rooms: Chatrooms,
    pub(crate) app: AppId,
    pub(crate) options: Options,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ids: Arc<CountingIds>,
    pub(crate) _dir: Option<tempfile::TempDir>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options::new(dir.path().join("data"));
        Self::with(options, dir).await
    }

    pub(crate) async fn with(options: Options, dir: tempfile::TempDir) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let store = Arc::new(EmbeddedStore::open(&options, clock.clone()).unwrap());
        let app = make_app(&*store).await;
        let ids = Arc::new(CountingIds::default());
        let rooms = Chatrooms::new(store.clone(), ids.clone(), Limits::default());
        Self { store, rooms, app, options, clock, ids, _dir: Some(dir) }
    }

    /// Closes the store and opens it again.
    pub(crate) async fn reopen(mut self) -> Self {
        self.store.close().await;
        drop(self.store);
        self.store = Arc::new(EmbeddedStore::open(&self.options, self.clock.clone()).unwrap());
        self.rooms = Chatrooms::new(self.store.clone(), self.ids.clone(), Limits::default());
        self
    }

    /// Registers `owner` and `u0`, `u1`, …, and makes a room of them.
    pub(crate) async fn room_of(&self, members: usize) -> RoomKey {
        let names: Vec<String> = (0..members).map(|n| format!("u{n}")).collect();
        let all: Vec<&str> = std::iter::once("owner").chain(names.iter().map(String::as_str)).collect();
        for part in all.chunks(60) {
            let users =
                part.iter().map(|n| chatroom_core::NewUser { name: n.parse().unwrap(), nickname: None });
            let action =
                chatroom_core::Action::RegisterUsers(chatroom_core::RegisterUsers { users: users.collect() });
            let id = chatroom_core::Ids::operation(&*self.ids);
            self.store.transact(Operation { id, app: self.app, action }).await.unwrap();
        }
        let new = NewRoom {
            owner: "owner",
            members: all[1..].to_vec(),
            max_users: Some(10_000),
            ..NewRoom::default()
        };
        self.rooms.create_room(self.app, new).await.unwrap().key
    }

    pub(crate) async fn remove(&self, room: &RoomKey, name: &str) -> Result<(), Error> {
        self.rooms.remove_members(self.app, room.id, [name]).await.map(drop)
    }
}

pub(crate) async fn make_app(store: &EmbeddedStore) -> AppId {
    let key = AppKey::from_parts("demo", "chat").unwrap();
    let (secret, signing_key) = (SecretDigest([1; 32]), SigningKey([2; 32]));
    let new = NewApp { key, client_id: "id".into(), secret, signing_key, origin: Origin::Command };
    let app: App = store.change(OperationId::new(1 << 64), AppId(77), AppChange::Create(new)).await.unwrap();
    app.id
}

#[tokio::test]
async fn a_removal_is_there_after_a_restart_with_its_event() {
    let world = World::new().await;
    let room = world.room_of(3).await;
    world.remove(&room, "u1").await.unwrap();
    let events = world.store.events(&room, Seq(0), 10).await.unwrap();
    let view = world.store.room(&room).await.unwrap();
    let world = world.reopen().await;
    assert_eq!(world.store.room(&room).await.unwrap(), view);
    assert_eq!(world.store.events(&room, Seq(0), 10).await.unwrap(), events);
    assert_eq!(events.len(), 3);
    assert!(world.remove(&room, "u1").await.is_err(), "it is gone");
    world.remove(&room, "u2").await.unwrap();
    assert_eq!(world.store.events(&room, Seq(3), 10).await.unwrap().len(), 1);
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
