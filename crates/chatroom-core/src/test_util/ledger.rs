use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::error::StorageError;
use crate::permits::{LimitKey, Look, NodeId, PermitLedger, Pulse, Seen, Shares, Swap};

/// Who holds the slots of shared limits, in memory.
#[derive(Debug, Default)]
pub struct MemoryLedger(Mutex<Book>);

/// What is written in a ledger.
#[derive(Debug, Clone, Default)]
pub struct Book {
    roster: BTreeMap<NodeId, u64>,
    records: BTreeMap<LimitKey, Shares>,
}

impl MemoryLedger {
    /// What is written now.
    #[must_use]
    pub fn book(&self) -> Book {
        self.with(|book| book.clone())
    }

    /// Goes on from what was written once, as after a failover that lost the last writes.
    pub fn go_back_to(&self, book: Book) {
        self.with(|now| *now = book);
    }

    fn with<T>(&self, work: impl FnOnce(&mut Book) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Book {
    /// The record of a limit.
    #[must_use]
    pub fn shares(&self, key: LimitKey) -> Shares {
        self.records.get(&key).cloned().unwrap_or_default()
    }

    /// The nodes that are taken for alive.
    #[must_use]
    pub fn roster(&self) -> Vec<Pulse> {
        self.roster.iter().map(|(node, beat)| Pulse { node: *node, beat: *beat }).collect()
    }
}

#[async_trait]
impl PermitLedger for MemoryLedger {
    async fn join(&self, node: NodeId) -> Result<(), StorageError> {
        self.with(|book| {
            book.roster.entry(node).or_default();
        });
        Ok(())
    }

    async fn look(&self, look: &Look) -> Result<Seen, StorageError> {
        Ok(self.with(|book| {
            if let Some(Pulse { node, beat }) = look.beat
                && let Some(last) = book.roster.get_mut(&node)
            {
                *last = beat;
            }
            let shares = look.keys.iter().map(|key| book.shares(*key)).collect();
            Seen { shares, roster: book.roster() }
        }))
    }

    async fn swap(&self, swaps: &[Swap]) -> Result<Vec<bool>, StorageError> {
        Ok(self.with(|book| {
            let replace = |swap: &Swap| {
                let record = book.records.entry(swap.key).or_default();
                let is_last = record.stamp == swap.from;
                if is_last {
                    *record = swap.to.clone();
                }
                is_last
            };
            swaps.iter().map(replace).collect()
        }))
    }

    async fn remove(&self, dead: &[Pulse]) -> Result<(), StorageError> {
        self.with(|book| {
            book.roster.retain(|node, beat| !dead.contains(&Pulse { node: *node, beat: *beat }));
        });
        Ok(())
    }
}
