//! The command line. `tidy` asks these definitions whether the documents name commands that exist.

use clap::{Parser, Subcommand};

use crate::{bench, test, torture};

/// The project's tasks.
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Task {
    /// Run every test, of the code and of its documentation
    Test(test::Args),
    /// Kill the server and fail its disk again and again, and look for lost or repeated writes
    Torture(torture::Args),
    /// Measure speed, on release builds, against a server that stores nothing
    Bench(bench::Args),
    /// Drive published third-party clients against a running server
    Clients,
    /// Check the licences, bans and sources of everything that comes in from outside
    Deny,
    /// Check what a compiler does not: who may know whom, file lengths, links, commands, promises
    Tidy,
    /// Everything that has to hold before a change goes in
    Ci,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
