//! `cargo xtask bench mixed`: as many additions as removals, and lists and details between them.

use anyhow::{Result, ensure};
use serde::Serialize;

use super::build;
use super::load::Pace;
use super::mix::{Kind, Mix, Stepped};
use super::report::{self, Out, Spread, Table, count, millis};
use super::server::{Server, Setup, Store};
use super::world::{Size, World};
use crate::project::Project;
use crate::say::Progress;

const CONNECTIONS: usize = 64;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Memberships in all
    #[arg(long, default_value_t = 1_000_000)]
    members: usize,
    /// Rooms that they are in
    #[arg(long, default_value_t = 1_000)]
    rooms: usize,
    /// Rounds in a closed loop, and as many at a fixed rate
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Calls of a round
    #[arg(long, default_value_t = 100_000)]
    calls: usize,
    /// The fixed rate, in calls a second; half of the best if absent
    #[arg(long)]
    rate: Option<f64>,
    #[command(flatten)]
    out: Out,
}

#[derive(Serialize)]
struct Round {
    kind: &'static str,
    /// Calls of this kind a second, in a closed loop.
    per_second: f64,
    /// The fixed rate, of all kinds together.
    rate: f64,
    /// At the fixed rate.
    p50_us: u64,
    p99_us: u64,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    ensure!(args.rounds > 0, "at least one round");
    let size = Size::of(args.members, args.rooms)?;
    let binaries = build::binaries(project)?;
    let mut server = Server::start(project, &binaries.server, &Setup::of(Store::Embedded, size.members))?;
    let world = World::load("embedded", server.peer()?, size)?;
    let mut mix = Mix::begin(&world, args.calls)?;
    let progress = Progress::of("mixed calls", 2 * args.rounds + 1);
    let mut step = |pace| -> Result<Stepped> {
        let stepped = mix.next(&world).run(&world, CONNECTIONS, pace)?;
        progress.add(1);
        Ok(stepped)
    };
    step(Pace::Closed)?;
    let closed = (0..args.rounds).map(|_| step(Pace::Closed)).collect::<Result<Vec<_>>>()?;
    let best = closed.iter().map(|stepped| stepped.per_second).fold(0.0, f64::max);
    let rate = args.rate.unwrap_or(best / 2.0);
    let fixed = (0..args.rounds).map(|_| step(Pace::PerSecond(rate))).collect::<Result<Vec<_>>>()?;
    drop(progress);
    server.stop()?;
    let pairs = closed.iter().zip(&fixed);
    let rounds: Vec<_> = pairs.flat_map(|(closed, fixed)| rounds(closed, fixed, rate)).collect();
    let table = table(&rounds, rate);
    let full_size = args.members >= 1_000_000
        && args.rooms >= 1_000
        && args.rounds >= 5
        && args.calls >= 100_000
        && args.rate.is_none();
    report::publish(project, "mixed", &[&table], &rounds, &args.out, full_size)
}

/// What the two runs of a round say of each kind.
fn rounds(closed: &Stepped, fixed: &Stepped, rate: f64) -> [Round; Kind::ALL.len()] {
    Kind::ALL.map(|kind| Round {
        kind: kind.name(),
        per_second: closed.per_second * closed.share(kind),
        rate,
        p50_us: fixed.of(kind).quantile(0.5),
        p99_us: fixed.of(kind).quantile(0.99),
    })
}

fn table(rounds: &[Round], rate: f64) -> Table {
    let rate = count(rate);
    let mut table = Table::new(&[
        "call",
        "a second",
        &format!("p50 at {rate}/s in all"),
        &format!("p99 at {rate}/s in all"),
    ]);
    for kind in Kind::ALL.map(Kind::name) {
        let of = |value: fn(&Round) -> f64| {
            Spread::of(rounds.iter().filter(|round| round.kind == kind).map(value))
        };
        table.row(vec![
            kind.to_owned(),
            of(|round| round.per_second).rate(),
            millis(of(|round| round.p50_us as f64).median),
            millis(of(|round| round.p99_us as f64).median),
        ]);
    }
    table
}
