//! `GET /{org}/{app}/callbacks/streams?cursor=&limit=`: the rooms of which there are events, for apps that missed some.

use axum::response::Response;
use chatroom_core::{ChatroomId, Counters, Error};
use chatroom_protocol::callbacks::streams::{CURSOR, LIMIT, Stream};

use super::call::{Call, core};
use super::gate::{Endpoint, Guard};
use super::{answer, query};
use crate::config::Endpoint as Limit;
use crate::error::{During, Failure};

/// How many rooms a page has when nothing is said.
const USUAL: usize = 100;
/// How many it has at most.
const MOST: usize = 1_000;

/// Lists the rooms of the app with how far their logs go, oldest first.
pub(super) struct ListStreams;

impl Endpoint for ListStreams {
    const GUARD: Guard = Guard::AppToken(Limit::ListStreams);

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        let params = call.params();
        let size = query::number(&params, LIMIT)?.unwrap_or(USUAL).clamp(1, MOST);
        let after = query::room_cursor(&params, CURSOR)?;
        // One more than the page holds tells whether it is the last.
        let streams = call.outbox().streams(call.app(), after, size + 1).await;
        let mut streams = streams.map_err(Error::from).map_err(core(During::Reading))?;
        let more = streams.len() > size;
        streams.truncate(size);
        let last = streams.last().filter(|_| more);
        let cursor = last.map(|(id, _)| query::show_cursor(id.as_number()));

        let mut envelope = call.envelope(streams.iter().map(stream).collect::<Vec<_>>());
        envelope.count = Some(streams.len() as u64);
        envelope.params = (!params.is_empty()).then_some(params);
        envelope.cursor = cursor.map(Into::into);
        answer::json(&envelope)
    }
}

fn stream((id, counters): &(ChatroomId, Counters)) -> Stream<'static> {
    Stream { id: id.to_string().into(), last: counters.seq.0 }
}
