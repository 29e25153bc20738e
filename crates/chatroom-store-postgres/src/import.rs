//! Takes an export into a database that holds nothing.
//!
//! How far it came is in the row of the registry, which every commit of it changes first: so two imports do not mix, and
//! no app is made between the look whether the database is empty and the first part. What tells nodes of apps and of
//! deliveries is written at the end.

mod write;

use std::sync::Arc;

use async_trait::async_trait;
use chatroom_core::{
    Clock, ExportId, Import, ImportMark, ImportState, Picture, Portable, StorageError, StorageErrorKind,
};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::connect::Connector;
use crate::error::{OpenError, not_done, outcome_unknown};
use crate::group::write::REGISTRY;
use crate::options::Options;
use crate::picture::PostgresPicture;
use crate::session::{Session, call};
use crate::{config, migrate, numbers, rows, tls};

const BEGIN_SESSION: &str = "SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'";
const MARK: &str = "SELECT import_export, import_taken FROM registry";
const LOCK: &str = "SELECT import_export, import_taken FROM registry FOR UPDATE";
/// What is looked at is there as long as an app is: nothing is without one.
const FILLED: &str = "SELECT EXISTS (SELECT FROM apps) AS filled";
const SET_MARK: &str = "UPDATE registry SET import_export = $1, import_taken = $2";
const CLEAR_MARK: &str = "UPDATE registry SET import_export = NULL, import_taken = NULL";
const MARK_ALL_RULES: &str =
    "UPDATE apps SET has_rules = true WHERE EXISTS (SELECT FROM rules WHERE rules.app = apps.app)";

/// A database that takes an export.
pub struct PostgresImport {
    options: Options,
    clock: Arc<dyn Clock>,
    session: Session,
}

impl PostgresImport {
    /// Connects, and applies what migrations are pending if it may.
    ///
    /// # Errors
    /// [`OpenError`]: the URL is none, the database cannot be reached or says no, or its schema is newer than this
    /// version, or older and not to be migrated.
    pub async fn open(options: Options, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let config = config::parse(&options)?;
        let connector = Connector { config, tls: tls::connector(options.tls_ca.as_deref())? };
        let session = connector.connect().await.map_err(|error| migrate::unreachable(&connector, error))?;
        migrate::ready(session.client(), options.migrate).await?;
        let failed = |error| migrate::database("beginning to import", error);
        session.client().batch_execute(BEGIN_SESSION).await.map_err(failed)?;
        Ok(Self { options, clock, session })
    }

    /// Begins a transaction and locks the mark. Answers what the database holds.
    async fn begin(&mut self) -> Result<ImportState, StorageError> {
        let calls = vec![call!(LOCK)];
        self.session.prepare(&calls).await.map_err(not_done)?;
        let locked = self.session.send(&["BEGIN"], calls, &[]).await.rows().map_err(not_done)?;
        self.look(locked.first().and_then(|rows| rows.first())).await
    }

    async fn look(&mut self, registry: Option<&Row>) -> Result<ImportState, StorageError> {
        if let Some(mark) = registry.map(mark).transpose()?.flatten() {
            return Ok(ImportState::Unfinished(mark));
        }
        // In a statement of its own: it sees what was committed before the lock was had.
        let filled = self.session.client().query_one(FILLED, &[]).await.map_err(not_done)?;
        Ok(if rows::get(&filled, "filled")? { ImportState::Filled } else { ImportState::Empty })
    }

    /// Sends these and commits.
    async fn commit(&mut self, calls: Vec<crate::session::Call>) -> Result<(), StorageError> {
        self.session.prepare(&calls).await.map_err(not_done)?;
        let sent = self.session.send(&[], calls, &["COMMIT"]).await;
        if sent.calls.iter().all(Result::is_ok) && sent.after.is_some() {
            return Err(outcome_unknown());
        }
        sent.rows().map(drop).map_err(not_done)
    }
}

/// Whether the database holds an import that is not finished.
pub(crate) async fn is_unfinished(client: &Client) -> Result<bool, OpenError> {
    let failed = |error| migrate::database("looking for an import", error);
    let row = client.query_opt(MARK, &[]).await.map_err(failed)?;
    let export: Option<Option<Uuid>> = row.map(|row| row.try_get(0)).transpose().map_err(failed)?;
    Ok(export.flatten().is_some())
}

fn mark(row: &Row) -> Result<Option<ImportMark>, StorageError> {
    let export: Option<Uuid> = rows::get(row, "import_export")?;
    let Some(export) = export else { return Ok(None) };
    let taken: Option<i64> = rows::get(row, "import_taken")?;
    let taken = numbers::from_db(taken.unwrap_or_default())?;
    Ok(Some(ImportMark { export: ExportId(export.as_u128()), taken }))
}

#[async_trait]
impl Import for PostgresImport {
    async fn state(&mut self) -> Result<ImportState, StorageError> {
        let registry = self.session.client().query_opt(MARK, &[]).await.map_err(not_done)?;
        self.look(registry.as_ref()).await
    }

    async fn take(&mut self, part: Vec<Portable>, mark: ImportMark) -> Result<(), StorageError> {
        let before = mark.taken.saturating_sub(part.len() as u64);
        let mut calls = write::calls(part, self.clock.now())?;
        let export = Uuid::from_u128(mark.export.0);
        calls.push(call!(SET_MARK, export, numbers::to_db(mark.taken)));
        let state = self.begin().await?;
        if state.go_on(mark.export) != Ok(before) {
            // Dropping the session would do the same, later.
            self.session.client().batch_execute("ROLLBACK").await.map_err(not_done)?;
            let message = "somebody else changed the database meanwhile";
            return Err(StorageError::new(StorageErrorKind::Unavailable, message));
        }
        self.commit(calls).await
    }

    async fn picture(&mut self) -> Result<Box<dyn Picture>, StorageError> {
        let read = PostgresPicture::read(&self.options, self.clock.now()).await;
        let (picture, _) = read.map_err(|error| {
            let message = "what was imported cannot be read";
            StorageError::caused_by(StorageErrorKind::Unavailable, message, error)
        })?;
        Ok(Box::new(picture))
    }

    async fn finish(&mut self) -> Result<(), StorageError> {
        self.begin().await?;
        self.commit(vec![call!(MARK_ALL_RULES), call!(CLEAR_MARK), call!(REGISTRY)]).await
    }
}
