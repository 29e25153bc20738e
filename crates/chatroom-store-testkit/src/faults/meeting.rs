//! Lets racing operations meet, wherever the scheduler puts them.

use std::time::Duration;

use tokio::sync::Notify;

/// Where an operation waits for another. A race whose runners never meet finds nothing.
#[derive(Debug, Default)]
pub(super) struct Meeting(Notify);

/// How long the only operation waits. Others of a race come by sooner, also on a busy machine.
const ALONE: Duration = Duration::from_millis(100);

impl Meeting {
    /// Returns when another operation comes by, or none does.
    pub(super) async fn meet(&self) {
        self.0.notify_waiters();
        // Nobody came: the operation is alone.
        let _ = tokio::time::timeout(ALONE, self.0.notified()).await;
    }
}
