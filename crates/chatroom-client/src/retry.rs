//! When a call is repeated, and after how long.

use std::time::Duration;

use crate::error::Error;
use crate::http::Effect;

/// How often a call is repeated and how long it waits between attempts.
///
/// The wait before the attempt that follows the `n`th is `first_wait * 2^(n-1)`, at most `longest_wait`, of which
/// a random part between a half and the whole is waited, so that callers who failed together do not come back
/// together. A `Retry-After` is waited for in full, with up to `first_wait` on top.
///
/// What may be repeated at all is not a setting; see the crate's documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: u32,
    first_wait: Duration,
    longest_wait: Duration,
    total_wait: Duration,
}

impl Default for RetryPolicy {
    /// 4 attempts; waits from 100 ms to 5 s, 30 s in all.
    fn default() -> Self {
        Self {
            attempts: 4,
            first_wait: Duration::from_millis(100),
            longest_wait: Duration::from_secs(5),
            total_wait: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// Every call is sent once.
    #[must_use]
    pub fn never() -> Self {
        Self::default().attempts(1)
    }

    /// How many attempts there are in all; 0 counts as 1.
    #[must_use]
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// The wait after the first attempt.
    #[must_use]
    pub fn first_wait(self, first_wait: Duration) -> Self {
        Self { first_wait, ..self }
    }

    /// The longest single wait that is not named by the server.
    #[must_use]
    pub fn longest_wait(self, longest_wait: Duration) -> Self {
        Self { longest_wait, ..self }
    }

    /// The sum of all waits of a call. A wait that would exceed it, also one that the server names, is not begun:
    /// the call fails at once.
    #[must_use]
    pub fn total_wait(self, total_wait: Duration) -> Self {
        Self { total_wait, ..self }
    }

    /// How long to wait after the `attempt`th attempt (from 1) failed with `error`, having waited `waited` so far;
    /// `None` if the call is not repeated. `chance` is between 0 and 1.
    pub(crate) fn wait_after(
        &self,
        error: &Error,
        effect: Effect,
        attempt: u32,
        waited: Duration,
        chance: f64,
    ) -> Option<Duration> {
        if attempt >= self.attempts || !may_repeat(error, effect) {
            return None;
        }
        let wait = match error.retry_after() {
            Some(named) => named.saturating_add(self.first_wait.mul_f64(chance)),
            None => {
                let doubled = self.first_wait.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
                doubled.min(self.longest_wait).mul_f64(0.5 + chance / 2.0)
            }
        };
        (waited.saturating_add(wait) <= self.total_wait).then_some(wait)
    }
}

/// Whether a call may be sent again: only if it is certain enough that it was not done.
fn may_repeat(error: &Error, effect: Effect) -> bool {
    if error.is_unsent() || error.is_rate_limited() {
        return true;
    }
    // A 503 means that nothing was done. Of a change that is believed only with a `Retry-After`: a gateway answers a
    // bare one also when it lost a request it had passed on, and the second attempt might remove somebody who has
    // meanwhile joined again, or make a second room.
    error.status() == Some(503) && (effect == Effect::Read || error.retry_after().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn answer(status: u16, code: &str, retry_after: Option<u64>) -> Error {
        let kind = Kind::Answer {
            status,
            code: code.to_owned(),
            description: String::new(),
            retry_after: retry_after.map(Duration::from_secs),
        };
        Error::new(kind, "test", Effect::Change, None)
    }

    fn wait(error: &Error, effect: Effect, attempt: u32, chance: f64) -> Option<Duration> {
        RetryPolicy::default().wait_after(error, effect, attempt, Duration::ZERO, chance)
    }

    #[test]
    fn waits_double_and_are_jittered_and_bounded() {
        let error = answer(429, "reach_limit", None);
        assert_eq!(wait(&error, Effect::Read, 1, 0.0), Some(Duration::from_millis(50)));
        assert_eq!(wait(&error, Effect::Read, 1, 1.0), Some(Duration::from_millis(100)));
        assert_eq!(wait(&error, Effect::Read, 3, 1.0), Some(Duration::from_millis(400)));
        assert_eq!(wait(&error, Effect::Read, 4, 1.0), None);
        let many = RetryPolicy::default().attempts(1_000);
        let long = many.wait_after(&error, Effect::Read, 900, Duration::ZERO, 1.0);
        assert_eq!(long, Some(Duration::from_secs(5)));
        assert_eq!(many.wait_after(&error, Effect::Read, 900, Duration::from_secs(26), 1.0), None);
    }

    #[test]
    fn a_named_wait_is_kept_in_full_or_not_begun() {
        let error = answer(503, "service_unavailable", Some(3));
        assert_eq!(wait(&error, Effect::Change, 1, 0.0), Some(Duration::from_secs(3)));
        assert_eq!(wait(&error, Effect::Change, 1, 0.5), Some(Duration::from_millis(3_050)));
        assert_eq!(wait(&answer(503, "service_unavailable", Some(31)), Effect::Change, 1, 0.0), None);
        assert_eq!(wait(&answer(503, "service_unavailable", Some(u64::MAX)), Effect::Change, 1, 1.0), None);
    }

    #[test]
    fn decision_34_a_change_is_repeated_after_503_only_with_a_retry_after() {
        let silent = answer(503, "service_unavailable", None);
        assert_eq!(wait(&silent, Effect::Change, 1, 0.0), None);
        assert!(wait(&answer(503, "service_unavailable", Some(1)), Effect::Change, 1, 0.0).is_some());
        assert!(wait(&silent, Effect::Read, 1, 0.0).is_some());
        for unknown in [500, 502, 504, 408] {
            for effect in [Effect::Read, Effect::Change] {
                assert_eq!(wait(&answer(unknown, "x", Some(1)), effect, 1, 0.0), None, "{unknown}");
            }
        }
    }

    #[test]
    fn a_spent_plan_is_not_waited_for() {
        assert_eq!(wait(&answer(429, "resource_limited", None), Effect::Read, 1, 0.0), None);
    }
}
