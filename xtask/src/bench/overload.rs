//! `cargo xtask bench overload`: more calls than can be done, calls over an app's limit, and calls of strangers.

mod limited;
mod slow;
mod strangers;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use super::build;
use super::report::{self, Bound, Goals, MIB, Out, Spread, Table, count, mib, millis, ratio, seconds};
use crate::project::Project;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Memberships on the slow store
    #[arg(long, default_value_t = 1_000_000)]
    members: usize,
    /// Rooms that they are in
    #[arg(long, default_value_t = 1_000)]
    rooms: usize,
    /// How long the slow store is overloaded, in seconds; this is done twice
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Rounds of calls over the limit, and as many of the bare server
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Calls of each of these rounds
    #[arg(long, default_value_t = 100_000)]
    calls: usize,
    /// Unknown app keys, and as many unknown tokens
    #[arg(long, default_value_t = 1_000_000)]
    strangers: usize,
    #[command(flatten)]
    out: Out,
}

#[derive(Serialize)]
#[serde(tag = "part", rename_all = "snake_case")]
enum Round {
    Slow(slow::Overloaded),
    Limited(limited::Round),
    Strangers(strangers::Growth),
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    ensure!(args.seconds > 0 && args.rounds > 0 && args.calls > 0, "at least one second, round and call");
    let binaries = build::binaries(project)?;
    let slowed = build::helper(project, "xtask-slow")?;
    let overloaded = slow::measure(project, &slowed, args).context("a slow store")?;
    let (limited, reached) =
        limited::measure(project, &slowed, &binaries.bare, args).context("over the limit")?;
    let growths = strangers::measure(project, &binaries.server, args.strangers).context("strangers")?;
    let mut goals = Goals::new();
    slow_goals(&mut goals, &overloaded);
    limited_goals(&mut goals, &limited, reached);
    for growth in &growths {
        let what = format!("memory after {} unknown {}", count(growth.strangers as f64), growth.what);
        goals.add(what, growth.grown_bytes as f64, Bound::AtMost(16.0 * MIB, None), mib);
    }
    let table = table(&overloaded);
    let rounds: Vec<_> = overloaded
        .into_iter()
        .map(Round::Slow)
        .chain(limited.into_iter().map(Round::Limited))
        .chain(growths.into_iter().map(Round::Strangers))
        .collect();
    let full_size = args.members >= 1_000_000
        && args.rooms >= 1_000
        && args.seconds >= 15
        && args.rounds >= 5
        && args.calls >= 100_000
        && args.strangers >= 1_000_000;
    report::publish(project, "overload", &[&table, goals.table()], &rounds, &args.out, full_size)
}

fn table(overloaded: &[slow::Overloaded]) -> Table {
    let mut table = Table::new(&[
        "overload",
        "offered a second",
        "answered a second",
        "their p99",
        "refused a second",
        "their p99",
        "most memory",
        "itself again after",
    ]);
    for (round, of) in overloaded.iter().enumerate() {
        table.row(vec![
            (round + 1).to_string(),
            count(of.offered_per_second),
            count(of.accepted_per_second),
            millis(of.accepted_p99_us as f64),
            count(of.refused_per_second),
            millis(of.refused_p99_us as f64),
            mib(of.peak_bytes as f64),
            seconds(of.recovered_after_s),
        ]);
    }
    table
}

/// What is held to the goals is the worst of the overloads.
fn slow_goals(goals: &mut Goals, overloaded: &[slow::Overloaded]) {
    let of = |value: fn(&slow::Overloaded) -> f64| Spread::of(overloaded.iter().map(value));
    let part = of(|round| round.accepted_per_second / slow::STORE_PER_SECOND).least;
    goals.add("answered, of what the store can do", part, Bound::AtLeast(0.9, None), ratio);
    let p99 = of(|round| round.accepted_p99_us as f64).most;
    goals.add("p99 of what is answered", p99, Bound::AtMost(250_000.0, None), millis);
    let offered = of(|round| round.offered_per_second / slow::OFFERED_PER_SECOND).least;
    goals.add("offered, of 20,000 a second", offered, Bound::AtLeast(0.9, None), ratio);
    let again = of(|round| round.recovered_after_s).most;
    goals.add("itself again after the load", again, Bound::AtMost(1.0, None), seconds);
    if let [first, .., last] = overloaded {
        let more = last.peak_bytes as f64 - first.peak_bytes as f64;
        goals.add(
            "most memory, the second time beyond the first",
            more,
            Bound::AtMost(16.0 * MIB, None),
            mib,
        );
    }
}

fn limited_goals(goals: &mut Goals, limited: &[limited::Round], reached: u64) {
    let cost = Spread::of(limited.iter().map(|round| round.cost)).median;
    goals.add("a call over the limit, to a bare answer", cost, Bound::AtMost(1.1, None), ratio);
    goals.add("calls over the limit that the store had", reached as f64, Bound::AtMost(0.0, None), count);
}
