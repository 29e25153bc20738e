use async_trait::async_trait;

use crate::error::StorageError;
use crate::id::AppId;

/// A node as the ledger knows it: one run of one process. Never used again once the ledger has forgotten it.
///
/// The low 16 bits count how often the process had to begin anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u128);

impl NodeId {
    /// Takes a random id.
    #[must_use]
    pub fn new(random: u128) -> Self {
        Self(random & !0xFFFF)
    }

    /// The id under which the same process begins anew.
    #[must_use]
    pub fn next(self) -> Self {
        Self((self.0 & !0xFFFF) | (self.0.wrapping_add(1) & 0xFFFF))
    }
}

/// A limit of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LimitKey {
    /// The app.
    pub app: AppId,
    /// What of the app's is limited: `remove_members`.
    pub name: &'static str,
}

/// Which write a record is of. No two writes have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Who wrote.
    pub node: NodeId,
    /// 1, 2, 3, … of the node's writes.
    pub count: u64,
}

/// What a node has of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The node. Only it changes its share and its demand.
    pub node: NodeId,
    /// Slots that it holds.
    pub share: u32,
    /// Slots that others gave it, until it has added them to its share.
    pub given: u32,
    /// For how long none of those had been used when they were given, in milliseconds.
    pub rested: u32,
    /// Calls that it was asked for in about a second, refused ones included.
    pub demand: u32,
}

/// Who holds the slots of a limit. What nobody holds is in the pool, and was not used for a second.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shares {
    /// The last write; `None` if there was none yet.
    pub stamp: Option<Stamp>,
    /// Who holds some or wants some, by node.
    pub holders: Vec<Holder>,
}

/// A node that is taken for alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// The node.
    pub node: NodeId,
    /// Its last beat.
    pub beat: u64,
}

/// What is asked of the ledger in one trip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// A beat to note, if the node is in the roster.
    pub beat: Option<Pulse>,
    /// The records to read.
    pub keys: Vec<LimitKey>,
}

/// What the ledger showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The records, in the order in which they were asked for.
    pub shares: Vec<Shares>,
    /// The nodes that are taken for alive.
    pub roster: Vec<Pulse>,
}

/// The replacement of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// Which record.
    pub key: LimitKey,
    /// It is replaced only if this is its last write.
    pub from: Option<Stamp>,
    /// What it becomes. The stamp is there.
    pub to: Shares,
}

/// Where nodes agree on who holds the slots of a limit: a roster of nodes and a record for each limit. It knows no
/// rule.
///
/// What it answers is durable. Every lost connection is an error of the next call, and no call is repeated inside: behind
/// another connection may be a database that lacks the last writes. Dropping a future may or may not do what was asked, for each record whole or not at
/// all, also later: a write that is overtaken by another one to the same record does nothing.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PermitLedger: Send + Sync + 'static {
    /// Enters a node into the roster, with beat 0. To enter it twice is no error.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot.
    async fn join(&self, node: NodeId) -> Result<(), StorageError>;

    /// Notes the beat, if the node is still in the roster; then reads the records, and not before them the roster:
    /// a node that is in a record and not in the roster is gone for ever.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot.
    async fn look(&self, look: &Look) -> Result<Seen, StorageError>;

    /// Replaces records, each on its own, and answers which of them were. One that was not will not be later.
    ///
    /// # Errors
    /// [`StorageError`]: each of them may have been replaced, or may be yet.
    async fn swap(&self, swaps: &[Swap]) -> Result<Vec<bool>, StorageError>;

    /// Takes nodes from the roster whose last beat is still this one.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot.
    async fn remove(&self, dead: &[Pulse]) -> Result<(), StorageError>;
}
