//! An embedded store with something of every kind.

use std::sync::Arc;

use chatroom_core::test_util::ManualClock;
use chatroom_core::{
    Action, AppChange, AppRegistry, CallbackLeases, ChangeRule, ChatroomId, ChatroomRepository, Chatrooms,
    Clock, DeleteUser, Deliveries, DeliveryFailure, Ids, LeaseRequest, Limits, NewApp, NewRoom, NewRule,
    NewUser, Operation, Origin, Progress, RoomKey, RuleChange, RuleId, RuleRegistry, RuleSecret,
    SecretDigest, Seq, Settlement, SigningKey, Span,
};
use chatroom_store_embedded::{EmbeddedPicture, EmbeddedStore, Options};
use tempfile::TempDir;

use crate::world::{APP, TestIds};

const DAY: i64 = 86_400_000;

/// A data directory, which nobody holds.
pub(super) struct Source {
    pub(super) dir: TempDir,
    pub(super) clock: Arc<ManualClock>,
    /// Of the first, the log was trimmed; the second waits to be told some of its log again; the third is dissolved.
    pub(super) rooms: Vec<ChatroomId>,
}

struct Filling {
    store: Arc<EmbeddedStore>,
    chatrooms: Chatrooms,
    clock: Arc<ManualClock>,
}

impl Source {
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(ManualClock::at(1_700_000_000_000));
        let mut source = Self { dir, clock: clock.clone(), rooms: Vec::new() };
        let store = source.open();
        let chatrooms = Chatrooms::new(store.clone(), Arc::new(TestIds), Limits::default());
        source.rooms = Filling { store: store.clone(), chatrooms, clock }.fill().await;
        store.close().await;
        source
    }

    fn options(&self) -> Options {
        Options::new(self.dir.path().join("data"))
    }

    pub(super) fn open(&self) -> Arc<EmbeddedStore> {
        Arc::new(EmbeddedStore::open(&self.options(), self.clock.clone()).expect("a store"))
    }

    pub(super) fn picture(&self) -> EmbeddedPicture {
        EmbeddedPicture::open(&self.options().dir, self.clock.now()).expect("a picture")
    }

    pub(super) fn key(&self, room: usize) -> RoomKey {
        RoomKey { app: APP, id: self.rooms[room] }
    }
}

impl Filling {
    async fn fill(&self) -> Vec<ChatroomId> {
        let new = NewApp {
            key: "test#app".parse().expect("an app key"),
            client_id: "client".into(),
            secret: SecretDigest([1; 32]),
            signing_key: SigningKey([2; 32]),
            origin: Origin::Command,
        };
        self.store.change(TestIds.operation(), APP, AppChange::Create(new)).await.expect("an app");
        let names = ["owner", "u0", "u1", "u2", "u3"];
        self.register(&names).await;
        let old = self.room(&names[1..]).await;
        self.clock.advance(9 * DAY);
        // Of this room, nothing is left but where its log ended.
        self.store.maintain().expect("a trim");
        let rule = self.rule("all").await;
        self.rule("other").await;
        self.change(RuleChange::RotateSecret("other".parse().expect("a name"), RuleSecret::new("newer")))
            .await;
        let (told, gone) = (self.room(&["u0", "u1"]).await, self.room(&["u2"]).await);
        for name in ["u0", "u1"] {
            self.remove(told, name).await;
            self.add(told, name).await;
        }
        self.settle().await;
        let run = Span { first: Seq(1), last: Seq(2) };
        let told_key = RoomKey { app: APP, id: told };
        self.store.replay(rule, vec![(told_key, run)]).await.expect("a replay");
        self.chatrooms.dissolve_room(APP, gone).await.expect("a dissolution");
        let delete = DeleteUser { name: "u3".parse().expect("a name") };
        let delete = Operation { id: TestIds.operation(), app: APP, action: Action::DeleteUser(delete) };
        self.store.transact(delete).await.expect("a deletion");
        vec![old, told, gone]
    }

    async fn register(&self, names: &[&str]) {
        let user =
            |name: &&str| NewUser { name: name.parse().expect("a name"), nickname: Some("Ü\u{0}".into()) };
        self.chatrooms.register_users(APP, names.iter().map(user).collect()).await.expect("users");
    }

    async fn room(&self, members: &[&str]) -> ChatroomId {
        self.clock.advance(1);
        let (custom, members) = ("\u{0}\"\\", members.to_vec());
        let new = NewRoom { owner: "owner", name: "räume", custom, members, ..NewRoom::default() };
        self.chatrooms.create_room(APP, new).await.expect("a room").key.id
    }

    async fn remove(&self, room: ChatroomId, name: &str) {
        self.chatrooms.remove_members(APP, room, [name]).await.expect("a removal");
    }

    async fn add(&self, room: ChatroomId, name: &str) {
        self.chatrooms.add_members(APP, room, [name]).await.expect("an addition");
    }

    async fn rule(&self, name: &str) -> RuleId {
        let new = NewRule {
            name: name.parse().expect("a name"),
            url: "https://receiver.example/".into(),
            secret: RuleSecret::new("secret"),
            enabled: true,
            events: None,
            rooms: None,
            origin: Origin::Command,
        };
        self.change(RuleChange::Add(new)).await
    }

    async fn change(&self, change: RuleChange) -> RuleId {
        self.clock.advance(1);
        let change = ChangeRule { change, max_rules: 5 };
        self.store.change_rule(TestIds.operation(), APP, change).await.expect("a rule").id
    }

    /// Of each room that waits: one event delivered, one given up, one that failed.
    async fn settle(&self) {
        for step in 0..3 {
            let leased = self.store.lease(LeaseRequest { leases: 8, events: 1 }).await.expect("leases");
            let done = leased.leases.iter().map(|lease| {
                let (seq, why) = (lease.events[0].seq, DeliveryFailure::new("it said no"));
                let (through, taken, then) = match step {
                    0 => (Some(seq), 1, Progress::Go),
                    1 => (None, 0, Progress::Bury { seq, why }),
                    _ => (None, 0, Progress::Retry { at: self.clock.now().plus_millis(60_000), why }),
                };
                Settlement { lease: lease.id, through, taken, then }
            });
            self.store.settle(done.collect()).await.expect("an answer");
        }
    }
}
