//! `cargo xtask test`: every test.

use std::process::Command;

use anyhow::{Result, ensure};
use xshell::{Cmd, cmd};

use crate::needs::{self, Need, present};
use crate::postgres::Shared;
use crate::project::Project;
use crate::runner::run_tests;
use crate::tally::{Runner, Tally};
use crate::{say, server, torture};

#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// How often the server is killed and started again; 20 times if absent
    #[arg(long, value_name = "N")]
    pub(crate) rounds: Option<u32>,
    /// How often the primary of a PostgreSQL cluster is killed; as often as the server if absent, else 3 times
    #[arg(long, value_name = "N")]
    pub(crate) failovers: Option<u32>,
}

pub(crate) fn run(project: &Project, args: Args) -> Result<()> {
    needs::ensure(needs())?;
    let postgres = Shared::start()?;
    server::build(project)?;
    let mut tally = run_targets(project, args, &postgres)?;
    tally += run_docs(project)?;
    say::line(&tally.to_string());
    verdict(tally)
}

/// What the tests start besides our own binary and PostgreSQL.
pub(crate) fn needs() -> &'static [&'static Need] {
    if cfg!(target_os = "linux") { &[&needs::CURL, &needs::STRACE] } else { &[&needs::CURL] }
}

/// A test that is not run shows nothing, so it counts against the run.
pub(crate) fn verdict(tally: Tally) -> Result<()> {
    ensure!(tally.failed == 0, "{} tests failed", tally.failed);
    ensure!(tally.skipped == 0, "{} tests were not run: none may be skipped", tally.skipped);
    ensure!(tally.passed > 0, "no test was run");
    Ok(())
}

/// Libraries, binaries, integration tests and examples. Building comes first and shows cargo's own progress.
fn run_targets(project: &Project, args: Args, postgres: &Shared) -> Result<Tally> {
    let (shell, cargo) = (&project.shell, Project::cargo());
    let (runner, verb): (_, &[&str]) = if present(&["cargo", "nextest", "--version"]) {
        (Runner::Nextest, &["nextest", "run"])
    } else {
        (Runner::Libtest, &["test"])
    };
    cmd!(shell, "{cargo} {verb...} --workspace --all-features --all-targets --no-run").run()?;
    let run = cmd!(shell, "{cargo} {verb...} --workspace --all-features --all-targets --no-fail-fast");
    started(runner, postgres.tell(torture::with_rounds(run, args.rounds, args.failovers))?)
}

/// The examples in the documentation, which nextest does not run.
fn run_docs(project: &Project) -> Result<Tally> {
    let cargo = Project::cargo();
    started(
        Runner::Libtest,
        cmd!(project.shell, "{cargo} test --doc --workspace --all-features --no-fail-fast"),
    )
}

/// Says what is run, as xshell does for what it runs itself, and counts.
pub(crate) fn started(runner: Runner, run: Cmd<'_>) -> Result<Tally> {
    say::line(&format!("$ {run}"));
    run_tests(runner, Command::from(run))
}
