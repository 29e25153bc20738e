//! `cargo xtask bench soak`: minutes of mixed calls, and what they leave behind: memory that grows, or a rate that
//! falls.

mod trend;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::Serialize;

use super::build;
use super::load::{self, Pace};
use super::mix::{Mix, Stepped};
use super::report::{self, Bound, Goals, MIB, Out, Spread, Table, count, mib, millis, percent, ratio};
use super::requests::Peer;
use super::server::{Bare, Server, Setup, Store};
use super::world::{Size, World};
use crate::project::Project;
use crate::say::{Progress, Working};

const CONNECTIONS: usize = 64;
/// Rounds in a closed loop before and after, for the best rate, and as many of the bare server in turn with them.
const ROUNDS: usize = 5;
/// Which part of the best rate is offered.
const PART: f64 = 0.7;
/// How long one step is, unless the whole is shorter or there are few members.
const STEP: Duration = Duration::from_secs(10);
/// What memory is compared with is taken after so many minutes, unless the whole is shorter.
const SETTLED: f64 = 5.0;
/// How long events are kept, unless the whole is shorter: the log has its full length, and is trimmed, before memory is
/// looked at.
const KEEP: Duration = Duration::from_mins(2);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// How long
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// Memberships in all
    #[arg(long, default_value_t = 1_000_000)]
    members: usize,
    /// Rooms that they are in
    #[arg(long, default_value_t = 1_000)]
    rooms: usize,
    /// Calls of each round in which the best rate is found
    #[arg(long, default_value_t = 100_000)]
    calls: usize,
    #[command(flatten)]
    out: Out,
}

/// What one step showed.
#[derive(Clone, Copy, Serialize)]
struct Sample {
    /// `closed` for the best rate, `bare` for that of the bare server, `fixed` for the long run.
    pace: &'static str,
    /// When it ended, after the long run began.
    minute: f64,
    per_second: f64,
    p99_us: u64,
    /// Of the server that is looked at.
    resident_bytes: u64,
}

/// The best rate at one end of the long run, beside that of the bare server: the machine itself is not equally fast
/// for half an hour.
struct Best {
    ours: Vec<Sample>,
    bare: Vec<Sample>,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    ensure!(args.minutes > 0.0 && args.minutes.is_finite(), "for some time");
    let size = Size::of(args.members, args.rooms)?;
    let binaries = build::binaries(project)?;
    let keep = KEEP.min(Duration::try_from_secs_f64(args.minutes * 60.0)? / 15).max(Duration::from_secs(1));
    let setup = Setup { keep: Some(keep), ..Setup::of(Store::Embedded, size.members) };
    let mut server = Server::start(project, &binaries.server, &setup)?;
    let world = World::load("embedded", server.peer()?, size)?;
    let bare = Bare::start(&binaries.bare)?;
    let of_bare = World::pretended(Peer { address: bare.address, token: world.peer.token.clone() }, size);
    let first = best(&server, &world, &of_bare, args.calls, 0.0)?;
    let rate = PART * median(&first.ours);
    let long = long_run(&server, &world, rate, args.minutes)?;
    let last = best(&server, &world, &of_bare, args.calls, args.minutes)?;
    server.stop()?;
    drop(bare);
    let goals = goals(&first, &long, &last, settled(args.minutes));
    let tables = [table(&long, rate), ends(&first, &last)];
    let all = [first.ours, first.bare, long, last.ours, last.bare];
    let samples: Vec<_> = all.into_iter().flatten().collect();
    let full_size =
        args.minutes >= 30.0 && args.members >= 1_000_000 && args.rooms >= 1_000 && args.calls >= 100_000;
    let [over_time, ends] = &tables;
    report::publish(project, "soak", &[over_time, ends, goals.table()], &samples, &args.out, full_size)
}

/// The best rate: rounds in a closed loop, after one that does not count.
fn best(server: &Server, world: &World, of_bare: &World, calls: usize, minute: f64) -> Result<Best> {
    let _working = Working::on("finding the best rate");
    let mut mix = Mix::begin(world, calls)?;
    let requests = of_bare.removals(&of_bare.choose(calls, 0), 1);
    let mut best = Best { ours: Vec::new(), bare: Vec::new() };
    for round in 0..=ROUNDS {
        let stepped = mix.next(world).run(world, CONNECTIONS, Pace::Closed)?;
        let ran = load::run(of_bare.peer.address, CONNECTIONS, Pace::Closed, &requests, |_, _| {})?;
        if round > 0 {
            let ours = Sample::of("closed", minute, &stepped, server)?;
            let (per_second, p99_us) = (ran.per_second(), ran.quantile(0.99));
            best.bare.push(Sample { pace: "bare", per_second, p99_us, ..ours });
            best.ours.push(ours);
        }
    }
    mix.end(world)?;
    Ok(best)
}

fn long_run(server: &Server, world: &World, rate: f64, minutes: f64) -> Result<Vec<Sample>> {
    let lasts = Duration::try_from_secs_f64(minutes * 60.0)?;
    let step = STEP.min(lasts / 6);
    let mut mix = Mix::begin(world, whole(rate * step.as_secs_f64()).min(Mix::most(world)))?;
    let progress = Progress::of(format!("{} mixed calls a second", count(rate)), whole(lasts.as_secs_f64()));
    let (began, mut samples) = (Instant::now(), Vec::new());
    let mut shown = 0;
    while began.elapsed() < lasts {
        let stepped = mix.next(world).run(world, CONNECTIONS, Pace::PerSecond(rate))?;
        let elapsed = began.elapsed().as_secs_f64();
        samples.push(Sample::of("fixed", elapsed / 60.0, &stepped, server)?);
        progress.add(whole(elapsed) - shown);
        shown = whole(elapsed);
    }
    mix.end(world)?;
    Ok(samples)
}

/// A number that is neither negative nor large.
fn whole(number: f64) -> usize {
    Duration::try_from_secs_f64(number).map_or(0, |number| usize::try_from(number.as_secs()).unwrap_or(0))
}

impl Sample {
    fn of(pace: &'static str, minute: f64, stepped: &Stepped, server: &Server) -> Result<Self> {
        Ok(Self {
            pace,
            minute,
            per_second: stepped.per_second,
            p99_us: stepped.quantile(0.99),
            resident_bytes: server.resident()?,
        })
    }
}

impl Best {
    /// The median of the ratios of its rounds.
    fn to_bare(&self) -> f64 {
        let rounds = self.ours.iter().zip(&self.bare);
        Spread::of(rounds.map(|(ours, bare)| ours.per_second / bare.per_second)).median
    }
}

/// The best rates before and after, and what became of them.
fn ends(first: &Best, last: &Best) -> Table {
    let mut table = Table::new(&["best rate", "before", "after", "after to before"]);
    for (name, of) in [
        ("mixed calls", (|best| &best.ours) as fn(&Best) -> &Vec<Sample>),
        ("bare server", |best| &best.bare),
    ] {
        let (before, after) = (median(of(first)), median(of(last)));
        table.row(vec![name.to_owned(), count(before), count(after), ratio(after / before)]);
    }
    let (before, after) = (first.to_bare(), last.to_bare());
    let row = [before, after, after / before].map(ratio);
    table.row(std::iter::once("mixed calls to the bare server".to_owned()).chain(row).collect());
    table
}

fn median(samples: &[Sample]) -> f64 {
    Spread::of(samples.iter().map(|sample| sample.per_second)).median
}

/// From when on memory is compared.
fn settled(minutes: f64) -> f64 {
    SETTLED.min(minutes / 6.0)
}

fn goals(first: &Best, long: &[Sample], last: &Best, settled: f64) -> Goals {
    let after = || long.iter().filter(|sample| sample.minute >= settled);
    let resident: Vec<_> = after().map(|sample| sample.resident_bytes as f64).collect();
    let by_hour: Vec<_> =
        after().map(|sample| (sample.minute / 60.0, sample.resident_bytes as f64 / MIB)).collect();
    let mut goals = Goals::new();
    let what = format!(
        "memory after the first {settled:.1} minutes, to the end ({} MiB an hour)",
        count(trend::slope(&by_hour))
    );
    goals.add(what, trend::growth(&resident), Bound::AtMost(0.05, Some(0.01)), percent);
    let what = "best rate after, to before, each to the bare server's";
    goals.add(what, last.to_bare() / first.to_bare(), Bound::AtLeast(0.9, Some(0.99)), ratio);
    goals
}

fn table(long: &[Sample], rate: f64) -> Table {
    /// Rows, over the whole time.
    const ROWS: usize = 7;
    let mut table =
        Table::new(&["minute", &format!("calls a second, of {} offered", count(rate)), "p99", "resident"]);
    let mut rows: Vec<_> = (0..ROWS).map(|row| row * long.len().saturating_sub(1) / (ROWS - 1)).collect();
    rows.dedup();
    for sample in rows.into_iter().filter_map(|row| long.get(row)) {
        table.row(vec![
            format!("{:.1}", sample.minute),
            count(sample.per_second),
            millis(sample.p99_us as f64),
            mib(sample.resident_bytes as f64),
        ]);
    }
    table
}
