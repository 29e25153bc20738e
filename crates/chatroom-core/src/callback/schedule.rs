//! When a failed event is tried again, and when it is given up.

use std::time::Duration;

/// The longest `Retry-After` that is honoured.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// Waits after the first, second, … failure.
const WAITS: [Duration; 7] = [
    Duration::ZERO,
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(3 * 60 * 60),
];
/// After those.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);
/// How far a wait is spread to either side, so that events that failed together do not come back together.
const JITTER: f64 = 0.1;

/// When events are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrySchedule {
    /// An event that fails for so long is given up. Time in which its rule was paused or off does not count.
    pub give_up_after: Duration,
}

/// What becomes of an event after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is tried again after this wait.
    Retry(Duration),
    /// It is given up: a dead letter.
    GiveUp,
}

impl Default for RetrySchedule {
    /// 72 hours.
    fn default() -> Self {
        Self { give_up_after: Duration::from_secs(72 * 60 * 60) }
    }
}

impl RetrySchedule {
    /// What becomes of an event that failed `failures` times, this one counted, for the first time `failing_for` ago.
    /// `chance` is from 0 to 1.
    ///
    /// The last attempt is made when the event is to be given up, not before, unless the receiver asks for longer.
    #[must_use]
    pub fn after_failure(
        &self,
        failures: u32,
        failing_for: Duration,
        retry_after: Option<Duration>,
        chance: f64,
    ) -> Verdict {
        if failing_for >= self.give_up_after {
            return Verdict::GiveUp;
        }
        let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
        let wait = WAITS.get(index).copied().unwrap_or(LONGEST);
        let spread = 1.0 - JITTER + 2.0 * JITTER * chance.clamp(0.0, 1.0);
        let wait = wait.mul_f64(spread).min(self.give_up_after - failing_for);
        Verdict::Retry(wait.max(honoured(retry_after)))
    }
}

/// How much of what the receiver asked for it gets.
pub(super) fn honoured(retry_after: Option<Duration>) -> Duration {
    retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn after(failures: u32, failing_for: Duration, retry_after: Option<Duration>, chance: f64) -> Verdict {
        RetrySchedule::default().after_failure(failures, failing_for, retry_after, chance)
    }

    #[test]
    fn the_waits_are_those_of_the_schedule() {
        let waits = [0, 5, 30, 120, 600, 3_600, 10_800, 21_600, 21_600, 21_600];
        for (failures, seconds) in (1..).zip(waits) {
            let wait = Duration::from_secs(seconds);
            assert_eq!(after(failures, Duration::ZERO, None, 0.5), Verdict::Retry(wait), "{failures}");
        }
        assert_eq!(after(u32::MAX, Duration::ZERO, None, 0.5), Verdict::Retry(6 * HOUR));
    }

    #[test]
    fn a_wait_is_spread_by_a_tenth_to_either_side() {
        assert_eq!(after(3, Duration::ZERO, None, 0.0), Verdict::Retry(27 * SECOND));
        assert_eq!(after(3, Duration::ZERO, None, 1.0), Verdict::Retry(33 * SECOND));
    }

    #[test]
    fn a_longer_retry_after_is_honoured_up_to_an_hour_and_a_shorter_one_shortens_nothing() {
        assert_eq!(after(1, Duration::ZERO, Some(7 * SECOND), 0.5), Verdict::Retry(7 * SECOND));
        assert_eq!(after(1, Duration::ZERO, Some(9 * HOUR), 0.5), Verdict::Retry(HOUR));
        assert_eq!(after(3, Duration::ZERO, Some(SECOND), 0.5), Verdict::Retry(30 * SECOND));
    }

    #[test]
    fn an_event_is_given_up_after_72_hours_and_tried_once_more_at_their_end() {
        assert_eq!(after(20, 70 * HOUR, None, 0.5), Verdict::Retry(2 * HOUR));
        assert_eq!(after(21, 72 * HOUR, None, 0.5), Verdict::GiveUp);
        assert_eq!(after(20, 72 * HOUR - SECOND, None, 1.0), Verdict::Retry(SECOND));
    }
}
