//! How late answers are at a fixed rate, beside the bare server's at the same one.

use anyhow::Result;

use super::Args;
use crate::bench::load::{Latencies, Pace};
use crate::bench::round::{Subject, in_turn};
use crate::say::Progress;

/// The latencies of a target with one number of connections, those of all rounds together: a machine that stands still
/// now and then does so in some rounds and not in others, and a quantile of one of them says little.
pub(super) struct Late {
    pub(super) target: String,
    pub(super) connections: usize,
    /// Calls a second.
    pub(super) rate: f64,
    pub(super) own: Latencies,
    /// The bare server's, at the same rate and in turn.
    pub(super) bare: Latencies,
}

impl Late {
    pub(super) fn new(target: &str, connections: usize, rate: f64) -> Result<Self> {
        let (own, bare) = (Latencies::new()?, Latencies::new()?);
        Ok(Self { target: target.to_owned(), connections, rate, own, bare })
    }

    /// Measures one round more, of the target and of the bare server `beside` it; without one, the target is that.
    /// Answers the target's p99 in this round, in microseconds.
    pub(super) fn round(
        &mut self,
        target: &Subject,
        beside: Option<&Subject>,
        args: &Args,
        round: usize,
        progress: &Progress,
    ) -> Result<u64> {
        let seed = (args.rounds + round) as u64;
        let mut p99_us = 0;
        let both: Vec<&Subject> = std::iter::once(target).chain(beside).collect();
        for (index, subject) in in_turn(&both, round) {
            let measured =
                subject.round(self.connections, Pace::PerSecond(self.rate), args.removals, seed)?;
            if index == 0 {
                p99_us = measured.quantile(0.99);
                self.own.add(&measured.latency)?;
            }
            if index > 0 || beside.is_none() {
                self.bare.add(&measured.latency)?;
            }
            progress.add(1);
        }
        Ok(p99_us)
    }

    /// The p99 to that of the bare server.
    pub(super) fn p99_to_bare(&self) -> f64 {
        self.own.quantile(0.99) as f64 / self.bare.quantile(0.99) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::Late;

    #[test]
    fn p99_is_compared_over_all_calls() {
        let mut late = Late::new("embedded", 64, 1_000.0).unwrap();
        for micros in 1..=100 {
            late.own.record(micros * 40);
            late.bare.record(micros * 10);
        }
        assert!((late.p99_to_bare() - 4.0).abs() < 0.01);
    }
}
