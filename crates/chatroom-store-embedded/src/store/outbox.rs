use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chatroom_core::{
    AppId, CallbackOutbox, ChatroomId, Counters, Event, Facts, RoomKey, Seq, StorageError, StorageErrorKind,
};

use super::EmbeddedStore;
use crate::codec::{Blob, DecodeError, Position};
use crate::engine::Engine;
use crate::journal::{JournalError, JournalReader};
use crate::shared::Shared;

#[async_trait]
impl CallbackOutbox for EmbeddedStore {
    /// Reads the disk on a thread for blocking work: needs a tokio runtime.
    async fn events(&self, room: &RoomKey, after: Seq, limit: usize) -> Result<Vec<Event>, StorageError> {
        let places = self.read(|engine| Places::find(engine, room, after, limit)).await?;
        if places.at.is_empty() {
            return Ok(Vec::new());
        }
        let (shared, reader) = (self.shared.clone(), self.reader.clone());
        self.blocking(move || read(&shared, &reader, &places, &mut Blobs::new())).await
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

/// Where events of a room are, in order.
pub(super) struct Places {
    room: RoomKey,
    at: Vec<(Seq, Position)>,
}

impl Places {
    pub(super) fn find(engine: &Engine, room: &RoomKey, after: Seq, limit: usize) -> Self {
        let at = engine.index.after(room, after, limit).map(|(seq, position)| (seq, *position));
        Self { room: *room, at: at.collect() }
    }

    /// Without those behind this one.
    pub(super) fn up_to(mut self, last: Seq) -> Self {
        self.at.retain(|(seq, _)| *seq <= last);
        self
    }

    /// The groups that hold them.
    pub(super) fn groups(&self) -> impl Iterator<Item = u64> {
        self.at.iter().map(|(_, position)| position.group)
    }

    pub(super) fn are_in(&self, blobs: &Blobs) -> bool {
        self.groups().all(|group| blobs.contains_key(&group))
    }
}

/// Groups that were read.
pub(super) type Blobs = HashMap<u64, Arc<[u8]>>;

/// Reads the events that lie there. Those that were trimmed meanwhile are left out.
pub(super) fn read(
    shared: &Shared,
    reader: &Mutex<Box<dyn JournalReader>>,
    places: &Places,
    blobs: &mut Blobs,
) -> Result<Vec<Event>, StorageError> {
    let mut events = Vec::with_capacity(places.at.len());
    for together in places.at.chunk_by(|(_, a), (_, b)| a.group == b.group) {
        let Some((_, Position { group, .. })) = together.first().copied() else { continue };
        let bytes = match blobs.entry(group) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let read = reader.lock().unwrap_or_else(PoisonError::into_inner).group(group);
                let Some(bytes) = read.map_err(unreadable)? else {
                    if group < shared.engine().first_kept {
                        continue;
                    }
                    return Err(corrupt(DecodeError::Malformed("a group is gone")));
                };
                unknown.insert(bytes.into())
            }
        };
        let blob = Blob::open(bytes).map_err(corrupt)?;
        for (seq, position) in together {
            let event = blob.event_at(position.offset, places.room).map_err(corrupt)?;
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
