//! A room with its counters, a membership, and what is left for the sweeper.

use std::borrow::Cow;
use std::sync::Arc;

use chatroom_core::{AppId, Counters, JoinOrder, Membership, Room, RoomInfo, Seq, Sweep, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::{Id, RoomId, room_key};
use super::{Digits, Invalid};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RoomLine<'a> {
    app: Id,
    id: RoomId,
    owner: Digits,
    #[serde(borrow)]
    owner_name: Cow<'a, str>,
    #[serde(borrow)]
    info: InfoLine<'a>,
    created: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dissolved: Option<i64>,
    /// How far its log goes.
    seq: u64,
    /// How many members it has.
    members: u32,
}

/// What was said about a room when it was made.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InfoLine<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    description: Cow<'a, str>,
    max_users: u32,
    #[serde(borrow)]
    custom: Cow<'a, str>,
}

impl<'a> InfoLine<'a> {
    pub(super) fn of(info: &'a RoomInfo) -> Self {
        let RoomInfo { name, description, max_users, custom } = info;
        let [name, description, custom] = [name, description, custom].map(|text| Cow::Borrowed(&**text));
        Self { name, description, max_users: *max_users, custom }
    }

    pub(super) fn into_info(self) -> Arc<RoomInfo> {
        let [name, description, custom] = [self.name, self.description, self.custom].map(Into::into);
        Arc::new(RoomInfo { name, description, max_users: self.max_users, custom })
    }
}

impl<'a> RoomLine<'a> {
    pub(super) fn of(room: &'a Room, counters: Counters) -> Self {
        Self {
            app: room.key.app.into(),
            id: room.key.id.into(),
            owner: room.owner.into(),
            owner_name: room.owner_name.as_str().into(),
            info: InfoLine::of(&room.info),
            created: room.created.as_millis(),
            dissolved: room.dissolved.map(Timestamp::as_millis),
            seq: counters.seq.0,
            members: counters.members,
        }
    }

    pub(super) fn into_room(self) -> Result<(Room, Counters), Invalid> {
        let room = Room {
            key: room_key(self.app, self.id),
            owner: self.owner.into(),
            owner_name: self.owner_name.parse().map_err(Invalid::because)?,
            info: self.info.into_info(),
            created: Timestamp::from_millis(self.created),
            dissolved: self.dissolved.map(Timestamp::from_millis),
        };
        Ok((room, Counters { seq: Seq(self.seq), members: self.members }))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct MembershipLine {
    app: Id,
    room: RoomId,
    user: Digits,
    joined: u64,
}

impl MembershipLine {
    pub(super) fn of(membership: Membership) -> Self {
        let Membership { room, user, joined } = membership;
        Self { app: room.app.into(), room: room.id.into(), user: user.into(), joined: joined.0 }
    }
}

impl From<MembershipLine> for Membership {
    fn from(line: MembershipLine) -> Self {
        let MembershipLine { app, room, user, joined } = line;
        Self { room: room_key(app, room), user: user.into(), joined: JoinOrder(joined) }
    }
}

/// Of a room, of a user, or of the app itself.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct SweepLine {
    app: Id,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room: Option<RoomId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<Digits>,
}

impl SweepLine {
    pub(super) fn of(sweep: Sweep) -> Self {
        let (room, user) = match sweep {
            Sweep::Room(room) => (Some(room.id.into()), None),
            Sweep::User(_, user) => (None, Some(user.into())),
            Sweep::App(_) => (None, None),
        };
        Self { app: sweep.app().into(), room, user }
    }
}

impl TryFrom<SweepLine> for Sweep {
    type Error = Invalid;

    fn try_from(SweepLine { app, room, user }: SweepLine) -> Result<Self, Invalid> {
        match (room, user) {
            (Some(room), None) => Ok(Self::Room(room_key(app, room))),
            (None, Some(user)) => Ok(Self::User(AppId(app.0), user.into())),
            (None, None) => Ok(Self::App(AppId(app.0))),
            (Some(_), Some(_)) => Err(Invalid::because("a sweep is of a room or of a user, not of both")),
        }
    }
}
