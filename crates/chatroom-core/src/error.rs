//! Three kinds of failure: what was asked is not well formed, a rule says no, or the store cannot.

use crate::callback::RuleRejection;
use crate::id::{AppKey, Username};

/// Why a call of [`Chatrooms`](crate::Chatrooms) did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked is not well formed. Nothing was read.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A rule says no. Nothing was changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store failed: see [`StorageError::kind`] for whether the change may have been made.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<TransactError> for Error {
    fn from(error: TransactError) -> Self {
        match error {
            TransactError::Rejected(rejection) => Self::Rejected(rejection),
            TransactError::Storage(storage) => Self::Storage(storage),
        }
    }
}

/// Why a request is not well formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A batch without a name.
    #[error("no username is given")]
    EmptyBatch,
    /// A batch above its limit.
    #[error("the batch holds more than {limit} usernames")]
    BatchTooLarge {
        /// The limit in force.
        limit: usize,
    },
    /// `max_users` outside its bounds.
    #[error("maxusers must be from 1 to {limit}")]
    MaxUsers {
        /// The upper bound in force.
        limit: u32,
    },
    /// A text above its length.
    #[error("{field} is longer than {limit} characters")]
    TooLong {
        /// What it is.
        field: &'static str,
        /// How long it may be.
        limit: usize,
    },
}

/// A rule's no. Codes are stable: never renumbered, never used again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such room: the id as the caller wrote it.
    #[error("room {0} does not exist")]
    RoomNotFound(Box<str>),
    /// There is no such user: the name as the caller wrote it, folded where it is a legal one.
    #[error("user {0} does not exist")]
    UserNotFound(Box<str>),
    /// None of these users is a member.
    #[error("none of the users is a member of the room")]
    NotMembers(Vec<Username>),
    /// The room has no place for so many more.
    #[error("the room is full")]
    RoomFull,
    /// A new room's members are more than its `max_users`.
    #[error("the members are more than the room may have")]
    MembersExceedMaxUsers,
    /// The name is taken.
    #[error("user {0} exists")]
    UserExists(Username),
    /// The store holds as many memberships as it was told to hold at most.
    #[error("the store holds {limit} memberships, as many as `store.max_members` allows")]
    StoreFull {
        /// The setting.
        limit: u64,
    },
    /// The app key is taken.
    #[error("app {0} exists")]
    AppExists(AppKey),
    /// There is no such app.
    #[error("app {0} does not exist")]
    AppNotFound(AppKey),
    /// The app is declared in the configuration, which owns it.
    #[error("app {0} is declared in the configuration: change it there")]
    AppDeclared(AppKey),
    /// The app was deleted or disabled while the call was under way.
    #[error("the app is gone")]
    AppGone,
    /// A rule about rules of callbacks says no.
    #[error(transparent)]
    Rule(#[from] RuleRejection),
}

impl Rejection {
    /// The stable code: `R` and a number, or `C` and a number if it is about rules of callbacks.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::RoomNotFound(_) => "R001",
            Self::UserNotFound(_) => "R002",
            Self::NotMembers(_) => "R003",
            Self::RoomFull => "R004",
            Self::MembersExceedMaxUsers => "R005",
            Self::UserExists(_) => "R006",
            Self::StoreFull { .. } => "R007",
            Self::AppExists(_) => "R008",
            Self::AppNotFound(_) => "R009",
            Self::AppDeclared(_) => "R010",
            Self::AppGone => "R011",
            Self::Rule(rejection) => rejection.code(),
        }
    }
}

/// Why [`ChatroomRepository::transact`](crate::ChatroomRepository::transact) did not do an operation.
#[derive(Debug, thiserror::Error)]
pub enum TransactError {
    /// A rule says no. Nothing was changed, and what the refusal tells of is durable (invariant 3).
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A failure of a store.
#[derive(Debug, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct StorageError {
    kind: StorageErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What a failure of a store means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StorageErrorKind {
    /// Nothing was done; it may work later.
    Unavailable,
    /// Nothing was done, because too much is asked at once; it may work soon.
    Overloaded,
    /// Nothing was done, because an id was taken: ask again with another operation id.
    Conflict,
    /// It may or may not have been done. Nobody should repeat it blindly.
    OutcomeUnknown,
    /// What is stored cannot be read. Nothing was done.
    Corrupt,
}

impl std::fmt::Display for StorageErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "the store is unavailable",
            Self::Overloaded => "the store is overloaded",
            Self::Conflict => "an id is taken",
            Self::OutcomeUnknown => "the outcome is unknown",
            Self::Corrupt => "the store is corrupt",
        })
    }
}

impl StorageError {
    /// A failure with its cause in words, for the log.
    #[must_use]
    pub fn new(kind: StorageErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// A failure with the error that caused it.
    #[must_use]
    pub fn caused_by(
        kind: StorageErrorKind,
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { kind, message: message.into(), source: Some(source.into()) }
    }

    /// What it means for the caller.
    #[must_use]
    pub fn kind(&self) -> StorageErrorKind {
        self.kind
    }
}
