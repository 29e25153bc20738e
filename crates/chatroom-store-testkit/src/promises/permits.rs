//! Nodes agree on who holds the slots of a limit.

use std::sync::Arc;

use chatroom_core::AppId;
use chatroom_core::permits::{Holder, LimitKey, Look, NodeId, PermitLedger, Pulse, Shares, Stamp, Swap};
use tokio::sync::Barrier;

use crate::broken::{ensure, ensure_eq};
use crate::{LedgerHarness, Promise};

const KEY: LimitKey = LimitKey { app: AppId(1), name: "remove_members" };
const OTHER: LimitKey = LimitKey { name: "add_members", ..KEY };
const FOREIGN: LimitKey = LimitKey { app: AppId(2), ..KEY };

fn node(number: u128) -> NodeId {
    NodeId::new(number << 16)
}

/// A write of this node, its `count`th.
fn write(key: LimitKey, from: Option<Stamp>, number: u128, count: u64) -> Swap {
    let share = u32::try_from(count).unwrap_or(u32::MAX);
    let holder = |share| Holder { node: node(number), share, given: 1, rested: 999, demand: u32::MAX };
    let stamp = Some(Stamp { node: node(number), count });
    Swap { key, from, to: Shares { stamp, holders: vec![holder(share), holder(0)] } }
}

async fn records<L: PermitLedger>(ledger: &L, keys: &[LimitKey]) -> Result<Vec<Shares>, crate::Broken> {
    Ok(ledger.look(&Look { beat: None, keys: keys.to_vec() }).await?.shares)
}

async fn roster<L: PermitLedger>(ledger: &L, beat: Option<Pulse>) -> Result<Vec<Pulse>, crate::Broken> {
    let mut roster = ledger.look(&Look { beat, keys: Vec::new() }).await?.roster;
    roster.sort_by_key(|pulse| pulse.node);
    Ok(roster)
}

/// A record is what was written last, whole, for every node; one that nobody wrote is empty and has no stamp. Records
/// are answered in the order in which they were asked for.
pub async fn a_record_is_what_was_written_last(harness: impl LedgerHarness) -> Promise {
    let (one, other) = (harness.ledger().await, harness.ledger().await);
    ensure_eq!(records(&*one, &[KEY]).await?, [Shares::default()], "the record before it was written");
    let (first, foreign) = (write(KEY, None, 1, 1), write(FOREIGN, None, 2, 1));
    ensure_eq!(one.swap(&[first.clone(), foreign.clone()]).await?, [true, true], "first writes");
    let second = write(KEY, first.to.stamp, 2, 2);
    ensure_eq!(other.swap(std::slice::from_ref(&second)).await?, [true], "a second write");
    let now = [foreign.to, Shares::default(), second.to];
    ensure_eq!(records(&*one, &[FOREIGN, OTHER, KEY]).await?, now, "the records after that");
    Ok(())
}

/// A write is made if the record is still the one that it names, and else not; each for itself.
pub async fn a_write_is_made_only_onto_the_one_that_it_names(harness: impl LedgerHarness) -> Promise {
    let ledger = harness.ledger().await;
    let first = write(KEY, None, 1, 1);
    ensure_eq!(ledger.swap(std::slice::from_ref(&first)).await?, [true], "a first write");
    let other_node = Some(Stamp { node: node(2), count: 1 });
    let other_count = Some(Stamp { node: node(1), count: 2 });
    for from in [None, other_node, other_count] {
        let swaps = [write(OTHER, other_node, 3, 3), write(KEY, from, 3, 3), write(FOREIGN, from, 3, 3)];
        let made = ledger.swap(&swaps).await?;
        ensure_eq!(made, [false, false, from.is_none()], "writes onto {from:?}");
    }
    ensure_eq!(records(&*ledger, &[KEY, OTHER]).await?, [first.to, Shares::default()], "the records");
    Ok(())
}

/// Of many nodes that write onto the same record one is told that it did, and the record is its.
pub async fn of_many_writes_onto_one_record_one_is_made(harness: impl LedgerHarness) -> Promise {
    const NODES: u32 = 8;
    let mut from = None;
    for round in 0..5_u64 {
        let start = Arc::new(Barrier::new(8));
        let mut tasks = Vec::new();
        for number in 1..=NODES {
            let (ledger, start) = (harness.ledger().await, start.clone());
            tasks.push(tokio::spawn(async move {
                let swap = write(KEY, from, number.into(), round + 1);
                start.wait().await;
                Ok::<_, chatroom_core::StorageError>((
                    ledger.swap(std::slice::from_ref(&swap)).await?,
                    swap.to,
                ))
            }));
        }
        let mut made = Vec::new();
        for task in tasks {
            let (answer, record) = task.await??;
            ensure!(answer.len() == 1, "one write has {} answers", answer.len());
            made.extend((answer == [true]).then_some(record));
        }
        ensure_eq!(made.len(), 1, "of {NODES} writes so many were made");
        ensure_eq!(records(&*harness.ledger().await, &[KEY]).await?, made, "the record in round {round}");
        from = made.first().and_then(|record| record.stamp);
    }
    Ok(())
}

/// A node is in the roster from when it joined until it is removed, with its last beat; to join again changes nothing.
pub async fn the_roster_holds_who_joined_with_its_last_beat(harness: impl LedgerHarness) -> Promise {
    let (one, other) = (harness.ledger().await, harness.ledger().await);
    one.join(node(1)).await?;
    other.join(node(2)).await?;
    let beat = Pulse { node: node(1), beat: 7 };
    let both = [beat, Pulse { node: node(2), beat: 0 }];
    ensure_eq!(roster(&*one, Some(beat)).await?, both, "a look shows its own beat");
    one.join(node(1)).await?;
    ensure_eq!(roster(&*other, None).await?, both, "the roster for the other node");
    Ok(())
}

/// A node is removed only at the beat that is named, and its beats do not bring it back.
pub async fn a_node_is_removed_at_its_last_beat_and_stays_so(harness: impl LedgerHarness) -> Promise {
    let ledger = harness.ledger().await;
    let (old, new) = (Pulse { node: node(1), beat: 0 }, Pulse { node: node(1), beat: 1 });
    let other = Pulse { node: node(2), beat: 0 };
    ledger.join(node(1)).await?;
    ledger.join(node(2)).await?;
    roster(&*ledger, Some(new)).await?;
    ledger.remove(&[old]).await?;
    ensure_eq!(roster(&*ledger, None).await?, [new, other], "after a removal at an older beat");
    ledger.remove(&[new]).await?;
    ensure_eq!(
        roster(&*ledger, Some(Pulse { beat: 2, ..new })).await?,
        [other],
        "after the removal, and a beat"
    );
    Ok(())
}
