//! What fails waits, what is given up is a dead letter, and the rest goes on.

use std::time::Duration;

use chatroom_core::{Burial, DeadLetter, Deliveries, DeliveryFailure, LeaseRequest, Progress, Settlement};

use crate::broken::{ensure, ensure_eq};
use crate::delivering::{failed, gave_up, no, seqs, span, took, took_some};
use crate::world::World;
use crate::{DeliveryHarness, Promise};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// An event that failed is leased again at its time and not before, with its failures; other rooms go on.
pub async fn a_failed_event_is_not_leased_before_its_time(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    let first = world.one().await?;
    ensure_eq!((first.failures, first.failing_for), (0, Duration::ZERO), "of the first attempt");
    world.settle(failed(&first, world.now().plus_millis(5_000))).await?;
    world.happen(room, 1).await?;
    world.nothing_is_due("the only room waits, whatever happens in it").await?;
    world.room("owner", &[]).await?;
    let other = world.one().await?;
    ensure!(other.id.room.id != room, "another room goes on: {other:?}");
    world.settle(took(&other)).await?;
    world.pass(5 * SECOND - Duration::from_millis(2) - MILLISECOND);
    let early = world.leased(LeaseRequest { leases: 9, events: 9 }).await?;
    ensure!(early.leases.is_empty(), "a millisecond before its time: {early:?}");
    let due = world.now().plus_millis(1);
    ensure!(early.next.is_some_and(|next| next <= due), "who asks is told when it is due: {early:?}");
    world.pass(MILLISECOND);
    let again = world.one().await?;
    ensure_eq!(seqs(&again.events), [1, 2, 3], "from the failed event on");
    ensure_eq!((again.failures, again.failing_for), (1, 5 * SECOND), "of the second attempt");
    world.settle(failed(&again, world.now().plus_millis(1_000))).await?;
    world.pass(SECOND);
    let again = world.one().await?;
    ensure_eq!((again.failures, again.failing_for), (2, 6 * SECOND), "of the third attempt");
    world.settle(took_some(&again, 1)).await?;
    let behind = world.one().await?;
    ensure_eq!((behind.failures, behind.failing_for), (0, Duration::ZERO), "of the event behind it");
    ensure_eq!(seqs(&behind.events), [2, 3], "the events behind it");
    Ok(())
}

/// What was delivered before the event that failed stays delivered, and its failures are its own.
pub async fn what_was_delivered_before_a_failure_is_done(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.happen(room, 3).await?;
    let first = world.one().await?;
    world.settle(failed(&first, world.now())).await?;
    let lease = world.one().await?;
    ensure_eq!(lease.failures, 1, "failures of the first event");
    world.pass(SECOND);
    let then = Progress::Retry { at: world.now(), why: no() };
    world.settle(Settlement { then, ..took_some(&lease, 2) }).await?;
    world.pass(SECOND);
    let lease = world.one().await?;
    ensure_eq!(seqs(&lease.events), [3, 4, 5], "from the failed event on");
    ensure_eq!((lease.failures, lease.failing_for), (1, SECOND), "of the third event");
    Ok(())
}

/// An event that is given up becomes a dead letter with the reason, and its room goes on behind it.
pub async fn what_is_given_up_is_a_dead_letter_and_the_room_goes_on(
    harness: impl DeliveryHarness,
) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let other = world.rule("two").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.happen(room, 3).await?;
    for lease in world.lease(9).await? {
        if lease.rule.id == other.id {
            world.settle(took(&lease)).await?;
            continue;
        }
        let why = DeliveryFailure::new("no connection");
        let then = Progress::Bury { seq: lease.events[1].seq, why };
        world.settle(Settlement { then, ..took_some(&lease, 1) }).await?;
    }
    let buried = world.now();
    let letter = DeadLetter {
        rule: rule.id,
        room: world.key(room),
        span: span(2, 2),
        why: Burial::GivenUp("no connection".into()),
        at: buried,
    };
    ensure_eq!(world.letters(&rule).await?, [letter], "dead letters");
    ensure_eq!(world.letters(&other).await?, [], "dead letters of the other rule");
    ensure_eq!(world.delivered(&rule, room).await?, [3, 4, 5], "what the rule is told behind it");
    ensure_eq!(world.store.losses(9).await?, [], "what is given up is not lost");
    Ok(())
}

/// Dead letters are listed by room, then in order, from behind any of them on.
pub async fn dead_letters_are_listed_by_room_and_in_order(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let rooms = [world.populated("owner", &["a"]).await?, world.room("owner", &["a"]).await?];
    // Ten failures in a row pause no rule.
    for _ in 0..2 {
        for lease in world.lease(9).await? {
            world.settle(gave_up(&lease)).await?;
        }
    }
    let mut rooms = rooms.map(|room| (room, [1, 2]));
    rooms.sort_unstable();
    let expected: Vec<_> =
        rooms.iter().flat_map(|(room, seqs)| seqs.map(|seq| (*room, span(seq, seq)))).collect();
    let all = world.letters(&rule).await?;
    let places: Vec<_> = all.iter().map(|letter| (letter.room.id, letter.span)).collect();
    ensure_eq!(places, expected, "all of them");
    for behind in 0..=all.len() {
        let after = behind.checked_sub(1).map(|last| (all[last].room.id, all[last].span.first));
        for limit in [0, 1, 3, 9] {
            let listed = world.store.dead_letters(rule.id, after, limit).await?;
            let expected: Vec<_> = all.iter().skip(behind).take(limit).cloned().collect();
            ensure_eq!(listed, expected, "{limit} behind {after:?}");
        }
    }
    Ok(())
}
