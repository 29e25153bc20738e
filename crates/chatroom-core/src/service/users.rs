//! Users: register, look up, list, delete.

use std::collections::HashSet;

use super::{Chatrooms, unexpected};
use crate::error::{Error, Invalid};
use crate::id::{AppId, UserId, Username};
use crate::model::User;
use crate::operation::{Action, DeleteUser, NewUser, Outcome, RegisterUsers, Registration};

/// What became of a registration: one a user, in the order of the call.
pub type RegisteredUsers = Vec<Registration>;

impl Chatrooms {
    /// Registers users. A name that stands twice is registered once, as it stands first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no user or more than `limits.batch`; [`Error::Rejected`] when the only name is taken;
    /// [`Error::Storage`] when the store fails.
    pub async fn register_users(&self, app: AppId, users: Vec<NewUser>) -> Result<RegisteredUsers, Error> {
        let mut seen = HashSet::new();
        let users: Vec<_> = users.into_iter().filter(|user| seen.insert(user.name.clone())).collect();
        let limit = self.limits().batch;
        if users.is_empty() {
            return Err(Invalid::EmptyBatch.into());
        }
        if users.len() > limit {
            return Err(Invalid::BatchTooLarge { limit }.into());
        }
        match self.transact(app, Action::RegisterUsers(RegisterUsers { users })).await? {
            Outcome::UsersRegistered(registered) => Ok(registered),
            other => Err(unexpected(&other)),
        }
    }

    /// The user of this name, if there is one.
    ///
    /// # Errors
    /// [`Error::Storage`] when the store fails.
    pub async fn user(&self, app: AppId, name: &Username) -> Result<Option<User>, Error> {
        Ok(self.repository.user(app, name).await?)
    }

    /// Up to `limit` users of the app, oldest first, from behind `after`.
    ///
    /// # Errors
    /// [`Error::Storage`] when the store fails.
    pub async fn users(&self, app: AppId, after: Option<UserId>, limit: usize) -> Result<Vec<User>, Error> {
        Ok(self.repository.users(app, after, limit).await?)
    }

    /// Deletes a user. It is gone for every reader at once, and so are the rooms that it owns; its memberships are
    /// swept afterwards. Answers the user as it was.
    ///
    /// # Errors
    /// [`Error::Rejected`] for an unknown user; [`Error::Storage`] when the store fails.
    pub async fn delete_user(&self, app: AppId, name: Username) -> Result<User, Error> {
        match self.transact(app, Action::DeleteUser(DeleteUser { name })).await? {
            Outcome::UserDeleted(user) => Ok(user),
            other => Err(unexpected(&other)),
        }
    }
}
