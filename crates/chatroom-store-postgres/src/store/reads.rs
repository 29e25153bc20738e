//! Reading, through the pool.
//!
//! A row is seen once its transaction has ended, and a transaction ends when its commit is as safe as the database was
//! told to make commits: on its disk, and on its standbys if it waits for them. So no read tells of what is not
//! durable. What a commit waits for is in nobody's view.

use chatroom_core::StorageError;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::PostgresStore;
use crate::deadline::Deadline;
use crate::error::{not_done, session_is_over, unavailable};

impl PostgresStore {
    /// Runs one query. A connection that turns out to be dead is replaced once or twice: reading again does no harm.
    pub(super) async fn query(
        &self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StorageError> {
        let deadline = Deadline::after(self.shared.options.patience);
        // Every connection of the pool may be dead, and one more attempt makes a new one.
        for _ in 0..self.shared.options.readers.max(1) {
            let client = deadline.hold(self.readers.get()).await?;
            let client = client.map_err(|error| unavailable(format!("no connection to the database: {error}")))?;
            let rows = deadline.hold(async {
                let statement = client.prepare_cached(sql).await?;
                client.query(&statement, values).await
            });
            match rows.await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(error)) if session_is_over(&error) => drop(deadpool_postgres::Object::take(client)),
                Ok(Err(error)) => return Err(not_done(error)),
                Err(late) => {
                    // Its answer may still come, and must not be taken for another's.
                    drop(deadpool_postgres::Object::take(client));
                    return Err(late);
                }
            }
        }
        Err(unavailable("the connections to the database are dead"))
    }
}
