//! What is shown of the rounds, and what they are held to.

use serde::Serialize;

use super::CONNECTIONS;
use crate::bench::report::{Bound, Goals, Spread, Table, count, millis, ratio};
use crate::bench::server::Store;

/// The stable shape of `--json`.
#[derive(Serialize)]
pub(super) struct Round {
    pub(super) target: String,
    pub(super) connections: usize,
    pub(super) per_second: f64,
    /// To the bare server in the same round.
    pub(super) ratio: f64,
    /// At the fixed rate.
    pub(super) p99_us: u64,
    /// Always 0: a call that fails ends the run.
    pub(super) failed: usize,
    #[serde(skip)]
    pub(super) p50_us: u64,
    /// The fixed rate, in calls a second.
    #[serde(skip)]
    pub(super) rate: f64,
    /// That of the bare server at the same rate, in the same round.
    #[serde(skip)]
    pub(super) bare_p99_us: u64,
}

/// The rounds of a target with one number of connections.
fn spread(rounds: &[Round], target: &str, connections: usize, value: fn(&Round) -> f64) -> Spread {
    let of_target = |round: &&Round| round.target == target && round.connections == connections;
    Spread::of(rounds.iter().filter(of_target).map(value))
}

/// The median p99 of a target at the fixed rate, to that of the bare server.
fn p99_to_bare(rounds: &[Round], target: &str, connections: usize) -> f64 {
    let median = |value| spread(rounds, target, connections, value).median;
    median(|round| round.p99_us as f64) / median(|round| round.bare_p99_us as f64)
}

pub(super) fn head() -> Table {
    Table::new(&[
        "target",
        "connections",
        "removals a second",
        "to bare",
        "at",
        "p50",
        "p99",
        "bare's p99",
        "p99 to bare",
    ])
}

pub(super) fn row(rounds: &[Round], target: &str, connections: usize) -> Vec<String> {
    let of = |value| spread(rounds, target, connections, value);
    vec![
        target.to_owned(),
        connections.to_string(),
        of(|round| round.per_second).rate(),
        of(|round| round.ratio).ratio(),
        format!("{}/s", count(of(|round| round.rate).median)),
        millis(of(|round| round.p50_us as f64).median),
        millis(of(|round| round.p99_us as f64).median),
        millis(of(|round| round.bare_p99_us as f64).median),
        format!("{:.1}", p99_to_bare(rounds, target, connections)),
    ]
}

/// The ratio to the bare server that a store is to reach, and the one that is aimed at.
fn asked_for(store: Store, connections: usize) -> Option<(f64, f64)> {
    match (store, connections) {
        (Store::Embedded, 256) => Some((0.55, 0.75)),
        (Store::Embedded, _) => Some((0.50, 0.60)),
        (Store::Memory, 256) => Some((0.75, 0.85)),
        (Store::Postgres, 256) => Some((0.35, 0.50)),
        (Store::Memory | Store::Postgres, _) => None,
    }
}

/// The goals of the stores that were measured.
pub(super) fn goals(rounds: &[Round], stores: impl Iterator<Item = Store>) -> Goals {
    let mut goals = Goals::new();
    for store in stores {
        let name = store.name();
        for connections in CONNECTIONS {
            if let Some((least, aim)) = asked_for(store, connections) {
                let to_bare = spread(rounds, name, connections, |round| round.ratio).median;
                let what = format!("{name}, {connections} connections, to bare");
                goals.add(what, to_bare, Bound::AtLeast(least, Some(aim)), ratio);
            }
            let what = format!("{name}, {connections} connections, p99 to bare");
            let p99 = p99_to_bare(rounds, name, connections);
            goals.add(what, p99, Bound::AtMost(3.0, Some(2.0)), ratio);
        }
    }
    goals
}

#[cfg(test)]
mod tests {
    use super::{Round, p99_to_bare, spread};

    fn round(target: &str, ratio: f64, p99_us: u64) -> Round {
        let target = target.to_owned();
        let (per_second, rate, bare_p99_us) = (1_000.0, 500.0, 10);
        Round { target, connections: 256, per_second, ratio, p99_us, failed: 0, p50_us: 1, rate, bare_p99_us }
    }

    #[test]
    fn the_json_of_a_round_has_the_shape_that_others_read() {
        let shown = serde_json::to_string(&round("embedded", 0.5, 9)).unwrap();
        assert_eq!(
            shown,
            r#"{"target":"embedded","connections":256,"per_second":1000.0,"ratio":0.5,"p99_us":9,"failed":0}"#
        );
    }

    #[test]
    fn ratios_are_those_of_the_same_target_and_connections() {
        let mut rounds = vec![round("embedded", 0.4, 30), round("bare", 1.0, 70), round("embedded", 0.6, 50)];
        rounds.push(Round { connections: 64, ..round("embedded", 9.0, 900) });
        let median = spread(&rounds, "embedded", 256, |round| round.ratio).median;
        assert!((median - 0.5).abs() < 1e-9 && (p99_to_bare(&rounds, "embedded", 256) - 4.0).abs() < 1e-9);
    }
}
