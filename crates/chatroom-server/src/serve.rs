//! The running server: stores, sockets, start and stop.

mod accept;
mod banner;
mod credentials_file;
mod life;
mod listener;
mod patience;
mod server;
mod stop;
mod stores;
mod sweeper;
mod workers;

pub use crate::clock::{Stopwatch, SystemClock, SystemIds, SystemStopwatch};
pub use life::{Health, Life};
pub use listener::Address;
pub use server::{Environment, Server};
pub use stores::Stores;
pub(crate) use stores::{embedded_options, postgres_options};

use std::sync::Arc;

use anyhow::bail;
use async_trait::async_trait;
use chatroom_core::{Clock, Ids, Import};

use crate::admin::{Admin, AdminError};
use crate::apps::{Administrator, Apps};
use crate::callbacks::Callbacks;
use crate::cli::{Backend, Serve, Terminal};
use crate::config::{Config, StoreKind};
use crate::transfer::{Export, open_export, open_import};
use stop::Signals;

/// What the binary's commands run on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Local;

#[async_trait]
impl Backend for Local {
    async fn serve(&self, serve: Serve, terminal: &mut Terminal) -> anyhow::Result<()> {
        // Before anything is begun that a signal should end in order.
        let mut signals = Signals::listen()?;
        log_panics();
        let start = async {
            let stores = Stores::open(&serve.config).await?;
            Server::start(&serve.config, serve.public_demo, stores, Environment::system()).await
        };
        let server = tokio::select! {
            started = start => started?,
            () = signals.next() => bail!("stopped before it was started"),
        };
        let _announced = server.announce(terminal)?;
        let failed = tokio::select! {
            () = signals.next() => None,
            why = server.store_failed() => Some(why),
        };
        tokio::select! {
            () = server.stop() => {}
            () = signals.next() => bail!("stopped at once, by a second signal"),
        }
        match failed {
            None => Ok(()),
            Some(why) => bail!("the store failed, so nothing more was written: {why}"),
        }
    }

    async fn open_admin(&self, config: &Config) -> Result<Box<dyn Admin>, AdminError> {
        if config.store.kind == StoreKind::Memory {
            return Err(AdminError::Failed("the memory store keeps nothing to work on".to_owned()));
        }
        let stores = Stores::open(config).await.map_err(|e| AdminError::Failed(format!("{e:#}")))?;
        let ids: Arc<dyn Ids> = Arc::new(SystemIds);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let apps = Apps::load(stores.registry.clone(), ids.clone()).await.map_err(AdminError::failed)?;
        let callbacks = Callbacks::new(&config.callback, &stores, &apps, ids, clock.clone())
            .map_err(|e| AdminError::Failed(format!("{e:#}")))?;
        let admin = Administrator { apps: Arc::new(apps), callbacks, clock, sweeper: Arc::default() };
        Ok(Box::new(Opened { admin, life: stores.life }))
    }

    async fn migrate(&self, config: &Config) -> anyhow::Result<(i32, i32)> {
        if config.store.kind != StoreKind::Postgres {
            bail!("there is nothing to migrate: only `store.kind = \"postgres\"` has a schema");
        }
        Ok(chatroom_store_postgres::migrate(&postgres_options(config)?).await?)
    }

    async fn open_export(&self, config: &Config) -> anyhow::Result<Export> {
        open_export(config, &SystemClock, &SystemIds).await
    }

    async fn open_import(&self, config: &Config) -> anyhow::Result<Box<dyn Import>> {
        open_import(config, Arc::new(SystemClock)).await
    }
}

/// Sends panics to the log, so that a program that reads it can read every line.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("without a message");
        tracing::error!(at, "panicked: {message}");
    }));
}

/// An administrator on a store of its own.
struct Opened {
    admin: Administrator,
    life: Arc<dyn Life>,
}

#[async_trait]
impl Admin for Opened {
    async fn run(&self, request: crate::admin::AdminRequest) -> Result<crate::admin::AdminReply, AdminError> {
        self.admin.run(request).await
    }

    async fn close(&self) {
        self.life.close().await;
    }
}
