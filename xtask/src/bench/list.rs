//! `cargo xtask bench list`: 1,000 members of a large room by cursor, at the end to at the start.

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use serde_json::Value;

use super::build;
use super::load::{self, Pace};
use super::report::{self, Bound, Goals, Out, Spread, Table, millis, ratio};
use super::requests::Requests;
use super::server::{Server, Setup, Store};
use super::world::{Size, World};
use crate::project::Project;
use crate::say::{Progress, Working};

const PAGE: usize = 1_000;
/// Calls of a round, one after the other.
const CALLS: usize = 500;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Members of the room
    #[arg(long, default_value_t = 1_000_000)]
    members: usize,
    /// Rounds of each end
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    #[command(flatten)]
    out: Out,
}

#[derive(Serialize)]
struct Round {
    /// Microseconds a call.
    start_us: f64,
    end_us: f64,
    ratio: f64,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    ensure!(args.members > 3 * PAGE, "the room has to have several pages of {PAGE} members");
    ensure!(args.rounds > 0, "at least one round");
    let binaries = build::binaries(project)?;
    let mut server = Server::start(project, &binaries.server, &Setup::of(Store::Embedded, args.members))?;
    let world = World::load("embedded", server.peer()?, Size::of(args.members, 1)?)?;
    let end = last_full_page(&world)?;
    let (first, last) = (pages(&world, None), pages(&world, Some(&end)));
    let micros = |requests: &Requests| -> Result<f64> {
        let measured = load::run(world.peer.address, 1, Pace::Closed, requests, |_, _| {})?;
        Ok(1e6 / measured.per_second())
    };
    micros(&first)?;
    let progress = Progress::of("lists", args.rounds);
    let mut rounds = Vec::new();
    for _ in 0..args.rounds {
        let (start_us, end_us) = (micros(&first)?, micros(&last)?);
        rounds.push(Round { start_us, end_us, ratio: end_us / start_us });
        progress.add(1);
    }
    drop(progress);
    server.stop()?;
    let spread = |value: fn(&Round) -> f64| Spread::of(rounds.iter().map(value));
    let mut table = Table::new(&["cursor", "a call", "to the start"]);
    table.row(vec!["at the start".to_owned(), millis(spread(|round| round.start_us).median), "1".to_owned()]);
    table.row(vec![
        "at the end".to_owned(),
        millis(spread(|round| round.end_us).median),
        spread(|round| round.ratio).ratio(),
    ]);
    let mut goals = Goals::new();
    let to_start = spread(|round| round.ratio).median;
    goals.add("the end to the start", to_start, Bound::AtMost(1.2, Some(1.05)), ratio);
    let full_size = args.members >= 1_000_000 && args.rounds >= 5;
    report::publish(project, "list", &[&table, goals.table()], &rounds, &args.out, full_size)
}

fn path(world: &World, cursor: Option<&str>) -> String {
    let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
    format!("{}?version=v3&limit={PAGE}{cursor}", world.path(0))
}

fn pages(world: &World, cursor: Option<&str>) -> Requests {
    let mut requests = Requests::default();
    for _ in 0..CALLS {
        requests.push(&world.peer, "GET", &path(world, cursor), "");
    }
    requests
}

/// Walks through the whole list, and gives the cursor of its last page that is full.
fn last_full_page(world: &World) -> Result<String> {
    let _working = Working::on("walking through the list");
    let (mut cursor, mut full) = (None, None);
    let mut seen = 0;
    loop {
        let mut requests = Requests::default();
        requests.push(&world.peer, "GET", &path(world, cursor.as_deref()), "");
        let mut answer = Value::Null;
        load::run(world.peer.address, 1, Pace::Closed, &requests, |_, body| {
            answer = serde_json::from_slice(body).unwrap_or_default();
        })?;
        let members = answer["data"].as_array().map_or(0, Vec::len);
        seen += members;
        if members == PAGE {
            full.clone_from(&cursor);
        }
        match answer["cursor"].as_str() {
            Some(next) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
                ensure!(next.chars().all(plain), "a cursor that has to be encoded: {next}");
                cursor = Some(next.to_owned());
            }
            None => break,
        }
    }
    ensure!(seen == world.size.members - 1, "{seen} members are listed");
    full.context("no page but the first is full")
}
