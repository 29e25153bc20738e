//! What a receiver costs that accepts and never answers: sockets, memory, and the time of the deliveries of another
//! rule.

use anyhow::Result;
use serde::Serialize;

use super::{Bench, Results, latency, rule};
use crate::bench::receiver::{Manner, Receiver};
use crate::bench::report::{Bound, MIB, Spread, count, mib, millis, ratio};
use crate::bench::round::in_turn;
use crate::say::Progress;

#[derive(Serialize)]
pub(super) struct Round {
    /// Of a rule that is alone, from a removal to its receiver.
    alone_p99_us: u64,
    /// Of a rule beside the one whose receiver hangs.
    beside_p99_us: u64,
    ratio: f64,
}

pub(super) fn measure(bench: &Bench<'_>, results: &mut Results) -> Result<()> {
    let hung = Receiver::start(Manner::Hold)?;
    let receivers = [Receiver::start(Manner::Answer)?, Receiver::start(Manner::Answer)?];
    let (mut alone, one) = bench.subject("alone", vec![rule("healthy", receivers[0].url(0))])?;
    let rules = vec![rule("hung", hung.url(0)), rule("healthy", receivers[1].url(0))];
    let (mut beside, other) = bench.subject("beside one that hangs", rules)?;
    let subjects = [one, other];
    let progress = Progress::of("beside a receiver that hangs", 2 * (bench.args.rounds + 1));
    let mut rounds = Vec::new();
    for number in 0..=bench.args.rounds {
        let mut p99s = [0; 2];
        for (index, subject) in in_turn(&subjects, number) {
            let round = latency::round(subject, &receivers[index], bench.at_the_rate(), number as u64)?;
            p99s[index] = round.p99_us();
            progress.add(1);
        }
        let [alone_p99_us, beside_p99_us] = p99s;
        // The first round warms up.
        if number > 0 {
            let ratio = beside_p99_us as f64 / alone_p99_us as f64;
            rounds.push(Round { alone_p99_us, beside_p99_us, ratio });
        }
    }
    drop(progress);
    let more = beside.resident()? as f64 - alone.resident()? as f64;
    let sockets = hung.seen(|seen| seen.most_connections());
    for server in [&mut alone, &mut beside] {
        server.stop()?;
    }
    let of = |value: fn(&Round) -> f64| Spread::of(rounds.iter().map(value)).median;
    results.row("p99 of a rule that is alone", millis(of(|round| round.alone_p99_us as f64)));
    results.row("p99 beside a receiver that hangs", millis(of(|round| round.beside_p99_us as f64)));
    let slower = of(|round| round.ratio);
    results.goals.add("p99 beside a receiver that hangs, to alone", slower, Bound::AtMost(2.0, None), ratio);
    let goals = &mut results.goals;
    goals.add("sockets of a receiver that hangs", sockets as f64, Bound::AtMost(8.0, None), count);
    goals.add("memory of a receiver that hangs", more, Bound::AtMost(16.0 * MIB, None), mib);
    results.rounds.extend(rounds.into_iter().map(super::Round::Hung));
    Ok(())
}
