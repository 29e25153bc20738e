//! `GET /{org}/{app}/chatrooms/{chatroom_id}` (contract §5): `data` is an array of rooms, also of one.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::lenient::or_default;
use crate::members::list::Affiliation;
use crate::path::{InvalidSegment, encode};

/// The route's template.
pub const ROUTE: &str = "/{org}/{app}/chatrooms/{chatroom_id}";

/// The path of the request.
///
/// # Errors
/// [`InvalidSegment`] if a part cannot stand in a path.
pub fn path(org: &str, app: &str, chatroom_id: &str) -> Result<String, InvalidSegment> {
    encode(&[org, app, "chatrooms", chatroom_id])
}

/// An element of `data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room<'a> {
    /// The room's id.
    pub id: Cow<'a, str>,
    /// Its name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: Cow<'a, str>,
    /// What it is about.
    #[serde(default, deserialize_with = "or_default")]
    pub description: Cow<'a, str>,
    /// Whether joining needs consent: never, in a chatroom.
    #[serde(default)]
    pub membersonly: bool,
    /// Whether members may invite others.
    #[serde(default)]
    pub allowinvites: bool,
    /// How many members it may have, the owner counted.
    #[serde(default)]
    pub maxusers: u64,
    /// The owner's username.
    #[serde(default, deserialize_with = "or_default")]
    pub owner: Cow<'a, str>,
    /// When it was made: milliseconds since 1970-01-01T00:00:00Z.
    #[serde(default)]
    pub created: i64,
    /// What the app keeps with it.
    #[serde(default, deserialize_with = "or_default")]
    pub custom: Cow<'a, str>,
    /// How many members it has, the owner counted while a member.
    #[serde(default)]
    pub affiliations_count: u64,
    /// The members, the owner last and only while a member (decision 27).
    #[serde(default = "Vec::new")]
    pub affiliations: Vec<Affiliation<'a>>,
    /// Always true for a chatroom.
    #[serde(default)]
    pub public: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_written_as_recorded() {
        let room = Room {
            id: "66XXXX33".into(),
            name: "n".into(),
            description: "d".into(),
            membersonly: false,
            allowinvites: false,
            maxusers: 200,
            owner: "user1".into(),
            created: 1542544296075,
            custom: "".into(),
            affiliations_count: 2,
            affiliations: vec![Affiliation::Member("user2".into()), Affiliation::Owner("user1".into())],
            public: true,
        };
        let json = serde_json::to_string(&room).unwrap();
        insta::assert_snapshot!(json, @r#"{"id":"66XXXX33","name":"n","description":"d","membersonly":false,"allowinvites":false,"maxusers":200,"owner":"user1","created":1542544296075,"custom":"","affiliations_count":2,"affiliations":[{"member":"user2"},{"owner":"user1"}],"public":true}"#);
        assert_eq!(serde_json::from_str::<Room<'_>>(&json).unwrap(), room);
        assert!(serde_json::from_str::<Room<'_>>(r#"{"id":"1","mute":false,"custom":null}"#).is_ok());
    }
}
