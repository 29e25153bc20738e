//! Users: register, get, list, delete.

use std::fmt;

use chatroom_core::Username;
use chatroom_protocol::Envelope;
use chatroom_protocol::users::{User as WireUser, delete, get, list, register};
use futures_util::stream::BoxStream;
use secrecy::{ExposeSecret, SecretString};

use crate::batch::{BatchError, Parts};
use crate::builder::Client;
use crate::error::Error;
use crate::http::{Answer, Call};
use crate::paging::{self, Page};

/// A user to register. Its `Debug` does not show the password.
#[derive(Clone)]
pub struct NewUser {
    /// The name.
    pub username: Username,
    /// The password: at most 64 characters.
    pub password: SecretString,
    /// The display name.
    pub nickname: Option<String>,
}

impl NewUser {
    /// A user without a display name.
    pub fn new(username: Username, password: impl Into<SecretString>) -> Self {
        Self { username, password: password.into(), nickname: None }
    }

    fn wire(&self) -> register::NewUser<'_> {
        register::NewUser {
            username: Some(self.username.as_str().into()),
            password: Some(self.password.expose_secret().into()),
            nickname: self.nickname.as_deref().map(Into::into),
        }
    }
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A registered user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub username: Username,
    /// The user's UUID, which no later user of the same name has.
    pub uuid: String,
    /// When it was registered: milliseconds since 1970-01-01T00:00:00Z.
    pub created_ms: i64,
    /// The display name, if one was given.
    pub nickname: Option<String>,
}

/// What became of one user of a batch registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// It is registered.
    Registered(User),
    /// It is not, most often because the name is taken.
    NotRegistered {
        /// The name that was asked for.
        username: Username,
        /// Why not, in the server's words.
        reason: String,
    },
}

/// How many users the stream asks for at a time: as many as the server gives.
const PAGE: usize = 100;

impl Client {
    /// Registers a user.
    ///
    /// If the future is dropped after the request was sent, the user may or may not be registered.
    ///
    /// # Errors
    /// [`code`](Error::code) `duplicate_unique_property_exists` if the name is taken, and what every call can meet.
    /// After [`is_outcome_unknown`](Error::is_outcome_unknown) it may be called again; if the first call was done,
    /// the second says that the name is taken.
    pub async fn register_user(&self, user: &NewUser) -> Result<User, Error> {
        let (org, app) = self.org_app();
        let body = register::Request::One(user.wire());
        let answer = self.send(&Call::post("register a user", register::path(org, app)).json(&body)).await?;
        only_user(&answer)
    }

    /// Registers users, up to the limit in one call, more in several, one after the other. Succeeds in part: the
    /// result says who was registered, and who not.
    ///
    /// If the future is dropped, the part whose request was sent may or may not be done, and what follows is not.
    ///
    /// # Errors
    /// What is refused as a whole, such as a password that is too long, and what every call can meet.
    /// [`BatchError`] says what was done before.
    pub async fn register_users(
        &self,
        users: &[NewUser],
    ) -> Result<Vec<Registration>, BatchError<NewUser, Registration>> {
        let mut parts = Parts::new(users.to_vec(), self.batch);
        while let Some(part) = parts.part() {
            let answered = self.register_part(part).await;
            parts.answer(answered)?;
        }
        Ok(parts.into_done())
    }

    async fn register_part(&self, users: &[NewUser]) -> Result<Vec<Registration>, Error> {
        let (org, app) = self.org_app();
        let body = register::Request::Many(users.iter().map(NewUser::wire).collect());
        let call = Call::post("register users", register::path(org, app)).json(&body);
        let answer = match (self.send(&call).await, users) {
            // The vendor's cloud answers an array of one as it does an object.
            (Err(error), [only]) if error.code() == Some("duplicate_unique_property_exists") => {
                let reason = error.description().unwrap_or_default().to_owned();
                return Ok(vec![Registration::NotRegistered { username: only.username.clone(), reason }]);
            }
            (answered, _) => answered?,
        };
        let envelope: Envelope<'static, Vec<register::NotRegistered<'static>>, WireUser<'static>> =
            answer.read()?;
        let mut all = Vec::with_capacity(users.len());
        for user in envelope.entities {
            all.push(Registration::Registered(read_user(&answer, user)?));
        }
        for refused in envelope.data.unwrap_or_default() {
            let username = answer.parse(&refused.username)?;
            all.push(Registration::NotRegistered { username, reason: refused.reason.into_owned() });
        }
        Ok(all)
    }

    /// A user.
    ///
    /// # Errors
    /// [`is_user_not_found`](Error::is_user_not_found), and what every call can meet.
    pub async fn user(&self, username: &Username) -> Result<User, Error> {
        let (org, app) = self.org_app();
        let answer = self.send(&Call::get("get a user", get::path(org, app, username.as_str()))).await?;
        only_user(&answer)
    }

    /// A page of the app's users, oldest first, at most `limit` of them (100 at most): the first one, or the one
    /// that begins at `cursor`.
    ///
    /// # Errors
    /// What every call can meet.
    pub async fn users_after(&self, cursor: Option<&str>, limit: usize) -> Result<Page<User>, Error> {
        let (org, app) = self.org_app();
        let mut call = Call::get("list users", list::path(org, app)).query(list::LIMIT, &limit);
        if let Some(cursor) = cursor {
            call = call.query(list::CURSOR, cursor);
        }
        let answer = self.send(&call).await?;
        let page = entities(&answer)?;
        let items =
            page.entities.into_iter().map(|user| read_user(&answer, user)).collect::<Result<_, _>>()?;
        Ok(Page { items, next: answer.next(page.cursor, cursor)? })
    }

    /// All users of the app, oldest first. Pages are asked for as the stream is polled. The stream ends after its
    /// first error. Dropping it asks for no further page.
    pub fn users(&self) -> BoxStream<'static, Result<User, Error>> {
        let client = self.clone();
        paging::all(move |cursor| {
            let client = client.clone();
            async move { client.users_after(cursor.as_deref(), PAGE).await }
        })
    }

    /// Deletes a user, with its memberships and the rooms that it owns.
    ///
    /// If the future is dropped after the request was sent, the user may or may not be deleted.
    ///
    /// # Errors
    /// [`is_user_not_found`](Error::is_user_not_found), and what every call can meet. After
    /// [`is_outcome_unknown`](Error::is_outcome_unknown) the user may or may not be deleted, and the call is not
    /// repeated.
    pub async fn delete_user(&self, username: &Username) -> Result<(), Error> {
        let (org, app) = self.org_app();
        let call = Call::delete("delete a user", delete::path(org, app, username.as_str()));
        let answer = self.send(&call).await?;
        entities(&answer).map(drop)
    }
}

fn entities(answer: &Answer) -> Result<Envelope<'static, serde::de::IgnoredAny, WireUser<'static>>, Error> {
    answer.read()
}

fn only_user(answer: &Answer) -> Result<User, Error> {
    match entities(answer)?.entities.pop() {
        Some(user) => read_user(answer, user),
        None => Err(answer.unreadable("`entities` holds no user".to_owned())),
    }
}

fn read_user(answer: &Answer, user: WireUser<'static>) -> Result<User, Error> {
    Ok(User {
        username: answer.parse(&user.username)?,
        uuid: user.uuid.into_owned(),
        created_ms: user.created,
        nickname: user.nickname.map(String::from),
    })
}
