//! What is shown of the rounds, and what they are held to.

use serde::Serialize;

use super::CONNECTIONS;
use super::late::Late;
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
}

/// The rounds of a target with one number of connections.
fn spread(rounds: &[Round], target: &str, connections: usize, value: fn(&Round) -> f64) -> Spread {
    let of_target = |round: &&Round| round.target == target && round.connections == connections;
    Spread::of(rounds.iter().filter(of_target).map(value))
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

pub(super) fn row(rounds: &[Round], late: &Late) -> Vec<String> {
    let of = |value| spread(rounds, &late.target, late.connections, value);
    vec![
        late.target.clone(),
        late.connections.to_string(),
        of(|round| round.per_second).rate(),
        of(|round| round.ratio).ratio(),
        format!("{}/s", count(late.rate)),
        millis(late.own.quantile(0.5) as f64),
        millis(late.own.quantile(0.99) as f64),
        millis(late.bare.quantile(0.99) as f64),
        format!("{:.1}", late.p99_to_bare()),
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
pub(super) fn goals(rounds: &[Round], lates: &[Late], stores: impl Iterator<Item = Store>) -> Goals {
    let mut goals = Goals::new();
    for store in stores {
        let name = store.name();
        for connections in CONNECTIONS {
            if let Some((least, aim)) = asked_for(store, connections) {
                let to_bare = spread(rounds, name, connections, |round| round.ratio).median;
                let what = format!("{name}, {connections} connections, to bare");
                goals.add(what, to_bare, Bound::AtLeast(least, Some(aim)), ratio);
            }
        }
        for late in lates.iter().filter(|late| late.target == name) {
            let what = format!("{name}, {} connections, p99 to bare", late.connections);
            goals.add(what, late.p99_to_bare(), Bound::AtMost(3.0, Some(2.0)), ratio);
        }
    }
    goals
}

#[cfg(test)]
mod tests {
    use super::{Round, spread};

    fn round(target: &str, ratio: f64, p99_us: u64) -> Round {
        let target = target.to_owned();
        Round { target, connections: 256, per_second: 1_000.0, ratio, p99_us, failed: 0 }
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
        assert!((median - 0.5).abs() < 1e-9);
    }
}
