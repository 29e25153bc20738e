//! `GET /{org}/{app}/chatrooms?limit=&cursor=` (contract §5): `data` is an array, with `count` and `cursor`.
//!
//! `limit` is 1 to 1,000, 10 if absent; more is clamped.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use super::create::{ROUTE, path};
use crate::lenient::or_default;
pub use crate::users::list::{CURSOR, LIMIT};

/// An element of `data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSummary<'a> {
    /// The room's id.
    pub id: Cow<'a, str>,
    /// Its name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: Cow<'a, str>,
    /// The owner's username.
    #[serde(default, deserialize_with = "or_default")]
    pub owner: Cow<'a, str>,
    /// How many members it has.
    #[serde(default)]
    pub affiliations_count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_room_has_four_keys() {
        let room = RoomSummary { id: "1".into(), name: "n".into(), owner: "o".into(), affiliations_count: 3 };
        insta::assert_snapshot!(serde_json::to_string(&room).unwrap(), @r#"{"id":"1","name":"n","owner":"o","affiliations_count":3}"#);
        let newer = r#"{"id":"1","name":"n","owner":"o","affiliations_count":3,"disabled":false}"#;
        assert_eq!(serde_json::from_str::<RoomSummary<'_>>(newer).unwrap(), room);
    }
}
