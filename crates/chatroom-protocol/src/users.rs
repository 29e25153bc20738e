//! Users: register, get, list, delete (contract §6).

pub mod delete;
pub mod get;
pub mod list;
pub mod register;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What `path` says in the envelope of every `users` endpoint.
pub const PATH: &str = "/users";

/// A user as it stands in `entities`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User<'a> {
    /// The user's UUID.
    #[serde(default)]
    pub uuid: Cow<'a, str>,
    /// Always `user`.
    #[serde(rename = "type", default)]
    pub kind: Cow<'a, str>,
    /// When it was registered: milliseconds since 1970-01-01T00:00:00Z.
    #[serde(default)]
    pub created: i64,
    /// When it last changed, in the same unit.
    #[serde(default)]
    pub modified: i64,
    /// The name, in lower case.
    pub username: Cow<'a, str>,
    /// Whether the user may log in.
    #[serde(default)]
    pub activated: bool,
    /// The display name; absent unless one was given (decision 28).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decision_28_a_user_has_no_nickname_unless_one_was_given() {
        let mut user = User {
            uuid: "b1ec-2".into(),
            kind: "user".into(),
            created: 1542795196504,
            modified: 1542795196504,
            username: "user1".into(),
            activated: true,
            nickname: None,
        };
        insta::assert_snapshot!(serde_json::to_string(&user).unwrap(), @r#"{"uuid":"b1ec-2","type":"user","created":1542795196504,"modified":1542795196504,"username":"user1","activated":true}"#);
        user.nickname = Some("One".into());
        insta::assert_snapshot!(serde_json::to_string(&user).unwrap(), @r#"{"uuid":"b1ec-2","type":"user","created":1542795196504,"modified":1542795196504,"username":"user1","activated":true,"nickname":"One"}"#);
    }
}
