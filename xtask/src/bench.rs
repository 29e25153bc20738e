//! `cargo xtask bench`: the one place where speed is measured. It builds releases, starts what it measures and
//! needs nothing that has to be installed. How and why is in `docs/performance.md`.

mod batch;
mod build;
mod growth;
mod list;
mod load;
mod machine;
mod removal;
mod report;
mod requests;
mod round;
mod server;
mod world;

use anyhow::Result;
use clap::Subcommand;

use crate::project::Project;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Removals a second and their latency, on each store and on a server that stores nothing
    Removal(removal::Args),
    /// Members removed a second in batches of 100, to single calls
    Batch(batch::Args),
    /// A page of a large room's members, at its end to at its start
    List(list::Args),
    /// Rate, latency, memory, disk and start-up time from 10,000 to 10,000,000 memberships
    Growth(growth::Args),
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    build::become_a_release(project)?;
    match &args.what {
        What::Removal(args) => removal::run(project, args),
        What::Batch(args) => batch::run(project, args),
        What::List(args) => list::run(project, args),
        What::Growth(args) => growth::run(project, args),
    }
}
