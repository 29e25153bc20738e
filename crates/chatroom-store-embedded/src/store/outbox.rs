use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chatroom_core::{
    AppId, CallbackOutbox, ChatroomId, Counters, Event, Facts, RoomKey, Seq, StorageError, StorageErrorKind,
};

use super::EmbeddedStore;
use crate::codec::{Blob, DecodeError, Position};
use crate::journal::{JournalError, JournalReader};
use crate::shared::Shared;

#[async_trait]
impl CallbackOutbox for EmbeddedStore {
    /// Reads the disk on a thread for blocking work: needs a tokio runtime.
    async fn events(&self, room: &RoomKey, after: Seq, limit: usize) -> Result<Vec<Event>, StorageError> {
        let room = *room;
        let positions = self.read(|engine| places(engine, &room, after, limit)).await?;
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        let (shared, reader) = (self.shared.clone(), self.reader.clone());
        let events = tokio::task::spawn_blocking(move || read(&shared, &reader, room, &positions)).await;
        events.map_err(|error| {
            StorageError::caused_by(StorageErrorKind::Unavailable, "reading events was interrupted", error)
        })?
    }

    async fn counters(&self, room: &RoomKey) -> Result<Option<Counters>, StorageError> {
        self.read(|engine| engine.state.room(room).map(|fact| fact.counters)).await
    }

    async fn streams(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        limit: usize,
    ) -> Result<Vec<(ChatroomId, Counters)>, StorageError> {
        self.read(|engine| engine.state.list_streams(app, after, limit)).await
    }
}

fn places(engine: &crate::engine::Engine, room: &RoomKey, after: Seq, limit: usize) -> Vec<(Seq, Position)> {
    engine.index.after(room, after, limit).map(|(seq, position)| (seq, *position)).collect()
}

/// Reads the events that lie there. Those that were trimmed meanwhile are left out.
fn read(
    shared: &Shared,
    reader: &Arc<Mutex<Box<dyn JournalReader>>>,
    room: RoomKey,
    positions: &[(Seq, Position)],
) -> Result<Vec<Event>, StorageError> {
    let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
    let mut events = Vec::with_capacity(positions.len());
    for together in positions.chunk_by(|(_, a), (_, b)| a.group == b.group) {
        let Some((_, Position { group, .. })) = together.first().copied() else { continue };
        let Some(bytes) = reader.group(group).map_err(unreadable)? else {
            if group < shared.engine().first_kept {
                continue;
            }
            return Err(corrupt(DecodeError::Malformed("a group is gone")));
        };
        let blob = Blob::open(&bytes).map_err(corrupt)?;
        for (seq, position) in together {
            let event = blob.event_at(position.offset, room).map_err(corrupt)?;
            if event.seq != *seq {
                return Err(corrupt(DecodeError::Malformed("another event lies in its place")));
            }
            events.push(event);
        }
    }
    Ok(events)
}

fn unreadable(error: JournalError) -> StorageError {
    let kind = if error.is_damage() { StorageErrorKind::Corrupt } else { StorageErrorKind::Unavailable };
    StorageError::caused_by(kind, "events cannot be read", error)
}

fn corrupt(error: DecodeError) -> StorageError {
    StorageError::caused_by(StorageErrorKind::Corrupt, "a group of events cannot be read", error)
}
