//! Rules and their deliveries, as an administrator sees them.

use chatroom_core::{ChatroomId, RuleName};
use serde::{Deserialize, Serialize};

use super::super::{Shown, text};

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleView {
    /// Its name.
    #[serde(with = "text")]
    pub name: RuleName,
    /// Where it delivers to.
    pub url: String,
    /// Whether it delivers.
    pub state: StateView,
    /// Whether the configuration declares it, or did.
    pub declared: bool,
    /// The kinds of events that it wants; `None`: all.
    pub events: Option<Vec<String>>,
    /// The rooms that it wants; `None`: all.
    pub rooms: Option<Vec<String>>,
    /// When it was made.
    pub created: i64,
    /// Until when the outgoing secret signs, while a rotation is under way.
    pub rotating_until: Option<i64>,
}

/// Whether a rule delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateView {
    /// It does.
    Enabled,
    /// Somebody said that it should not.
    Disabled,
    /// The configuration no longer declares it.
    Retired,
}

/// The secrets of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSecretsView {
    /// The one that stays.
    pub newest: Shown,
    /// The one that goes, while a rotation is under way.
    pub outgoing: Option<Shown>,
}

/// How a rule is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// The rule.
    pub rule: RuleView,
    /// Whether it delivers, and if not, why.
    pub health: HealthView,
    /// Rooms that are behind.
    pub rooms_behind: u64,
    /// Events that wait in them.
    pub events_behind: u64,
    /// Since when the room that waits longest is behind.
    pub behind_since: Option<i64>,
    /// Failures since the last success.
    pub failures_in_a_row: u32,
    /// The last failure since the process began.
    pub last_failure: Option<FailureView>,
    /// The last success since the process began.
    pub last_success: Option<i64>,
    /// Dead letters.
    pub dead_letters: u64,
    /// Those of them that are runs of events that retention took.
    pub lost: u64,
}

/// Whether a rule delivers, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthView {
    /// It does.
    Delivering,
    /// It failed too often.
    Paused {
        /// Since when.
        since: i64,
        /// When it is probed next, at the earliest.
        next_probe: i64,
    },
    /// It is disabled or retired.
    Off,
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureView {
    /// When.
    pub at: i64,
    /// Why, in words.
    pub words: String,
}

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterView {
    /// Its rule.
    #[serde(with = "text")]
    pub rule: RuleName,
    /// Its room.
    #[serde(with = "text")]
    pub room: ChatroomId,
    /// Its first event.
    pub first: u64,
    /// Its last event.
    pub last: u64,
    /// Since when it is one.
    pub at: i64,
    /// The last failure, in words; `None`: retention took the events before they were delivered.
    pub failure: Option<String>,
}
