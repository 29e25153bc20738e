//! The log of what happened, for those who are to be told.

use async_trait::async_trait;

use crate::error::StorageError;
use crate::event::{Event, Seq};
use crate::id::{AppId, ChatroomId};
use crate::model::{Counters, RoomKey};

/// Holds one log of events for each room. An event is in it if and only if its change was committed.
///
/// Old events are trimmed: a log may begin behind 1. It outlives its room.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait CallbackOutbox: Send + Sync + 'static {
    /// Up to `limit` events of the room behind `after`, in order. All of them are durable. If what stood behind
    /// `after` was trimmed, the first event is the oldest that is kept.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot read.
    async fn events(&self, room: &RoomKey, after: Seq, limit: usize) -> Result<Vec<Event>, StorageError>;

    /// How far the room's log goes, whatever was trimmed; `None` if the room was never there or nothing of it is
    /// kept.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot read.
    async fn counters(&self, room: &RoomKey) -> Result<Option<Counters>, StorageError>;

    /// Up to `limit` rooms of the app, by id, from behind `after`, with how far their logs go. Rooms that are
    /// dissolved are among them as long as anything of their log is kept.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot read.
    async fn streams(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        limit: usize,
    ) -> Result<Vec<(ChatroomId, Counters)>, StorageError>;
}
