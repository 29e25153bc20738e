//! The rate limit: never more than N calls in any rolling second (decision 18).
//!
//! N slots, each of which may be used again more than a second after its last use. That is exact: a token bucket of
//! the same size lets twice as many through around a second's border.

mod at_once;
pub mod permits;

use std::collections::VecDeque;
use std::time::Duration;

pub use at_once::{AtOnce, Inside, OfOneApp};

/// The length of the window, in microseconds.
const WINDOW: u64 = 1_000_000;

/// The calls of the last second. Holds 8 bytes a slot that was used in that second.
#[derive(Debug, Clone, Default)]
pub struct RollingSecond {
    /// When slots were last used, oldest first, in microseconds of a clock that never goes back.
    used: VecDeque<u64>,
}

/// A call may go on, or has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// It may go on.
    Admitted {
        /// How many more may at this moment.
        remaining: u32,
    },
    /// It may not.
    Exhausted {
        /// When the next slot is free.
        retry_after: Duration,
    },
}

impl RollingSecond {
    /// Asks for one of `slots` slots. `now` is in microseconds of a clock that never goes back.
    pub fn take(&mut self, slots: u32, now: u64) -> Permit {
        while self.used.front().is_some_and(|used| now.saturating_sub(*used) > WINDOW) {
            self.used.pop_front();
        }
        let taken = u32::try_from(self.used.len()).unwrap_or(u32::MAX);
        if taken < slots {
            self.used.push_back(now);
            return Permit::Admitted { remaining: slots - taken - 1 };
        }
        let oldest = self.used.front().copied().unwrap_or(now);
        let wait = (oldest + WINDOW + 1).saturating_sub(now);
        Permit::Exhausted { retry_after: Duration::from_micros(wait) }
    }

    /// Whether no slot was used in the last second: it can be forgotten then.
    #[must_use]
    pub fn is_idle(&self, now: u64) -> bool {
        self.used.back().is_none_or(|used| now.saturating_sub(*used) > WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decision_18_a_slot_is_free_again_more_than_a_second_after_its_use() {
        let mut calls = RollingSecond::default();
        assert_eq!(calls.take(2, 0), Permit::Admitted { remaining: 1 });
        assert_eq!(calls.take(2, 400_000), Permit::Admitted { remaining: 0 });
        assert_eq!(calls.take(2, 1_000_000), Permit::Exhausted { retry_after: Duration::from_micros(1) });
        assert_eq!(calls.take(2, 1_000_001), Permit::Admitted { remaining: 0 });
        assert_eq!(
            calls.take(2, 1_000_001),
            Permit::Exhausted { retry_after: Duration::from_micros(400_000) }
        );
    }

    proptest! {
        #[test]
        fn decision_18_no_rolling_second_admits_more_than_its_slots(
            slots in 1_u32..20,
            steps in prop::collection::vec(0_u64..300_000, 1..400),
        ) {
            let (mut calls, mut now, mut admitted) = (RollingSecond::default(), 0, Vec::new());
            for step in steps {
                now += step;
                if matches!(calls.take(slots, now), Permit::Admitted { .. }) {
                    admitted.push(now);
                }
            }
            for (index, start) in admitted.iter().enumerate() {
                let inside = admitted[index..].iter().take_while(|at| **at - start <= WINDOW).count();
                prop_assert!(inside <= slots as usize);
            }
        }
    }
}
