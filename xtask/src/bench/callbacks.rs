//! `cargo xtask bench callbacks`: from a commit to a receiver, and what receivers cost that fail. The receivers are
//! threads of this process, on loopback.

mod delivery;
mod hung;
mod latency;
mod many;
mod waiting;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use super::build;
use super::load::Pace;
use super::report::{self, Goals, Out, Table};
use super::round::Subject;
use super::server::{Rule, Server, Setup, Store};
use super::world::{Size, World};
use crate::project::Project;

const CONNECTIONS: usize = 64;
/// Removals a second where it is the deliveries that are measured.
const PER_SECOND: u32 = 1_000;
const AT_THE_RATE: Pace = Pace::PerSecond(PER_SECOND as f64);
/// How long callbacks may take to arrive.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// What is measured
    #[arg(long, value_delimiter = ',', default_values = ["latency", "delivery", "waiting", "hung", "many"])]
    parts: Vec<Part>,
    /// Memberships in all
    #[arg(long, default_value_t = 1_000_000)]
    members: usize,
    /// Rooms that they are in
    #[arg(long, default_value_t = 1_000)]
    rooms: usize,
    /// Rounds of each part
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Removals of a round in a closed loop
    #[arg(long, default_value_t = 50_000)]
    removals: usize,
    /// How long a round with 1,000 removals a second is, in seconds
    #[arg(long, default_value_t = 10)]
    seconds: usize,
    /// Events that wait for a dead receiver
    #[arg(long, default_value_t = 1_000_000)]
    waiting: usize,
    /// Rules, where there are many
    #[arg(long, default_value_t = 1_000)]
    rules: usize,
    #[command(flatten)]
    out: Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// From a commit to a healthy receiver
    Latency,
    /// Deliveries a second, to a loop that only posts
    Delivery,
    /// Removals while events wait for a dead receiver, and while they drain
    Waiting,
    /// What a receiver costs that accepts and never answers
    Hung,
    /// Many rules of one app
    Many,
}

#[derive(Serialize)]
#[serde(tag = "part", rename_all = "snake_case")]
enum Round {
    Latency(latency::Round),
    Delivery(delivery::Round),
    Waiting(waiting::Round),
    Hung(hung::Round),
    Many(many::Delivered),
}

/// What the parts leave.
struct Results {
    rounds: Vec<Round>,
    table: Table,
    goals: Goals,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    ensure!(args.rounds > 0 && args.removals > 0 && args.seconds > 0, "at least one round of one removal");
    let size = Size::of(args.members, args.rooms)?;
    let server = build::binaries(project)?.server;
    let bench = Bench { project, binary: &server, args, size };
    let most = size.memberships() - size.rooms;
    ensure!(args.removals.max(bench.at_the_rate()) <= most, "a round removes more members than there are");
    let table = Table::new(&["what", "measured"]);
    let mut results = Results { rounds: Vec::new(), table, goals: Goals::new() };
    for part in &args.parts {
        match part {
            Part::Latency => latency::measure(&bench, &mut results)?,
            Part::Delivery => delivery::measure(&bench, &mut results)?,
            Part::Waiting => waiting::measure(&bench, &mut results)?,
            Part::Hung => hung::measure(&bench, &mut results)?,
            Part::Many => many::measure(&bench, &mut results)?,
        }
    }
    let complete = [Part::Latency, Part::Delivery, Part::Waiting, Part::Hung, Part::Many]
        .iter()
        .all(|part| args.parts.contains(part));
    let full_size = args.members >= 1_000_000
        && args.rooms >= 1_000
        && args.rounds >= 5
        && args.removals >= 50_000
        && args.seconds >= 10
        && args.waiting >= 1_000_000
        && args.rules >= 1_000;
    let Results { rounds, table, goals } = results;
    report::publish(project, "callbacks", &[&table, goals.table()], &rounds, &args.out, full_size && complete)
}

/// What all parts are given.
struct Bench<'a> {
    project: &'a Project,
    binary: &'a Path,
    args: &'a Args,
    size: Size,
}

impl Bench<'_> {
    /// A server with these rules and a loaded world.
    fn subject(&self, name: &str, rules: Vec<Rule>) -> Result<(Server, Subject)> {
        let setup = Setup::of(Store::Embedded, self.size.members).with_rules(rules);
        let server = Server::start(self.project, self.binary, &setup)?;
        let world = World::load(name, server.peer()?, self.size)?;
        Ok((server, Subject { name: name.to_owned(), world, stores: true }))
    }

    /// Removals of a round at the rate.
    fn at_the_rate(&self) -> usize {
        self.args.seconds * PER_SECOND as usize
    }
}

impl Results {
    fn row(&mut self, what: &str, measured: String) {
        self.table.row(vec![what.to_owned(), measured]);
    }
}

fn rule(name: &str, url: String) -> Rule {
    Rule { name: name.to_owned(), url }
}
