//! `cargo xtask bench removal`: durable removals a second over HTTP, divided by what a server does that stores
//! nothing, in the same round.

mod late;
mod shown;

use anyhow::{Context as _, Result, ensure};
use xtask_postgres::Cluster;

use self::late::Late;
use self::shown::Round;
use super::build::{self, Binaries};
use super::load::{self, Pace};
use super::postgres;
use super::report::{self, Out, count};
use super::requests::Peer;
use super::round::{Subject, in_turn};
use super::server::{Bare, Server, Setup, Store};
use super::world::{Size, World};
use crate::project::Project;
use crate::say::{self, Progress};

const BARE: &str = "bare";
const DATABASE: &str = "removal";
const CONNECTIONS: [usize; 2] = [64, 256];

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// What is measured besides the bare server; `none` for the bare server alone
    #[arg(long, value_delimiter = ',', default_values = ["embedded", "memory", "postgres"])]
    targets: Vec<Target>,
    /// Memberships in all
    #[arg(long, default_value_t = 1_000_000)]
    members: usize,
    /// Rooms that they are in
    #[arg(long, default_value_t = 1_000)]
    rooms: usize,
    /// Rounds of each target and number of connections
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Removals of a round
    #[arg(long, default_value_t = 50_000)]
    removals: usize,
    #[command(flatten)]
    out: Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Target {
    Embedded,
    Memory,
    Postgres,
    None,
}

impl Target {
    fn store(self) -> Option<Store> {
        match self {
            Self::Embedded => Some(Store::Embedded),
            Self::Memory => Some(Store::Memory),
            Self::Postgres => Some(Store::Postgres),
            Self::None => None,
        }
    }
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    let size = Size::of(args.members, args.rooms)?;
    ensure!(args.rounds > 0 && args.removals > 0, "at least one round of one removal");
    let binaries = build::binaries(project)?;
    // It outlives the servers.
    let cluster = args.targets.contains(&Target::Postgres).then(postgres::cluster).transpose()?;
    let (bare, servers, subjects) = set_up(project, &binaries, args, size, cluster.as_ref())?;
    for subject in &subjects {
        // The first round of a server pays for what the others find done.
        subject.round(CONNECTIONS[0], Pace::Closed, args.removals, u64::MAX)?;
    }
    let (mut all, mut late) = (Vec::new(), Vec::new());
    let mut table = shown::head();
    for connections in CONNECTIONS {
        let (rounds, lates) = measure(&subjects, connections, args)?;
        for of_subject in &lates {
            table.row(shown::row(&rounds, of_subject));
        }
        all.extend(rounds);
        late.extend(lates);
    }
    drop(bare);
    for mut server in servers {
        server.stop()?;
    }
    let full_size =
        args.members >= 1_000_000 && args.rooms >= 1_000 && args.rounds >= 5 && args.removals >= 50_000;
    let complete = [Target::Embedded, Target::Memory, Target::Postgres]
        .iter()
        .all(|target| args.targets.contains(target));
    let goals = shown::goals(&all, &late, args.targets.iter().filter_map(|target| target.store()));
    report::publish(project, "removal", &[&table, goals.table()], &all, &args.out, full_size && complete)
}

fn set_up(
    project: &Project,
    binaries: &Binaries,
    args: &Args,
    size: Size,
    cluster: Option<&Cluster>,
) -> Result<(Bare, Vec<Server>, Vec<Subject>)> {
    let (mut servers, mut subjects) = (Vec::new(), Vec::new());
    for store in args.targets.iter().filter_map(|target| target.store()) {
        let setup = match (store, cluster) {
            (Store::Postgres, Some(cluster)) => Setup::on(cluster.create_database(DATABASE)?, size.members),
            _ => Setup::of(store, size.members),
        };
        let server = Server::start(project, &binaries.server, &setup)?;
        let world = World::load(store.name(), server.peer()?, size)?;
        if let (Store::Postgres, Some(cluster)) = (store, cluster) {
            postgres::settle(cluster, DATABASE)?;
        }
        subjects.push(Subject { name: store.name().to_owned(), world, stores: true });
        servers.push(server);
    }
    let bare = Bare::start(&binaries.bare)?;
    // The same token for all, so that the requests are equally long. Alone, any will do.
    let token = subjects.first().map_or_else(|| "x".repeat(120), |other| other.world.peer.token.clone());
    let world = World::pretended(Peer { address: bare.address, token }, size);
    let bare_subject = Subject { name: BARE.to_owned(), world, stores: false };
    for subject in &subjects {
        same_bytes(subject, &bare_subject)?;
    }
    subjects.push(bare_subject);
    Ok((bare, servers, subjects))
}

/// Fails if a server answers something else than the bare server does. Ids and times are not compared: they are
/// made of digits and of what stands in a UUID.
fn same_bytes(subject: &Subject, bare: &Subject) -> Result<()> {
    let answer = |subject: &Subject| -> Result<String> {
        let chosen = subject.world.choose(1, 0);
        let mut answer = String::new();
        let requests = subject.world.removals(&chosen, 1);
        load::run(subject.world.peer.address, 1, Pace::Closed, &requests, |_, body| {
            answer = String::from_utf8_lossy(body).into_owned();
        })?;
        if subject.stores {
            subject.world.add(&chosen)?;
        }
        Ok(answer)
    };
    let (one, other) = (answer(subject)?, answer(bare)?);
    let rest = |text: &str| text.replace(|c: char| c.is_ascii_hexdigit() || c == '-', "");
    ensure!(rest(&one) == rest(&other), "{} answers\n{one}\nand the bare server\n{other}", subject.name);
    Ok(())
}

/// The rounds with one number of connections. The latency of a target is measured at half of its best rate, in turn
/// with that of the bare server at the same one.
fn measure(subjects: &[Subject], connections: usize, args: &Args) -> Result<(Vec<Round>, Vec<Late>)> {
    let bare = subjects.iter().position(|subject| subject.name == BARE).context("no bare server")?;
    let steps = args.rounds * (2 * subjects.len() + subjects.len().saturating_sub(1));
    let progress = Progress::of(format!("{connections} connections"), steps);
    let mut rates = Vec::new();
    for round in 0..args.rounds {
        let mut of_round = vec![0.0; subjects.len()];
        for (index, subject) in in_turn(subjects, round) {
            let measured = subject.round(connections, Pace::Closed, args.removals, round as u64)?;
            of_round[index] = measured.per_second();
            progress.add(1);
        }
        rates.push(of_round);
    }
    let best = |index: usize| rates.iter().map(|of_round| of_round[index]).fold(0.0, f64::max);
    let (mut rounds, mut lates) = (Vec::new(), Vec::new());
    for (index, subject) in subjects.iter().enumerate() {
        let mut late = Late::new(&subject.name, connections, best(index).min(best(bare)) / 2.0)?;
        // The bare server beside itself would be measured twice.
        let beside = (index != bare).then(|| &subjects[bare]);
        for (round, rates) in rates.iter().enumerate() {
            let p99_us = late.round(subject, beside, args, round, &progress)?;
            rounds.push(Round {
                target: subject.name.clone(),
                connections,
                per_second: rates[index],
                ratio: rates[index] / rates[bare],
                p99_us,
                failed: 0,
            });
        }
        lates.push(late);
    }
    drop(progress);
    for round in &rounds {
        let Round { target, connections, per_second, ratio, p99_us, .. } = round;
        let per_second = count(*per_second);
        say::line(&format!("{target}, {connections}: {per_second} a second, {ratio:.2}; p99 {p99_us} us"));
    }
    Ok((rounds, lates))
}
