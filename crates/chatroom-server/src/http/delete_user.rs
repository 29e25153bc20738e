//! `DELETE /{org}/{app}/users/{username}` (contract §6).

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

/// Deletes a user, with its memberships and the rooms that it owns (decision 36). All are gone at once; what is left
/// behind is swept.
pub(super) struct DeleteUser;

impl Endpoint for DeleteUser {
    const GUARD: Guard = Guard::AppToken(Limit::DeleteUser);

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        // A name that cannot exist does not exist (decision 3).
        let Ok(name) = call.path.name().parse::<Username>() else {
            return Err(refusal::no_such_user().into());
        };
        let user = call.change().delete_user(call.app(), name).await.map_err(core(During::UserDeletion))?;
        call.shared.sweeper.notify_one();
        let mut envelope = call.around(vec![entity(&user)], None::<()>);
        envelope.path = Some(PATH.into());
        answer::json(&envelope)
    }
}
