//! What another service imports: typed calls over any repository.

mod rooms;
mod users;

use std::sync::Arc;

use crate::batch::UserBatch;
use crate::error::{Error, StorageError, StorageErrorKind, TransactError};
use crate::id::{AppId, ChatroomId};
use crate::ids::Ids;
use crate::limits::Limits;
use crate::model::RoomKey;
use crate::operation::{Action, AddMembers, MembersAdded, MembersRemoved, Operation, Outcome, RemoveMembers};
use crate::page::{MembersRequest, MembersSlice};
use crate::repository::ChatroomRepository;

pub use rooms::NewRoom;
pub use users::RegisteredUsers;

/// Chatroom membership over a repository.
///
/// Cheap to clone. Every change is all or nothing and durable when its future is done; dropping the future may or may
/// not make the change, never half of it.
#[derive(Clone)]
pub struct Chatrooms {
    repository: Arc<dyn ChatroomRepository>,
    ids: Arc<dyn Ids>,
    limits: Limits,
}

/// How often an operation is asked for again when a derived id is taken, which happens to about one in a million.
const ATTEMPTS: usize = 8;

impl Chatrooms {
    /// Chatrooms in this repository.
    #[must_use]
    pub fn new(repository: Arc<dyn ChatroomRepository>, ids: Arc<dyn Ids>, limits: Limits) -> Self {
        Self { repository, ids, limits }
    }

    /// The bounds in force.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Removes members from a room.
    ///
    /// Names are folded to lower case, and repeated ones fall away. The members among them are removed with one
    /// event; the others are reported. A batch without a member is rejected.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no name or more than `limits.remove_batch`; [`Error::Rejected`] for an unknown room,
    /// an unknown user, or when nobody named is a member; [`Error::Storage`] when the store fails.
    pub async fn remove_members<'a>(
        &self,
        app: AppId,
        room: ChatroomId,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<MembersRemoved, Error> {
        let members = UserBatch::parse(names, self.limits.remove_batch)?;
        match self.transact(app, Action::RemoveMembers(RemoveMembers { room, members })).await? {
            Outcome::MembersRemoved(removed) => Ok(removed),
            other => Err(unexpected(&other)),
        }
    }

    /// Adds users to a room. Those who are members already stay where they are.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no name or more than `limits.batch`; [`Error::Rejected`] for an unknown room, an
    /// unknown user, or no place for all of them; [`Error::Storage`] when the store fails.
    pub async fn add_members<'a>(
        &self,
        app: AppId,
        room: ChatroomId,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<MembersAdded, Error> {
        let members = UserBatch::parse(names, self.limits.batch)?;
        match self.transact(app, Action::AddMembers(AddMembers { room, members })).await? {
            Outcome::MembersAdded(added) => Ok(added),
            other => Err(unexpected(&other)),
        }
    }

    /// The members asked for, in join order and without the owner; `None` if there is no such room.
    ///
    /// # Errors
    /// [`Error::Storage`] when the store fails.
    pub async fn members(
        &self,
        app: AppId,
        room: ChatroomId,
        request: MembersRequest,
    ) -> Result<Option<MembersSlice>, Error> {
        Ok(self.repository.members(&RoomKey { app, id: room }, request).await?)
    }

    /// Does one bounded commit for each of up to `at_once` sweeps. Answers whether there was anything to do: ask
    /// again until there is not. Safe to run beside itself, and to stop anywhere.
    ///
    /// # Errors
    /// [`Error::Storage`] when the store fails.
    pub async fn sweep(&self, at_once: usize) -> Result<bool, Error> {
        let sweeps = self.repository.sweeps(at_once).await?;
        for sweep in &sweeps {
            self.transact(sweep.app(), Action::Sweep(*sweep)).await?;
        }
        Ok(!sweeps.is_empty())
    }

    async fn transact(&self, app: AppId, action: Action) -> Result<Outcome, Error> {
        let mut operation = Operation { id: self.ids.operation(), app, action };
        for _ in 1..ATTEMPTS {
            match self.repository.transact(operation.clone()).await {
                Err(TransactError::Storage(e)) if e.kind() == StorageErrorKind::Conflict => {
                    operation.id = self.ids.operation();
                }
                result => return Ok(result?),
            }
        }
        Ok(self.repository.transact(operation).await?)
    }
}

/// A repository answered one operation with the outcome of another.
fn unexpected(outcome: &Outcome) -> Error {
    let message = format!("the repository answered with another operation's outcome: {outcome:?}");
    StorageError::new(StorageErrorKind::OutcomeUnknown, message).into()
}
