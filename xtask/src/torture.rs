//! `cargo xtask torture`: the kill and fault loops, for as long as one likes, on a release build.

use anyhow::Result;
use xshell::{Cmd, cmd};

use crate::postgres::Shared;
use crate::project::Project;
use crate::tally::Runner;
use crate::{needs, say, test};

/// What the tests read. They print the seed that they take when none is given.
const ROUNDS: &str = "CHATROOM_TORTURE_ROUNDS";
const FAILOVERS: &str = "CHATROOM_FAILOVER_ROUNDS";
const SEED: &str = "CHATROOM_TORTURE_SEED";

#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Args {
    /// How often the server is killed and started again
    #[arg(long, value_name = "N")]
    rounds: u32,
    /// The seed that a failed run printed, to see the same moments again
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

pub(crate) fn run(project: &Project, args: Args) -> Result<()> {
    needs::ensure(test::needs())?;
    let postgres = Shared::start()?;
    let (shell, cargo) = (&project.shell, Project::cargo());
    let target: &[&str] =
        &["test", "--release", "--package", "chatroom-server", "--all-features", "--test", "e2e"];
    cmd!(shell, "{cargo} {target...} --no-run").run()?;
    // One after the other and uncaptured, so that a seed stands beside the round that it belongs to.
    let run = cmd!(shell, "{cargo} {target...} -- --nocapture --test-threads=1 torture_ crash_");
    let run = with_rounds(run, Some(args.rounds), None);
    let run = match args.seed {
        Some(seed) => run.env(SEED, seed.to_string()),
        None => run,
    };
    let tally = test::started(Runner::Libtest, postgres.tell(run)?)?;
    say::line(&tally.to_string());
    test::verdict(tally)
}

pub(crate) fn with_rounds(run: Cmd<'_>, rounds: Option<u32>, failovers: Option<u32>) -> Cmd<'_> {
    [(ROUNDS, rounds), (FAILOVERS, failovers)].into_iter().fold(run, |run, (variable, rounds)| match rounds {
        Some(rounds) => run.env(variable, rounds.to_string()),
        None => run,
    })
}
