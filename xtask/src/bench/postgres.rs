//! `cargo xtask bench postgres`: removals a second in groups, to one transaction a removal with the same records.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use xtask_postgres::Cluster;

use super::build;
use super::report::{self, Bound, Goals, Out, Spread, Table, ratio};
use crate::needs;
use crate::project::Project;
use crate::say::{Progress, Working};

/// Of each round: many rooms and one, 64 and 256 callers.
const CASES: [(&str, usize); 4] = [("spread", 64), ("one", 64), ("spread", 256), ("one", 256)];

/// So many files of the log lie ready for a benchmark: 16 MiB each.
const LOG_FILES: usize = 128;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Members of the one room; the others have five times as many in all
    #[arg(long, default_value_t = 40_000)]
    members: usize,
    /// Rooms to spread over
    #[arg(long, default_value_t = 1_000)]
    rooms: usize,
    /// Rounds of each case
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Single removals of a round; groups remove four times as many
    #[arg(long, default_value_t = 5_000)]
    removals: usize,
    #[command(flatten)]
    out: Out,
}

#[derive(Deserialize)]
struct Measured {
    rooms: String,
    callers: usize,
    grouped_per_second: f64,
    single_per_second: f64,
}

/// The stable shape of `--json`.
#[derive(Serialize)]
struct Round {
    rooms: String,
    callers: usize,
    grouped_per_second: f64,
    single_per_second: f64,
    ratio: f64,
}

/// PostgreSQL as benchmarks have it. What is measured is durable: commits wait for the disk.
pub(super) fn cluster() -> Result<Cluster> {
    needs::ensure(&[&needs::POSTGRES])?;
    let _working = Working::on("starting PostgreSQL");
    Cluster::start_with(&[
        ("fsync", "on"),
        // The data fits, as it does on a database that is not too small for it.
        ("shared_buffers", "1GB"),
        ("min_wal_size", "4GB"),
        ("max_wal_size", "4GB"),
        // None falls into one target's rounds and not into those of another.
        ("checkpoint_timeout", "1h"),
    ])
}

/// Brings a database that was just filled to where one is that has run for a while: its tables are analyzed, as
/// autovacuum does within a minute, and the files of its log lie ready. A new file is written twice and stops every
/// commit meanwhile, which is seen in every p99; behind a checkpoint old ones are used again.
pub(super) fn settle(cluster: &Cluster, database: &str) -> Result<()> {
    let _working = Working::on("settling PostgreSQL");
    cluster.query(database, "ANALYZE")?;
    for _ in 0..LOG_FILES {
        cluster.query(database, "SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()")?;
    }
    cluster.query(database, "CHECKPOINT")?;
    Ok(())
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    ensure!(args.rounds > 0 && args.removals > 0, "at least one round of one removal");
    let program = build::helper(project, "xtask-grouping")?;
    let cluster = cluster()?;
    let url = cluster.create_database("grouping")?;
    let mut command = Command::new(program);
    command.args(["--url", &url]);
    let numbers = [
        ("--members", args.members),
        ("--rooms", args.rooms),
        ("--rounds", args.rounds),
        ("--removals", args.removals),
    ];
    for (name, number) in numbers {
        command.arg(name).arg(number.to_string());
    }
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start xtask-grouping")?;
    let progress = Progress::of("groups and single removals", args.rounds * CASES.len());
    let mut rounds = Vec::new();
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        let Measured { rooms, callers, grouped_per_second, single_per_second } =
            serde_json::from_str(&line?)?;
        let ratio = grouped_per_second / single_per_second;
        rounds.push(Round { rooms, callers, grouped_per_second, single_per_second, ratio });
        progress.add(1);
    }
    drop(progress);
    let status = child.wait()?;
    ensure!(status.success(), "xtask-grouping failed: {status}");
    let full_size =
        args.members >= 40_000 && args.rooms >= 1_000 && args.rounds >= 5 && args.removals >= 5_000;
    let (table, goals) = shown(&rounds);
    report::publish(project, "postgres", &[&table, goals.table()], &rounds, &args.out, full_size)
}

fn shown(rounds: &[Round]) -> (Table, Goals) {
    let mut table = Table::new(&["rooms", "callers", "grouped, a second", "one by one, a second", "ratio"]);
    let mut goals = Goals::new();
    for (rooms, callers) in CASES {
        let of = |value: fn(&Round) -> f64| {
            let case = |round: &&Round| round.rooms == rooms && round.callers == callers;
            Spread::of(rounds.iter().filter(case).map(value))
        };
        let to_single = of(|round| round.ratio);
        table.row(vec![
            rooms.to_owned(),
            callers.to_string(),
            of(|round| round.grouped_per_second).rate(),
            of(|round| round.single_per_second).rate(),
            to_single.ratio(),
        ]);
        let what = format!("{rooms}, {callers} callers, to one by one");
        goals.add(what, to_single.median, Bound::AtLeast(4.0, Some(6.0)), ratio);
    }
    (table, goals)
}

#[cfg(test)]
mod tests {
    use super::{Round, shown};

    fn round(rooms: &str, callers: usize, ratio: f64) -> Round {
        let (grouped_per_second, single_per_second) = (1_000.0 * ratio, 1_000.0);
        Round { rooms: rooms.to_owned(), callers, grouped_per_second, single_per_second, ratio }
    }

    #[test]
    fn each_case_is_held_to_the_goal_by_its_own_rounds() {
        let rounds = [round("spread", 64, 3.0), round("spread", 64, 5.0), round("one", 64, 7.0)];
        let (table, goals) = shown(&rounds);
        let table = table.markdown();
        assert!(
            table.contains(
                "| spread | 64 | 4,000 (3,000 to 5,000) | 1,000 (1,000 to 1,000) | 4.00 (3.00 to 5.00) |"
            ),
            "{table}"
        );
        let goals = goals.table().markdown();
        assert!(
            goals.contains("| spread, 64 callers, to one by one | 4.00 | ≥ 4.00 | ≥ 6.00 | yes |"),
            "{goals}"
        );
        assert!(
            goals.contains("| one, 64 callers, to one by one | 7.00 | ≥ 4.00 | ≥ 6.00 | the aim |"),
            "{goals}"
        );
        assert!(
            goals.contains("| one, 256 callers, to one by one | NaN | ≥ 4.00 | ≥ 6.00 | no |"),
            "{goals}"
        );
    }

    #[test]
    fn the_json_of_a_round_has_the_shape_that_others_read() {
        let shown = serde_json::to_string(&round("one", 64, 2.0)).unwrap();
        assert_eq!(
            shown,
            r#"{"rooms":"one","callers":64,"grouped_per_second":2000.0,"single_per_second":1000.0,"ratio":2.0}"#
        );
    }
}
