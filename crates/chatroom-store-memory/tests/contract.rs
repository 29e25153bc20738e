//! The reference store keeps the storage contract. Its data ends with it, so nothing is said about restarts.

use std::sync::Arc;

use chatroom_store_memory::{MemoryStore, Retention};
use chatroom_store_testkit::{
    DeliveryHarness, Harness, Setup, async_trait, contract_tests, delivery_tests, one_process_delivery_tests,
};

struct Memory;

#[async_trait]
impl Harness for Memory {
    type Store = MemoryStore;

    async fn open(&self, setup: Setup) -> Arc<MemoryStore> {
        let retention = Retention { keep: setup.keep, ..Retention::default() };
        Arc::new(MemoryStore::new(setup.clock, setup.max_memberships, retention))
    }
}

#[async_trait]
impl DeliveryHarness for Memory {
    /// Every change takes what is too old.
    async fn retain(&self, _: &MemoryStore) {}
}

contract_tests!(Memory);
delivery_tests!(Memory);
one_process_delivery_tests!(Memory);
