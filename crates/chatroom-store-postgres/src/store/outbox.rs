//! Events, as they lie in their rooms' logs.

use async_trait::async_trait;
use chatroom_core::{AppId, CallbackOutbox, ChatroomId, Counters, Event, RoomKey, Seq, StorageError};

use super::PostgresStore;
use crate::numbers;
use crate::rows;

/// Of a room that is there: what it leaves behind when its app goes is nobody's.
const EVENTS: &str = "\
    SELECT e.app, e.room, e.seq, e.id, e.at, e.members, e.kind, e.body \
    FROM logs l JOIN events e ON e.app = l.app AND e.room = l.room \
    WHERE l.app = $1 AND l.room = $2 AND e.seq > $3 ORDER BY e.app, e.room, e.seq LIMIT $4";
const COUNTERS: &str = "SELECT seq, members FROM logs WHERE app = $1 AND room = $2";
const STREAMS: &str = "\
    SELECT l.room, l.seq, l.members FROM logs l JOIN apps a ON a.app = l.app AND a.state <> 3 \
    WHERE l.app = $1 AND l.room > $2 ORDER BY l.app, l.room LIMIT $3";

#[async_trait]
impl CallbackOutbox for PostgresStore {
    async fn events(&self, room: &RoomKey, after: Seq, limit: usize) -> Result<Vec<Event>, StorageError> {
        let (app, id) = (numbers::app(room.app), numbers::room(room.id));
        let found = self.query(EVENTS, &[&app, &id, &numbers::seq(after), &numbers::limit(limit)]).await?;
        found.iter().map(rows::event).collect()
    }

    async fn counters(&self, room: &RoomKey) -> Result<Option<Counters>, StorageError> {
        let found = self.query(COUNTERS, &[&numbers::app(room.app), &numbers::room(room.id)]).await?;
        found.first().map(rows::counters).transpose()
    }

    async fn streams(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        limit: usize,
    ) -> Result<Vec<(ChatroomId, Counters)>, StorageError> {
        let after = after.map_or(-1, numbers::room);
        let found = self.query(STREAMS, &[&numbers::app(app), &after, &numbers::limit(limit)]).await?;
        let stream = |row| Ok((numbers::room_id(rows::get(row, "room")?)?, rows::counters(row)?));
        found.iter().map(stream).collect()
    }
}
