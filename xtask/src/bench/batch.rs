//! `cargo xtask bench batch`: members removed a second in batches of 100, to single calls.

use anyhow::{Result, ensure};
use serde::Serialize;

use super::build;
use super::load::{self, Pace};
use super::report::{self, Bound, Goals, Out, Spread, Table, ratio};
use super::round::Subject;
use super::server::{Server, Setup, Store};
use super::world::{Size, World};
use crate::project::Project;
use crate::say::Progress;

const CONNECTIONS: usize = 64;
/// `limits.remove_batch` as it is unless somebody changes it.
const A_CALL: usize = 100;
/// Batches remove so many times as many members as single calls, or they would be over in an instant.
const MORE: usize = 10;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Memberships in all
    #[arg(long, default_value_t = 1_000_000)]
    members: usize,
    /// Rooms that they are in
    #[arg(long, default_value_t = 1_000)]
    rooms: usize,
    /// Rounds of each form
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Single removals of a round; batches remove ten times as many
    #[arg(long, default_value_t = 50_000)]
    removals: usize,
    #[command(flatten)]
    out: Out,
}

#[derive(Serialize)]
struct Round {
    /// Members removed a second, one a call.
    single_per_second: f64,
    /// Members removed a second, 100 a call.
    batch_per_second: f64,
    ratio: f64,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    let size = Size::of(args.members, args.rooms)?;
    ensure!(size.members > A_CALL, "a room has to have more than {A_CALL} members");
    ensure!(args.rounds > 0 && args.removals >= A_CALL, "at least one round of {A_CALL} removals");
    let binaries = build::binaries(project)?;
    let mut server = Server::start(project, &binaries.server, &Setup::of(Store::Embedded, size.members))?;
    let world = World::load("embedded", server.peer()?, size)?;
    let subject = Subject { name: "embedded".to_owned(), world, stores: true };
    subject.round(CONNECTIONS, Pace::Closed, args.removals, u64::MAX)?;
    let progress = Progress::of("batches and single calls", args.rounds);
    let mut rounds = Vec::new();
    for round in 0..args.rounds as u64 {
        let single = subject.round(CONNECTIONS, Pace::Closed, args.removals, round)?;
        let single_per_second = single.per_second();
        let batch_per_second = batches(&subject.world, args.removals * MORE / A_CALL, round)?;
        let ratio = batch_per_second / single_per_second;
        rounds.push(Round { single_per_second, batch_per_second, ratio });
        progress.add(1);
    }
    drop(progress);
    server.stop()?;
    let mut table = Table::new(&["members a call", "removed a second", "to single calls"]);
    let spread = |value: fn(&Round) -> f64| Spread::of(rounds.iter().map(value));
    table.row(vec!["1".to_owned(), spread(|round| round.single_per_second).rate(), "1".to_owned()]);
    table.row(vec![
        A_CALL.to_string(),
        spread(|round| round.batch_per_second).rate(),
        spread(|round| round.ratio).ratio(),
    ]);
    let mut goals = Goals::new();
    let to_single = spread(|round| round.ratio).median;
    goals.add("batches to single calls", to_single, Bound::AtLeast(8.0, Some(20.0)), ratio);
    let full_size =
        args.members >= 1_000_000 && args.rooms >= 1_000 && args.rounds >= 5 && args.removals >= 50_000;
    report::publish(project, "batch", &[&table, goals.table()], &rounds, &args.out, full_size)
}

/// Members removed a second by that many calls, or as many as there are members for.
fn batches(world: &World, calls: usize, seed: u64) -> Result<f64> {
    let chosen = world.choose_groups(calls, A_CALL, seed);
    let requests = world.removals(&chosen, A_CALL);
    let measured = load::run(world.peer.address, CONNECTIONS, Pace::Closed, &requests, |_, _| {})?;
    world.add(&chosen)?;
    Ok(chosen.len() as f64 / measured.elapsed.as_secs_f64())
}
