//! Rooms: create, details, list, dissolve.

use chatroom_core::Username;
use chatroom_protocol::chatrooms::{create, details, dissolve, list};
use chatroom_protocol::envelope::OneOrMany;
use chatroom_protocol::members::list::Affiliation;
use chatroom_protocol::{Envelope, NoEntity};
use futures_util::stream::BoxStream;

use crate::builder::Client;
use crate::error::Error;
use crate::http::{Answer, Call};
use crate::members::Member;
use crate::paging::{self, Page};
use crate::room_id::RoomId;

/// A room to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRoom {
    /// Its name: at most 128 characters.
    pub name: String,
    /// What it is about: at most 512 characters.
    pub description: String,
    /// Its owner, who is a member from the beginning.
    pub owner: Username,
    /// How many members it may have, the owner counted; the server decides if `None`.
    pub max_users: Option<u64>,
    /// Further members from the beginning.
    pub members: Vec<Username>,
    /// Anything the app wants to keep with it: at most 8 KiB.
    pub custom: Option<String>,
}

impl NewRoom {
    /// A room without further members, with the server's defaults.
    pub fn new(name: impl Into<String>, description: impl Into<String>, owner: Username) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            owner,
            max_users: None,
            members: vec![],
            custom: None,
        }
    }
}

/// A room with its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Its owner, who need not be a member.
    pub owner: Username,
    /// How many members it may have, the owner counted.
    pub max_users: u64,
    /// When it was made: milliseconds since 1970-01-01T00:00:00Z.
    pub created_ms: i64,
    /// What the app keeps with it.
    pub custom: String,
    /// How many members it has, the owner counted while a member.
    pub member_count: u64,
    /// The members that the server lists here. A large room has more: see [`Client::members`].
    pub members: Vec<Member>,
}

/// A room as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSummary {
    /// Its id.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: Username,
    /// How many members it has, the owner counted while a member.
    pub member_count: u64,
}

/// How many rooms the stream asks for at a time: as many as the server gives.
const PAGE: usize = 1_000;

impl Client {
    /// Creates a room and returns its id.
    ///
    /// If the future is dropped after the request was sent, the room may or may not exist.
    ///
    /// # Errors
    /// [`is_user_not_found`](Error::is_user_not_found) if the owner or a member does not exist, a refused field
    /// ([`code`](Error::code) `invalid_parameter` or `exceed_limit`), and what every call can meet. After
    /// [`is_outcome_unknown`](Error::is_outcome_unknown) the room may exist: look at [`rooms`](Self::rooms) before
    /// creating another.
    pub async fn create_room(&self, room: &NewRoom) -> Result<RoomId, Error> {
        let (org, app) = self.org_app();
        let body = create::Request {
            name: Some(room.name.as_str().into()),
            description: Some(room.description.as_str().into()),
            owner: Some(room.owner.as_str().into()),
            maxusers: room.max_users,
            members: room.members.iter().map(|member| member.as_str().into()).collect(),
            custom: room.custom.as_deref().map(Into::into),
        };
        let answer = self.send(&Call::post("create a room", create::path(org, app)).json(&body)).await?;
        let created: create::Created<'static> = answer.data()?;
        answer.parse(&created.id)
    }

    /// A room's details.
    ///
    /// # Errors
    /// [`is_room_not_found`](Error::is_room_not_found), and what every call can meet.
    pub async fn room(&self, room: impl Into<RoomId>) -> Result<Room, Error> {
        let (org, app) = self.org_app();
        let room = room.into();
        let answer = self.send(&Call::get("get a room", details::path(org, app, room.as_str()))).await?;
        let data: OneOrMany<details::Room<'static>> = answer.data()?;
        match data.into_vec().pop() {
            Some(room) => read_room(&answer, room),
            None => Err(answer.unreadable("`data` lists no room".to_owned())),
        }
    }

    /// A page of the app's rooms, at most `limit` of them (1,000 at most): the first one, or the one that begins at
    /// `cursor`.
    ///
    /// # Errors
    /// What every call can meet.
    pub async fn rooms_after(&self, cursor: Option<&str>, limit: usize) -> Result<Page<RoomSummary>, Error> {
        let (org, app) = self.org_app();
        let mut call = Call::get("list rooms", list::path(org, app)).query(list::LIMIT, &limit);
        if let Some(cursor) = cursor {
            call = call.query(list::CURSOR, cursor);
        }
        let answer = self.send(&call).await?;
        let page: Envelope<'static, Vec<list::RoomSummary<'static>>, NoEntity> = answer.read()?;
        let data = page.data.ok_or_else(|| answer.unreadable("`data` is missing".to_owned()))?;
        let one = |room: list::RoomSummary<'static>| {
            Ok(RoomSummary {
                id: answer.parse(&room.id)?,
                name: room.name.into_owned(),
                owner: answer.parse(&room.owner)?,
                member_count: room.affiliations_count,
            })
        };
        let items = data.into_iter().map(one).collect::<Result<_, Error>>()?;
        Ok(Page { items, next: answer.next(page.cursor, cursor)? })
    }

    /// All rooms of the app. Pages are asked for as the stream is polled. The stream ends after its first error.
    /// Dropping it asks for no further page.
    pub fn rooms(&self) -> BoxStream<'static, Result<RoomSummary, Error>> {
        let client = self.clone();
        paging::all(move |cursor| {
            let client = client.clone();
            async move { client.rooms_after(cursor.as_deref(), PAGE).await }
        })
    }

    /// Dissolves a room.
    ///
    /// If the future is dropped after the request was sent, the room may or may not be gone.
    ///
    /// # Errors
    /// [`is_room_not_found`](Error::is_room_not_found), and what every call can meet. After
    /// [`is_outcome_unknown`](Error::is_outcome_unknown) the room may or may not be gone, and the call is not
    /// repeated.
    pub async fn dissolve_room(&self, room: impl Into<RoomId>) -> Result<(), Error> {
        let (org, app) = self.org_app();
        let room = room.into();
        let answer =
            self.send(&Call::delete("dissolve a room", dissolve::path(org, app, room.as_str()))).await?;
        let dissolved: dissolve::Dissolved<'static> = answer.data()?;
        if dissolved.success { Ok(()) } else { Err(answer.not_done(None)) }
    }
}

fn read_room(answer: &Answer, room: details::Room<'static>) -> Result<Room, Error> {
    let member = |affiliation: &Affiliation<'_>| {
        Ok(Member {
            username: answer.parse(affiliation.username())?,
            is_owner: matches!(affiliation, Affiliation::Owner(_)),
        })
    };
    Ok(Room {
        id: answer.parse(&room.id)?,
        owner: answer.parse(&room.owner)?,
        members: room.affiliations.iter().map(member).collect::<Result<_, Error>>()?,
        name: room.name.into_owned(),
        description: room.description.into_owned(),
        max_users: room.maxusers,
        created_ms: room.created,
        custom: room.custom.into_owned(),
        member_count: room.affiliations_count,
    })
}
