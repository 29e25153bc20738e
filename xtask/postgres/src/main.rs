//! Starts a cluster, prints its URL, and ends it when the input ends: for trying something out by hand.

use std::io::{Read as _, Write as _, stdin, stdout};

use anyhow::Result;
use xtask_postgres::Cluster;

fn main() -> Result<()> {
    let cluster = Cluster::start()?;
    writeln!(stdout(), "{}", cluster.url("postgres"))?;
    stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
