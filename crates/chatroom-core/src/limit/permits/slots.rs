use std::collections::VecDeque;
use std::time::Duration;

use super::{WINDOW, by_another_clock};
use crate::limit::Permit;

/// The slots that this node holds. Which slot is which does not matter, only how many there are and when they were
/// last used.
#[derive(Debug, Default)]
pub(super) struct Slots {
    held: u32,
    /// When slots were used in the last second, oldest first. There may be more than are held: of slots that went.
    used: VecDeque<u64>,
}

/// Slots that were let go, and when those of them that are hot were used, so that they can be taken back.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Gone {
    count: u32,
    used: Vec<u64>,
}

impl Gone {
    /// For how long none of them had been used, in whole milliseconds; a second if they are cold.
    pub(super) fn rested(&self, now: u64) -> u32 {
        let rested = self.used.last().map_or(WINDOW, |used| now.saturating_sub(*used));
        u32::try_from(rested / 1_000).unwrap_or(u32::MAX)
    }
}

impl Slots {
    pub(super) fn held(&self) -> u32 {
        self.held
    }

    /// Slots that were not used for more than a second.
    pub(super) fn cold(&mut self, now: u64) -> u32 {
        while self.used.front().is_some_and(|used| now.saturating_sub(*used) > WINDOW) {
            self.used.pop_front();
        }
        self.held.saturating_sub(u32::try_from(self.used.len()).unwrap_or(u32::MAX))
    }

    /// Uses a slot, if there is one.
    pub(super) fn take(&mut self, now: u64) -> Permit {
        let cold = self.cold(now);
        if cold > 0 {
            self.note(now);
            return Permit::Admitted { remaining: cold - 1 };
        }
        // As many have to become cold as there are more than slots, and one.
        let next = self.used.len().saturating_sub(self.held as usize);
        let used = if self.held == 0 { now } else { self.used.get(next).copied().unwrap_or(now) };
        let wait = (used + WINDOW + 1).saturating_sub(now);
        Permit::Exhausted { retry_after: Duration::from_micros(wait) }
    }

    /// The last use of any slot, also of one that went.
    pub(super) fn last_use(&self) -> Option<u64> {
        self.used.back().copied()
    }

    /// Adds slots from the pool.
    pub(super) fn add_cold(&mut self, count: u32) {
        self.held += count;
    }

    /// Adds slots that another node had not used for `rested` milliseconds when it wrote what this one read at `read`.
    pub(super) fn add_hot(&mut self, count: u32, rested: u32, read: u64) {
        self.held += count;
        // How long the other node's time and the rest of a second are on this node's clock.
        let rested = u64::from(rested) * 999;
        let used = (read + by_another_clock(WINDOW) - WINDOW).saturating_sub(rested);
        for _ in 0..count {
            self.note(used);
        }
    }

    /// Lets go of so many at most, only of those that are cold.
    pub(super) fn release(&mut self, count: u32, now: u64) -> Gone {
        let count = count.min(self.cold(now));
        self.held -= count;
        Gone { count, used: Vec::new() }
    }

    /// Lets go of so many at most for a node that will wait a second: of those last that were used first, since they
    /// could be used again soonest.
    pub(super) fn give(&mut self, count: u32) -> Gone {
        let count = count.min(self.held);
        self.held -= count;
        let kept = self.used.len().saturating_sub(count as usize);
        Gone { count, used: self.used.split_off(kept).into() }
    }

    /// Holds no more than so many. When the others were used is kept: they may be used again by somebody else.
    pub(super) fn lower(&mut self, held: u32) {
        self.held = self.held.min(held);
    }

    /// Takes back what was let go and reached nobody.
    pub(super) fn take_back(&mut self, gone: Gone) {
        self.held += gone.count;
        for used in gone.used {
            self.note(used);
        }
    }

    fn note(&mut self, used: u64) {
        let place = self.used.partition_point(|other| *other <= used);
        self.used.insert(place, used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = WINDOW;

    fn admitted(slots: &mut Slots, now: u64) -> bool {
        matches!(slots.take(now), Permit::Admitted { .. })
    }

    #[test]
    fn a_node_without_slots_refuses_for_a_second() {
        let mut slots = Slots::default();
        assert_eq!(slots.take(5), Permit::Exhausted { retry_after: Duration::from_micros(S + 1) });
    }

    #[test]
    fn hot_slots_are_used_a_second_after_they_were_seen_and_cold_ones_at_once() {
        let mut slots = Slots::default();
        slots.add_hot(1, 0, 10);
        assert!(!admitted(&mut slots, 10 + S + S / 1_000));
        assert!(admitted(&mut slots, 11 + S + S / 1_000));
        slots.add_cold(1);
        assert!(admitted(&mut slots, 11 + S + S / 1_000));
    }

    #[test]
    fn slots_that_have_rested_are_used_earlier() {
        let mut slots = Slots::default();
        slots.add_hot(1, 600, 2 * S);
        assert!(!admitted(&mut slots, 2 * S + 400_000));
        assert!(admitted(&mut slots, 2 * S + 400_000 + 1_601));
        assert_eq!(slots.give(1).rested(2 * S + 411_601), 10);
        assert_eq!(Gone::default().rested(5), 1_000);
    }

    #[test]
    fn slots_given_away_are_those_used_last() {
        let mut slots = Slots::default();
        slots.add_cold(3);
        for at in [100, 200, 300] {
            assert!(admitted(&mut slots, at));
        }
        slots.give(1);
        assert_eq!(slots.held(), 2);
        assert!(!admitted(&mut slots, 100 + S), "the two that are left were used at 100 and 200");
        assert!(admitted(&mut slots, 101 + S));
        assert!(!admitted(&mut slots, 102 + S));
    }

    #[test]
    fn slots_that_were_lowered_away_are_waited_for() {
        let mut slots = Slots::default();
        slots.add_cold(3);
        for at in [100, 200, 300] {
            assert!(admitted(&mut slots, at));
        }
        slots.lower(1);
        assert_eq!(slots.take(301), Permit::Exhausted { retry_after: Duration::from_micros(S) });
        assert!(!admitted(&mut slots, 300 + S));
        assert!(admitted(&mut slots, 301 + S));
    }

    #[test]
    fn only_cold_slots_are_released_and_what_reached_nobody_comes_back_as_it_was() {
        let mut slots = Slots::default();
        slots.add_cold(3);
        assert!(admitted(&mut slots, 100));
        assert_eq!(slots.release(9, 200).count, 2);
        assert_eq!(slots.held(), 1);
        let gone = slots.give(9);
        assert_eq!(gone, Gone { count: 1, used: vec![100] });
        slots.take_back(gone);
        assert!(!admitted(&mut slots, 100 + S));
        assert!(admitted(&mut slots, 101 + S));
    }
}
