//! What is shown of each size, and what the largest is held to.

use serde::Serialize;

use super::snapshots::Snapshots;
use crate::bench::report::{
    Bound, GIB, Goals, MIB, Spread, Table, bytes, count, mib, millis, ratio, seconds,
};
use crate::bench::world::Size;

/// Which sizes the goals are about.
const LARGE: usize = 10_000_000;
const SMALL: usize = 100_000;

#[derive(Serialize)]
pub(super) struct Grown {
    memberships: usize,
    rooms: usize,
    users: usize,
    pub(super) per_second: Vec<f64>,
    /// At the fixed rate, of each round.
    pub(super) p99_us: Vec<u64>,
    pub(super) resident_bytes: u64,
    pub(super) disk_bytes: u64,
    pub(super) ready_after_stop_ms: u64,
    pub(super) ready_after_kill_ms: u64,
    /// Of the largest size only.
    pub(super) snapshots: Option<Snapshots>,
}

impl Grown {
    pub(super) fn empty(size: Size) -> Self {
        Self {
            memberships: size.memberships(),
            rooms: size.rooms,
            users: size.users,
            per_second: Vec::new(),
            p99_us: Vec::new(),
            resident_bytes: 0,
            disk_bytes: 0,
            ready_after_stop_ms: 0,
            ready_after_kill_ms: 0,
            snapshots: None,
        }
    }

    fn disk_a_membership(&self) -> f64 {
        self.disk_bytes as f64 / self.memberships as f64
    }

    fn row(&self) -> Vec<String> {
        vec![
            count(self.memberships as f64),
            count(self.rooms as f64),
            count(self.users as f64),
            Spread::of(self.per_second.iter().copied()).rate(),
            millis(Spread::of(self.p99_us.iter().map(|micros| *micros as f64)).median),
            mib(self.resident_bytes as f64),
            mib(self.disk_bytes as f64),
            bytes(self.disk_a_membership()),
            seconds(self.ready_after_stop_ms as f64 / 1_000.0),
            seconds(self.ready_after_kill_ms as f64 / 1_000.0),
        ]
    }
}

pub(super) fn table(grown: &[Grown], rate: f64) -> Table {
    let mut table = Table::new(&[
        "memberships",
        "rooms",
        "users",
        "removals a second",
        &format!("p99 at {}/s", count(rate)),
        "resident",
        "disk",
        "disk a membership",
        "ready after a stop",
        "after a kill",
    ]);
    for grown in grown {
        table.row(grown.row());
    }
    table
}

pub(super) fn goals(grown: &[Grown]) -> Goals {
    let mut goals = Goals::new();
    let of = |memberships| grown.iter().find(|grown| grown.memberships == memberships);
    match of(LARGE) {
        None => goals.missing("10,000,000 memberships", "left out"),
        Some(large) => {
            if let Some(small) = of(SMALL) {
                let to_small = rate_to(large, small);
                let what = "10,000,000 memberships to 100,000, removals a second";
                goals.add(what, to_small, Bound::AtLeast(0.8, Some(0.95)), ratio);
            }
            let resident = large.resident_bytes as f64;
            goals.add("resident at 10,000,000", resident, Bound::AtMost(GIB, Some(400.0 * MIB)), mib);
            let disk = large.disk_a_membership();
            goals.add("disk a membership at 10,000,000", disk, Bound::AtMost(100.0, Some(40.0)), bytes);
            for (after, millis) in [("stop", large.ready_after_stop_ms), ("kill", large.ready_after_kill_ms)]
            {
                let what = format!("ready after a {after} at 10,000,000");
                goals.add(what, millis as f64 / 1_000.0, Bound::AtMost(8.0, Some(2.0)), seconds);
            }
        }
    }
    let what = "removals while a snapshot is written, to none";
    match grown.iter().find_map(|grown| grown.snapshots) {
        None => goals.missing(what, "none was written"),
        Some(snapshots) => goals.add(what, snapshots.ratio(), Bound::AtLeast(0.8, Some(0.95)), ratio),
    }
    goals
}

/// The middle of the ratios of the same rounds.
fn rate_to(one: &Grown, other: &Grown) -> f64 {
    Spread::of(one.per_second.iter().zip(&other.per_second).map(|(one, other)| one / other)).median
}

#[cfg(test)]
mod tests {
    use super::{Grown, rate_to};
    use crate::bench::world::Size;

    fn grown(per_second: &[f64]) -> Grown {
        let empty = Grown::empty(Size::of(10_000, 10).unwrap());
        Grown { per_second: per_second.to_vec(), disk_bytes: 400_000, ..empty }
    }

    #[test]
    fn rates_are_compared_round_by_round() {
        let (one, other) = (grown(&[10.0, 90.0, 200.0]), grown(&[100.0, 100.0, 100.0]));
        assert!((rate_to(&one, &other) - 0.9).abs() < 1e-9);
    }

    #[test]
    fn disk_is_told_for_each_membership() {
        assert!((grown(&[]).disk_a_membership() - 40.0).abs() < 1e-9);
    }
}
