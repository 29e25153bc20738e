//! `GET /{org}/{app}/callbacks/events?room=&after=&limit=`: the events of a room, for apps that missed some. The vendor
//! has no such call.
//!
//! `room` is required. `after` is a sequence number, 0 if absent; `limit` is 1 to 100, 100 if absent, and more is
//! clamped. `data` is an object.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::body::{Body, Notice};
use crate::path::{InvalidSegment, encode};
pub use crate::users::list::LIMIT;

/// The route's template.
pub const ROUTE: &str = "/{org}/{app}/callbacks/events";
/// The parameter that says of which room.
pub const ROOM: &str = "room";
/// The parameter that says behind which event.
pub const AFTER: &str = "after";

/// The path of the request.
///
/// # Errors
/// [`InvalidSegment`] if a part cannot stand in a path.
pub fn path(org: &str, app: &str) -> Result<String, InvalidSegment> {
    encode(&[org, app, "callbacks", "events"])
}

/// `data` of the answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Events<'a> {
    /// The room's id.
    pub id: Cow<'a, str>,
    /// The sequence number of the first event that is kept, or would be the next if none is. What lies before it was
    /// trimmed.
    pub first: u64,
    /// That of the last event there was; 0 if the room is not known.
    pub last: u64,
    /// The events behind `after`, in order.
    pub events: Vec<Listed>,
}

/// An event: the body that a callback would have, with the sequence number as `seq`. Its `security` is empty, since it
/// is made with the secret of a rule, and none was asked for: the connection vouches for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Listed(Box<RawValue>);

#[derive(Serialize)]
struct Numbered<'a> {
    seq: u64,
    #[serde(flatten)]
    body: Body<'a>,
}

impl Listed {
    /// The event with this sequence number.
    ///
    /// # Errors
    /// If it cannot be written as JSON, which no text or number causes.
    pub fn new(seq: u64, notice: &Notice<'_>) -> Result<Self, serde_json::Error> {
        let call_id = notice.call_id();
        to_raw_value(&Numbered { seq, body: notice.body(&call_id, "") }).map(Self)
    }

    /// The JSON, for [`Callback::parse`](super::Callback::parse).
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::super::body::What;
    use super::super::event::{Event, Left};
    use super::super::parse::Callback;
    use super::*;

    const NOTICE: Notice<'static> = Notice {
        id: "3667067f-ac06-4c11-96aa-a9a708c3b361",
        app_key: "org#app",
        room: "254636824002561",
        timestamp: 1_729_497_896_834,
        what: What::Kicked { members: &["user1"], count: 4 },
    };

    #[test]
    fn a_listed_event_is_the_body_with_its_number_and_nobodys_signature() {
        let listed = Listed::new(7, &NOTICE).unwrap();
        insta::assert_snapshot!(listed.as_str(), @r#"{"seq":7,"callId":"org#app_3667067f-ac06-4c11-96aa-a9a708c3b361","security":"","payload":{"member":["user1"],"type":"KICK"},"appkey":"org#app","id":"254636824002561","type":"CHATROOM","event":"group_op_event","operation":"LEAVE","operator":"@ppAdmin","member_count":4,"timestamp":1729497896834}"#);
        let callback = Callback::parse(listed.as_str().as_bytes()).unwrap();
        assert_eq!(callback.event, Event::Left { members: vec!["user1".to_owned()], why: Left::Kicked });
        assert_eq!(callback.raw["seq"], 7);
        assert!(!callback.is_signed_with(""));
    }

    #[test]
    fn a_list_of_events_says_what_is_kept() {
        let events = vec![Listed::new(3, &Notice { what: What::Dissolved, ..NOTICE }).unwrap()];
        let data = Events { id: NOTICE.room.into(), first: 3, last: 3, events };
        let text = serde_json::to_string(&data).unwrap();
        insta::assert_snapshot!(text, @r#"{"id":"254636824002561","first":3,"last":3,"events":[{"seq":3,"callId":"org#app_3667067f-ac06-4c11-96aa-a9a708c3b361","security":"","appkey":"org#app","id":"254636824002561","type":"CHATROOM","event":"group_op_event","operation":"DELETE","operator":"@ppAdmin","timestamp":1729497896834}]}"#);
        let read: Events<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!((read.last, read.events[0].as_str()), (3, data.events[0].as_str()));
    }
}
