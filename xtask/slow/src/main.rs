//! The server on a store that does 2,000 calls a second: what `cargo xtask bench overload` overloads. Its options are
//! those of `chatroom-server`. When it ends it says how many calls its store had.

mod store;

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use chatroom_core::Import;
use chatroom_server::admin::{Admin, AdminError};
use chatroom_server::cli::{Backend, Cli, Serve, Terminal};
use chatroom_server::config::Config;
use chatroom_server::serve::{Environment, Local, Server, Stores};
use chatroom_server::transfer::Export;
use clap::Parser as _;
use mimalloc::MiMalloc;
use tokio::signal::unix::{SignalKind, signal};

use self::store::SlowStore;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    chatroom_server::cli::run(Cli::parse(), std::env::vars_os(), &Slowed, &mut Terminal::standard())
}

struct Slowed;

#[async_trait]
impl Backend for Slowed {
    async fn serve(&self, serve: Serve, terminal: &mut Terminal) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let stores = Stores::open(&serve.config).await?;
        let slow = Arc::new(SlowStore::over(stores.repository.clone()));
        let stores = Stores { repository: slow.clone(), ..stores };
        let server = Server::start(&serve.config, serve.public_demo, stores, Environment::system()).await?;
        terminate.recv().await;
        server.stop().await;
        terminal.print(&format!("calls of the store: {}\n", slow.calls()))?;
        Ok(())
    }

    async fn open_admin(&self, config: &Config) -> Result<Box<dyn Admin>, AdminError> {
        Local.open_admin(config).await
    }

    async fn open_export(&self, config: &Config) -> anyhow::Result<Export> {
        Local.open_export(config).await
    }

    async fn open_import(&self, config: &Config) -> anyhow::Result<Box<dyn Import>> {
        Local.open_import(config).await
    }

    async fn migrate(&self, config: &Config) -> anyhow::Result<(i32, i32)> {
        Local.migrate(config).await
    }
}
