use std::sync::Arc;

use async_trait::async_trait;
use chatroom_store_embedded::EmbeddedStore;
use chatroom_store_memory::MemoryStore;
use chatroom_store_postgres::{Durability, PostgresStore};

/// How a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It works.
    Ready,
    /// It has no room on its disk, so it changes nothing; reads work.
    Full,
    /// It is closed.
    Closed,
    /// Its database does not answer: nothing can be read or changed until it does.
    Away,
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

    /// What a commit means now; `None` where it always means the same.
    fn durability(&self) -> Option<Durability> {
        None
    }

    /// Ends when apps or rules were changed since `known`, and answers what to ask with the next time; begin with 0.
    /// Never, where nobody but this process changes them.
    async fn registry_changed(&self, _known: i64) -> i64 {
        std::future::pending().await
    }
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

#[async_trait]
impl Life for PostgresStore {
    fn health(&self) -> Health {
        match PostgresStore::health(self) {
            chatroom_store_postgres::Health::Ready => Health::Ready,
            // The store has logged why.
            chatroom_store_postgres::Health::Away(_) => Health::Away,
            chatroom_store_postgres::Health::Closed => Health::Closed,
        }
    }

    /// Whatever becomes of the database, this process can go on when it is back.
    async fn failed(&self) -> Arc<str> {
        std::future::pending().await
    }

    async fn close(&self) {
        PostgresStore::close(self).await;
    }

    fn durability(&self) -> Option<Durability> {
        Some(PostgresStore::durability(self))
    }

    async fn registry_changed(&self, known: i64) -> i64 {
        PostgresStore::registry_changed(self, known).await
    }
}
