//! What stores know: records and keys, not rules.

use crate::app::App;
use crate::callback::{Rule, RuleId};
use crate::event::Event;
use crate::id::{AppId, UserId};
use crate::model::{Membership, Room, RoomKey, User};
use crate::operation::Outcome;

/// One change to what is stored. A [`Decision`] is a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// The record is there from now on, whatever was there under its key.
    Put(Record),
    /// Nothing is there from now on. Deleting what is not there is no error.
    Delete(Key),
}

/// Something that is stored under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// An app with its credentials.
    App(Box<App>),
    /// A user.
    User(User),
    /// A room without its counters, which its last event carries.
    Room(Room),
    /// A membership.
    Membership(Membership),
    /// Work that is left for the sweeper.
    Sweep(Sweep),
    /// A rule of callbacks.
    Rule(Box<Rule>),
}

/// Where a record is stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// Of an app.
    App(AppId),
    /// Of a user.
    User(AppId, UserId),
    /// Of a room. Its event log goes with it.
    Room(RoomKey),
    /// Of a membership.
    Membership(RoomKey, UserId),
    /// Of work that is left.
    Sweep(Sweep),
    /// Of a rule. Its cursors and dead letters go with it.
    Rule(AppId, RuleId),
}

/// Names what became true by one small write and still has records that nobody sees (invariant 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sweep {
    /// A dissolved room has memberships.
    Room(RoomKey),
    /// A deleted user has memberships and owns rooms.
    User(AppId, UserId),
    /// A deleted app has users and rooms.
    App(AppId),
}

impl Sweep {
    /// The app it belongs to.
    #[must_use]
    pub fn app(self) -> AppId {
        match self {
            Self::Room(room) => room.app,
            Self::User(app, _) | Self::App(app) => app,
        }
    }
}

impl Record {
    /// Where it is stored.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::App(app) => Key::App(app.id),
            Self::User(user) => Key::User(user.app, user.id),
            Self::Room(room) => Key::Room(room.key),
            Self::Membership(membership) => Key::Membership(membership.room, membership.user),
            Self::Sweep(sweep) => Key::Sweep(*sweep),
            Self::Rule(rule) => Key::Rule(rule.app, rule.id),
        }
    }
}

/// What an operation decided: these writes and these events, in one commit, and then this answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a decision that is not applied is a lost write"]
pub struct Decision {
    /// Applied in this order.
    pub writes: Vec<Write>,
    /// Appended to their rooms' logs in this order, in the same commit.
    pub events: Vec<Event>,
    /// What the caller is told once the commit is durable.
    pub outcome: Outcome,
}

impl Decision {
    /// A decision that changes nothing.
    pub fn nothing(outcome: Outcome) -> Self {
        Self { writes: Vec::new(), events: Vec::new(), outcome }
    }

    /// How many records it writes: what the bound of a commit counts (invariant 6).
    #[must_use]
    pub fn records(&self) -> usize {
        self.writes.len() + self.events.len()
    }
}
