//! An event of a room's log.

use std::borrow::Cow;

use chatroom_core::{Event, EventId, EventKind, Leaving, Seq, Timestamp, Username};
use serde::{Deserialize, Serialize};

use super::Invalid;
use super::ids::{Id, RoomId, room_key};
use super::room::InfoLine;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct EventLine<'a> {
    app: Id,
    room: RoomId,
    seq: u64,
    id: Id,
    at: i64,
    /// How many members the room had behind it.
    members: u32,
    #[serde(borrow)]
    what: What<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What<'a> {
    #[serde(borrow)]
    Created(CreatedLine<'a>),
    #[serde(borrow)]
    Joined(Names<'a>),
    #[serde(borrow)]
    Kicked(Names<'a>),
    #[serde(borrow)]
    UserDeleted(Names<'a>),
    #[serde(borrow)]
    RoomDissolved(Names<'a>),
    Dissolved,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreatedLine<'a> {
    #[serde(borrow)]
    owner: Cow<'a, str>,
    #[serde(borrow)]
    info: InfoLine<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Names<'a>(#[serde(borrow)] Vec<Cow<'a, str>>);

impl<'a> Names<'a> {
    fn of(names: &'a [Username]) -> Self {
        Self(names.iter().map(|name| name.as_str().into()).collect())
    }

    fn parse(self) -> Result<Vec<Username>, Invalid> {
        self.0.into_iter().map(|name| name.parse().map_err(Invalid::because)).collect()
    }
}

impl<'a> What<'a> {
    fn of(kind: &'a EventKind) -> Result<Self, Invalid> {
        Ok(match kind {
            EventKind::Created { owner, info } => {
                Self::Created(CreatedLine { owner: owner.as_str().into(), info: InfoLine::of(info) })
            }
            EventKind::Joined { members } => Self::Joined(Names::of(members)),
            EventKind::Left { members, why } => match why {
                Leaving::Kicked => Self::Kicked(Names::of(members)),
                Leaving::UserDeleted => Self::UserDeleted(Names::of(members)),
                Leaving::RoomDissolved => Self::RoomDissolved(Names::of(members)),
                _ => return Err(Invalid::because("the format has no place for a leaving of this kind")),
            },
            EventKind::Dissolved => Self::Dissolved,
            _ => return Err(Invalid::because("the format has no place for an event of this kind")),
        })
    }

    fn into_kind(self) -> Result<EventKind, Invalid> {
        let left = |names: Names<'_>, why| Ok(EventKind::Left { members: names.parse()?, why });
        match self {
            Self::Created(CreatedLine { owner, info }) => {
                let owner = owner.parse().map_err(Invalid::because)?;
                Ok(EventKind::Created { owner, info: info.into_info() })
            }
            Self::Joined(names) => Ok(EventKind::Joined { members: names.parse()? }),
            Self::Kicked(names) => left(names, Leaving::Kicked),
            Self::UserDeleted(names) => left(names, Leaving::UserDeleted),
            Self::RoomDissolved(names) => left(names, Leaving::RoomDissolved),
            Self::Dissolved => Ok(EventKind::Dissolved),
        }
    }
}

impl<'a> EventLine<'a> {
    pub(super) fn of(event: &'a Event) -> Result<Self, Invalid> {
        Ok(Self {
            app: event.room.app.into(),
            room: event.room.id.into(),
            seq: event.seq.0,
            id: event.id.into(),
            at: event.at.as_millis(),
            members: event.members,
            what: What::of(&event.kind)?,
        })
    }

    pub(super) fn into_event(self) -> Result<Event, Invalid> {
        Ok(Event {
            id: EventId(self.id.0),
            room: room_key(self.app, self.room),
            seq: Seq(self.seq),
            at: Timestamp::from_millis(self.at),
            members: self.members,
            kind: self.what.into_kind()?,
        })
    }
}
