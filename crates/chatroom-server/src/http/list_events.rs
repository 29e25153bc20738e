//! `GET /{org}/{app}/callbacks/events?room=&after=&limit=`: the events of a room, for apps that missed some.

use axum::response::Response;
use chatroom_core::{ChatroomId, Error, Event, RoomKey, Seq};
use chatroom_protocol::callbacks::events::{AFTER, Events, LIMIT, Listed, ROOM};
use chatroom_protocol::{Params, refusal};
use serde::ser::Error as _;

use super::call::{Call, core};
use super::gate::{Endpoint, Guard};
use super::{answer, query};
use crate::config::Endpoint as Limit;
use crate::error::{During, Failure};

/// How many events an answer has at most.
const MOST: usize = 100;

/// Lists the events of a room, in order.
pub(super) struct ListEvents;

impl Endpoint for ListEvents {
    const GUARD: Guard = Guard::AppToken(Limit::ListEvents);

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        let params = call.params();
        let id = room(&params)?;
        let after = Seq(query::number(&params, AFTER)?.unwrap_or(0) as u64);
        let limit = query::number(&params, LIMIT)?.unwrap_or(MOST).clamp(1, MOST);
        let key = RoomKey { app: call.app(), id };
        let (events, first, last) = read(call, &key, after, limit).await.map_err(core(During::Reading))?;
        let events = events.iter().map(|event| listed(call, event)).collect::<Result<Vec<_>, _>>()?;

        let count = events.len() as u64;
        let data = Events { id: id.to_string().into(), first: first.0, last: last.0, events };
        let mut envelope = call.envelope(data);
        envelope.count = Some(count);
        envelope.params = Some(params);
        answer::json(&envelope)
    }
}

fn room(params: &Params<'_>) -> Result<ChatroomId, Failure> {
    match params.first(ROOM) {
        None | Some("") => Err(refusal::must_be_provided(ROOM).into()),
        Some(text) => text.parse().map_err(|invalid| {
            refusal::invalid_parameter(format!("{ROOM} must be the id of a room: {invalid}")).into()
        }),
    }
}

/// The events, and the first and the last place of what is kept. What is trimmed or appended meanwhile makes no gap
/// that is not there: the places are looked at after the events.
async fn read(
    call: &Call<'_>,
    room: &RoomKey,
    after: Seq,
    limit: usize,
) -> Result<(Vec<Event>, Seq, Seq), Error> {
    let outbox = call.outbox();
    let events = outbox.events(room, after, limit).await?;
    let oldest = outbox.events(room, Seq(0), 1).await?;
    let counters = outbox.counters(room).await?;
    let last = events.last().map(|event| event.seq).max(counters.map(|counters| counters.seq));
    let last = last.unwrap_or_default();
    let first = oldest.iter().chain(&events).map(|event| event.seq).min();
    Ok((events, first.unwrap_or_else(|| last.next()), last))
}

fn listed(call: &Call<'_>, event: &Event) -> Result<Listed, Failure> {
    let listed = chatroom_callback::listed(&call.entry.app.key, event);
    listed.ok_or_else(|| Failure::Unwritable(serde_json::Error::custom("an event is of an unknown kind")))
}
