use std::sync::Arc;

use async_trait::async_trait;
use chatroom_store_embedded::EmbeddedStore;
use chatroom_store_memory::MemoryStore;

/// How a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It works.
    Ready,
    /// It has no room on its disk, so it changes nothing; reads work.
    Full,
    /// It is closed.
    Closed,
    /// It failed and writes nothing more: the process should end. Why, in words without paths.
    Failed(Arc<str>),
}

/// The life of a store: what the process that runs it needs to know of it, and no caller.
#[async_trait]
pub trait Life: Send + Sync + 'static {
    /// How it is now.
    fn health(&self) -> Health;

    /// Ends when the store has failed, with the reason; never as long as it has not.
    async fn failed(&self) -> Arc<str>;

    /// Finishes what was begun, and takes nothing more.
    async fn close(&self);
}

#[async_trait]
impl Life for MemoryStore {
    fn health(&self) -> Health {
        Health::Ready
    }

    async fn failed(&self) -> Arc<str> {
        std::future::pending().await
    }

    async fn close(&self) {}
}

#[async_trait]
impl Life for EmbeddedStore {
    fn health(&self) -> Health {
        match EmbeddedStore::health(self) {
            chatroom_store_embedded::Health::Ready => Health::Ready,
            chatroom_store_embedded::Health::DiskFull => Health::Full,
            chatroom_store_embedded::Health::Closed => Health::Closed,
            chatroom_store_embedded::Health::Failed(why) => Health::Failed(why),
        }
    }

    async fn failed(&self) -> Arc<str> {
        EmbeddedStore::failed(self).await
    }

    async fn close(&self) {
        EmbeddedStore::close(self).await;
    }
}
