//! A group: what waits together is decided together and committed once.

mod commit;
mod fate;
mod load;
mod lock;
mod look;
mod replies;
mod run;
mod trust;
pub(crate) mod write;

pub(crate) use load::Logs;
pub(crate) use lock::rooms_call;
pub(crate) use run::run;

use chatroom_core::StorageError;

/// Why a group was not committed.
pub(crate) enum Trouble {
    /// The database answered with an error, or did not answer.
    Database(tokio_postgres::Error),
    /// What it answered cannot be read, or took too long.
    Store(StorageError),
    /// What was read, or was known, is not so any more.
    Moved,
    /// What was presumed is not so: somebody who is to go is no member, or there is a rule that says no.
    Presumed,
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StorageError> for Trouble {
    fn from(error: StorageError) -> Self {
        Self::Store(error)
    }
}
