use std::sync::Arc;

use anyhow::Context;
use chatroom_core::permits::PermitLedger;
use chatroom_core::{
    AppRegistry, CallbackLeases, CallbackOutbox, ChatroomRepository, Clock, Deliveries, RuleRegistry,
};
use chatroom_store_embedded::{EmbeddedStore, Options, Sync};
use chatroom_store_memory::{MemoryStore, Retention};
use chatroom_store_postgres::PostgresStore;

use super::life::Life;
use crate::clock::SystemClock;
use crate::config::{Config, StoreKind, StoreSync};

/// A store, by the parts that it plays.
#[derive(Clone)]
pub struct Stores {
    /// Holds users, rooms and memberships.
    pub repository: Arc<dyn ChatroomRepository>,
    /// Holds apps.
    pub registry: Arc<dyn AppRegistry>,
    /// Holds the rules of callbacks.
    pub rules: Arc<dyn RuleRegistry>,
    /// Holds the events.
    pub outbox: Arc<dyn CallbackOutbox>,
    /// Hands out what is to be delivered.
    pub leases: Arc<dyn CallbackLeases>,
    /// Shows and repairs deliveries.
    pub deliveries: Arc<dyn Deliveries>,
    /// Where the nodes on it agree on who may admit how many calls; `None` for stores of one process.
    pub permits: Option<Arc<dyn PermitLedger>>,
    /// How it is.
    pub life: Arc<dyn Life>,
}

impl Stores {
    /// Opens the store that the configuration names.
    ///
    /// # Errors
    /// Why it cannot be opened: held by another process, written by a newer version, damaged, not permitted, or not to
    /// be reached.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        match config.store.kind {
            StoreKind::Memory => Ok(Self::memory(config, Arc::new(SystemClock))),
            StoreKind::Embedded => {
                let options = embedded_options(config);
                let open = move || EmbeddedStore::open(&options, Arc::new(SystemClock));
                let opened =
                    tokio::task::spawn_blocking(open).await.context("opening the store broke off")?;
                Ok(Self::of(Arc::new(opened?)))
            }
            StoreKind::Postgres => {
                let store = PostgresStore::open(postgres_options(config)?, Arc::new(SystemClock)).await?;
                let store = Arc::new(store);
                Ok(Self { permits: Some(store.clone()), ..Self::of(store) })
            }
        }
    }

    /// A new memory store.
    #[must_use]
    pub fn memory(config: &Config, clock: Arc<dyn Clock>) -> Self {
        let retention = Retention { keep: config.callback.keep, keep_bytes: config.callback.keep_bytes };
        Self::of(Arc::new(MemoryStore::new(clock, config.store.max_members, retention)))
    }

    /// A store that plays all parts.
    #[must_use]
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: ChatroomRepository
            + AppRegistry
            + RuleRegistry
            + CallbackOutbox
            + CallbackLeases
            + Deliveries
            + Life,
    {
        Self {
            repository: store.clone(),
            registry: store.clone(),
            rules: store.clone(),
            outbox: store.clone(),
            leases: store.clone(),
            deliveries: store.clone(),
            permits: None,
            life: store,
        }
    }
}

/// How the embedded store is opened.
pub(crate) fn embedded_options(config: &Config) -> Options {
    Options {
        sync: match config.store.sync {
            StoreSync::Full => Sync::Full,
            StoreSync::None => Sync::None,
        },
        max_members: config.store.max_members,
        keep: config.callback.keep,
        keep_bytes: config.callback.keep_bytes,
        ..Options::new(&config.store.path)
    }
}

/// How the database is opened.
///
/// # Errors
/// The configuration names no database.
pub(crate) fn postgres_options(config: &Config) -> anyhow::Result<chatroom_store_postgres::Options> {
    let url = config.store.url.as_ref().context("store.url names no database")?;
    Ok(chatroom_store_postgres::Options {
        tls_ca: config.store.tls_ca.clone(),
        migrate: config.store.migrate,
        max_members: config.store.max_members,
        keep: config.callback.keep,
        keep_bytes: config.callback.keep_bytes,
        ..chatroom_store_postgres::Options::new(url.expose())
    })
}
