//! What can be asked for: a closed set of operations, and how each is decided.
//!
//! Deciding is pure: no IO, no clock, no randomness. The same operation on the same facts at the same moment decides
//! the same, so a store may decide again after a conflict.

mod add_members;
mod change_app;
mod change_rule;
mod create_room;
mod delete_user;
mod dissolve_room;
mod register_users;
mod remove_members;
mod sweep;

use crate::app::{App, AppChange};
use crate::callback::Rule;
use crate::clock::Moment;
use crate::error::{Rejection, StorageError, StorageErrorKind, TransactError};
use crate::facts::{Facts, RoomFact};
use crate::id::{AppId, OperationId};
use crate::model::{Room, RoomKey, User};
use crate::record::{Decision, Sweep};

pub use add_members::{AddMembers, MembersAdded};
pub use change_rule::ChangeRule;
pub use create_room::CreateRoom;
pub use delete_user::DeleteUser;
pub use dissolve_room::DissolveRoom;
pub use register_users::{NewUser, RegisterUsers, Registration};
pub use remove_members::{MembersRemoved, Removal, RemoveMembers};
pub(crate) use sweep::{RECORDS_A_SWEEP, ROOMS_A_SWEEP};

/// One thing that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Made once by whoever asks. Ids inside the operation are derived from it.
    pub id: OperationId,
    /// The app on whose behalf it is asked. Stores share their time fairly among apps.
    pub app: AppId,
    /// What is asked for.
    pub action: Action,
}

/// What is asked for: a closed set, so that it can be grouped, stored and answered without downcasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Remove members from a room.
    RemoveMembers(RemoveMembers),
    /// Add users to a room.
    AddMembers(AddMembers),
    /// Make a room.
    CreateRoom(CreateRoom),
    /// Dissolve a room.
    DissolveRoom(DissolveRoom),
    /// Register users.
    RegisterUsers(RegisterUsers),
    /// Delete a user.
    DeleteUser(DeleteUser),
    /// Make, change or delete an app.
    ChangeApp(AppChange),
    /// Make, change or remove a rule of callbacks.
    ChangeRule(ChangeRule),
    /// Remove a bounded part of what a large operation left behind.
    Sweep(Sweep),
}

/// What an operation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Of [`Action::RemoveMembers`].
    MembersRemoved(MembersRemoved),
    /// Of [`Action::AddMembers`].
    MembersAdded(MembersAdded),
    /// Of [`Action::CreateRoom`]: the room.
    RoomCreated(Box<Room>),
    /// Of [`Action::DissolveRoom`]: the room that is no more.
    RoomDissolved(RoomKey),
    /// Of [`Action::RegisterUsers`]: one a user, in the order of the request.
    UsersRegistered(Vec<Registration>),
    /// Of [`Action::DeleteUser`]: the user as it was.
    UserDeleted(User),
    /// Of [`Action::ChangeApp`]: the app as it is, or as it was before it was deleted.
    AppChanged(Box<App>),
    /// Of [`Action::ChangeRule`]: the rule as it is, or as it was before it was removed.
    RuleChanged(Box<Rule>),
    /// Of [`Action::Sweep`].
    Swept {
        /// Whether nothing is left to sweep.
        finished: bool,
    },
}

/// Why an operation was not decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecided {
    /// A rule says no.
    Rejected(Rejection),
    /// An id that the operation derived is taken: another operation id will do.
    IdTaken,
}

impl From<Rejection> for Undecided {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Undecided> for TransactError {
    fn from(undecided: Undecided) -> Self {
        match undecided {
            Undecided::Rejected(rejection) => Self::Rejected(rejection),
            Undecided::IdTaken => {
                Self::Storage(StorageError::new(StorageErrorKind::Conflict, "a derived id is taken"))
            }
        }
    }
}

impl Operation {
    /// Decides on these facts, at this moment.
    ///
    /// # Errors
    /// [`Undecided`]: a rule says no, or a derived id is taken. Nothing is to be written then.
    pub fn decide(&self, facts: &dyn Facts, moment: Moment) -> Result<Decision, Undecided> {
        let at = At { operation: self.id, app: self.app, moment };
        if self.action.needs_app() && !facts.app_by_id(self.app).is_some_and(App::answers) {
            // Deleted while the call was under way: what the call would make would never be swept.
            return Err(Rejection::AppGone.into());
        }
        match &self.action {
            Action::RemoveMembers(action) => action.decide(facts, at),
            Action::AddMembers(action) => action.decide(facts, at),
            Action::CreateRoom(action) => action.decide(facts, at),
            Action::DissolveRoom(action) => action.decide(facts, at),
            Action::RegisterUsers(action) => action.decide(facts, at),
            Action::DeleteUser(action) => action.decide(facts, at),
            Action::ChangeApp(change) => change_app::decide(change, facts, at),
            Action::ChangeRule(action) => action.decide(facts, at),
            Action::Sweep(sweep) => Ok(sweep::decide(*sweep, facts, at)),
        }
    }
}

impl Action {
    fn needs_app(&self) -> bool {
        !matches!(self, Self::ChangeApp(_) | Self::ChangeRule(_) | Self::Sweep(_))
    }
}

/// Where and when an operation is decided: what every rule needs beside the facts.
#[derive(Debug, Clone, Copy)]
struct At {
    operation: OperationId,
    app: AppId,
    moment: Moment,
}

/// The room of this id, if it is there for callers.
fn room_of<'f>(facts: &'f dyn Facts, key: &RoomKey) -> Result<RoomFact<'f>, Rejection> {
    facts.room(key).filter(RoomFact::exists).ok_or_else(|| Rejection::RoomNotFound(key.id.to_string().into()))
}
