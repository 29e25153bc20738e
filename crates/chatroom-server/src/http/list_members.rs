//! `GET /{org}/{app}/chatrooms/{chatroom_id}/users` (contract §4.4): by page, or by cursor with `version=v3`.

use axum::response::Response;
use chatroom_core::{
    ChatroomId, From, JoinOrder, MembersRequest, MembersSlice, Order, PageNumber, Role, with_owner_last,
};
use chatroom_protocol::members::list::{Affiliation, CURSOR, LIMIT, PAGENUM, PAGESIZE, SORT, V3, VERSION};
use chatroom_protocol::{Params, refusal};
use serde::Serialize;

use super::call::{Call, core};
use super::gate::{Endpoint, Guard};
use super::{answer, query};
use crate::config::Endpoint as Limit;
use crate::error::{During, Failure};

/// Lists the members of a room (decision 27).
pub(super) struct ListMembers;

impl Endpoint for ListMembers {
    const GUARD: Guard = Guard::AppToken(Limit::ListMembers);

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        let params = call.params();
        if params.first(VERSION) == Some(V3) && params.first(PAGENUM).is_none() {
            by_cursor(call, params).await
        } else {
            by_page(call, params).await
        }
    }
}

async fn by_page(call: &Call<'_>, params: Params<'static>) -> Result<Response, Failure> {
    let page = PageNumber::clamped(query::number(&params, PAGENUM)?, query::number(&params, PAGESIZE)?);
    let from = From::Skip(page.skip());
    let slice = read(call, MembersRequest { from, limit: page.size, order: Order::Ascending }).await?;
    let data: Vec<_> = with_owner_last(slice, page.skip(), page.size).into_iter().map(affiliation).collect();
    list(call, params, &data, None)
}

async fn by_cursor(call: &Call<'_>, params: Params<'static>) -> Result<Response, Failure> {
    let limit = query::number(&params, LIMIT)?.unwrap_or(PageNumber::LARGEST).clamp(1, PageNumber::LARGEST);
    let from = query::cursor(&params, CURSOR)?.map_or(From::Start, |place| From::After(JoinOrder(place)));
    let order = match params.first(SORT) {
        Some("desc") => Order::Descending,
        _ => Order::Ascending,
    };
    let slice = read(call, MembersRequest { from, limit, order }).await?;
    let last = slice.members.last().filter(|_| slice.more);
    let cursor = last.map(|member| query::show_cursor(member.joined.0));
    let data: Vec<_> = slice.members.iter().map(|member| member.name.as_str()).collect();
    list(call, params, &data, cursor)
}

/// Reads members; decision 2 has a row of its own for reads of a room that is not there.
async fn read(call: &Call<'_>, request: MembersRequest) -> Result<MembersSlice, Failure> {
    let id = call.path.name();
    let Ok(room) = id.parse::<ChatroomId>() else { return Err(refusal::no_such_room_to_read(id).into()) };
    let slice = call.read().members(call.app(), room, request).await.map_err(core(During::Reading))?;
    slice.ok_or_else(|| refusal::no_such_room_to_read(id).into())
}

fn list<T: Serialize>(
    call: &Call<'_>,
    params: Params<'static>,
    data: &[T],
    cursor: Option<String>,
) -> Result<Response, Failure> {
    let mut envelope = call.envelope(data);
    envelope.count = Some(data.len() as u64);
    envelope.params = (!params.is_empty()).then_some(params);
    envelope.cursor = cursor.map(Into::into);
    answer::json(&envelope)
}

/// A member and its part, as it is listed.
pub(super) fn affiliation(role: Role) -> Affiliation<'static> {
    match role {
        Role::Member(name) => Affiliation::Member(name.to_string().into()),
        Role::Owner(name) => Affiliation::Owner(name.to_string().into()),
    }
}
