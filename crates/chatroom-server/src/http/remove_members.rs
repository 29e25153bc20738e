//! `DELETE /{org}/{app}/chatrooms/{chatroom_id}/users/{usernames}` (the page; contract §3, §4.1).

use axum::response::Response;
use chatroom_core::{ChatroomId, UserBatch};
use chatroom_protocol::envelope::OneOrMany;
use chatroom_protocol::members::remove::Removed;
use chatroom_protocol::refusal;

use super::call::{Call, core};
use super::gate::{Endpoint, Guard};
use crate::config::Endpoint as Limit;
use crate::error::{During, Failure};

/// Removes a member, or a batch of them. `data` is an object for one name, an array as soon as there is a comma
/// (decision 11).
pub(super) struct RemoveMembers;

impl Endpoint for RemoveMembers {
    const GUARD: Guard = Guard::AppToken(Limit::RemoveMembers);

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        let (id, text) = (call.path.name(), call.path.members());
        let names = text.split(',').filter(|name| !name.is_empty());
        let Ok(room) = id.parse::<ChatroomId>() else {
            // No such room, but the size of the batch is told first (decision 4).
            let limit = call.shared.chatrooms.limits().remove_batch;
            UserBatch::parse(names, limit).map_err(|e| core(During::Removal)(e.into()))?;
            return Err(refusal::no_such_room(id).into());
        };
        let removed = call.change().remove_members(call.app(), room, names).await;
        let removed = removed.map_err(core(During::Removal))?;
        // The names in the answer are the core's: folded (decision 19).
        let items = removed.removals.iter().map(|removal| {
            let user = removal.user.as_str();
            if removal.removed { Removed::done(user, id) } else { Removed::not_a_member(user, id) }
        });
        match (&removed.removals[..], text.contains(',')) {
            ([only], false) => call.answer(OneOrMany::One(Removed::done(only.user.as_str(), id))),
            _ => call.answer(OneOrMany::Many(items.collect())),
        }
    }
}
