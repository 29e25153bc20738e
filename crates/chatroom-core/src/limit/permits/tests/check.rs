//! What is looked for in the calls that were admitted, over all nodes, by true time in microseconds.

use std::ops::Range;

/// The most calls that any window of this length holds, both its ends included.
pub(super) fn most(admitted: &[u64], window: u64) -> usize {
    let mut times = admitted.to_vec();
    times.sort_unstable();
    let until = |from: u64| times.partition_point(|at| *at <= from + window);
    times.iter().enumerate().map(|(index, from)| until(*from) - index).max().unwrap_or_default()
}

/// A second, and what a slot that is free again waits for the next call and for the next tick of the clock: slots that
/// were used all at once are used all at once a little later than a second after that, on one node too.
const SECOND: u64 = 1_040_000;

/// The fewest calls that a second inside `during` holds, and where that second begins.
pub(super) fn fewest(admitted: &[u64], during: Range<u64>) -> (usize, u64) {
    let mut times = admitted.to_vec();
    times.sort_unstable();
    let before = |at: u64| times.partition_point(|time| *time < at);
    let starts = (during.start..=during.end.saturating_sub(SECOND)).step_by(10_000);
    starts.map(|from| (before(from + SECOND) - before(from), from)).min().unwrap_or_default()
}

#[test]
fn windows_are_counted_with_both_ends() {
    assert_eq!(most(&[0, 5, 10, 11], 10), 3);
    assert_eq!(fewest(&[0, 500_000, 950_000, 1_000_000], 0..2_000_000), (1, 960_000));
}
