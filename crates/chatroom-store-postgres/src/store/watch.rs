//! Looks, twice a second, whether the database answers, whether apps or rules were changed, and what a commit means.

use std::sync::Arc;
use std::time::Duration;

use chatroom_core::StorageError;
use deadpool_postgres::Pool;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::reads::query;
use crate::durability::{Durability, Sender};
use crate::rows;

/// How often.
const EVERY: Duration = Duration::from_millis(500);
/// One row at least. The version grows with every change.
const LOOK: &str = "\
    SELECT r.version, current_setting('synchronous_commit') AS synchronous_commit, s.pid IS NOT NULL AS has_sender, \
        s.state, s.sync_state \
    FROM registry r LEFT JOIN pg_stat_replication s ON true";

/// What was seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// Of the registry; 0 before it was seen.
    pub(super) version: i64,
    /// Why the database did not answer.
    pub(super) away: Option<Arc<str>>,
    /// Unknown while it does not.
    pub(super) durability: Durability,
}

/// Looks for the first time, and goes on looking until the task is aborted.
pub(super) async fn start(readers: Pool, patience: Duration) -> (JoinHandle<()>, watch::Receiver<Seen>) {
    let nothing = Seen { version: 0, away: None, durability: Durability::Unknown };
    let first = look(&readers, patience).await;
    let (told, seen) = watch::channel(after(&nothing, first));
    tracing::info!(durability = %seen.borrow().durability, "what a 200 means: {}", seen.borrow().durability);
    let watcher = tokio::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            let found = look(&readers, patience).await;
            told.send_if_modified(|seen| {
                let now = after(seen, found);
                tell(seen, &now);
                let changed = *seen != now;
                *seen = now;
                changed
            });
        }
    });
    (watcher, seen)
}

fn after(seen: &Seen, found: Result<(i64, Durability), StorageError>) -> Seen {
    match found {
        Ok((version, durability)) => Seen { version, away: None, durability },
        Err(error) => Seen {
            version: seen.version,
            away: Some(error.to_string().into()),
            durability: Durability::Unknown,
        },
    }
}

/// One line for each turn.
fn tell(before: &Seen, now: &Seen) {
    match (&before.away, &now.away) {
        (None, Some(why)) => tracing::warn!("the database does not answer: {why}"),
        (Some(_), None) => tracing::info!("the database answers again"),
        _ => {}
    }
    if now.away.is_none() && (before.durability != now.durability) {
        tracing::info!(durability = %now.durability, "what a 200 means: {}", now.durability);
    }
}

async fn look(readers: &Pool, patience: Duration) -> Result<(i64, Durability), StorageError> {
    let rows = query(readers, patience, LOOK, &[]).await?;
    let Some(first) = rows.first() else { return Ok((0, Durability::Unknown)) };
    let mut senders = Vec::new();
    for row in &rows {
        if rows::get(row, "has_sender")? {
            senders
                .push(Sender { state: rows::get(row, "state")?, sync_state: rows::get(row, "sync_state")? });
        }
    }
    let durability = Durability::of(rows::get(first, "synchronous_commit")?, &senders);
    Ok((rows::get(first, "version")?, durability))
}
