//! Arithmetic on points in time.

use std::time::Duration;

use crate::clock::Timestamp;

/// So much after this point.
pub(super) fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.plus_millis(i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
}

/// From one point to another; nothing if that lies before.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    let millis = to.as_millis().saturating_sub(from.as_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
