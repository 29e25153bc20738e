//! `DELETE /{org}/{app}/chatrooms/{chatroom_id}` (contract §5).

use axum::response::Response;
use chatroom_core::ChatroomId;
use chatroom_protocol::chatrooms::dissolve::Dissolved;
use chatroom_protocol::refusal;

use super::call::{Call, core};
use super::gate::{Endpoint, Guard};
use crate::config::Endpoint as Limit;
use crate::error::{During, Failure};

/// Dissolves a room. It is gone at once; what it leaves behind is swept.
pub(super) struct DissolveRoom;

impl Endpoint for DissolveRoom {
    const GUARD: Guard = Guard::AppToken(Limit::DissolveRoom);

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        let id = call.path.name();
        let Ok(room) = id.parse::<ChatroomId>() else { return Err(refusal::no_such_room(id).into()) };
        call.change().dissolve_room(call.app(), room).await.map_err(core(During::RoomChange))?;
        call.shared.sweeper.notify_one();
        call.answer(Dissolved { success: true, id: id.into() })
    }
}
