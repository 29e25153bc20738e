//! Nodes over one database, and callers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chatroom_core::test_util::{ManualClock, name};
use chatroom_core::{
    AppChange, AppId, AppRegistry, ChangeRule, ChatroomId, Chatrooms, Error, EventClass, Ids, Limits,
    MembersRemoved, NewApp, NewRoom, NewRule, NewUser, OperationId, Order, Origin, RoomKey, Rule, RuleChange,
    RuleRegistry, RuleSecret, SecretDigest, SigningKey,
};
use chatroom_store_postgres::{Options, PostgresStore};

use crate::database::Database;

const LIMITS: Limits = Limits { remove_batch: 1_000, batch: 1_000, max_users: 100_000 };

/// A node, and who calls it.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) store: Arc<PostgresStore>,
    pub(crate) chatrooms: Chatrooms,
    pub(crate) clock: Arc<ManualClock>,
}

/// The app that everything belongs to.
pub(crate) const APP: AppId = AppId(1);

pub(crate) struct TestIds;

static IDS: AtomicU64 = AtomicU64::new(1);

impl Ids for TestIds {
    fn operation(&self) -> OperationId {
        OperationId::new(u128::from(IDS.fetch_add(1, Ordering::SeqCst) * 4_099) << 16)
    }

    fn app(&self) -> AppId {
        AppId(IDS.fetch_add(1, Ordering::SeqCst).into())
    }
}

impl Node {
    pub(crate) async fn open(options: Options) -> Self {
        let clock = Arc::new(ManualClock::at(1_700_000_000_000));
        let store = Arc::new(PostgresStore::open(options, clock.clone()).await.expect("a store that opens"));
        Self::around(store, clock)
    }

    pub(crate) fn around(store: Arc<PostgresStore>, clock: Arc<ManualClock>) -> Self {
        let chatrooms = Chatrooms::new(store.clone(), Arc::new(TestIds), LIMITS);
        Self { store, chatrooms, clock }
    }

    /// A node of this name.
    pub(crate) async fn of(database: &Database, name: &str) -> Self {
        Self::open(Options::new(database.url(name))).await
    }

    /// Makes the app.
    pub(crate) async fn make_app(&self) {
        let new = NewApp {
            key: "test#app".parse().expect("an app key"),
            client_id: "client".into(),
            secret: SecretDigest([1; 32]),
            signing_key: SigningKey([2; 32]),
            origin: Origin::Command,
        };
        self.store.change(TestIds.operation(), APP, AppChange::Create(new)).await.expect("an app");
    }

    pub(crate) async fn users(&self, names: &[impl AsRef<str>]) -> Result<(), Error> {
        for part in names.chunks(1_000) {
            let users =
                part.iter().map(|user| NewUser { name: name(user.as_ref()), nickname: None }).collect();
            self.chatrooms.register_users(APP, users).await?;
            self.clock.advance(1);
        }
        Ok(())
    }

    /// Registers users, and makes a room of them.
    pub(crate) async fn room(&self, owner: &str, members: &[impl AsRef<str>]) -> ChatroomId {
        let members: Vec<&str> = members.iter().map(AsRef::as_ref).collect();
        let owners = [owner];
        self.users(&owners).await.unwrap_or_default();
        self.users(&members).await.unwrap_or_default();
        self.clock.advance(1);
        let new = NewRoom { owner, members, max_users: Some(50_000), ..NewRoom::default() };
        self.chatrooms.create_room(APP, new).await.expect("a room").key.id
    }

    pub(crate) async fn remove(&self, room: ChatroomId, user: &str) -> Result<MembersRemoved, Error> {
        self.chatrooms.remove_members(APP, room, [user]).await
    }

    /// The members of a room without its owner.
    pub(crate) async fn members(&self, room: ChatroomId) -> Vec<String> {
        let request = chatroom_core::MembersRequest {
            from: chatroom_core::From::Start,
            limit: 100_000,
            order: Order::Ascending,
        };
        let slice = self.chatrooms.members(APP, room, request).await.expect("a page").expect("a room");
        slice.members.into_iter().map(|member| member.name.to_string()).collect()
    }

    /// Makes a rule that is told of removals.
    pub(crate) async fn rule(&self, rule: &str) -> Rule {
        let new = NewRule {
            name: rule.parse().expect("a rule's name"),
            url: "https://receiver.example/".into(),
            secret: RuleSecret::new("secret"),
            enabled: true,
            events: Some([EventClass::Kicked].into()),
            rooms: None,
            origin: Origin::Command,
        };
        let change = ChangeRule { change: RuleChange::Add(new), max_rules: 5 };
        self.clock.advance(1);
        self.store.change_rule(TestIds.operation(), APP, change).await.expect("a rule")
    }
}

/// So many names.
pub(crate) fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{prefix}{index:05}")).collect()
}

pub(crate) fn key(room: ChatroomId) -> RoomKey {
    RoomKey { app: APP, id: room }
}

/// Runs a test on a runtime of its own.
pub(crate) fn run<F: Future<Output = ()>>(test: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(test);
}
