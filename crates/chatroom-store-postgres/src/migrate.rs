//! The schema of the database, and how it becomes the one that this version needs.
//!
//! Migrations go forward only, and leave what older versions read and write as it is for them: nodes of the version
//! before go on working beside a newer one. Nodes that start together wait for each other at a lock of the table that
//! says what was applied.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::config;
use crate::connect::Connector;
use crate::error::{OpenError, SchemaError};
use crate::options::Options;
use crate::tls;

/// All migrations, oldest first. Never edited once they are published.
const MIGRATIONS: &[(&str, &str)] = &[
    ("tables", include_str!("../migrations/0001_tables.sql")),
    ("permits", include_str!("../migrations/0002_permits.sql")),
    ("imports", include_str!("../migrations/0003_imports.sql")),
    ("oldest", include_str!("../migrations/0004_oldest.sql")),
    ("room", include_str!("../migrations/0005_room.sql")),
];

/// The schema that this version needs.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "there are a handful")]
pub const SCHEMA: i32 = MIGRATIONS.len() as i32;

const TABLE: &str = "\
    CREATE TABLE IF NOT EXISTS schema_versions ( \
        version integer NOT NULL, \
        name text NOT NULL, \
        applied timestamptz NOT NULL DEFAULT now(), \
        CONSTRAINT pk_schema_versions PRIMARY KEY (version) \
    )";

/// Applies the migrations that are pending. Answers the schema before and after. Safe to run beside itself, and beside
/// nodes that are running.
///
/// # Errors
/// [`OpenError`]: the database cannot be reached, says no, or was migrated by a newer version. Nothing was changed
/// then.
pub async fn migrate(options: &Options) -> Result<(i32, i32), OpenError> {
    let session = connect(options).await?;
    apply(session.client()).await
}

/// The schema of the database; 0 if there is none.
///
/// # Errors
/// [`OpenError`]: the database cannot be reached, or says no.
pub async fn schema(options: &Options) -> Result<i32, OpenError> {
    let session = connect(options).await?;
    version(session.client()).await.map_err(|error| database("reading its schema", error))
}

async fn connect(options: &Options) -> Result<crate::session::Session, OpenError> {
    let config = config::parse(options)?;
    let connector = Connector { config, tls: tls::connector(options.tls_ca.as_deref())? };
    connector.connect().await.map_err(|error| unreachable(&connector, error))
}

/// That there is no connection, with where it should have led.
pub(crate) fn unreachable(connector: &Connector, error: tokio_postgres::Error) -> OpenError {
    OpenError::Connect { hosts: config::hosts(&connector.config), source: with_cause(error) }
}

/// The cause says more than "error connecting to server".
fn with_cause(error: tokio_postgres::Error) -> Box<dyn std::error::Error + Send + Sync> {
    let text = error.to_string();
    match error.into_source() {
        Some(source) => format!("{text}: {source}").into(),
        None => text.into(),
    }
}

pub(crate) fn database(doing: &'static str, error: tokio_postgres::Error) -> OpenError {
    OpenError::Database { doing, source: with_cause(error) }
}

/// Makes sure that the database has the schema that this version needs.
pub(crate) async fn ready(client: &Client, migrate: bool) -> Result<(), OpenError> {
    let found = version(client).await.map_err(|error| database("reading its schema", error))?;
    check(found)?;
    if found == SCHEMA {
        return Ok(());
    }
    if !migrate {
        return Err(SchemaError::Pending { found, known: SCHEMA }.into());
    }
    apply(client).await.map(drop)
}

fn check(found: i32) -> Result<(), SchemaError> {
    if found > SCHEMA { Err(SchemaError::Newer { found, known: SCHEMA }) } else { Ok(()) }
}

async fn version(client: &Client) -> Result<i32, tokio_postgres::Error> {
    let known = client.query_one("SELECT to_regclass('schema_versions') IS NOT NULL", &[]).await?;
    if !known.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    client.query_one("SELECT coalesce(max(version), 0) FROM schema_versions", &[]).await?.try_get(0)
}

/// How often making the first table is tried: PostgreSQL lets two who make it at once collide.
const ATTEMPTS: usize = 10;

async fn apply(client: &Client) -> Result<(i32, i32), OpenError> {
    let failed = |error| database("migrating its schema", error);
    for attempt in 1.. {
        let made = client.batch_execute(TABLE).await;
        let Err(error) = made else { break };
        // Which of the three depends on how far the other node is: at the table, its row type, or their names.
        let met = matches!(
            error.code(),
            Some(&(SqlState::UNIQUE_VIOLATION | SqlState::DUPLICATE_TABLE | SqlState::DUPLICATE_OBJECT))
        );
        if !met || attempt == ATTEMPTS {
            return Err(failed(error));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Another node may be migrating a large table.
    let begin = "BEGIN; SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; \
                 LOCK TABLE schema_versions IN ACCESS EXCLUSIVE MODE";
    client.batch_execute(begin).await.map_err(failed)?;
    let applied = pending(client).await;
    let end = if applied.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = client.batch_execute(end).await.map_err(failed);
    applied.and_then(|applied| ended.map(|()| applied))
}

async fn pending(client: &Client) -> Result<(i32, i32), OpenError> {
    let failed = |error| database("migrating its schema", error);
    let found = version(client).await.map_err(failed)?;
    check(found)?;
    let first = usize::try_from(found).unwrap_or(0);
    for ((name, sql), number) in MIGRATIONS.iter().zip(1_i32..).skip(first) {
        client.batch_execute(sql).await.map_err(failed)?;
        let row = "INSERT INTO schema_versions (version, name) VALUES ($1, $2)";
        client.execute(row, &[&number, name]).await.map_err(failed)?;
    }
    Ok((found, SCHEMA))
}
