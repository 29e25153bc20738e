//! `GET /{org}/{app}/callbacks/streams?cursor=&limit=`: the rooms of which there are events, for apps that missed some.
//! The vendor has no such call.
//!
//! `limit` is 1 to 1,000, 100 if absent, and more is clamped. `data` is an array, with `count` and `cursor`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::path::{InvalidSegment, encode};
pub use crate::users::list::{CURSOR, LIMIT};

/// The route's template.
pub const ROUTE: &str = "/{org}/{app}/callbacks/streams";

/// The path of the request.
///
/// # Errors
/// [`InvalidSegment`] if a part cannot stand in a path.
pub fn path(org: &str, app: &str) -> Result<String, InvalidSegment> {
    encode(&[org, app, "callbacks", "streams"])
}

/// An element of `data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream<'a> {
    /// The room's id.
    pub id: Cow<'a, str>,
    /// The sequence number of its last event.
    pub last: u64,
}
