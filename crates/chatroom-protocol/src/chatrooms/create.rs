//! `POST /{org}/{app}/chatrooms` (contract §5).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::lenient::{number, or_default};
use crate::path::{InvalidSegment, encode};

/// The route's template.
pub const ROUTE: &str = "/{org}/{app}/chatrooms";

/// The path of the request.
///
/// # Errors
/// [`InvalidSegment`] if a part cannot stand in a path.
pub fn path(org: &str, app: &str) -> Result<String, InvalidSegment> {
    encode(&[org, app, "chatrooms"])
}

/// The body of the request. What is required is optional here, so that its absence gets the vendor's own text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Request<'a> {
    /// The room's name: required, at most 128 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'a, str>>,
    /// What it is about: required, at most 512 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Cow<'a, str>>,
    /// The owner's username: required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Cow<'a, str>>,
    /// How many members it may have, the owner counted: 1,000 if absent. Read also as a string.
    #[serde(deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub maxusers: Option<u64>,
    /// Who is a member from the beginning. May contain the owner.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Cow<'a, str>>,
    /// Anything else the app wants to keep with the room: at most 8 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Cow<'a, str>>,
}

/// `data` of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created<'a> {
    /// The new room's id.
    pub id: Cow<'a, str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decision_26_unknown_fields_are_ignored_and_numbers_may_be_strings() {
        let text =
            r#"{"name":"n","owner":"o","maxusers":"300","members":null,"roomid":null,"scale":"LARGE"}"#;
        let request: Request<'_> = serde_json::from_str(text).unwrap();
        assert_eq!((request.maxusers, request.members.len(), request.description), (Some(300), 0, None));
    }

    #[test]
    fn what_was_not_given_is_not_sent() {
        let request = Request { name: Some("n".into()), maxusers: Some(2), ..Request::default() };
        insta::assert_snapshot!(serde_json::to_string(&request).unwrap(), @r#"{"name":"n","maxusers":2}"#);
        insta::assert_snapshot!(serde_json::to_string(&Created { id: "66XXXX33".into() }).unwrap(), @r#"{"id":"66XXXX33"}"#);
    }
}
