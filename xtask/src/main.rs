//! The project's tasks: `cargo xtask --help` lists them. What CI runs is `cargo xtask ci`, so that nothing
//! fails there that cannot be run by hand.

mod bench;
mod ci;
mod cli;
mod clients;
mod deny;
mod needs;
mod postgres;
mod project;
mod runner;
mod say;
mod server;
mod tally;
mod test;
mod tidy;
mod torture;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Task};
use crate::project::Project;

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Causes in one line and no backtrace: what failed is a program or a rule, not this code.
            say::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    let project = Project::open()?;
    match task {
        Task::Test(args) => test::run(&project, args),
        Task::Torture(args) => torture::run(&project, args),
        Task::Bench(args) => bench::run(&project, &args),
        Task::Clients => clients::run(&project),
        Task::Deny => deny::run(&project),
        Task::Tidy => tidy::run(&project),
        Task::Ci => ci::run(&project),
    }
}
