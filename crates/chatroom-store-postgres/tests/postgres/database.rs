//! A place of its own in the cluster that tests run on.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio_postgres::{Client, NoTls};

/// A schema of its own. It is gone when this is.
pub(crate) struct Database {
    cluster: String,
    schema: String,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Database {
    pub(crate) fn new() -> Self {
        let Ok(cluster) = std::env::var("CHATROOM_TEST_POSTGRES") else {
            panic!(
                "CHATROOM_TEST_POSTGRES is not set: run `cargo xtask test`, or set it to the URL of a PostgreSQL \
                 database that tests may fill"
            );
        };
        let schema = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let database = Self { cluster, schema };
        database.beside(&format!("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}", database.schema));
        database
    }

    /// The URL of a store, whose sessions bear this name.
    pub(crate) fn url(&self, name: &str) -> String {
        self.url_by(&self.cluster, name)
    }

    /// The same, over another way to the cluster.
    pub(crate) fn url_by(&self, way: &str, name: &str) -> String {
        let between = if way.contains('?') { '&' } else { '?' };
        let schema = &self.schema;
        format!("{way}{between}options=-csearch_path%3D{schema}&application_name={schema}_{name}")
    }

    /// The cluster's URL.
    pub(crate) fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Runs statements in the schema.
    pub(crate) async fn execute(&self, sql: &str) {
        let client = connect(&self.url("beside")).await;
        client.batch_execute(sql).await.expect("statements that succeed");
    }

    /// The number that this query answers.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        connect(&self.url("beside")).await.query_one(sql, &[]).await.expect("a row").get(0)
    }

    /// Lets the time of all leases of couriers pass.
    pub(crate) async fn end_leases(&self) {
        self.execute("UPDATE couriers SET until = now()").await;
    }

    /// Ends all sessions of this name, and waits until they are gone.
    pub(crate) async fn end_sessions(&self, name: &str) {
        let client = connect(&self.cluster).await;
        let name = format!("{}_{name}", self.schema);
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
        while client.query_one(end, &[&name]).await.expect("an answer").get::<_, i64>(0) > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Runs statements whatever runtime this is called on.
    fn beside(&self, sql: &str) {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(async {
                    connect(&self.cluster).await.batch_execute(sql).await.expect("statements that succeed");
                });
            });
        });
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.beside(&format!("DROP SCHEMA {} CASCADE", self.schema));
        }
    }
}

/// A session of nobody's store.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.expect("a database that can be reached");
    tokio::spawn(connection);
    client
}
