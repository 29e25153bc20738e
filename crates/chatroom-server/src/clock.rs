//! Time and ids of a process that runs: the one place that asks the system for them.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use chatroom_core::{AppId, Clock, Ids, OperationId, Timestamp};
use uuid::{NoContext, Uuid};

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that is injected elsewhere")]
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// UUIDs: of version 7 for operations, so that they sort by time, and of version 4 for apps.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    fn operation(&self) -> OperationId {
        // Random behind the time: a counter shared by all threads would be a lock on every call.
        OperationId::new(Uuid::new_v7(uuid::Timestamp::now(NoContext)).as_u128())
    }

    fn app(&self) -> AppId {
        #[expect(clippy::disallowed_methods, reason = "these are the ids that are injected elsewhere")]
        let id = Uuid::new_v4();
        AppId(id.as_u128())
    }
}

/// Time that never goes back, in microseconds since some moment: what rate limits are counted by.
pub trait Stopwatch: Send + Sync + 'static {
    /// The time now.
    fn micros(&self) -> u64;
}

/// The stopwatch of the machine.
#[derive(Debug, Clone, Copy)]
pub struct SystemStopwatch(Instant);

impl SystemStopwatch {
    /// Starts at zero.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Stopwatch for SystemStopwatch {
    fn micros(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
