//! `POST /{org}/{app}/chatrooms` (contract §5).

use axum::response::Response;
use chatroom_core::NewRoom;
use chatroom_protocol::Object;
use chatroom_protocol::chatrooms::create::{Created, Request};
use chatroom_protocol::refusal::{self, Refusal};

use super::call::{Call, core};
use super::gate::{Endpoint, Guard};
use crate::config::Endpoint as Limit;
use crate::error::{During, Failure};

/// Makes a room.
pub(super) struct CreateRoom;

impl Endpoint for CreateRoom {
    const GUARD: Guard = Guard::AppToken(Limit::CreateRoom);

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        let Object(request): Object<Request<'_>> = call.json()?;
        let given = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().is_some_and(|t| !t.is_empty());
        if !given(&request.name) {
            return Err(refusal::room_without_name().into());
        }
        let Some(description) = request.description.as_deref() else {
            return Err(refusal::must_be_provided("description").into());
        };
        if !given(&request.owner) {
            return Err(refusal::must_be_provided("owner").into());
        }
        let new = NewRoom {
            owner: request.owner.as_deref().unwrap_or_default(),
            name: request.name.as_deref().unwrap_or_default(),
            description,
            max_users: max_users(request.maxusers, call.shared.chatrooms.limits().max_users)?,
            custom: request.custom.as_deref().unwrap_or_default(),
            members: request.members.iter().map(AsRef::as_ref).collect(),
        };
        let room = call.change().create_room(call.app(), new).await.map_err(core(During::RoomChange))?;
        call.answer(Created { id: room.key.id.to_string().into() })
    }
}

/// What is too large is above a limit, 403; nought is no number of users, 400.
fn max_users(asked: Option<u64>, limit: u32) -> Result<Option<u32>, Refusal> {
    match asked {
        None => Ok(None),
        Some(0) => Err(refusal::invalid_parameter(format!("maxusers must be from 1 to {limit}"))),
        Some(number) => match u32::try_from(number) {
            Ok(number) if number <= limit => Ok(Some(number)),
            Ok(_) | Err(_) => Err(refusal::max_users_too_large(u64::from(limit))),
        },
    }
}
