//! Removals in groups and one transaction a removal, in one database: what `cargo xtask bench postgres` compares. It
//! calls the store and not a server, because what HTTP costs is the same for both and would hide how they differ.
//! Prints a line of JSON for each round.

mod single;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use serde::Serialize;

use self::single::Singles;
use self::world::{Member, World};

/// Callers that wait for one answer each, as connections do.
const CALLERS: [usize; 2] = [64, 256];
/// Groups remove so many times as many members, or they would be over in an instant.
const MORE: usize = 4;

#[derive(Parser)]
struct Args {
    /// An empty database
    #[arg(long)]
    url: String,
    /// Members of the hot room, and of the spread rooms together five times as many
    #[arg(long)]
    members: usize,
    /// Rooms to spread over
    #[arg(long)]
    rooms: usize,
    #[arg(long)]
    rounds: usize,
    /// Removals of a round, one transaction each
    #[arg(long)]
    removals: usize,
}

#[derive(Serialize)]
struct Round {
    rooms: &'static str,
    callers: usize,
    grouped_per_second: f64,
    single_per_second: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let world = Arc::new(World::load(&args.url, args.members, args.rooms).await?);
    let sample = world.spread.first().context("no members")?;
    world.remove(sample).await?;
    let singles = Arc::new(Singles::open(&args.url, sample.room).await?);
    world.add(std::slice::from_ref(sample)).await?;
    let groups = args.removals * MORE;
    ensure!(groups <= args.members, "{groups} removals of {} members", args.members);
    for round in 0..=args.rounds {
        for callers in CALLERS {
            for (rooms, members) in [("spread", &world.spread), ("one", &world.hot)] {
                let chosen = world::choose(members, groups, round as u64);
                let grouped_per_second = {
                    let world = world.clone();
                    rate(callers, &chosen, move |member| {
                        let world = world.clone();
                        async move { world.remove(&member).await }
                    })
                    .await?
                };
                world.add(&chosen).await?;
                let chosen = world::choose(members, args.removals, round as u64);
                let single_per_second = {
                    let singles = singles.clone();
                    rate(callers, &chosen, move |member| {
                        let singles = singles.clone();
                        async move { singles.remove(&member).await }
                    })
                    .await?
                };
                world.add(&chosen).await?;
                // The first round pays for what the others find done.
                if round > 0 {
                    print(&Round { rooms, callers, grouped_per_second, single_per_second })?;
                }
            }
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what was measured is read from there")]
fn print(round: &Round) -> Result<()> {
    println!("{}", serde_json::to_string(round)?);
    Ok(())
}

/// Removals a second in a closed loop of so many callers.
async fn rate<F>(
    callers: usize,
    members: &[Member],
    remove: impl Fn(Member) -> F + Clone + Send + 'static,
) -> Result<f64>
where
    F: Future<Output = Result<()>> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let members: Arc<[Member]> = members.into();
    let began = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..callers {
        let (next, members, remove) = (next.clone(), members.clone(), remove.clone());
        tasks.push(tokio::spawn(async move {
            while let Some(member) = members.get(next.fetch_add(1, Ordering::Relaxed)) {
                remove(member.clone()).await?;
            }
            anyhow::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(members.len() as f64 / began.elapsed().as_secs_f64())
}
