use async_trait::async_trait;

use super::Terminal;
use crate::admin::{Admin, AdminError};
use crate::config::Config;

/// What the commands need from the server behind them.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Serves until it is told to stop, and returns when the stop is complete. Logs are set up already.
    ///
    /// # Errors
    /// Why it could not start or had to end, in words without secrets.
    async fn serve(&self, serve: Serve, terminal: &mut Terminal) -> anyhow::Result<()>;

    /// Opens the store of the embedded data directory, which no server seems to hold. The store's own lock decides.
    ///
    /// # Errors
    /// [`AdminError::Failed`] if the directory cannot be opened, or is held by another process after all.
    async fn open_admin(&self, config: &Config) -> Result<Box<dyn Admin>, AdminError>;
}

/// What `serve` was asked for.
#[derive(Debug)]
pub struct Serve {
    /// The configuration in force.
    pub config: Config,
    /// Whether the demo app may be reached from other machines.
    pub public_demo: bool,
}
