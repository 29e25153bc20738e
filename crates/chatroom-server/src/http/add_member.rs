//! `POST /{org}/{app}/chatrooms/{chatroom_id}/users/{username}` (contract §4.2). A body is ignored (decision 25).

use axum::response::Response;
use chatroom_core::ChatroomId;
use chatroom_protocol::members::add::Added;
use chatroom_protocol::refusal;

use super::call::{Call, core};
use super::gate::{Endpoint, Guard};
use crate::config::Endpoint as Limit;
use crate::error::{During, Failure};

/// Adds one user to a room. Whoever is a member already stays one (decision 16).
pub(super) struct AddMember;

impl Endpoint for AddMember {
    const GUARD: Guard = Guard::AppToken(Limit::AddMembers);

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        let (id, name) = (call.path.name(), call.path.members());
        let Ok(room) = id.parse::<ChatroomId>() else { return Err(refusal::no_such_room(id).into()) };
        let added = call.change().add_members(call.app(), room, [name]).await;
        let added = added.map_err(core(During::Addition))?;
        // The name in the answer is the core's: folded (decision 19).
        let user = added.members.first().map_or(name, chatroom_core::Username::as_str);
        call.answer(Added::done(user, id))
    }
}
