//! `GET /{org}/{app}/users?limit=&cursor=` (contract §6).

use axum::response::Response;
use chatroom_core::UserId;
use chatroom_protocol::users::PATH;
use chatroom_protocol::users::list::{CURSOR, LIMIT};

use super::call::{Call, core};
use super::gate::{Endpoint, Guard};
use super::user_entity::entity;
use super::{answer, query};
use crate::config::Endpoint as Limit;
use crate::error::{During, Failure};

/// How many users a page has when nothing is said.
const USUAL: usize = 10;
/// How many it has at most.
const MOST: usize = 100;

/// Lists the users of the app, oldest first.
pub(super) struct ListUsers;

impl Endpoint for ListUsers {
    const GUARD: Guard = Guard::AppToken(Limit::ListUsers);

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        let params = call.params();
        let size = query::number(&params, LIMIT)?.unwrap_or(USUAL).clamp(1, MOST);
        let after = query::cursor(&params, CURSOR)?.map(UserId);
        // One more than the page holds tells whether it is the last.
        let users = call.read().users(call.app(), after, size + 1).await;
        let mut users = users.map_err(core(During::Reading))?;
        let more = users.len() > size;
        users.truncate(size);
        let cursor = users.last().filter(|_| more).map(|user| query::show_cursor(user.id.0));

        let mut envelope = call.around(users.iter().map(entity).collect(), None::<()>);
        envelope.path = Some(PATH.into());
        envelope.count = Some(users.len() as u64);
        envelope.params = (!params.is_empty()).then_some(params);
        envelope.cursor = cursor.map(Into::into);
        answer::json(&envelope)
    }
}
