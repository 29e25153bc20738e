//! A connection with its prepared statements, and several statements sent at once.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use futures_util::future::{BoxFuture, join, join_all, try_join_all};
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

    /// Which server this is, since when: a standby that was promoted is another one.
    pub(crate) async fn server(&self) -> Result<String, Error> {
        self.client.query_one("SELECT pg_postmaster_start_time()::text", &[]).await?.try_get(0)
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
    ///
    /// `after` is not sent if one of the calls could not be: a commit of the others would be one in part.
    pub(crate) async fn send(
        &self,
        before: &'static [&'static str],
        calls: Vec<Call>,
        after: &'static [&'static str],
    ) -> Sent {
        let failed = AtomicBool::new(false);
        let count = calls.len();
        let mut all: Vec<BoxFuture<'_, Result<Vec<Row>, Error>>> = Vec::new();
        all.extend(before.iter().map(|sql| self.command(sql)));
        all.extend(calls.into_iter().map(|call| self.call(call, &failed)));
        let mut all = pin!(join_all(all));
        // The first poll sends them.
        let sent = poll_fn(|cx| Poll::Ready(all.as_mut().poll(cx))).await;
        let after = if failed.load(Ordering::SeqCst) { &[] } else { after };
        let after = join_all(after.iter().map(|sql| self.command(sql)));
        let (all, after) = match sent {
            Poll::Ready(all) => (all, after.await),
            Poll::Pending => join(all, after).await,
        };
        let mut answers = all.into_iter();
        let before = answers.by_ref().take(before.len()).find_map(Result::err);
        // An error among the commands leaves some of them untaken.
        let mut calls: Vec<_> = answers.collect();
        calls.drain(..calls.len().saturating_sub(count));
        Sent { before, calls, after: after.into_iter().find_map(Result::err) }
    }

    fn command(&self, sql: &'static str) -> BoxFuture<'_, Result<Vec<Row>, Error>> {
        Box::pin(async move { self.client.batch_execute(sql).await.map(|()| Vec::new()) })
    }

    fn call<'s>(&'s self, call: Call, failed: &'s AtomicBool) -> BoxFuture<'s, Result<Vec<Row>, Error>> {
        let Call { sql, values } = call;
        let statement = self.statements.get(sql).cloned();
        Box::pin(async move {
            let values: Vec<&(dyn ToSql + Sync)> =
                values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
            let rows = match statement {
                Some(statement) => self.client.query(&statement, &values).await,
                None => self.client.query(sql, &values).await,
            };
            rows.inspect_err(|_| failed.store(true, Ordering::SeqCst))
        })
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
