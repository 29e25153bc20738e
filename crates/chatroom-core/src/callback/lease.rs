//! What is to be delivered, handed out for a while, and what became of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::rule::{Rule, RuleId};
use super::sink::DeliveryFailure;
use crate::clock::Timestamp;
use crate::error::StorageError;
use crate::event::{Event, Seq};
use crate::model::RoomKey;

/// How long a lease lasts.
pub const LEASE: Duration = Duration::from_secs(30);
/// How many rooms of one rule are leased at once: the most connections that its receiver sees.
pub const ROOMS_AT_ONCE: usize = 8;

/// How much is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseRequest {
    /// How many leases at most, over all rules.
    pub leases: usize,
    /// How many events at most in each.
    pub events: usize,
}

/// What was handed out.
#[derive(Debug, Clone, Default)]
pub struct Leased {
    /// Fair over rules, and over the rooms of a rule. At most [`ROOMS_AT_ONCE`] of a rule at any time.
    pub leases: Vec<Lease>,
    /// When to ask again at the latest, by the store's clock, if nothing is settled and nothing happens until then.
    /// `None`: not before something does.
    pub next: Option<Timestamp>,
}

/// Names a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeaseId {
    /// The rule.
    pub rule: RuleId,
    /// The room.
    pub room: RoomKey,
    /// Which lease of them it is: never used again.
    pub token: LeaseToken,
}

/// Tells the leases of a rule and a room apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseToken(pub u64);

/// The next events of a room for a rule. Nobody else delivers them to it while the lease lasts.
///
/// Correctness does not depend on the lease: an event that two deliver is a duplicate, which receivers know by its
/// id. Order does: who holds a lease starts no attempt that could outlast it.
#[derive(Debug, Clone)]
pub struct Lease {
    /// Its name.
    pub id: LeaseId,
    /// The rule as it is now.
    pub rule: Arc<Rule>,
    /// The events, in order, without a gap. Some may be such as the rule does not want.
    pub events: Vec<Event>,
    /// How often the first of them failed.
    pub failures: u32,
    /// How long ago it did for the first time, on the rule's own clock.
    pub failing_for: Duration,
    /// Whether the rule is paused and this is a probe: one event is tried, and nothing else meanwhile.
    pub probe: bool,
}

/// What became of a lease. It ends with this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Which.
    pub lease: LeaseId,
    /// Its events are done up to here, this one included: delivered, or not wanted. `None`: none of them.
    pub through: Option<Seq>,
    /// How many of them the receiver took.
    pub taken: u32,
    /// What comes behind `through`.
    pub then: Progress,
}

/// How a room goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// With whatever is next.
    Go,
    /// The next event failed; it is tried again at this time.
    Retry {
        /// When, at the earliest.
        at: Timestamp,
        /// Why it failed.
        why: DeliveryFailure,
    },
    /// The next event is given up: it becomes a dead letter, and the room goes on behind it.
    Bury {
        /// Which it is.
        seq: Seq,
        /// Why it failed last.
        why: DeliveryFailure,
    },
}

/// What a store says to a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is noted.
    Noted,
    /// The lease had ended, and somebody else may have got its events: they may arrive twice. Not an error.
    Lost,
}

/// Hands out what is to be delivered. A part of the outbox, for who delivers.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait CallbackLeases: Send + Sync + 'static {
    /// Leases what is due. Every event in it is durable. Dropping the future may leave leases that nobody holds; they
    /// end by themselves.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot read.
    async fn lease(&self, ask: LeaseRequest) -> Result<Leased, StorageError>;

    /// Notes what became of leases: one answer each, in their order. On return it counts for the next lease; it need
    /// not be durable, since what is forgotten is delivered again.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot write. What was to be settled may be settled again.
    async fn settle(&self, done: Vec<Settlement>) -> Result<Vec<Settled>, StorageError>;

    /// Returns when there may be more to lease than the last [`lease`](Self::lease) found: an event was written, a
    /// rule changed. It may return without a reason, and it does not miss what happened between that call and this
    /// one. For one caller at a time. Dropping the future loses nothing.
    async fn more(&self);
}
