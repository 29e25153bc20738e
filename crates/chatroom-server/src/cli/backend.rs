use async_trait::async_trait;
use chatroom_core::Import;

use super::Terminal;
use crate::admin::{Admin, AdminError};
use crate::config::Config;
use crate::transfer::Export;

/// What the commands need from the server behind them.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Serves until it is told to stop, and returns when the stop is complete. Logs are set up already.
    ///
    /// # Errors
    /// Why it could not start or had to end, in words without secrets.
    async fn serve(&self, serve: Serve, terminal: &mut Terminal) -> anyhow::Result<()>;

    /// Opens the store: a database, or the embedded data directory, which no server seems to hold. The store's own lock
    /// decides.
    ///
    /// # Errors
    /// [`AdminError::Failed`] if it cannot be opened, or is held by another process after all.
    async fn open_admin(&self, config: &Config) -> Result<Box<dyn Admin>, AdminError>;

    /// Applies the pending migrations of the database. Answers its schema before and after.
    ///
    /// # Errors
    /// Why it cannot be migrated, in words without secrets.
    async fn migrate(&self, config: &Config) -> anyhow::Result<(i32, i32)>;

    /// Opens everything that the store holds now. A server may run on it.
    ///
    /// # Errors
    /// Why it cannot be read, in words without secrets.
    async fn open_export(&self, config: &Config) -> anyhow::Result<Export>;

    /// Opens the store to import into it. No server may run on it.
    ///
    /// # Errors
    /// Why it cannot be opened, in words without secrets.
    async fn open_import(&self, config: &Config) -> anyhow::Result<Box<dyn Import>>;
}

/// What `serve` was asked for.
#[derive(Debug)]
pub struct Serve {
    /// The configuration in force.
    pub config: Config,
    /// Whether the demo app may be reached from other machines.
    pub public_demo: bool,
}
