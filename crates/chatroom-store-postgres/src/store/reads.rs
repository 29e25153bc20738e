//! Reading, through the pool.
//!
//! A row is seen once its transaction has ended, and a transaction ends when its commit is as safe as the database was
//! told to make commits: on its disk, and on its standbys if it waits for them. What still waits is in nobody's view.
//! So no read tells of what is not durable.

use std::time::Duration;

use chatroom_core::StorageError;
use deadpool_postgres::{Object, Pool};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::PostgresStore;
use crate::deadline::Deadline;
use crate::error::{not_done, session_is_over, unavailable};

impl PostgresStore {
    pub(super) async fn query(
        &self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StorageError> {
        query(&self.readers, self.shared.options.patience, sql, values).await
    }
}

/// Runs one query. A connection that turns out to be dead is replaced: reading again does no harm.
pub(super) async fn query(
    readers: &Pool,
    patience: Duration,
    sql: &'static str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, StorageError> {
    let deadline = Deadline::after(patience);
    // Every connection of the pool may be dead, and the attempt behind them makes a new one.
    for _ in 0..=readers.status().max_size {
        let client = deadline.hold(readers.get()).await?;
        let client =
            client.map_err(|error| unavailable(format!("no connection to the database: {error}")))?;
        let rows = deadline.hold(async {
            let statement = client.prepare_cached(sql).await?;
            client.query(&statement, values).await
        });
        match rows.await {
            Ok(Ok(rows)) => return Ok(rows),
            Ok(Err(error)) if session_is_over(&error) => drop(Object::take(client)),
            Ok(Err(error)) => return Err(not_done(error)),
            Err(late) => {
                // It is of no use before it has answered, and nobody waits for that.
                drop(Object::take(client));
                return Err(late);
            }
        }
    }
    Err(unavailable("the connections to the database are dead"))
}
