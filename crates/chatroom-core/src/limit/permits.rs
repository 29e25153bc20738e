//! One limit over several nodes: never more than N calls in any rolling second, over all of them together.
//!
//! As on one node there are N slots, each of which may be used again more than a second after its last use. A node
//! uses only slots that it holds, so an exhausted limit is refused without asking anybody. Who holds how many is a
//! record in a [`PermitLedger`], changed by compare-and-swap. What makes the promise hold:
//!
//! - A node holds slots only while its lease lasts, counted from *before* it sent the beat that the ledger took. A
//!   node that cannot renew stops by itself, half a second before [`LEASE`] is over, so that the others have seen the
//!   end of it when it comes. One that could not for a second more has nothing, also if it is still
//!   written: others may have taken it for dead and used its slots, and a failover may have lost that.
//! - A node is taken for dead by who has watched the same beat of it for so long and a second more, by his own clock.
//!   So no clock is compared with another one, nor with the database's; clocks have only to run at the same rate, up
//!   to 500 parts in a million each, as the kernel sees to.
//! - Slots in the pool are cold: not used for more than a second. Hot ones change hands in three steps: the giver
//!   stops using them, writes that they are given, and the receiver uses them a second after it read that.
//! - What a failed write has done is not guessed: a node counts on the smaller number until a write of its own
//!   succeeds, which no write from before can overtake.
//! - Whoever has had a failure of the ledger takes no further slots for so long and a second. If it came from a
//!   failover to a database that lacks the last writes, who held more than is written there has learned it by then.
//!   Only a node that begins within that time after such a failover cannot know of it: it may take what
//!   another one holds until that one has looked or its lease has ended, and both together admit up to twice N.
//!
//! All of it is decided here, in functions that take the time; a ledger knows records and no rule.

mod demand;
mod held;
mod ledger;
mod plan;
mod roster;
mod round;
mod slots;
mod state;
mod targets;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use ledger::*;
pub use state::*;

use super::WINDOW;

/// How long after its last beat the slots of a node that died are still its own. A second later, at the latest, others
/// use them.
pub const LEASE: Duration = Duration::from_secs(3);
/// How often a node calls [`SharedLimit::refresh`]: how soon it sees what others want.
pub const REFRESH: Duration = Duration::from_millis(200);

/// How long a node uses its slots without a word from the ledger, in microseconds, as all times here. Long enough for
/// three beats to be late; and shorter than [`LEASE`] by two looks, one at which the others see its last beat and one
/// at which they act, with their ways to the ledger.
const HELD: u64 = 2_500_000;
/// Between two beats.
const BEAT: u64 = 600_000;
/// A trip to the ledger that takes longer, or a time without any, may hide a failover.
const PATIENCE: u64 = 1_000_000;
/// How long a limit without calls keeps its slots.
const IDLE: u64 = 10_000_000;
/// After so long, slots that another node held when it was last heard of are cold.
const QUIET: u64 = by_another_clock(HELD + WINDOW);

/// What our clock has to show for this time to have passed on another one too, of which one may run fast and one slow.
const fn by_another_clock(micros: u64) -> u64 {
    micros + micros / 1_000
}
