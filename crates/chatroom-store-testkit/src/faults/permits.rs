//! The faults of ledgers of limits.

use std::sync::Arc;

use async_trait::async_trait;
use chatroom_core::StorageError;
use chatroom_core::permits::{Look, NodeId, PermitLedger, Pulse, Seen, Swap};
use chatroom_core::test_util::MemoryLedger;

use super::held;
use crate::{LedgerHarness, permit_tests, promises};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Writes are made onto whatever is there.
    WritesOverOthers,
    /// Who was too late is told that it was not.
    ClaimsToHaveWritten,
    /// Records are answered in another order.
    WrongOrder,
    /// A beat brings back a node that was removed.
    BeatsBringBack,
    /// Nodes are removed at any beat.
    RemovesTheLiving,
    /// Joining again begins anew.
    JoinsAnew,
}

struct Ledger(MemoryLedger, Fault);

#[async_trait]
impl PermitLedger for Ledger {
    async fn join(&self, node: NodeId) -> Result<(), StorageError> {
        self.0.join(node).await?;
        if self.1 == Fault::JoinsAnew {
            self.0.look(&Look { beat: Some(Pulse { node, beat: 0 }), keys: Vec::new() }).await?;
        }
        Ok(())
    }

    async fn look(&self, look: &Look) -> Result<Seen, StorageError> {
        if let (Fault::BeatsBringBack, Some(pulse)) = (self.1, look.beat) {
            self.0.join(pulse.node).await?;
        }
        let mut seen = self.0.look(look).await?;
        if self.1 == Fault::WrongOrder {
            seen.shares.reverse();
        }
        Ok(seen)
    }

    async fn swap(&self, swaps: &[Swap]) -> Result<Vec<bool>, StorageError> {
        let mut swaps = swaps.to_vec();
        if self.1 == Fault::WritesOverOthers {
            for swap in &mut swaps {
                swap.from = self.0.book().shares(swap.key).stamp;
            }
        }
        let made = self.0.swap(&swaps).await?;
        Ok(made.into_iter().map(|made| made || self.1 == Fault::ClaimsToHaveWritten).collect())
    }

    async fn remove(&self, dead: &[Pulse]) -> Result<(), StorageError> {
        let mut dead = dead.to_vec();
        if self.1 == Fault::RemovesTheLiving {
            let roster = self.0.book().roster();
            dead =
                roster.into_iter().filter(|pulse| dead.iter().any(|dead| dead.node == pulse.node)).collect();
        }
        self.0.remove(&dead).await
    }
}

struct Harness(Arc<Ledger>);

impl Harness {
    fn with(fault: Fault) -> Self {
        Self(Arc::new(Ledger(MemoryLedger::default(), fault)))
    }
}

#[async_trait]
impl LedgerHarness for Harness {
    type Ledger = Ledger;

    async fn ledger(&self) -> Arc<Ledger> {
        self.0.clone()
    }
}

permit_tests!(Harness::with(Fault::None));

macro_rules! found {
    ($($test:ident: $fault:ident { $($promise:ident),+ $(,)? })+) => {
        $(
            #[test]
            fn $test() {
                $(
                    let promise = held(|| promises::permits::$promise(Harness::with(Fault::$fault)));
                    assert!(promise.is_err(), "{} does not find {:?}", stringify!($promise), Fault::$fault);
                )+
            }
        )+
    };
}

found! {
    a_write_over_others_is_found: WritesOverOthers {
        a_write_is_made_only_onto_the_one_that_it_names,
        of_many_writes_onto_one_record_one_is_made,
    }
    a_write_that_was_not_made_is_found: ClaimsToHaveWritten {
        a_write_is_made_only_onto_the_one_that_it_names,
        of_many_writes_onto_one_record_one_is_made,
    }
    records_in_a_wrong_order_are_found: WrongOrder { a_record_is_what_was_written_last }
    a_beat_that_brings_back_is_found: BeatsBringBack { a_node_is_removed_at_its_last_beat_and_stays_so }
    a_removal_of_the_living_is_found: RemovesTheLiving { a_node_is_removed_at_its_last_beat_and_stays_so }
    a_second_joining_that_begins_anew_is_found: JoinsAnew { the_roster_holds_who_joined_with_its_last_beat }
}
