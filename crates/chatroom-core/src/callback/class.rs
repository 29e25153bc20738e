//! Classes of events that a rule may choose from.

use std::fmt;

use crate::clock::Timestamp;
use crate::event::{Event, EventKind, Leaving, Seq};
use crate::model::RoomKey;

/// A class of events, as the wire tells them apart: the operation, and the payload's type where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EventClass {
    /// `CREATE`: a room was made.
    Created,
    /// `JOIN/DIRECT`: users were added.
    Joined,
    /// `LEAVE/KICK`: members were removed.
    Kicked,
    /// `LEAVE/QUIT`: a member is gone because the user was deleted.
    Quit,
    /// `LEAVE/DELETE`: members are gone because the room was dissolved.
    RoomDissolved,
    /// `DELETE`: a room was dissolved.
    Dissolved,
}

/// That an event happened: what decides who is to be told of it, without the event itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happened {
    /// Whose log it is in.
    pub room: RoomKey,
    /// Where in the log.
    pub seq: Seq,
    /// When the change was decided.
    pub at: Timestamp,
    /// What happened, roughly.
    pub class: EventClass,
}

impl Happened {
    /// What is to be known of this event.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self { room: event.room, seq: event.seq, at: event.at, class: EventClass::of(&event.kind) }
    }
}

/// Why a text names no class of events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no kind of event: use CREATE, JOIN, LEAVE, DELETE, or one of JOIN/DIRECT, LEAVE/KICK, LEAVE/QUIT, \
     LEAVE/DELETE"
)]
pub struct UnknownEventClass(pub String);

impl EventClass {
    /// All classes.
    pub const ALL: [Self; 6] =
        [Self::Created, Self::Joined, Self::Kicked, Self::Quit, Self::RoomDissolved, Self::Dissolved];

    /// The class of an event.
    #[must_use]
    pub fn of(kind: &EventKind) -> Self {
        match kind {
            EventKind::Created { .. } => Self::Created,
            EventKind::Joined { .. } => Self::Joined,
            EventKind::Left { why: Leaving::Kicked, .. } => Self::Kicked,
            EventKind::Left { why: Leaving::UserDeleted, .. } => Self::Quit,
            EventKind::Left { why: Leaving::RoomDissolved, .. } => Self::RoomDissolved,
            EventKind::Dissolved => Self::Dissolved,
        }
    }

    /// Its name: `LEAVE/KICK`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATE",
            Self::Joined => "JOIN/DIRECT",
            Self::Kicked => "LEAVE/KICK",
            Self::Quit => "LEAVE/QUIT",
            Self::RoomDissolved => "LEAVE/DELETE",
            Self::Dissolved => "DELETE",
        }
    }

    /// Reads a class (`LEAVE/KICK`) or a whole operation (`LEAVE`), in any case.
    ///
    /// # Errors
    /// [`UnknownEventClass`] if it names none.
    pub fn parse(text: &str) -> Result<Vec<Self>, UnknownEventClass> {
        let names = |class: &Self| {
            let name = class.as_str();
            let operation = name.split('/').next().unwrap_or(name);
            name.eq_ignore_ascii_case(text) || operation.eq_ignore_ascii_case(text)
        };
        let classes: Vec<Self> = Self::ALL.into_iter().filter(names).collect();
        if classes.is_empty() { Err(UnknownEventClass(text.to_owned())) } else { Ok(classes) }
    }
}

impl fmt::Display for EventClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_read_by_its_name_and_an_operation_means_all_its_classes() {
        for class in EventClass::ALL {
            assert!(EventClass::parse(class.as_str()).unwrap().contains(&class));
        }
        assert_eq!(EventClass::parse("leave/kick"), Ok(vec![EventClass::Kicked]));
        assert_eq!(EventClass::parse("DELETE"), Ok(vec![EventClass::Dissolved]));
        let leaving = [EventClass::Kicked, EventClass::Quit, EventClass::RoomDissolved];
        assert_eq!(EventClass::parse("LEAVE"), Ok(leaving.to_vec()));
        for unknown in ["", "KICK", "LEAVE/", "LEAVE/BLOCK"] {
            assert!(EventClass::parse(unknown).is_err(), "{unknown}");
        }
    }
}
