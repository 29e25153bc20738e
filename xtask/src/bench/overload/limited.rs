//! Calls over an app's limit, to answers of the bare server.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use super::Args;
use crate::bench::load::{self, Pace, Plan};
use crate::bench::requests::Peer;
use crate::bench::server::{Bare, Server, Setup, Store};
use crate::bench::world::{Size, World};
use crate::project::Project;
use crate::say::Progress;

const CONNECTIONS: usize = 64;
/// Whose rooms the calls are of. They do not exist: who is over the limit does not learn that.
const PRETENDED: (usize, usize) = (100_000, 100);

#[derive(Serialize)]
pub(super) struct Round {
    pub(super) refused_per_second: f64,
    pub(super) bare_per_second: f64,
    /// What a call over the limit costs, to a bare answer.
    pub(super) cost: f64,
}

/// The rounds, and how many of the refused calls the store had.
pub(super) fn measure(
    project: &Project,
    slowed: &Path,
    bare: &Path,
    args: &Args,
) -> Result<(Vec<Round>, u64)> {
    let setup = Setup { per_second: 1, ..Setup::of(Store::Embedded, 1_000) };
    let mut server = Server::start(project, slowed, &setup)?;
    let bare = Bare::start(bare)?;
    let peer = server.peer()?;
    let size = Size::of(PRETENDED.0, PRETENDED.1)?;
    let of_bare = Peer { address: bare.address, token: peer.token.clone() };
    let (ours, of_bare) = (World::pretended(peer, size), World::pretended(of_bare, size));
    let progress = Progress::of("calls over the limit", args.rounds + 1);
    let (mut rounds, mut admitted) = (Vec::new(), 0);
    for round in 0..=args.rounds as u64 {
        let (refused_per_second, of_round) = refused(&ours, args.calls, round)?;
        admitted += of_round;
        let bare_per_second = answered(&of_bare, args.calls, round)?;
        let cost = bare_per_second / refused_per_second;
        // The first round warms up.
        if round > 0 {
            rounds.push(Round { refused_per_second, bare_per_second, cost });
        }
        progress.add(1);
    }
    drop((progress, bare));
    server.stop()?;
    Ok((rounds, reached(&server.log(), admitted)?))
}

/// Calls a second, and how many of them were admitted: one a second.
fn refused(world: &World, calls: usize, seed: u64) -> Result<(f64, u64)> {
    let requests = world.removals(&world.choose(calls, seed), 1);
    let plan = Plan { connections: CONNECTIONS, pace: Pace::Closed, at_most: None };
    let (mut admitted, mut wrong) = (0, None);
    let ran = load::watch(world.peer.address, plan, &requests, |answer| match answer.status {
        429 => {}
        404 => admitted += 1,
        status => wrong = Some(status),
    })?;
    ensure!(wrong.is_none(), "a call over the limit was answered with {wrong:?}");
    Ok((ran.sent as f64 / ran.elapsed().as_secs_f64(), admitted))
}

fn answered(world: &World, calls: usize, seed: u64) -> Result<f64> {
    let requests = world.removals(&world.choose(calls, seed), 1);
    Ok(load::run(world.peer.address, CONNECTIONS, Pace::Closed, &requests, |_, _| {})?.per_second())
}

/// How many calls the store had beside those that were admitted, as the slowed server says at its end.
fn reached(log: &str, admitted: u64) -> Result<u64> {
    let line = log.lines().find_map(|line| line.strip_prefix("calls of the store: "));
    let calls: u64 = line.context("the slowed server did not say how many calls its store had")?.parse()?;
    Ok(calls.saturating_sub(admitted))
}

#[cfg(test)]
mod tests {
    use super::reached;

    #[test]
    fn what_was_admitted_is_not_held_against_the_limit() {
        assert_eq!(reached("x\ncalls of the store: 12\ny\n", 12).unwrap(), 0);
        assert_eq!(reached("calls of the store: 15", 12).unwrap(), 3);
        assert!(reached("stopped", 0).is_err());
    }
}
