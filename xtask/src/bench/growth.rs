//! `cargo xtask bench growth`: what changes when there are more memberships. All sizes are loaded first and are
//! then measured in turn, so that the machine's moods fall on all of them.

mod shown;
mod snapshots;

use std::time::Duration;

use anyhow::{Result, ensure};

use self::shown::Grown;
use super::build::{self, Binaries};
use super::load::Pace;
use super::report::{self, Out, count};
use super::round::{Subject, in_turn};
use super::server::{Server, Setup, Store};
use super::world::{Size, World};
use crate::project::Project;
use crate::say::{Progress, Working};

const CONNECTIONS: usize = 64;
/// Memberships, and how many rooms they are in.
const SIZES: [(usize, usize); 5] =
    [(10_000, 10), (100_000, 100), (1_000_000, 1_000), (10_000_000, 10_000), (1_000_000, 1)];
/// Between two snapshots are more removals than a round has.
const ROUNDS_FOR_A_SNAPSHOT: usize = 5;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave out the sizes beyond so many memberships
    #[arg(long, default_value_t = 10_000_000)]
    largest: usize,
    /// Rounds of each size
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Removals of a round; at most half of the members
    #[arg(long, default_value_t = 50_000)]
    removals: usize,
    #[command(flatten)]
    out: Out,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    ensure!(args.rounds > 0 && args.removals > 0, "at least one round of one removal");
    let binaries = build::binaries(project)?;
    let (mut servers, mut subjects) = (Vec::new(), Vec::new());
    for (memberships, rooms) in SIZES {
        if memberships <= args.largest {
            let (server, subject) = load(project, &binaries, Size::of(memberships, rooms)?)?;
            servers.push(server);
            subjects.push(subject);
        }
    }
    let (rate, mut grown) = measure(&subjects, args)?;
    let largest = subjects.iter().map(|subject| subject.world.size.memberships()).max();
    let progress = Progress::of("restarts", grown.len());
    for ((server, subject), grown) in servers.iter_mut().zip(&subjects).zip(&mut grown) {
        restart(server, subject, grown, args)?;
        let removals = ROUNDS_FOR_A_SNAPSHOT * args.removals;
        if Some(subject.world.size.memberships()) == largest && subject.world.size.rooms > 1 {
            let removals = removals.min(subject.world.size.memberships() / 2);
            grown.snapshots = snapshots::measure(&server.data(), subject, CONNECTIONS, removals)?;
        }
        server.stop()?;
        progress.add(1);
    }
    drop(progress);
    let table = shown::table(&grown, rate);
    let goals = shown::goals(&grown);
    let full_size = args.largest >= 10_000_000 && args.rounds >= 5 && args.removals >= 50_000;
    report::publish(project, "growth", &[&table, goals.table()], &grown, &args.out, full_size)
}

fn load(project: &Project, binaries: &Binaries, size: Size) -> Result<(Server, Subject)> {
    let name = format!("{} in {}", count(size.memberships() as f64), count(size.rooms as f64));
    let server = Server::start(project, &binaries.server, &Setup::of(Store::Embedded, size.members))?;
    let world = World::load(&name, server.peer()?, size)?;
    Ok((server, Subject { name, world, stores: true }))
}

fn removals(subject: &Subject, args: &Args) -> usize {
    args.removals.min(subject.world.size.memberships() / 2)
}

/// Rates and latencies. The latency is measured at half of the slowest size's best rate, the same for all.
fn measure(subjects: &[Subject], args: &Args) -> Result<(f64, Vec<Grown>)> {
    let mut grown: Vec<_> = subjects.iter().map(|subject| Grown::empty(subject.world.size)).collect();
    for subject in subjects {
        let _working = Working::on(format!("{}: warming up", subject.name));
        subject.round(CONNECTIONS, Pace::Closed, removals(subject, args), u64::MAX)?;
    }
    let progress = Progress::of("removals", 2 * args.rounds * subjects.len());
    for round in 0..args.rounds {
        for (index, subject) in in_turn(subjects, round) {
            let measured = subject.round(CONNECTIONS, Pace::Closed, removals(subject, args), round as u64)?;
            grown[index].per_second.push(measured.per_second());
            progress.add(1);
        }
    }
    let best = |grown: &Grown| grown.per_second.iter().copied().fold(0.0, f64::max);
    let rate = grown.iter().map(best).fold(f64::INFINITY, f64::min) / 2.0;
    for round in 0..args.rounds {
        for (index, subject) in in_turn(subjects, round) {
            let seed = (args.rounds + round) as u64;
            let measured =
                subject.round(CONNECTIONS, Pace::PerSecond(rate), removals(subject, args), seed)?;
            grown[index].p99_us.push(measured.quantile(0.99));
            progress.add(1);
        }
    }
    Ok((rate, grown))
}

/// What it holds, and how long it takes to be ready after a stop and after a kill.
fn restart(server: &mut Server, subject: &Subject, grown: &mut Grown, args: &Args) -> Result<()> {
    grown.resident_bytes = server.resident()?;
    server.stop()?;
    grown.disk_bytes = server.disk()?;
    grown.ready_after_stop_ms = whole_millis(server.start_again()?);
    // So that there is something to replay.
    subject.round(CONNECTIONS, Pace::Closed, removals(subject, args), u64::MAX - 1)?;
    server.kill()?;
    grown.ready_after_kill_ms = whole_millis(server.start_again()?);
    Ok(())
}

fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
