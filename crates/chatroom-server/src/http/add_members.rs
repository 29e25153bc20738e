//! `POST /{org}/{app}/chatrooms/{chatroom_id}/users` (contract §4.3).

use axum::response::Response;
use chatroom_core::{ChatroomId, UserBatch};
use chatroom_protocol::Object;
use chatroom_protocol::members::add::{ManyAdded, ManyRequest};
use chatroom_protocol::refusal;

use super::call::{Call, core};
use super::gate::{Endpoint, Guard};
use crate::config::Endpoint as Limit;
use crate::error::{During, Failure};

/// Adds users to a room, all of them or nobody.
pub(super) struct AddMembers;

impl Endpoint for AddMembers {
    const GUARD: Guard = Guard::AppToken(Limit::AddMembers);

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        let Object(request): Object<ManyRequest<'_>> = call.json()?;
        let names = request.usernames.iter().map(AsRef::as_ref);
        let id = call.path.name();
        let Ok(room) = id.parse::<ChatroomId>() else {
            // No such room, but the size of the batch is told first (decision 4).
            let limit = call.shared.chatrooms.limits().batch;
            UserBatch::parse(names, limit).map_err(|e| core(During::Addition)(e.into()))?;
            return Err(refusal::no_such_room(id).into());
        };
        let added = call.change().add_members(call.app(), room, names).await;
        let added = added.map_err(core(During::Addition))?;
        let users = added.members.iter().map(|name| name.as_str().into()).collect();
        call.answer(ManyAdded::done(users, id))
    }
}
