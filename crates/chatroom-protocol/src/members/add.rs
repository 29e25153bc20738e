//! `POST /{org}/{app}/chatrooms/{chatroom_id}/users/{username}` (contract §4.2) and, for many,
//! `POST /{org}/{app}/chatrooms/{chatroom_id}/users` (§4.3).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::lenient::or_default;
pub use crate::members::list::{ROUTE as MANY_ROUTE, path as many_path};
use crate::path::{InvalidSegment, encode};

/// The template of the route for one. It is that of the removal.
pub const ONE_ROUTE: &str = "/{org}/{app}/chatrooms/{chatroom_id}/users/{username}";
/// What `action` says in `data`.
pub const ACTION: &str = "add_member";

/// The path of the request for one.
///
/// # Errors
/// [`InvalidSegment`] if a part cannot stand in a path.
pub fn one_path(org: &str, app: &str, chatroom_id: &str, username: &str) -> Result<String, InvalidSegment> {
    encode(&[org, app, "chatrooms", chatroom_id, "users", username])
}

/// The body of the request for many. For one there is none, and what is sent is ignored (decision 25).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ManyRequest<'a> {
    /// Whom to add.
    #[serde(deserialize_with = "or_default")]
    pub usernames: Vec<Cow<'a, str>>,
}

/// `data` of the answer for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added<'a> {
    /// Whether the user is a member now, new or not (decision 16).
    pub result: bool,
    /// [`ACTION`].
    #[serde(default)]
    pub action: Cow<'a, str>,
    /// The room's id.
    #[serde(default)]
    pub id: Cow<'a, str>,
    /// The username.
    #[serde(default)]
    pub user: Cow<'a, str>,
}

impl<'a> Added<'a> {
    /// The user is a member.
    #[must_use]
    pub fn done(user: &'a str, chatroom_id: &'a str) -> Self {
        Self { result: true, action: ACTION.into(), id: chatroom_id.into(), user: user.into() }
    }
}

/// `data` of the answer for many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManyAdded<'a> {
    /// Who is a member now, those who already were included (decision 16).
    #[serde(default = "Vec::new")]
    pub newmembers: Vec<Cow<'a, str>>,
    /// [`ACTION`].
    #[serde(default)]
    pub action: Cow<'a, str>,
    /// The room's id.
    #[serde(default)]
    pub id: Cow<'a, str>,
}

impl<'a> ManyAdded<'a> {
    /// They are all members.
    #[must_use]
    pub fn done(users: Vec<Cow<'a, str>>, chatroom_id: &'a str) -> Self {
        Self { newmembers: users, action: ACTION.into(), id: chatroom_id.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_members_are_written_as_in_the_samples() {
        insta::assert_snapshot!(serde_json::to_string(&Added::done("user1", "66XXXX33")).unwrap(), @r#"{"result":true,"action":"add_member","id":"66XXXX33","user":"user1"}"#);
        let many = ManyAdded::done(vec!["user1".into(), "user2".into()], "66XXXX33");
        insta::assert_snapshot!(serde_json::to_string(&many).unwrap(), @r#"{"newmembers":["user1","user2"],"action":"add_member","id":"66XXXX33"}"#);
    }

    #[test]
    fn a_body_without_names_is_read_as_no_names() {
        for text in ["{}", r#"{"usernames":null,"x":1}"#, r#"{"usernames":[]}"#] {
            assert_eq!(serde_json::from_str::<ManyRequest<'_>>(text).unwrap(), ManyRequest::default());
        }
    }
}
