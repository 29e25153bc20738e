//! What failures of the database mean.

use chatroom_core::{StorageError, StorageErrorKind};
use tokio_postgres::error::SqlState;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// `store.url` is not a URL of a PostgreSQL database.
    #[error("store.url is not the URL of a PostgreSQL database: {0}")]
    Url(String),
    /// `store.tls_ca` cannot be used.
    #[error("store.tls_ca: {0}")]
    Tls(String),
    /// The database cannot be reached, or does not let us in.
    #[error("cannot connect to {hosts}: {source}")]
    Connect {
        /// Where it should be; without user and password.
        hosts: String,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The schema is not one that this version works with.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// It holds a part of an export.
    #[error(
        "the database holds an import that is not finished: import the same file again, which goes on where it \
         stopped, or begin with an empty database"
    )]
    Unfinished,
    /// The operating system gives no random numbers, of which tokens are made.
    #[error("no random numbers: {0}")]
    Random(String),
    /// The database answered with an error.
    #[error("the database answered with an error while {doing}: {source}")]
    Database {
        /// What was tried.
        doing: &'static str,
        /// What it answered.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why a schema is not one that this version works with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A newer version was here.
    #[error(
        "the database has schema {found}, made by a newer version; this one knows schemas up to {known}. Start the \
         newer version."
    )]
    Newer {
        /// Of the database.
        found: i32,
        /// The newest that this version knows.
        known: i32,
    },
    /// It must be migrated first.
    #[error(
        "the database has schema {found}, and this version needs {known}. Run `chatroom-server migrate`, or set \
         store.migrate = true."
    )]
    Pending {
        /// Of the database; 0: none at all.
        found: i32,
        /// What is needed.
        known: i32,
    },
}

pub(crate) fn corrupt(
    what: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StorageError {
    StorageError::caused_by(StorageErrorKind::Corrupt, what, source)
}

/// What the failure of a statement means, when nothing was committed.
pub(crate) fn not_done(error: tokio_postgres::Error) -> StorageError {
    let kind = match error.code() {
        Some(&(SqlState::LOCK_NOT_AVAILABLE | SqlState::QUERY_CANCELED | SqlState::TOO_MANY_CONNECTIONS)) => {
            StorageErrorKind::Overloaded
        }
        Some(&(SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED)) => StorageErrorKind::Corrupt,
        _ => StorageErrorKind::Unavailable,
    };
    StorageError::caused_by(kind, words(&error), error)
}

/// The cause in words: what the database said, or that there is no connection.
fn words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("the database says: {} ({})", db.message(), db.code().code()),
        None => "the connection to the database failed".to_owned(),
    }
}

/// Whether removals found logs or a registry that moved.
pub(crate) fn moved(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::DIVISION_BY_ZERO)
}

/// Whether removals found somebody who is no member.
pub(crate) fn presumed_wrongly(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::INVALID_ARGUMENT_FOR_LOG)
}

/// Whether to run the same again: somebody else was in the way, and nothing was done.
pub(crate) fn collided(error: &tokio_postgres::Error) -> bool {
    matches!(
        error.code(),
        Some(
            &(SqlState::T_R_SERIALIZATION_FAILURE
                | SqlState::T_R_DEADLOCK_DETECTED
                | SqlState::UNIQUE_VIOLATION)
        )
    )
}

/// Whether the session is of no more use: the connection is gone, or leads to a server that takes no writes.
pub(crate) fn session_is_over(error: &tokio_postgres::Error) -> bool {
    match error.as_db_error() {
        None => true,
        Some(db) => {
            *db.code() == SqlState::READ_ONLY_SQL_TRANSACTION
                || matches!(
                    db.parsed_severity(),
                    Some(tokio_postgres::error::Severity::Fatal | tokio_postgres::error::Severity::Panic)
                )
        }
    }
}

pub(crate) fn unavailable(message: impl Into<String>) -> StorageError {
    StorageError::new(StorageErrorKind::Unavailable, message)
}

pub(crate) fn outcome_unknown() -> StorageError {
    let message =
        "the connection was lost at the commit, and whether it was made could not be found out in time";
    StorageError::new(StorageErrorKind::OutcomeUnknown, message)
}
