//! The reference store keeps the storage contract. Its data ends with it, so nothing is said about restarts.

use std::sync::Arc;

use chatroom_store_memory::{MemoryStore, Retention};
use chatroom_store_testkit::{Harness, Setup, async_trait, contract_tests};

struct Memory;

#[async_trait]
impl Harness for Memory {
    type Store = MemoryStore;

    async fn open(&self, setup: Setup) -> Arc<MemoryStore> {
        Arc::new(MemoryStore::new(setup.clock, setup.max_memberships, Retention::default()))
    }
}

contract_tests!(Memory);
