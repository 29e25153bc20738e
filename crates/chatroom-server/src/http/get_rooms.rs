//! `GET /{org}/{app}/chatrooms/{chatroom_id}` (contract §5): up to 100 ids, separated by commas.

use axum::response::Response;
use chatroom_core::{ChatroomId, From, MembersRequest, Order, with_owner_last};
use chatroom_protocol::chatrooms::details::Room;
use chatroom_protocol::refusal;

use super::call::{Call, core};
use super::gate::{Endpoint, Guard};
use super::list_members::affiliation;
use crate::config::Endpoint as Limit;
use crate::error::{During, Failure};

/// The most rooms that one call asks for.
const MOST: usize = 100;

/// Describes rooms, each with its members. `data` is an array, also of one.
pub(super) struct GetRooms;

impl Endpoint for GetRooms {
    const GUARD: Guard = Guard::AppToken(Limit::GetRoom);

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        let mut ids: Vec<&str> = Vec::new();
        for id in call.path.name().split(',').filter(|id| !id.is_empty()) {
            if !ids.contains(&id) {
                ids.push(id);
            }
            if ids.len() > MOST {
                let text = format!("chatroom ids number more than maxSize : {MOST}");
                return Err(refusal::invalid_parameter(text).into());
            }
        }
        if ids.is_empty() {
            return Err(refusal::must_be_provided("chatroom_id").into());
        }
        let mut rooms = Vec::with_capacity(ids.len());
        for id in ids {
            rooms.push(describe(call, id).await?.ok_or_else(|| refusal::no_such_room_to_read(id))?);
        }
        call.answer(rooms)
    }
}

async fn describe<'c>(call: &Call<'_>, id: &'c str) -> Result<Option<Room<'c>>, Failure> {
    let Ok(key) = id.parse::<ChatroomId>() else { return Ok(None) };
    let reading = call.read();
    let Some(view) = reading.room(call.app(), key).await.map_err(core(During::Reading))? else {
        return Ok(None);
    };
    let size = usize::try_from(view.room.info.max_users).unwrap_or(usize::MAX);
    let all = MembersRequest { from: From::Start, limit: size, order: Order::Ascending };
    let Some(slice) = reading.members(call.app(), key, all).await.map_err(core(During::Reading))? else {
        // Dissolved in between.
        return Ok(None);
    };
    let affiliations: Vec<_> = with_owner_last(slice, 0, size).into_iter().map(affiliation).collect();
    let (room, info) = (&view.room, &view.room.info);
    Ok(Some(Room {
        id: id.into(),
        name: info.name.to_string().into(),
        description: info.description.to_string().into(),
        membersonly: false,
        allowinvites: false,
        maxusers: u64::from(info.max_users),
        owner: room.owner_name.to_string().into(),
        created: room.created.as_millis(),
        custom: info.custom.to_string().into(),
        // Of the same moment as the list (decision 27).
        affiliations_count: affiliations.len() as u64,
        affiliations,
        public: true,
    }))
}
