//! `GET /{org}/{app}/users/{username}` (contract §6).

use axum::response::Response;
use chatroom_core::Username;
use chatroom_protocol::refusal;
use chatroom_protocol::users::PATH;

use super::answer;
use super::call::{Call, core};
use super::gate::{Endpoint, Guard};
use super::user_entity::entity;
use crate::config::Endpoint as Limit;
use crate::error::{During, Failure};

/// Describes a user.
pub(super) struct GetUser;

impl Endpoint for GetUser {
    const GUARD: Guard = Guard::AppToken(Limit::GetUser);

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        // A name that cannot exist does not exist (decision 3).
        let Ok(name) = call.path.name().parse::<Username>() else {
            return Err(refusal::no_such_user().into());
        };
        let user = call.read().user(call.app(), &name).await.map_err(core(During::Reading))?;
        let user = user.ok_or_else(refusal::no_such_user)?;
        let mut envelope = call.around(vec![entity(&user)], None::<()>);
        envelope.path = Some(PATH.into());
        envelope.count = Some(1);
        answer::json(&envelope)
    }
}
