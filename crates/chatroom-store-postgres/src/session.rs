//! A connection with its prepared statements, and several statements sent at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{BoxFuture, join_all, try_join_all};
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

/// A value that is sent.
pub(crate) type Value = Box<dyn ToSql + Sync + Send>;

/// A statement and its values.
pub(crate) struct Call {
    pub(crate) sql: &'static str,
    pub(crate) values: Vec<Value>,
}

/// Makes a [`Call`].
macro_rules! call {
    ($sql:expr $(, $value:expr)* $(,)?) => {
        $crate::session::Call { sql: $sql, values: vec![$(Box::new($value)),*] }
    };
}
pub(crate) use call;

/// A connection. It is closed when this is dropped, and what was under way on it is rolled back unless the commit had
/// arrived.
pub(crate) struct Session {
    client: Client,
    driver: JoinHandle<()>,
    doubt: Arc<AtomicBool>,
    statements: HashMap<&'static str, Statement>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Session {
    pub(crate) fn new(client: Client, driver: JoinHandle<()>, doubt: Arc<AtomicBool>) -> Self {
        Self { client, driver, doubt, statements: HashMap::new() }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Whether the server gave a warning since this was last asked.
    pub(crate) fn take_doubt(&self) -> bool {
        self.doubt.swap(false, Ordering::SeqCst)
    }

    /// Prepares the statements that are not yet.
    pub(crate) async fn prepare(&mut self, calls: &[Call]) -> Result<(), Error> {
        let mut missing: Vec<&'static str> = calls.iter().map(|call| call.sql).collect();
        missing.retain(|sql| !self.statements.contains_key(sql));
        missing.sort_unstable();
        missing.dedup();
        let prepared = try_join_all(missing.iter().map(|sql| self.client.prepare(sql))).await?;
        self.statements.extend(missing.into_iter().zip(prepared));
        Ok(())
    }

    /// Sends plain commands and [prepared](Self::prepare) calls in one go, in this order: `before`, the calls, `after`.
    /// Answers the rows of each call; of the commands, whether they succeeded.
    pub(crate) fn send<'s>(
        &'s self,
        before: &'static [&'static str],
        calls: Vec<Call>,
        after: &'static [&'static str],
    ) -> impl Future<Output = Sent> + Send + 's {
        let mut all: Vec<BoxFuture<'s, Result<Vec<Row>, Error>>> = Vec::new();
        let count = calls.len();
        let command = |sql: &'static str| -> BoxFuture<'s, Result<Vec<Row>, Error>> {
            Box::pin(async move { self.client.batch_execute(sql).await.map(|()| Vec::new()) })
        };
        all.extend(before.iter().map(|sql| command(sql)));
        for Call { sql, values } in calls {
            let statement = self.statements.get(sql).cloned();
            all.push(Box::pin(async move {
                let values: Vec<&(dyn ToSql + Sync)> =
                    values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
                match statement {
                    Some(statement) => self.client.query(&statement, &values).await,
                    None => self.client.query(sql, &values).await,
                }
            }));
        }
        all.extend(after.iter().map(|sql| command(sql)));
        async move {
            let mut answers = join_all(all).await.into_iter();
            let mut command_failed = None;
            for _ in before {
                command_failed = command_failed.or(answers.next().and_then(Result::err));
            }
            let calls: Vec<_> = answers.by_ref().take(count).collect();
            Sent { before: command_failed, calls, after: answers.find_map(Result::err) }
        }
    }
}

/// What came back.
pub(crate) struct Sent {
    /// The first failure of the commands before.
    pub(crate) before: Option<Error>,
    /// The rows of each call.
    pub(crate) calls: Vec<Result<Vec<Row>, Error>>,
    /// The first failure of the commands after.
    pub(crate) after: Option<Error>,
}

impl Sent {
    /// The rows of all calls, or the first failure.
    pub(crate) fn rows(self) -> Result<Vec<Vec<Row>>, Error> {
        if let Some(error) = self.before {
            return Err(error);
        }
        let rows = self.calls.into_iter().collect::<Result<_, _>>()?;
        match self.after {
            Some(error) => Err(error),
            None => Ok(rows),
        }
    }
}
