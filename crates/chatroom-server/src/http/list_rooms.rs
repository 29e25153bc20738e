//! `GET /{org}/{app}/chatrooms` (contract §5): by cursor, or by page as the newest clients ask.

use axum::response::Response;
use chatroom_core::{PageNumber, RoomView};
use chatroom_protocol::chatrooms::list::{CURSOR, LIMIT, RoomSummary};
use chatroom_protocol::members::list::{PAGENUM, PAGESIZE};

use super::call::{Call, core};
use super::gate::{Endpoint, Guard};
use super::{answer, query};
use crate::config::Endpoint as Limit;
use crate::error::{During, Failure};

/// How many rooms a page has when nothing is said.
const USUAL: usize = 10;
/// How many it has at most.
const MOST: usize = 1_000;

/// Lists the rooms of the app, oldest first.
pub(super) struct ListRooms;

impl Endpoint for ListRooms {
    const GUARD: Guard = Guard::AppToken(Limit::ListRooms);

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        let params = call.params();
        let by_page = params.first(PAGENUM).is_some() || params.first(PAGESIZE).is_some();
        let (after, skip, size) = if by_page {
            let page =
                PageNumber::clamped(query::number(&params, PAGENUM)?, query::number(&params, PAGESIZE)?);
            (None, page.skip(), page.size)
        } else {
            let size = query::number(&params, LIMIT)?.unwrap_or(USUAL).clamp(1, MOST);
            (query::room_cursor(&params, CURSOR)?, 0, size)
        };
        // One more than the page holds tells whether it is the last.
        let rooms = call.read().rooms(call.app(), after, skip, size + 1).await;
        let mut rooms = rooms.map_err(core(During::Reading))?;
        let more = rooms.len() > size && !by_page;
        rooms.truncate(size);
        let cursor =
            rooms.last().filter(|_| more).map(|view| query::show_cursor(view.room.key.id.as_number()));

        let mut envelope = call.envelope(rooms.iter().map(summary).collect::<Vec<_>>());
        envelope.count = Some(rooms.len() as u64);
        envelope.params = (!params.is_empty()).then_some(params);
        envelope.cursor = cursor.map(Into::into);
        answer::json(&envelope)
    }
}

fn summary(view: &RoomView) -> RoomSummary<'_> {
    RoomSummary {
        id: view.room.key.id.to_string().into(),
        name: (&*view.room.info.name).into(),
        owner: view.room.owner_name.as_str().into(),
        affiliations_count: u64::from(view.members),
    }
}
