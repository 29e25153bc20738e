//! `GET /{org}/{app}/chatrooms/{chatroom_id}/users` (contract §4.4, decision 27): by page
//! (`?pagenum=&pagesize=`, `data` of [`Affiliation`]s), or by cursor (`?version=v3&limit=[&cursor=][&sort=]`,
//! `data` of plain names, without the owner). `version=v3` with `pagenum` gives objects.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::path::{InvalidSegment, encode};
pub use crate::users::list::{CURSOR, LIMIT};

/// The route's template.
pub const ROUTE: &str = "/{org}/{app}/chatrooms/{chatroom_id}/users";
/// The parameter that numbers pages, from 1.
pub const PAGENUM: &str = "pagenum";
/// The parameter that bounds a page: at most 1,000, which is also the default.
pub const PAGESIZE: &str = "pagesize";
/// The parameter that asks for a list by cursor, with [`V3`].
pub const VERSION: &str = "version";
/// The value of [`VERSION`] for a list by cursor.
pub const V3: &str = "v3";
/// The parameter that turns the order: `asc` or `desc`.
pub const SORT: &str = "sort";

/// The path of the request.
///
/// # Errors
/// [`InvalidSegment`] if a part cannot stand in a path.
pub fn path(org: &str, app: &str, chatroom_id: &str) -> Result<String, InvalidSegment> {
    encode(&[org, app, "chatrooms", chatroom_id, "users"])
}

/// A member and its part: `{"owner":"user1"}` or `{"member":"user2"}`. Admins appear as members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Affiliation<'a> {
    /// The owner.
    Owner(Cow<'a, str>),
    /// Anybody else.
    Member(Cow<'a, str>),
}

impl Affiliation<'_> {
    /// The username.
    #[must_use]
    pub fn username(&self) -> &str {
        match self {
            Self::Owner(name) | Self::Member(name) => name,
        }
    }
}

/// An element of a list by cursor as a client reads it: a plain name, or an object where a server sends that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Listed<'a> {
    /// A plain name.
    Name(Cow<'a, str>),
    /// A name with its part.
    Affiliation(Affiliation<'a>),
}

impl Listed<'_> {
    /// The username.
    #[must_use]
    pub fn username(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Affiliation(affiliation) => affiliation.username(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decision_27_a_page_is_of_objects_and_a_cursors_list_of_names() {
        let page = [Affiliation::Member("user2".into()), Affiliation::Owner("user1".into())];
        insta::assert_snapshot!(serde_json::to_string(&page).unwrap(), @r#"[{"member":"user2"},{"owner":"user1"}]"#);
        let read: Vec<Listed<'_>> = serde_json::from_str(r#"["user1",{"member":"user2"}]"#).unwrap();
        assert_eq!(read.iter().map(Listed::username).collect::<Vec<_>>(), ["user1", "user2"]);
    }
}
