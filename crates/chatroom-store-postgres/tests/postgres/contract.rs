//! The storage contract, on PostgreSQL.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chatroom_core::test_util::ManualClock;
use chatroom_store_postgres::{Options, PostgresStore};
use chatroom_store_testkit::{
    DeliveryHarness, DurableHarness, Harness, LedgerHarness, Setup, async_trait, contract_tests,
    delivery_durability_tests, delivery_tests, durability_tests, permit_tests,
};

use crate::database::Database;

/// Stores in a schema of their own, which is gone with it.
struct Postgres {
    database: Database,
    lives: AtomicU32,
}

impl Postgres {
    fn new() -> Self {
        Self { database: Database::new(), lives: AtomicU32::new(0) }
    }

    async fn store(&self, setup: &Setup) -> Arc<PostgresStore> {
        let mut options = Options::new(self.database.url(&self.life()));
        options.max_members = setup.max_memberships;
        options.keep = setup.keep;
        Arc::new(PostgresStore::open(options, setup.clock.clone()).await.expect("a store that opens"))
    }

    fn life(&self) -> String {
        format!("life{}", self.lives.load(Ordering::SeqCst))
    }
}

#[async_trait]
impl Harness for Postgres {
    type Store = PostgresStore;

    async fn open(&self, setup: Setup) -> Arc<PostgresStore> {
        self.store(&setup).await
    }
}

/// Ends all sessions of the store in the middle of whatever they do, as the database does when a node is gone, and
/// opens another.
#[async_trait]
impl DurableHarness for Postgres {
    async fn restart(&self, store: Arc<PostgresStore>, setup: Setup) -> Arc<PostgresStore> {
        drop(store);
        self.database.end_sessions(&self.life()).await;
        // So long is a node not heard of before another may go on.
        self.database.end_leases().await;
        self.lives.fetch_add(1, Ordering::SeqCst);
        self.store(&setup).await
    }
}

#[async_trait]
impl DeliveryHarness for Postgres {
    async fn retain(&self, store: &PostgresStore) {
        store.maintain().await.expect("retention");
    }
}

#[async_trait]
impl LedgerHarness for Postgres {
    type Ledger = PostgresStore;

    async fn ledger(&self) -> Arc<PostgresStore> {
        self.lives.fetch_add(1, Ordering::SeqCst);
        let options = Options::new(self.database.url(&self.life()));
        let clock = Arc::new(ManualClock::at(0));
        Arc::new(PostgresStore::open(options, clock).await.expect("a store that opens"))
    }
}

contract_tests!(Postgres::new());
delivery_tests!(Postgres::new());
delivery_durability_tests!(Postgres::new());
durability_tests!(Postgres::new());
permit_tests!(Postgres::new());
