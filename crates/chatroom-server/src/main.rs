//! The binary: reads the command line and runs the command.

use std::process::ExitCode;

use chatroom_server::cli::{Cli, Terminal};
use chatroom_server::serve::Local;
use clap::Parser;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    chatroom_server::cli::run(Cli::parse(), std::env::vars_os(), &Local, &mut Terminal::standard())
}
