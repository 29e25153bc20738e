//! The lines of an export, as JSON says them. One kind of record a file; each is written and read by the same type.

mod app;
mod cursor;
mod event;
mod ids;
mod room;
mod rule;
mod user;

use chatroom_core::{Membership, Portable, Sweep};
use serde::{Deserialize, Serialize};

use self::app::AppLine;
use self::cursor::{CursorLine, DeadLetterLine};
use self::event::EventLine;
use self::ids::Digits;
pub(super) use self::ids::Id;
use self::room::{MembershipLine, RoomLine, SweepLine};
use self::rule::RuleLine;
use self::user::UserLine;
use super::sums::Sums;

/// What the first line says it is.
pub(super) const HEADER: &str = "chatroom_export";
/// What the last line says it is.
pub(super) const END: &str = "end";

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) kind: String,
    pub(super) format: u32,
    /// The name of the export.
    pub(super) export: Id,
    /// When it was taken: milliseconds since 1970.
    pub(super) at: i64,
    /// The version that made it.
    pub(super) version: String,
}

/// As much of the first line as every format has.
#[derive(Deserialize)]
pub(super) struct AnyHeader {
    pub(super) kind: String,
    pub(super) format: u32,
    pub(super) version: String,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) kind: String,
    pub(super) records: u64,
    /// Of all bytes before this line, in hexadecimal digits.
    pub(super) sha256: String,
    pub(super) sums: Sums,
}

/// The kind of a line.
#[derive(Deserialize)]
pub(super) struct Kind {
    pub(super) kind: String,
}

/// A record.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Line<'a> {
    #[serde(borrow)]
    App(AppLine<'a>),
    #[serde(borrow)]
    User(UserLine<'a>),
    #[serde(borrow)]
    Room(RoomLine<'a>),
    Membership(MembershipLine),
    Sweep(SweepLine),
    #[serde(borrow)]
    Event(EventLine<'a>),
    #[serde(borrow)]
    Rule(RuleLine<'a>),
    Cursor(CursorLine),
    #[serde(borrow)]
    DeadLetter(DeadLetterLine<'a>),
}

/// A line is JSON, and yet no record.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Invalid(Box<dyn std::error::Error + Send + Sync>);

impl Invalid {
    fn because(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(why.into())
    }
}

impl<'a> Line<'a> {
    /// The line of a record.
    ///
    /// # Errors
    /// [`Invalid`] if this version of the format has no place for it.
    pub(super) fn of(portable: &'a Portable) -> Result<Self, Invalid> {
        Ok(match portable {
            Portable::App(app) => Self::App(AppLine::of(app)),
            Portable::User(user) => Self::User(UserLine::of(user)),
            Portable::Room(room, counters) => Self::Room(RoomLine::of(room, *counters)),
            Portable::Membership(membership) => Self::Membership(MembershipLine::of(*membership)),
            Portable::Sweep(sweep) => Self::Sweep(SweepLine::of(*sweep)),
            Portable::Event(event) => Self::Event(EventLine::of(event)?),
            Portable::Rule(rule) => Self::Rule(RuleLine::of(rule)),
            Portable::Cursor(cursor) => Self::Cursor(CursorLine::of(cursor)),
            Portable::DeadLetter(letter) => Self::DeadLetter(DeadLetterLine::of(letter)),
        })
    }

    /// The record of a line.
    ///
    /// # Errors
    /// [`Invalid`] if something of it cannot be.
    pub(super) fn into_portable(self) -> Result<Portable, Invalid> {
        Ok(match self {
            Self::App(line) => Portable::App(Box::new(line.into_app()?)),
            Self::User(line) => Portable::User(line.into_user()?),
            Self::Room(line) => {
                let (room, counters) = line.into_room()?;
                Portable::Room(room, counters)
            }
            Self::Membership(line) => Portable::Membership(Membership::from(line)),
            Self::Sweep(line) => Portable::Sweep(Sweep::try_from(line)?),
            Self::Event(line) => Portable::Event(line.into_event()?),
            Self::Rule(line) => Portable::Rule(Box::new(line.into_rule()?)),
            Self::Cursor(line) => Portable::Cursor(line.into_cursor()),
            Self::DeadLetter(line) => Portable::DeadLetter(line.into_letter()),
        })
    }

    /// What two sides compare of this record, if that is less than the line: what moves with the clock is left out.
    pub(super) fn compared(&self) -> Option<Line<'static>> {
        match self {
            Self::Cursor(line) => Some(Line::Cursor(line.at_rest())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
