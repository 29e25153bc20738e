//! A user.

use std::borrow::Cow;

use chatroom_core::{AppId, User};
use serde::{Deserialize, Serialize};

use super::ids::Id;
use super::{Digits, Invalid};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct UserLine<'a> {
    app: Id,
    id: Digits,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    nickname: Option<Cow<'a, str>>,
    deleted: bool,
}

impl<'a> UserLine<'a> {
    pub(super) fn of(user: &'a User) -> Self {
        Self {
            app: user.app.into(),
            id: user.id.into(),
            name: user.name.as_str().into(),
            nickname: user.nickname.as_deref().map(Cow::Borrowed),
            deleted: user.deleted,
        }
    }

    pub(super) fn into_user(self) -> Result<User, Invalid> {
        Ok(User {
            app: AppId(self.app.0),
            id: self.id.into(),
            name: self.name.parse().map_err(Invalid::because)?,
            nickname: self.nickname.map(|nickname| nickname.as_ref().into()),
            deleted: self.deleted,
        })
    }
}
