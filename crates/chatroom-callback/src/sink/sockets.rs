//! How many connections a rule uses.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatroom_core::{ROOMS_AT_ONCE, RuleId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a connection is counted that is given up: it is closed a moment after its request is dropped, by a task of
/// the HTTP client that nobody can wait for.
pub const CLOSING: Duration = Duration::from_millis(250);

/// Lets no rule use more than [`ROOMS_AT_ONCE`] connections, whoever posts.
#[derive(Default)]
pub(super) struct Sockets(Mutex<HashMap<RuleId, Arc<Semaphore>>>);

impl Sockets {
    /// Waits for a connection; it is given back when this is dropped. `None` if it cannot be counted.
    pub(super) async fn take(&self, rule: RuleId) -> Option<OwnedSemaphorePermit> {
        let semaphore = self.of(rule);
        semaphore.acquire_owned().await.ok()
    }

    /// Gives a connection back that is given up, when it is closed.
    pub(super) fn close(socket: Option<OwnedSemaphorePermit>) {
        tokio::spawn(async move {
            tokio::time::sleep(CLOSING).await;
            drop(socket);
        });
    }

    fn of(&self, rule: RuleId) -> Arc<Semaphore> {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(semaphore) = rules.get(&rule) {
            return Arc::clone(semaphore);
        }
        // A rule that nobody posts to is not remembered.
        rules.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        let semaphore = Arc::new(Semaphore::new(ROOMS_AT_ONCE));
        rules.insert(rule, Arc::clone(&semaphore));
        semaphore
    }
}
