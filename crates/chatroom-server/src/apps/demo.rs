//! The demo set-up of a first start: an app, a room, its owner and some members, and a rule that tells a receiver on
//! this machine what happens from then on.

use anyhow::Context;
use chatroom_core::{
    AppChange, AppKey, ChatroomId, Chatrooms, Error, NewApp, NewRoom, NewRule, NewUser, Origin, Rejection,
    RuleChange, RuleSecret,
};
use secrecy::{ExposeSecret, SecretString};

use super::view::Apps;
use crate::auth;
use crate::callbacks::Callbacks;

/// What was made, with the secret, which is not kept.
pub(crate) struct Demo {
    pub(crate) key: AppKey,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    pub(crate) room: ChatroomId,
    /// A member of the room that is not its owner.
    pub(crate) member: &'static str,
    /// What signs the callbacks.
    pub(crate) callback_secret: SecretString,
}

const OWNER: &str = "owner";
const MEMBERS: [&str; 3] = ["user1", "user2", "user3"];
/// The name of the rule.
const RULE: &str = "demo";
/// Where the example receiver of `chatroom-callback` listens if nothing is said.
const RECEIVER: &str = "http://127.0.0.1:9080/";

/// Makes the demo set-up. `None`: another server on the same database was first.
///
/// # Errors
/// The store failed, or the system has no randomness to give.
pub(crate) async fn make(
    apps: &Apps,
    chatrooms: &Chatrooms,
    callbacks: &Callbacks,
) -> anyhow::Result<Option<Demo>> {
    let (client_id, client_secret) = (auth::client_id()?, auth::client_secret()?);
    let key = AppKey::from_parts("demo", "chat")?;
    let new = NewApp {
        key: key.clone(),
        client_id: client_id.as_str().into(),
        secret: auth::digest(client_secret.expose_secret()),
        signing_key: auth::signing_key()?,
        origin: Origin::Demo,
    };
    let app = match apps.change(AppChange::Create(new)).await {
        Err(Error::Rejected(Rejection::AppExists(_))) => return Ok(None),
        made => made.context("the demo app could not be made")?,
    };

    let names = std::iter::once(OWNER).chain(MEMBERS);
    let users = names.map(|name| Ok(NewUser { name: name.parse()?, nickname: None }));
    let users = users.collect::<anyhow::Result<Vec<_>>>()?;
    chatrooms.register_users(app.id, users).await.context("the demo users could not be registered")?;
    let room = NewRoom {
        owner: OWNER,
        name: "Demo room",
        description: "Made at the first start, to try things out",
        members: MEMBERS.to_vec(),
        ..NewRoom::default()
    };
    let room = chatrooms.create_room(app.id, room).await.context("the demo room could not be made")?;
    let callback_secret = auth::callback_secret()?;
    let rule = NewRule {
        name: RULE.parse()?,
        url: RECEIVER.into(),
        secret: RuleSecret::new(callback_secret.expose_secret()),
        enabled: true,
        events: None,
        rooms: None,
        origin: Origin::Demo,
    };
    callbacks.change(app.id, RuleChange::Add(rule)).await.context("the demo callback could not be made")?;
    Ok(Some(Demo { key, client_id, client_secret, room: room.key.id, member: MEMBERS[0], callback_secret }))
}
