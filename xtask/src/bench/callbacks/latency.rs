//! From a commit to a healthy receiver.

use anyhow::Result;
use serde::Serialize;

use super::{AT_THE_RATE, Bench, CONNECTIONS, PATIENCE, PER_SECOND, Results, rule};
use crate::bench::receiver::{Manner, Receiver};
use crate::bench::report::{Bound, Spread, count, millis};
use crate::bench::round::Subject;
use crate::say::Progress;

#[derive(Serialize)]
pub(super) struct Round {
    p50_us: u64,
    p99_us: u64,
}

pub(super) fn measure(bench: &Bench<'_>, results: &mut Results) -> Result<()> {
    let receiver = Receiver::start(Manner::Answer)?;
    let (mut server, subject) =
        bench.subject("a healthy receiver", vec![rule("healthy", receiver.url(0))])?;
    let progress = Progress::of("from a commit to a receiver", bench.args.rounds + 1);
    let mut rounds = Vec::new();
    for seed in 0..=bench.args.rounds as u64 {
        let measured = round(&subject, &receiver, bench.at_the_rate(), seed)?;
        // The first round warms up.
        if seed > 0 {
            rounds.push(measured);
        }
        progress.add(1);
    }
    drop(progress);
    server.stop()?;
    let of = |value: fn(&Round) -> u64| Spread::of(rounds.iter().map(|round| value(round) as f64)).median;
    let (p50, p99) = (of(|round| round.p50_us), of(|round| round.p99_us));
    let rate = count(PER_SECOND.into());
    results.row(&format!("from a removal to its receiver, p50, {rate} a second"), millis(p50));
    let what = format!("from a removal to its receiver, p99, {rate} a second");
    results.goals.add(what, p99, Bound::AtMost(50_000.0, None), millis);
    results.rounds.extend(rounds.into_iter().map(super::Round::Latency));
    Ok(())
}

/// Removes members at the rate and waits until the receiver was told of all.
pub(super) fn round(subject: &Subject, receiver: &Receiver, removals: usize, seed: u64) -> Result<Round> {
    receiver.begin_anew(false)?;
    subject.round(CONNECTIONS, AT_THE_RATE, removals, seed)?;
    receiver.wait_for(removals as u64, PATIENCE)?;
    Ok(receiver.seen(|seen| Round { p50_us: seen.quantile(0.5), p99_us: seen.quantile(0.99) }))
}

impl Round {
    pub(super) fn p99_us(&self) -> u64 {
        self.p99_us
    }
}
