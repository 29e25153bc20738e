//! Rooms: make, look at, list, dissolve.

use super::{Chatrooms, unexpected};
use crate::batch::UserBatch;
use crate::error::{Error, Invalid};
use crate::id::{AppId, ChatroomId};
use crate::limits::{DEFAULT_MAX_USERS, LONGEST_CUSTOM, LONGEST_DESCRIPTION, LONGEST_NAME};
use crate::model::{Room, RoomInfo, RoomKey};
use crate::operation::{Action, CreateRoom, DissolveRoom, Outcome};
use crate::page::RoomView;

/// A room to make.
#[derive(Debug, Clone, Default)]
pub struct NewRoom<'a> {
    /// Its owner's name.
    pub owner: &'a str,
    /// Its title, at most 128 characters.
    pub name: &'a str,
    /// Its description, at most 512 characters.
    pub description: &'a str,
    /// How many members it may have, the owner counted: from 1 to `limits.max_users`; 1,000 if nothing is said.
    pub max_users: Option<u32>,
    /// Anything the app wants to keep with the room, at most 8 KiB.
    pub custom: &'a str,
    /// Its first members; may hold the owner.
    pub members: Vec<&'a str>,
}

impl Chatrooms {
    /// Makes a room. The owner is a member from the start.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a text or a number outside its bounds; [`Error::Rejected`] for an unknown owner or
    /// member, or more members than the room may have; [`Error::Storage`] when the store fails.
    pub async fn create_room(&self, app: AppId, new: NewRoom<'_>) -> Result<Room, Error> {
        let limit = self.limits().max_users;
        let max_users = new.max_users.unwrap_or_else(|| DEFAULT_MAX_USERS.min(limit));
        if max_users == 0 || max_users > limit {
            return Err(Invalid::MaxUsers { limit }.into());
        }
        bounded("name", new.name.chars().count(), LONGEST_NAME)?;
        bounded("description", new.description.chars().count(), LONGEST_DESCRIPTION)?;
        bounded("custom", new.custom.len(), LONGEST_CUSTOM)?;
        let info = RoomInfo {
            name: new.name.into(),
            description: new.description.into(),
            max_users,
            custom: new.custom.into(),
        };
        let (owner, members) = (UserBatch::parse_any([new.owner]), UserBatch::parse_any(new.members));
        match self.transact(app, Action::CreateRoom(CreateRoom { owner, members, info })).await? {
            Outcome::RoomCreated(room) => Ok(*room),
            other => Err(unexpected(&other)),
        }
    }

    /// The room, if there is one.
    ///
    /// # Errors
    /// [`Error::Storage`] when the store fails.
    pub async fn room(&self, app: AppId, room: ChatroomId) -> Result<Option<RoomView>, Error> {
        Ok(self.repository.room(&RoomKey { app, id: room }).await?)
    }

    /// Up to `limit` rooms of the app, oldest first, from behind `after`, leaving out the first `skip` of them.
    ///
    /// # Errors
    /// [`Error::Storage`] when the store fails.
    pub async fn rooms(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RoomView>, Error> {
        Ok(self.repository.rooms(app, after, skip, limit).await?)
    }

    /// Dissolves a room. It is gone for every reader at once; its memberships are swept afterwards.
    ///
    /// # Errors
    /// [`Error::Rejected`] for an unknown room; [`Error::Storage`] when the store fails.
    pub async fn dissolve_room(&self, app: AppId, room: ChatroomId) -> Result<(), Error> {
        match self.transact(app, Action::DissolveRoom(DissolveRoom { room })).await? {
            Outcome::RoomDissolved(_) => Ok(()),
            other => Err(unexpected(&other)),
        }
    }
}

fn bounded(field: &'static str, length: usize, limit: usize) -> Result<(), Invalid> {
    if length > limit { Err(Invalid::TooLong { field, limit }) } else { Ok(()) }
}
