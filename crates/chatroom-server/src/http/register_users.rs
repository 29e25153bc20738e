//! `POST /{org}/{app}/users` (contract §6): one user as an object, or many as an array.

use std::collections::HashSet;

use axum::response::Response;
use chatroom_core::{NewUser, Registration, Username};
use chatroom_protocol::refusal::{self, Refusal};
use chatroom_protocol::users::PATH;
use chatroom_protocol::users::register::{self, NotRegistered, Request};

use super::answer;
use super::call::{Call, core};
use super::gate::{Endpoint, Guard};
use super::user_entity::entity;
use crate::config::Endpoint as Limit;
use crate::error::{During, Failure};

/// Characters of a password.
const LONGEST_PASSWORD: usize = 64;
/// Characters of a nickname.
const LONGEST_NICKNAME: usize = 100;

/// Registers users. Of an array, those whose names are taken are reported, and the others are registered.
pub(super) struct RegisterUsers;

impl Endpoint for RegisterUsers {
    const GUARD: Guard = Guard::AppToken(Limit::RegisterUsers);

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        let (asked, many) = match call.json::<Request<'_>>()? {
            Request::One(user) => (vec![user], false),
            Request::Many(users) => (users, true),
        };
        let users = asked.iter().map(check).collect::<Result<Vec<_>, _>>()?;
        let different = users.iter().map(|user| &user.name).collect::<HashSet<_>>().len();
        let registered = call.change().register_users(call.app(), users).await;
        let registered = registered.map_err(core(During::Registration(different)))?;

        let (mut entities, mut failed) = (Vec::with_capacity(registered.len()), Vec::new());
        for registration in &registered {
            match registration {
                Registration::Registered(user) => entities.push(entity(user)),
                Registration::Exists(name) => failed.push(NotRegistered::already_exists(name.as_str())),
            }
        }
        let mut envelope = call.around(entities, many.then_some(failed));
        envelope.path = Some(PATH.into());
        answer::json(&envelope)
    }
}

/// The password is looked at and not kept (decision 31).
fn check(user: &register::NewUser<'_>) -> Result<NewUser, Refusal> {
    let name = user.username.as_deref().ok_or_else(refusal::username_missing)?;
    let Ok(name) = name.parse::<Username>() else { return Err(refusal::username_not_legal(name)) };
    let password = user.password.as_deref().filter(|password| !password.is_empty());
    bounded("password", password.ok_or_else(refusal::password_missing)?, LONGEST_PASSWORD)?;
    let nickname = user.nickname.as_deref();
    if let Some(nickname) = nickname {
        bounded("nickname", nickname, LONGEST_NICKNAME)?;
    }
    Ok(NewUser { name, nickname: nickname.map(Into::into) })
}

fn bounded(what: &str, text: &str, limit: usize) -> Result<(), Refusal> {
    if text.chars().count() > limit {
        return Err(refusal::illegal_argument(format!("{what} is longer than {limit} characters")));
    }
    Ok(())
}
