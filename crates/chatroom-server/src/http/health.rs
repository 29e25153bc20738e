//! `GET /livez` and `GET /readyz`, for whoever runs the server: no app, no token, no limit.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::response::Response;
use chatroom_core::{DeadLetter, Deliveries, Rule, StorageError};
use chatroom_store_postgres::Durability;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::trace::Trace;
use super::{Shared, answer};
use crate::config::StoreRequire;
use crate::error::{Failure, Place};
use crate::serve::{Health, Life};

/// Whether the server should be sent calls, and why not. Reasons are words: no paths, no hosts.
pub(crate) struct Readiness {
    draining: AtomicBool,
    store: Arc<dyn Life>,
    deliveries: Arc<dyn Deliveries>,
    notes: Notes,
    /// What retention took, as it was seen last, and when.
    seen: Mutex<Option<(Instant, Notes)>>,
    require: Option<StoreRequire>,
}

/// What is worth knowing although the server is ready.
pub(crate) type Notes = Vec<Cow<'static, str>>;

/// How many losses are told one by one.
const LOSSES: usize = 10;
/// How long they are not looked up again: everybody may ask whether the server is ready, as often as he likes.
const FRESH: Duration = Duration::from_secs(1);
/// How long the store is asked for them.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Ready {
    status: &'static str,
    /// What a 200 means, where that depends on the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    durability: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Notes,
}

impl Readiness {
    pub(crate) fn new(
        store: Arc<dyn Life>,
        deliveries: Arc<dyn Deliveries>,
        notes: Notes,
        require: Option<StoreRequire>,
    ) -> Self {
        let (draining, seen) = (AtomicBool::new(false), Mutex::default());
        Self { draining, store, deliveries, notes, seen, require }
    }

    /// From now on the server says that it stops.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether it stops.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// What `store.require` asks for and is not so now: changes must not be answered with a 200.
    pub(crate) fn lacks(&self) -> Option<String> {
        match (self.require?, self.store.durability()) {
            (StoreRequire::Replicated, Some(Durability::Replicated)) => None,
            (StoreRequire::Replicated, durability) => {
                let now = durability.unwrap_or(Durability::Local);
                Some(format!("store.require is replicated, and a commit is {now} now"))
            }
        }
    }

    fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.is_draining() {
            reasons.push("the server is stopping".to_owned());
        }
        match self.store.health() {
            Health::Ready => {}
            Health::Full => reasons.push("the disk is full: nothing can be changed".to_owned()),
            Health::Away => reasons.push("the database does not answer".to_owned()),
            Health::Closed => reasons.push("the store is closed".to_owned()),
            Health::Failed(why) => reasons.push(format!("the store failed, and the server ends: {why}")),
        }
        reasons.extend(self.lacks());
        reasons
    }

    /// What is so since the start, and what retention took before it was delivered.
    async fn notes(&self) -> Notes {
        let mut notes = self.notes.clone();
        // Nothing that concerns callbacks makes the server less ready, a store that takes its time neither.
        match tokio::time::timeout(PATIENCE, self.losses()).await {
            Ok(Ok(losses)) => notes.extend(losses),
            Ok(Err(error)) => tracing::debug!(%error, "cannot look what retention took"),
            Err(_) => tracing::debug!("cannot look what retention took within {PATIENCE:?}"),
        }
        notes
    }

    /// One look at a time, whoever asks.
    async fn losses(&self) -> Result<Notes, StorageError> {
        let mut seen = self.seen.lock().await;
        if let Some((at, notes)) = &*seen
            && at.elapsed() < FRESH
        {
            return Ok(notes.clone());
        }
        let losses = self.deliveries.losses(LOSSES + 1).await?;
        let mut notes: Notes =
            losses.iter().take(LOSSES).map(|(rule, lost)| loss(rule, lost).into()).collect();
        if losses.len() > LOSSES {
            notes.push("retention took more than these runs".into());
        }
        *seen = Some((Instant::now(), notes.clone()));
        Ok(notes)
    }
}

fn loss(rule: &Rule, lost: &DeadLetter) -> String {
    let (first, last, room) = (lost.span.first.0, lost.span.last.0, lost.room.id);
    let (name, app) = (&rule.name, &rule.app_key);
    format!(
        "retention took events {first} to {last} of room {room} before the callback {name} of {app} was told"
    )
}

/// Whether the process answers at all.
pub(super) async fn livez(shared: &Shared, trace: &Trace) -> Response {
    let alive = Ready { status: "alive", durability: None, notes: Vec::new() };
    answer::json(&alive).unwrap_or_else(|failure| refuse(&failure, shared, trace))
}

/// Whether it should be sent calls.
pub(super) async fn readyz(shared: &Shared, trace: &Trace) -> Response {
    let reasons = shared.readiness.reasons();
    let answer = if reasons.is_empty() {
        let durability = shared.readiness.store.durability().map(|durability| durability.to_string());
        answer::json(&Ready { status: "ready", durability, notes: shared.readiness.notes().await })
    } else {
        Err(Failure::NotReady(reasons))
    };
    answer.unwrap_or_else(|failure| refuse(&failure, shared, trace))
}

fn refuse(failure: &Failure, shared: &Shared, trace: &Trace) -> Response {
    answer::failure(failure, &Place::default(), trace, &*shared.clock)
}

#[cfg(test)]
mod tests {
    use chatroom_core::MockDeliveries;
    use chatroom_core::test_util::ManualClock;

    use super::*;
    use crate::config::Config;
    use crate::serve::Stores;

    #[tokio::test(start_paused = true)]
    async fn who_asks_again_and_again_asks_the_store_once_a_second() {
        let mut deliveries = MockDeliveries::new();
        deliveries.expect_losses().times(2).returning(|_| Ok(Vec::new()));
        let store = Stores::memory(&Config::default(), Arc::new(ManualClock::at(0))).life;
        let readiness = Readiness::new(store, Arc::new(deliveries), vec!["a note".into()], None);
        for _ in 0..2 {
            for _ in 0..10 {
                assert_eq!(readiness.notes().await, ["a note"]);
            }
            tokio::time::advance(FRESH).await;
        }
    }
}
