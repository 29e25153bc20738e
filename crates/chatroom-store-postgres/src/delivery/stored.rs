//! What is to be delivered, as it is stored: for an export, which delivers nothing.

use std::collections::BTreeMap;

use chatroom_core::{AppId, Backlog, RoomKey, StorageError, Timestamp};

use super::courier::State;
use super::load::{kept, load};
use super::poll::poll;
use crate::session::Session;

/// What the next courier of these apps would begin with, what happened since and what is to be told again included.
/// Nothing is written.
pub(crate) async fn stored(
    session: &mut Session,
    apps: &[AppId],
    now: Timestamp,
) -> Result<Backlog, StorageError> {
    let mut state = State::default();
    load(session, &mut state, apps, now).await?;
    for replay in poll(session, &mut state, now).await? {
        let rooms: Vec<RoomKey> = replay.runs.iter().map(|(room, _)| *room).collect();
        let logs: BTreeMap<RoomKey, _> = kept(session, &rooms).await?.into_iter().collect();
        for (room, span) in replay.runs {
            if let Some(log) = logs.get(&room) {
                // What a courier would write of it, nobody writes here.
                drop(state.backlog.replay(replay.rule, &room, span, *log, now));
            }
        }
    }
    Ok(state.backlog)
}
