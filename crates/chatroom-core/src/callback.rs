//! Telling an app's server what happened: rules, when to try again, and how far each room's log was told.
//!
//! Everything here is data and pure functions. Time and chance are passed in; a store keeps what is to be kept and a
//! dispatcher does the waiting and the posting. Delivery is at least once, in order per room and rule.

mod backlog;
mod change;
mod class;
mod cursor;
mod cursors;
mod deliveries;
mod health;
mod lease;
mod name;
mod registry;
mod rule;
mod schedule;
mod secret;
mod sink;
mod status;
mod time;

pub use backlog::{Backlog, BacklogPlace, Claim};
pub use change::{NewRule, RuleChange, RuleRejection, RuleWrite, RulesOf, change_rule};
pub use class::{EventClass, Happened, UnknownEventClass};
pub use cursor::{Burial, Cursor, CursorWrite, DeadLetter, Span};
pub use deliveries::*;
pub use health::{FAILURES_TO_PAUSE, LONGEST_PROBE_WAIT, SHORTEST_PROBE_WAIT};
pub use lease::*;
pub use name::{InvalidRuleName, RuleName};
pub use registry::*;
pub use rule::{Rule, RuleId, RuleState};
pub use schedule::{LONGEST_RETRY_AFTER, RetrySchedule, Verdict};
pub use secret::{Outgoing, ROTATION, RuleSecret, RuleSecrets};
pub use sink::*;
pub use status::{Failing, RuleHealth, RuleStatus};
