//! Removals while events wait for a dead receiver, and while they drain, to a server without a rule that had the same
//! removals.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::{Bench, CONNECTIONS, PATIENCE, Results, rule};
use crate::bench::load::Pace;
use crate::bench::receiver::{Manner, Receiver};
use crate::bench::report::{Bound, MIB, Spread, count, mib, ratio};
use crate::bench::round::{Subject, in_turn};
use crate::bench::server::Server;
use crate::say::Progress;

/// How fast the receiver takes what has waited, when it is back.
const DRAINED_PER_SECOND: f64 = 1_000.0;
/// How long it takes until that begins, at most.
const BACK_WITHIN: Duration = Duration::from_secs(60);

#[derive(Serialize)]
pub(super) struct Round {
    /// Whether the events drain.
    draining: bool,
    none_per_second: f64,
    waiting_per_second: f64,
    ratio: f64,
}

pub(super) fn measure(bench: &Bench<'_>, results: &mut Results) -> Result<()> {
    let receiver = Receiver::start(Manner::Refuse)?;
    let (none, none_subject) = bench.subject("no rule", Vec::new())?;
    let (dead, dead_subject) = bench.subject("a dead receiver", vec![rule("dead", receiver.url(0))])?;
    let (mut servers, subjects) = ([none, dead], [none_subject, dead_subject]);
    let events = gather(&subjects, bench.args)?;
    let [of_none, of_dead] = [servers[0].resident()?, servers[1].resident()?];
    let waiting = rounds(bench, &subjects, false)?;
    restart(&mut servers, &receiver)?;
    let draining = rounds(bench, &subjects, true)?;
    for server in &mut servers {
        server.stop()?;
    }
    let more = of_dead as f64 - of_none as f64;
    let events = count(events as f64);
    results.row(&format!("resident, {events} events waiting"), mib(of_dead as f64));
    let what = format!("memory with {events} events waiting, beyond none");
    results.goals.add(what, more, Bound::AtMost(64.0 * MIB, None), mib);
    let of = |rounds: &[Round]| Spread::of(rounds.iter().map(|round| round.ratio));
    results.row("removals while they wait, to none waiting", of(&waiting).ratio());
    results.row("removals while they drain at 1,000 a second, to none waiting", of(&draining).ratio());
    let what = format!("removals while {events} events wait");
    results.goals.add(what, of(&waiting).median, Bound::AtLeast(0.9, Some(0.95)), ratio);
    let what = "removals while they drain at 1,000 a second";
    results.goals.add(what, of(&draining).median, Bound::AtLeast(0.8, Some(0.95)), ratio);
    results.rounds.extend(waiting.into_iter().chain(draining).map(super::Round::Waiting));
    Ok(())
}

/// Removes members of both until that many events wait, which is how many there are then.
fn gather(subjects: &[Subject; 2], args: &super::Args) -> Result<usize> {
    let times = args.waiting.div_ceil(args.removals);
    let progress = Progress::of("events that wait", 2 * times);
    for seed in 0..times as u64 {
        for subject in subjects {
            subject.round(CONNECTIONS, Pace::Closed, args.removals, seed)?;
            progress.add(1);
        }
    }
    Ok(times * args.removals)
}

fn rounds(bench: &Bench<'_>, subjects: &[Subject; 2], draining: bool) -> Result<Vec<Round>> {
    let progress = Progress::of("removals", 2 * bench.args.rounds);
    let mut rounds = Vec::new();
    for number in 0..bench.args.rounds {
        let mut rates = [0.0; 2];
        for (index, subject) in in_turn(subjects, number) {
            let measured = subject.round(CONNECTIONS, Pace::Closed, bench.args.removals, number as u64)?;
            rates[index] = measured.per_second();
            progress.add(1);
        }
        let [none_per_second, waiting_per_second] = rates;
        let ratio = waiting_per_second / none_per_second;
        rounds.push(Round { draining, none_per_second, waiting_per_second, ratio });
    }
    Ok(rounds)
}

/// Starts both again, because a rule that has failed for long is not tried again soon, and waits until events drain.
fn restart(servers: &mut [Server; 2], receiver: &Receiver) -> Result<()> {
    for server in servers.iter_mut() {
        server.stop()?;
    }
    receiver.behave(Manner::PerSecond(DRAINED_PER_SECOND))?;
    for server in servers.iter_mut() {
        server.start_again()?;
    }
    receiver.wait_for(1, BACK_WITHIN.min(PATIENCE))
}
