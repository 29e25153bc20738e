use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chatroom_core::permits::PermitLedger;
use chatroom_core::{
    AppChange, AppId, AppKey, AppRegistry, CallbackLeases, CallbackOutbox, ChatroomRepository, Clock,
    Deliveries, NewApp, OperationId, Origin, RuleRegistry, SecretDigest, SigningKey,
};

/// What a store is opened with.
#[derive(Clone)]
pub struct Setup {
    /// Where its time comes from. It stands still unless a promise moves it on.
    pub clock: Arc<dyn Clock>,
    /// The most memberships that it may hold; `None`: as many as fit.
    pub max_memberships: Option<u64>,
    /// How long it keeps events: seven days. No promise makes so many that another bound is met.
    pub keep: Duration,
}

/// Makes repositories to be tested. For those who implement only [`ChatroomRepository`]; every [`Harness`] is one.
#[async_trait]
pub trait RepositoryHarness: Send + Sync + 'static {
    /// What is tested.
    type Repository: ChatroomRepository;

    /// An empty repository with one app in it. Its time is that of `setup.clock`, or the time of what it did last
    /// if the clock went back. `setup.max_memberships` is `None`.
    async fn open(&self, setup: Setup) -> (Arc<Self::Repository>, AppId);
}

/// Makes stores to be tested: repositories that hold events and apps too. One harness stands for one place where
/// data lies.
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// What is tested.
    type Store: ChatroomRepository + CallbackOutbox + AppRegistry;

    /// An empty store. Called once.
    async fn open(&self, setup: Setup) -> Arc<Self::Store>;
}

/// Makes stores whose data outlives them.
#[async_trait]
pub trait DurableHarness: Harness {
    /// Ends the store as rudely as can be done without ending the test, and opens its data again. Nobody else holds
    /// `store`. What was queued when its callers gave up may be under way.
    async fn restart(&self, store: Arc<Self::Store>, setup: Setup) -> Arc<Self::Store>;
}

/// A store that hands out what is to be delivered.
pub trait DeliveryStore:
    ChatroomRepository + CallbackOutbox + AppRegistry + RuleRegistry + CallbackLeases + Deliveries
{
}

impl<S> DeliveryStore for S where
    S: ChatroomRepository + CallbackOutbox + AppRegistry + RuleRegistry + CallbackLeases + Deliveries
{
}

/// Makes stores that hand out what is to be delivered. Time passes by `setup.clock` only, so leases and waits end when
/// a promise says so.
#[async_trait]
pub trait DeliveryHarness: Harness<Store: DeliveryStore> {
    /// Lets retention take what is older than `setup.keep`, and returns when it has. The store has made a change
    /// since time moved on.
    async fn retain(&self, store: &Self::Store);
}

/// Makes ways to a ledger of limits over nodes. One harness stands for one ledger.
#[async_trait]
pub trait LedgerHarness: Send + Sync + 'static {
    /// What is tested.
    type Ledger: PermitLedger;

    /// The way of one node to the ledger, which is empty in the beginning. Called once a node.
    async fn ledger(&self) -> Arc<Self::Ledger>;
}

#[async_trait]
impl<H: Harness> RepositoryHarness for H {
    type Repository = H::Store;

    async fn open(&self, setup: Setup) -> (Arc<H::Store>, AppId) {
        let store = Harness::open(self, setup).await;
        let made =
            store.change(OperationId::new(1 << 16), FIRST_APP, AppChange::Create(new_app("first"))).await;
        // A store that cannot make an app fails at the first call on behalf of it.
        drop(made);
        (store, FIRST_APP)
    }
}

const FIRST_APP: AppId = AppId(1);

/// An app of this name.
pub(crate) fn new_app(app: &str) -> NewApp {
    NewApp {
        key: app_key(app),
        client_id: format!("client-of-{app}").into(),
        secret: SecretDigest([1; 32]),
        signing_key: SigningKey([2; 32]),
        origin: Origin::Command,
    }
}

#[expect(clippy::expect_used, reason = "the testkit's own names are legal")]
pub(crate) fn app_key(app: &str) -> AppKey {
    AppKey::from_parts("testkit", app).expect("a legal app key")
}
