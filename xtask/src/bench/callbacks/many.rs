//! Many rules of one app: each is told of every removal.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::{Bench, CONNECTIONS, PATIENCE, Results, rule};
use crate::bench::load::Pace;
use crate::bench::receiver::{Manner, Receiver, Seen};
use crate::bench::report::{Bound, count, mib};
use crate::bench::round::Subject;
use crate::bench::server::{Server, Setup, Store, allow_connections};
use crate::bench::world::{Size, World};
use crate::say::Working;

/// Memberships, and the rooms that they are in.
const WORLD: (usize, usize) = (1_000, 10);
const REMOVALS: usize = 100;
/// More than the server delivers at once.
const MOST_CONNECTIONS: usize = 4_000;

#[derive(Serialize)]
pub(super) struct Delivered {
    rules: usize,
    deliveries_per_second: f64,
    /// Deliveries that did not come.
    missing: u64,
    resident_bytes: u64,
}

pub(super) fn measure(bench: &Bench<'_>, results: &mut Results) -> Result<()> {
    let rules = bench.args.rules;
    let name = count(rules as f64);
    allow_connections(MOST_CONNECTIONS)?;
    let receiver = Receiver::start(Manner::Answer)?;
    let setup = Setup::of(Store::Embedded, WORLD.0)
        .with_rules((0..rules).map(|number| rule(&format!("rule_{number}"), receiver.url(number))).collect());
    let mut server = Server::start(bench.project, bench.binary, &setup)?;
    let world = World::load(&format!("{name} rules"), server.peer()?, Size::of(WORLD.0, WORLD.1)?)?;
    let subject = Subject { name: format!("{name} rules"), world, stores: true };
    let working = Working::on(format!("{name} rules"));
    let began = Instant::now();
    subject.round(CONNECTIONS, Pace::Closed, REMOVALS, 0)?;
    receiver.wait_until(|seen| missing(seen, rules) == 0, PATIENCE)?;
    drop(working);
    let last = receiver.seen(|seen| seen.last()).context("nothing came")?;
    let missing = receiver.seen(|seen| missing(seen, rules));
    let resident_bytes = server.resident()?;
    server.stop()?;
    let deliveries_per_second = per_second(REMOVALS * rules, last.duration_since(began));
    results.row(&format!("deliveries a second to {name} rules"), count(deliveries_per_second));
    results.row(&format!("resident with {name} rules"), mib(resident_bytes as f64));
    let what = format!("deliveries that did not come, {name} rules");
    results.goals.add(what, missing as f64, Bound::AtMost(0.0, None), count);
    let delivered = Delivered { rules, deliveries_per_second, missing, resident_bytes };
    results.rounds.push(super::Round::Many(delivered));
    Ok(())
}

/// How many deliveries rules are short of. One that came twice does not stand for one of another rule.
fn missing(seen: &Seen, rules: usize) -> u64 {
    (0..rules).map(|rule| (REMOVALS as u64).saturating_sub(seen.of_rule(rule))).sum()
}

fn per_second(deliveries: usize, time: Duration) -> f64 {
    deliveries as f64 / time.as_secs_f64()
}
