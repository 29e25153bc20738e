//! Until when a call waits.

use std::time::Duration;

use chatroom_core::StorageError;
use tokio::time::Instant;

use crate::error::unavailable;

/// The end of a call's patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(patience: Duration) -> Self {
        Self(Instant::now() + patience)
    }

    pub(crate) fn is_over(self) -> bool {
        self.is_within(Duration::ZERO, Instant::now())
    }

    /// Whether there is no more than so much time left then.
    pub(crate) fn is_within(self, left: Duration, then: Instant) -> bool {
        self.0 <= then + left
    }

    /// What the future answers, or that the database took too long: nothing was done then.
    pub(crate) async fn hold<T>(self, future: impl Future<Output = T>) -> Result<T, StorageError> {
        let held = tokio::time::timeout_at(self.0, future).await;
        held.map_err(|_elapsed| unavailable("the database did not answer in time"))
    }
}
