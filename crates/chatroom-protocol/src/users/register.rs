//! `POST /{org}/{app}/users`: one user as an object, or many as an array (contract §6).
//!
//! Registered users stand in `entities`. An array adds `data`, with those that could not be registered.

use std::borrow::Cow;
use std::fmt;

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::path::{InvalidSegment, encode};

/// The route's template.
pub const ROUTE: &str = "/{org}/{app}/users";

/// The path of the request.
///
/// # Errors
/// [`InvalidSegment`] if a part cannot stand in a path.
pub fn path(org: &str, app: &str) -> Result<String, InvalidSegment> {
    encode(&[org, app, "users"])
}

/// The body of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Request<'a> {
    /// An object: refused as a whole if the name is taken.
    One(NewUser<'a>),
    /// An array, also of one: succeeds in part.
    Many(Vec<NewUser<'a>>),
}

impl<'de> Deserialize<'de> for Request<'_> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        lenient::one_or_many(from, Self::One, Self::Many)
    }
}

/// A user to register. Its `Debug` shows no password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewUser<'a> {
    /// The name: 1 to 64 bytes of `[a-z0-9_.-]`, `A-Z` folded to lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<Cow<'a, str>>,
    /// The password: at most 64 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Cow<'a, str>>,
    /// The display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<Cow<'a, str>>,
}

impl fmt::Debug for NewUser<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser")
            .field("username", &self.username)
            .field("nickname", &self.nickname)
            .finish_non_exhaustive()
    }
}

/// An element of `data`: a user of an array that was not registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotRegistered<'a> {
    /// The name that was asked for.
    pub username: Cow<'a, str>,
    /// Why: `the {name} already exists`, for one.
    #[serde(rename = "registerUserFailReason")]
    pub reason: Cow<'a, str>,
}

impl NotRegistered<'static> {
    /// The name is taken.
    #[must_use]
    pub fn already_exists(username: &str) -> Self {
        Self {
            username: Cow::Owned(username.to_owned()),
            reason: Cow::Owned(format!("the {username} already exists")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_one_and_an_array_is_many() {
        let one: Request<'_> = serde_json::from_str(r#"{"username":"u","password":"p4ss"}"#).unwrap();
        assert!(matches!(&one, Request::One(user) if user.username.as_deref() == Some("u")));
        assert!(!format!("{one:?}").contains("p4ss"));
        let many: Request<'_> = serde_json::from_str(r#"[{"username":"u","password":"p","x":[]}]"#).unwrap();
        insta::assert_snapshot!(serde_json::to_string(&many).unwrap(), @r#"[{"username":"u","password":"p"}]"#);
    }

    #[test]
    fn a_wrong_type_is_named() {
        let error = serde_json::from_str::<Request<'_>>(r#"[{"username":[]}]"#).unwrap_err();
        assert!(error.to_string().contains("expected a string"), "{error}");
        let error = serde_json::from_str::<Request<'_>>("7").unwrap_err();
        assert!(error.to_string().contains("an object, or an array of objects"), "{error}");
    }

    #[test]
    fn a_taken_name_is_reported_in_the_vendors_words() {
        insta::assert_snapshot!(serde_json::to_string(&NotRegistered::already_exists("user3")).unwrap(), @r#"{"username":"user3","registerUserFailReason":"the user3 already exists"}"#);
    }
}
