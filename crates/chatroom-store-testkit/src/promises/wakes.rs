//! Who delivers is woken when there is more, and many who deliver never have the same in hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatroom_core::{Deliveries, Event, LeaseRequest, NewRule, RoomKey, RuleChange, RuleId};

use crate::broken::{Broken, ensure, ensure_eq};
use crate::delivering::{new_rule, rule_name, seqs, span, took, took_some};
use crate::world::World;
use crate::{DeliveryHarness, DeliveryStore, Promise};

/// Nobody is woken so late.
const LATE: Duration = Duration::from_secs(30);

/// Waits until something can be leased, and delivers it. Asks for nothing before it is told that there may be more.
async fn woken<R: DeliveryStore>(world: &World<R>, why: &str) -> Promise {
    loop {
        let more = tokio::time::timeout(LATE, world.store.more()).await;
        ensure!(more.is_ok(), "nobody says that there is more to lease: {why}");
        if !world.deliver().await?.is_empty() {
            return Ok(());
        }
    }
}

/// Whoever waits is woken by an event, by a rule that is turned on and by a replay; also by what happened after it
/// last asked and before it waits.
pub async fn whoever_waits_is_woken_when_there_is_more(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let off = NewRule { enabled: false, ..new_rule("one") };
    let rule = world.change_rule(RuleChange::Add(off)).await?;
    let room = world.populated("owner", &["a"]).await?;
    world.nothing_is_due("the only rule is off").await?;
    world.change_rule(RuleChange::Enable(rule_name("one"))).await?;
    woken(&world, "a rule was turned on").await?;
    world.happen(room, 1).await?;
    woken(&world, "an event was written").await?;
    world.store.replay(rule.id, vec![(world.key(room), span(1, 2))]).await?;
    woken(&world, "events are to be told again").await?;
    let waits = tokio::spawn({
        let world = world.clone();
        async move { woken(&world, "an event was written while it waited").await }
    });
    tokio::task::yield_now().await;
    world.happen(room, 1).await?;
    waits.await??;
    Ok(())
}

/// What several at once have in hand and have delivered.
#[derive(Default)]
struct Hands {
    held: BTreeSet<(RuleId, RoomKey)>,
    told: BTreeMap<(RuleId, RoomKey), Vec<Event>>,
}

/// Leases and settles until nothing more happens and nothing is due.
async fn work<R: DeliveryStore>(
    world: World<R>,
    hands: Arc<Mutex<Hands>>,
    over: Arc<AtomicBool>,
    most: usize,
) -> Promise {
    let hands = || hands.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let last = over.load(Ordering::SeqCst);
        let leases = world.leased(LeaseRequest { leases: 3, events: 4 }).await?.leases;
        let nothing = leases.is_empty();
        for lease in &leases {
            let of = (lease.id.rule, lease.id.room);
            ensure!(hands().held.insert(of), "somebody has this in hand already: {lease:?}");
        }
        tokio::task::yield_now().await;
        for lease in leases {
            let of = (lease.id.rule, lease.id.room);
            let done = took_some(&lease, most);
            let taken = lease.events.iter().filter(|event| Some(event.seq) <= done.through).cloned();
            {
                let mut hands = hands();
                let told = hands.told.entry(of).or_default();
                let next = told.last().map_or(lease.events[0].seq, |last| last.seq.next());
                ensure_eq!(lease.events[0].seq, next, "what comes next of {of:?}");
                told.extend(taken);
                hands.held.remove(&of);
            }
            world.settle(done).await?;
        }
        if nothing && last {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
}

/// Several at once who lease and settle while rooms change: each event is delivered once to each rule, in order.
pub async fn several_who_deliver_at_once_never_have_the_same_in_hand(
    harness: impl DeliveryHarness,
) -> Promise {
    let world = World::new(&harness).await;
    let rules = [world.rule("one").await?, world.rule("two").await?];
    let mut rooms = vec![world.populated("owner", &["a"]).await?];
    for _ in 0..5 {
        rooms.push(world.room("owner", &["a"]).await?);
    }
    let (hands, over) = (Arc::<Mutex<Hands>>::default(), Arc::<AtomicBool>::default());
    let workers = (1..=4).map(|most| tokio::spawn(work(world.clone(), hands.clone(), over.clone(), most)));
    let workers: Vec<_> = workers.collect();
    let mut changed = Ok(());
    for _ in 0..15 {
        for room in &rooms {
            changed = changed.and(world.happen(*room, 1).await);
        }
    }
    over.store(true, Ordering::SeqCst);
    for worker in workers {
        worker.await??;
    }
    changed?;
    // Somebody may have had the last in hand when the others stopped, and given some back.
    let mut rest = world.deliver().await?;
    let hands = std::mem::take(&mut *hands.lock().unwrap_or_else(PoisonError::into_inner));
    for room in rooms {
        let log: Vec<_> = seqs(&world.log(room).await?);
        for rule in &rules {
            let of = (rule.id, world.key(room));
            let told = hands.told.get(&of).ok_or_else(|| Broken::new(format!("{of:?} was told nothing")))?;
            let told = [seqs(told), seqs(&rest.remove(&of).unwrap_or_default())].concat();
            ensure_eq!(told, log, "what {of:?} was told");
        }
    }
    Ok(())
}

/// A call to lease that is dropped loses nothing: what it may have leased is leased again later.
pub async fn a_dropped_call_to_lease_loses_nothing(harness: impl DeliveryHarness) -> Promise {
    use super::drops::{POLLS, poll_times};
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    let mut told = Vec::new();
    for polls in POLLS {
        let dropped = poll_times(polls, world.lease(9)).await;
        if let Some(leases) = dropped.transpose()? {
            for lease in leases {
                told.extend(seqs(&lease.events));
                world.settle(took(&lease)).await?;
            }
        }
        world.outlast_leases();
        told.extend(world.delivered(&rule, room).await?);
        world.happen(room, 1).await?;
    }
    told.extend(world.delivered(&rule, room).await?);
    ensure_eq!(told, seqs(&world.log(room).await?), "what the rule was told");
    Ok(())
}
