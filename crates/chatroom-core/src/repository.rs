//! What a store does for the rules.

use async_trait::async_trait;

use crate::error::{StorageError, TransactError};
use crate::id::{AppId, ChatroomId, UserId, Username};
use crate::model::{RoomKey, User};
use crate::operation::{Operation, Outcome};
use crate::page::{MembersRequest, MembersSlice, RoomView};
use crate::record::Sweep;

/// Holds users, rooms and memberships, and changes them by the rules of this crate.
///
/// An implementation decides operations with [`Operation::decide`] and commits what was decided; it contains no rule
/// of its own. Nothing that it answers, refuses or reads tells of a write that is not durable (invariant 3). What
/// [`RoomFact::exists`](crate::RoomFact::exists) says is not there, and what belongs to a deleted user or app, is
/// not there for any read. The testkit holds an implementation to all of this.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ChatroomRepository: Send + Sync + 'static {
    /// Decides the operation and commits it: all or nothing, durable on return. Dropping the future may or may not
    /// commit, never half.
    ///
    /// # Errors
    /// [`TransactError::Rejected`]: a rule says no, nothing was changed. [`TransactError::Storage`]: its kind says
    /// whether the change may have been made.
    async fn transact(&self, operation: Operation) -> Result<Outcome, TransactError>;

    /// The user of this name.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot read; so for every read below.
    async fn user(&self, app: AppId, name: &Username) -> Result<Option<User>, StorageError>;

    /// Up to `limit` users of the app, oldest first, from behind `after`.
    async fn users(&self, app: AppId, after: Option<UserId>, limit: usize)
    -> Result<Vec<User>, StorageError>;

    /// The room of this key.
    async fn room(&self, key: &RoomKey) -> Result<Option<RoomView>, StorageError>;

    /// Up to `limit` rooms of the app, oldest first, from behind `after`, leaving out the first `skip` of them.
    async fn rooms(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RoomView>, StorageError>;

    /// The members asked for; `None` if there is no such room. A page is consistent in itself: it shows the room as
    /// it was at one moment. Reading from a cursor costs the same wherever it stands.
    async fn members(
        &self,
        key: &RoomKey,
        request: MembersRequest,
    ) -> Result<Option<MembersSlice>, StorageError>;

    /// Up to `limit` sweeps that are to be done, over all apps.
    async fn sweeps(&self, limit: usize) -> Result<Vec<Sweep>, StorageError>;
}
