//! Time as the rules see it: passed in, never asked for.

use std::sync::Mutex;
use std::time::Duration;

/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z, as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Takes milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Later by so many milliseconds, or earlier by a negative number.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Earlier by this duration.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// Where time comes from.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Clock: Send + Sync + 'static {
    /// The time now. It may go back, as the clocks of machines do; who needs time that does not asks [`Ticker`].
    fn now(&self) -> Timestamp;
}

/// The moment of a decision. A store takes it while it holds what the decision reads, so it never goes back within
/// a room (invariant 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Timestamp);

/// Makes moments of a clock: never one before the last.
#[derive(Debug)]
pub struct Ticker(Mutex<Timestamp>);

impl Ticker {
    /// Starts behind `last`: the time of the newest thing that the store holds.
    #[must_use]
    pub fn starting_at(last: Timestamp) -> Self {
        Self(Mutex::new(last))
    }

    /// The next moment: the clock's time, or the last moment if the clock went back.
    pub fn tick(&self, clock: &dyn Clock) -> Moment {
        let mut last = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *last = clock.now().max(*last);
        Moment(*last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Backwards(Mutex<i64>);
    impl Clock for Backwards {
        fn now(&self) -> Timestamp {
            let mut now = self.0.lock().unwrap();
            *now -= 1;
            Timestamp::from_millis(*now)
        }
    }

    #[test]
    fn moments_do_not_go_back_when_the_clock_does() {
        let (clock, ticker) = (Backwards(Mutex::new(100)), Ticker::starting_at(Timestamp::from_millis(5)));
        let first = ticker.tick(&clock);
        assert_eq!(first, Moment(Timestamp::from_millis(99)));
        assert_eq!(ticker.tick(&clock), first);
    }
}
