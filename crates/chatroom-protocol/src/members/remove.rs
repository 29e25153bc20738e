//! `DELETE /{org}/{app}/chatrooms/{chatroom_id}/users/{username}` (contract §3), the page that this project is
//! about, and its batch form `…/users/{u1}%2C{u2}` (§4.1).
//!
//! `data` is an object for one name, and an array as soon as there is a comma (decision 11).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::path::{InvalidSegment, encode};

/// The route's template.
pub const ROUTE: &str = "/{org}/{app}/chatrooms/{chatroom_id}/users/{usernames}";
/// What `action` says in `data`.
pub const ACTION: &str = "remove_member";

/// The path of the request: one name, or several joined by commas.
///
/// # Errors
/// [`InvalidSegment`] if a part cannot stand in a path.
pub fn path(org: &str, app: &str, chatroom_id: &str, usernames: &str) -> Result<String, InvalidSegment> {
    encode(&[org, app, "chatrooms", chatroom_id, "users", usernames])
}

/// `data` of the answer: [`OneOrMany`](crate::envelope::OneOrMany) of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed<'a> {
    /// Whether the member is gone.
    pub result: bool,
    /// [`ACTION`].
    #[serde(default)]
    pub action: Cow<'a, str>,
    /// Why not, in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
    /// The username.
    pub user: Cow<'a, str>,
    /// The room's id.
    #[serde(default)]
    pub id: Cow<'a, str>,
}

impl<'a> Removed<'a> {
    /// The member is gone.
    #[must_use]
    pub fn done(user: &'a str, chatroom_id: &'a str) -> Self {
        Self { result: true, action: ACTION.into(), reason: None, user: user.into(), id: chatroom_id.into() }
    }

    /// The user of a batch in which others were members was none (decision 12).
    #[must_use]
    pub fn not_a_member(user: &'a str, chatroom_id: &'a str) -> Self {
        let reason = format!("user: {user} doesn't exist in group: {chatroom_id}");
        Self { result: false, reason: Some(reason.into()), ..Self::done(user, chatroom_id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::tests::around;
    use crate::envelope::{Envelope, OneOrMany};

    const PAGE: &str = r#"{
"action": "delete",
"application": "8beXXXX02",
"uri": "https://XXXX/XXXX/XXXX/chatrooms/66XXXX33/users/user1",
"entities": [],
"data": {
"result": true,
"action": "remove_member",
"user": "user1",
"id": "66XXXX33"
},
"timestamp": 1542555744726,
"duration": 1,
"organization": "XXXX",
"applicationName": "testapp"
}"#;

    #[test]
    fn decision_22_the_pages_example_is_written_byte_for_byte() {
        let uri = "https://XXXX/XXXX/XXXX/chatrooms/66XXXX33/users/user1";
        let answer = around("delete", uri, OneOrMany::One(Removed::done("user1", "66XXXX33")));
        // The page is pretty-printed; between tokens, JSON means the same without the white space.
        assert_eq!(serde_json::to_string(&answer).unwrap(), PAGE.replace('\n', "").replace("\": ", "\":"));
        let read: Envelope<'_, OneOrMany<Removed<'_>>> = serde_json::from_str(PAGE).unwrap();
        assert_eq!(read, answer);
    }

    #[test]
    fn decision_12_a_batch_says_who_was_no_member() {
        let data = OneOrMany::Many(vec![Removed::done("user2", "66"), Removed::not_a_member("user1", "66")]);
        insta::assert_snapshot!(serde_json::to_string(&data).unwrap(), @r#"[{"result":true,"action":"remove_member","user":"user2","id":"66"},{"result":false,"action":"remove_member","reason":"user: user1 doesn't exist in group: 66","user":"user1","id":"66"}]"#);
    }

    #[test]
    fn a_batch_goes_into_the_path_with_encoded_commas() {
        assert_eq!(path("o", "a", "66", "u1,u2").unwrap(), "/o/a/chatrooms/66/users/u1%2Cu2");
    }
}
