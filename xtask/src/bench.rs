//! `cargo xtask bench`: the one place where speed is measured. It builds releases, starts what it measures and
//! needs nothing that has to be installed. How and why is in `docs/performance.md`.

mod batch;
mod build;
mod callbacks;
mod growth;
mod list;
mod load;
mod machine;
mod message;
mod mix;
mod mixed;
mod overload;
mod postgres;
mod receiver;
mod removal;
mod report;
mod requests;
mod round;
mod server;
mod soak;
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
    /// As many additions as removals, with lists and details between them
    Mixed(mixed::Args),
    /// More calls than a slow store can do, calls over an app's limit, calls of strangers
    Overload(overload::Args),
    /// From a commit to a receiver, and what receivers that fail cost
    Callbacks(callbacks::Args),
    /// Removals a second on PostgreSQL in groups, to one transaction each
    Postgres(postgres::Args),
    /// Minutes of mixed calls at 70 % of the best rate: whether memory grows or the rate falls
    Soak(soak::Args),
    /// Rate, latency, memory, disk and start-up time from 10,000 to 10,000,000 memberships
    Growth(growth::Args),
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    build::become_a_release(project)?;
    match &args.what {
        What::Removal(args) => removal::run(project, args),
        What::Batch(args) => batch::run(project, args),
        What::List(args) => list::run(project, args),
        What::Mixed(args) => mixed::run(project, args),
        What::Overload(args) => overload::run(project, args),
        What::Callbacks(args) => callbacks::run(project, args),
        What::Postgres(args) => postgres::run(project, args),
        What::Soak(args) => soak::run(project, args),
        What::Growth(args) => growth::run(project, args),
    }
}
