//! Members of a room: remove, add, list.

use chatroom_core::Username;
use chatroom_protocol::envelope::OneOrMany;
use chatroom_protocol::members::{add, list, remove};
use chatroom_protocol::{Envelope, NoEntity};
use futures_util::stream::BoxStream;

use crate::batch::{BatchError, Parts, unique};
use crate::builder::Client;
use crate::error::Error;
use crate::http::Call;
use crate::paging::{self, Page};
use crate::room_id::RoomId;

/// What became of one name of a batch removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Whom it is about.
    pub user: Username,
    /// Whether the member is gone. If not, the user was no member.
    pub removed: bool,
    /// Why not, in the server's words.
    pub reason: Option<String>,
}

impl Removal {
    fn not_a_member(user: &Username, reason: Option<String>) -> Self {
        Self { user: user.clone(), removed: false, reason }
    }
}

/// A member of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name.
    pub username: Username,
    /// Whether it is the room's owner.
    pub is_owner: bool,
}

/// How many members the stream asks for at a time: as many as the server gives.
const PAGE: usize = 1_000;

impl Client {
    /// Removes a member. It may join again at once.
    ///
    /// If the future is dropped after the request was sent, the member may or may not be removed.
    ///
    /// # Errors
    /// [`is_not_a_member`](Error::is_not_a_member), [`is_room_not_found`](Error::is_room_not_found),
    /// [`is_user_not_found`](Error::is_user_not_found), [`is_unauthorized`](Error::is_unauthorized),
    /// [`is_rate_limited`](Error::is_rate_limited); nothing was removed. After
    /// [`is_outcome_unknown`](Error::is_outcome_unknown) the member may or may not be removed, and the call is not
    /// repeated.
    pub async fn remove_member(&self, room: impl Into<RoomId>, user: &Username) -> Result<(), Error> {
        let (org, app) = self.org_app();
        let room = room.into();
        let call = Call::delete("remove a member", remove::path(org, app, room.as_str(), user.as_str()));
        let answer = self.send(&call).await?;
        let data: OneOrMany<remove::Removed<'static>> = answer.data()?;
        match data.into_vec().as_slice() {
            [only] if only.result => Ok(()),
            [only] => Err(answer.not_done(only.reason.as_deref())),
            _ => Err(answer.unreadable("`data` is not one removal".to_owned())),
        }
    }

    /// Removes members, up to the limit in one call, more in several, one after the other. A name given twice
    /// counts once. The results come in the order given.
    ///
    /// If the future is dropped, the part whose request was sent may or may not be done, and what follows is not.
    ///
    /// # Errors
    /// As [`remove_member`](Self::remove_member): [`is_not_a_member`](Error::is_not_a_member) if nobody is a
    /// member, [`is_user_not_found`](Error::is_user_not_found) if one does not exist, and then nobody of the same
    /// call is removed. [`BatchError`] says what was done before.
    pub async fn remove_members(
        &self,
        room: impl Into<RoomId>,
        users: &[Username],
    ) -> Result<Vec<Removal>, BatchError<Username, Removal>> {
        let room = room.into();
        let users = unique(users);
        let mut nobody = None;
        let mut parts = Parts::new(users.clone(), self.remove_batch);
        while let Some(part) = parts.part() {
            let answered = match self.remove_part(&room, part).await {
                Err(error) if error.is_not_a_member() => {
                    let reason = error.description().map(str::to_owned);
                    nobody = Some(error);
                    Ok(part.iter().map(|user| Removal::not_a_member(user, reason.clone())).collect())
                }
                answered => answered,
            };
            parts.answer(answered)?;
        }
        let done = parts.into_done();
        match nobody {
            // As if it had been one call.
            Some(error) if !done.iter().any(|removal| removal.removed) => {
                Err(BatchError { done: vec![], failed: users, not_sent: vec![], error })
            }
            _ => Ok(done),
        }
    }

    async fn remove_part(&self, room: &RoomId, users: &[Username]) -> Result<Vec<Removal>, Error> {
        let (org, app) = self.org_app();
        let names = users.iter().map(Username::as_str).collect::<Vec<_>>().join(",");
        let call = Call::delete("remove members", remove::path(org, app, room.as_str(), &names));
        let answer = self.send(&call).await?;
        let data: OneOrMany<remove::Removed<'static>> = answer.data()?;
        let one = |removed: remove::Removed<'static>| {
            Ok(Removal {
                user: answer.parse(&removed.user)?,
                removed: removed.result,
                reason: removed.reason.map(String::from),
            })
        };
        data.into_vec().into_iter().map(one).collect()
    }

    /// Adds a member. Who is one already stays one, and that is a success.
    ///
    /// If the future is dropped after the request was sent, the user may or may not be a member.
    ///
    /// # Errors
    /// [`is_room_not_found`](Error::is_room_not_found), [`is_user_not_found`](Error::is_user_not_found), a full room
    /// ([`code`](Error::code) `exceed_limit`), and what every call can meet. After
    /// [`is_outcome_unknown`](Error::is_outcome_unknown) it may simply be called again.
    pub async fn add_member(&self, room: impl Into<RoomId>, user: &Username) -> Result<(), Error> {
        let (org, app) = self.org_app();
        let room = room.into();
        let call = Call::post("add a member", add::one_path(org, app, room.as_str(), user.as_str()));
        let answer = self.send(&call).await?;
        let added: add::Added<'static> = answer.data()?;
        if added.result { Ok(()) } else { Err(answer.not_done(None)) }
    }

    /// Adds members, up to the limit in one call, more in several, one after the other. A name given twice counts
    /// once. Returns who is a member now, in the order given, those who already were included.
    ///
    /// If the future is dropped, the part whose request was sent may or may not be done, and what follows is not.
    ///
    /// # Errors
    /// As [`add_member`](Self::add_member); of a call that fails, nobody is added. [`BatchError`] says what was done
    /// before.
    pub async fn add_members(
        &self,
        room: impl Into<RoomId>,
        users: &[Username],
    ) -> Result<Vec<Username>, BatchError<Username, Username>> {
        let room = room.into();
        let mut parts = Parts::new(unique(users), self.batch);
        while let Some(part) = parts.part() {
            let answered = self.add_part(&room, part).await;
            parts.answer(answered)?;
        }
        Ok(parts.into_done())
    }

    async fn add_part(&self, room: &RoomId, users: &[Username]) -> Result<Vec<Username>, Error> {
        let (org, app) = self.org_app();
        let body = add::ManyRequest { usernames: users.iter().map(|user| user.as_str().into()).collect() };
        let call = Call::post("add members", add::many_path(org, app, room.as_str())).json(&body);
        let answer = self.send(&call).await?;
        let added: add::ManyAdded<'static> = answer.data()?;
        added.newmembers.iter().map(|name| answer.parse(name)).collect()
    }

    /// A page of members by its number, from 1, with at most `size` (1,000 at most) members. The owner comes last,
    /// while a member. While members come and go, one may be listed twice or not at all: [`members`](Self::members)
    /// does not have that fault.
    ///
    /// # Errors
    /// [`is_room_not_found`](Error::is_room_not_found), and what every call can meet.
    pub async fn members_page(
        &self,
        room: impl Into<RoomId>,
        number: u64,
        size: usize,
    ) -> Result<Vec<Member>, Error> {
        let (org, app) = self.org_app();
        let room = room.into();
        let call = Call::get("list members", list::path(org, app, room.as_str()))
            .query(list::PAGENUM, &number)
            .query(list::PAGESIZE, &size);
        let answer = self.send(&call).await?;
        let data: Vec<list::Affiliation<'static>> = answer.data()?;
        let one = |affiliation: &list::Affiliation<'_>| {
            Ok(Member {
                username: answer.parse(affiliation.username())?,
                is_owner: matches!(affiliation, list::Affiliation::Owner(_)),
            })
        };
        data.iter().map(one).collect()
    }

    /// A page of members, at most `limit` of them (1,000 at most), in the order in which they joined, without the
    /// owner; the first one, or the one that begins at `cursor`.
    ///
    /// # Errors
    /// [`is_room_not_found`](Error::is_room_not_found), and what every call can meet.
    pub async fn members_after(
        &self,
        room: impl Into<RoomId>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Username>, Error> {
        let (org, app) = self.org_app();
        let room = room.into();
        let mut call = Call::get("list members", list::path(org, app, room.as_str()))
            .query(list::VERSION, list::V3)
            .query(list::LIMIT, &limit);
        if let Some(cursor) = cursor {
            call = call.query(list::CURSOR, cursor);
        }
        let answer = self.send(&call).await?;
        let page: Envelope<'static, Vec<list::Listed<'static>>, NoEntity> = answer.read()?;
        let data = page.data.ok_or_else(|| answer.unreadable("`data` is missing".to_owned()))?;
        let items = data.iter().map(|listed| answer.parse(listed.username())).collect::<Result<_, _>>()?;
        Ok(Page { items, next: answer.next(page.cursor, cursor)? })
    }

    /// All members in the order in which they joined, without the owner. Pages are asked for as the stream is
    /// polled. Who is a member throughout is listed exactly once; who joins or leaves meanwhile may be listed.
    ///
    /// The stream ends after its first error. Dropping it asks for no further page.
    pub fn members(&self, room: impl Into<RoomId>) -> BoxStream<'static, Result<Username, Error>> {
        let (client, room) = (self.clone(), room.into());
        paging::all(move |cursor| {
            let (client, room) = (client.clone(), room.clone());
            async move { client.members_after(room, cursor.as_deref(), PAGE).await }
        })
    }
}
