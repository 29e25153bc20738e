//! How a rule is doing, for people.

use std::sync::Arc;

use super::rule::Rule;
use crate::clock::Timestamp;

/// How a rule is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleStatus {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Whether it delivers.
    pub health: RuleHealth,
    /// Rooms whose log goes further than was told.
    pub rooms_behind: u64,
    /// Events that wait, in all of them. Those among them that the rule does not want are counted too.
    pub events_behind: u64,
    /// Since when the room that waits longest is behind.
    pub behind_since: Option<Timestamp>,
    /// Rooms that are being delivered.
    pub leased: usize,
    /// Failures since the last success.
    pub failures_in_a_row: u32,
    /// The last failure since the process began.
    pub last_failure: Option<Failing>,
    /// When an event was last taken since the process began.
    pub last_success: Option<Timestamp>,
    /// Dead letters: events that were given up, and runs of events that retention took.
    pub dead_letters: u64,
    /// Those of them that retention took.
    pub lost: u64,
}

/// Whether a rule delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleHealth {
    /// It does.
    Delivering,
    /// It failed too often in a row and is probed.
    Paused {
        /// Since when.
        since: Timestamp,
        /// When the next probe is made at the earliest.
        next_probe: Timestamp,
    },
    /// It is disabled or retired.
    Off,
}

/// A failure that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// When.
    pub at: Timestamp,
    /// Why, in words.
    pub words: Box<str>,
}
