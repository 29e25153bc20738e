//! Looks, twice a second, whether the database answers and whether apps or rules were changed.

use std::sync::Arc;
use std::time::Duration;

use chatroom_core::StorageError;
use deadpool_postgres::Pool;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::reads::query;
use crate::rows;

/// How often.
const EVERY: Duration = Duration::from_millis(500);
/// What it is told by: grows with every change.
const VERSION: &str = "SELECT version FROM registry";

/// What was seen last.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Of the registry; 0 before it was seen.
    pub(super) version: i64,
    /// Why the database did not answer.
    pub(super) away: Option<Arc<str>>,
}

pub(super) fn start(readers: Pool, patience: Duration) -> (JoinHandle<()>, watch::Receiver<Seen>) {
    let (told, seen) = watch::channel(Seen::default());
    let watcher = tokio::spawn(async move {
        loop {
            let version = look(&readers, patience).await;
            told.send_if_modified(|seen| {
                let before = (seen.version, seen.away.is_some());
                match version {
                    Ok(version) => {
                        seen.version = version;
                        seen.away = None;
                    }
                    Err(error) => seen.away = Some(error.to_string().into()),
                }
                before != (seen.version, seen.away.is_some())
            });
            tokio::time::sleep(EVERY).await;
        }
    });
    (watcher, seen)
}

async fn look(readers: &Pool, patience: Duration) -> Result<i64, StorageError> {
    let rows = query(readers, patience, VERSION, &[]).await?;
    rows.first().map_or(Ok(0), |row| rows::get(row, "version"))
}
