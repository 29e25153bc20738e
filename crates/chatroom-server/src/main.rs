//! The binary: reads the command line and runs the command.

use std::process::ExitCode;

use chatroom_server::admin::{Admin, AdminError};
use chatroom_server::cli::{Backend, Cli, Serve, Terminal};
use chatroom_server::config::Config;
use clap::Parser;

fn main() -> ExitCode {
    chatroom_server::cli::run(Cli::parse(), std::env::vars_os(), &NoServer, &mut Terminal::standard())
}

/// Stands where the server will be.
struct NoServer;

#[async_trait::async_trait]
impl Backend for NoServer {
    async fn serve(&self, _: Serve, _: &mut Terminal) -> anyhow::Result<()> {
        anyhow::bail!("this build has no server yet")
    }

    async fn open_admin(&self, _: &Config) -> Result<Box<dyn Admin>, AdminError> {
        Err(AdminError::Failed("this build opens no store yet".to_owned()))
    }
}
