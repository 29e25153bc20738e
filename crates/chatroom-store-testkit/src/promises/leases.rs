//! What is to be delivered is handed out in order, once at a time, for a while.

use std::time::Duration;

use chatroom_core::{
    CallbackLeases, EventClass, LEASE, LeaseRequest, LeaseToken, NewRule, Progress, ROOMS_AT_ONCE,
    RuleChange, Settled, Settlement,
};

use crate::broken::{ensure, ensure_eq};
use crate::delivering::{new_rule, rule_name, seqs, took, took_some};
use crate::world::World;
use crate::{DeliveryHarness, Promise};

const MILLISECOND: Duration = Duration::from_millis(1);

/// A rule is told of what happens from its making on, and not of what happened before.
pub async fn a_new_rule_is_told_of_what_happens_from_then_on(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a"]).await?;
    let first = world.rule("first").await?;
    world.nothing_is_due("what happened before a rule was made is not for it").await?;
    world.remove(room, &["a"]).await?;
    let second = world.rule("second").await?;
    world.happen(room, 1).await?;
    let told = world.deliver().await?;
    let told_to = |rule| told.get(&(rule, world.key(room))).map(|events| seqs(events));
    ensure_eq!(told_to(first.id), Some(vec![3, 4]), "what the first rule is told");
    ensure_eq!(told_to(second.id), Some(vec![4]), "what the second rule is told");
    Ok(())
}

/// A rule that chooses kinds of events and rooms is told of those.
pub async fn a_rule_is_told_what_it_wants(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a"]).await?;
    let other = world.room("owner", &["a"]).await?;
    let kicks = Some([EventClass::Kicked].into());
    let rooms = Some([room].into());
    let kicks = world.change_rule(RuleChange::Add(NewRule { events: kicks, ..new_rule("kicks") })).await?;
    let of_room = world.change_rule(RuleChange::Add(NewRule { rooms, ..new_rule("of_room") })).await?;
    world.happen(room, 5).await?;
    world.happen(other, 1).await?;
    let told = world.deliver().await?;
    let told_to = |rule, room| told.get(&(rule, world.key(room))).map(|events| seqs(events));
    ensure_eq!(told_to(kicks.id, room), Some(vec![3, 5, 7]), "removals of a room");
    ensure_eq!(told_to(kicks.id, other), Some(vec![3]), "removals of the other room");
    ensure_eq!(told_to(of_room.id, room), Some(vec![3, 4, 5, 6, 7]), "all of a room");
    ensure_eq!(told_to(of_room.id, other), None, "the other room");
    world.happen(other, 1).await?;
    world.nothing_is_due("nobody wants an addition to the other room").await?;
    Ok(())
}

/// Leases hold the events of the log, from behind what is done on, in order and without a gap. What is settled is
/// not leased again; what is not settled is leased again as it was.
pub async fn events_are_leased_in_order_without_a_gap(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.happen(room, 14).await?;
    let log = world.log(room).await?;
    let mut done = 0;
    for (events, taken) in [(1, 1), (5, 3), (5, 0), (5, 5), (3, 2), (9, 9)] {
        let leases = world.leased(LeaseRequest { leases: 9, events }).await?.leases;
        let [lease] = &leases[..] else { return world.nothing_is_due("one room is behind").await };
        let expected: Vec<_> = log.iter().skip(done).take(events).collect();
        ensure!(
            lease.events.iter().collect::<Vec<_>>() == expected[..lease.events.len()],
            "a lease must go on behind event {done} of {log:?}\nis: {lease:?}"
        );
        let taken = taken.min(lease.events.len());
        world.settle(took_some(lease, taken)).await?;
        done += taken;
    }
    world.happen(room, 2).await?;
    let told = world.deliver().await?.into_values().flatten().collect::<Vec<_>>();
    ensure_eq!(told, world.log(room).await?[done..], "what was left, and what happened meanwhile");
    world.nothing_is_due("what is settled is not due").await?;
    Ok(())
}

/// The events of a room are in one pair of hands for each rule, whatever happens meanwhile.
pub async fn a_room_is_leased_once_at_a_time(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let first = world.rule("first").await?;
    let room = world.populated("owner", &["a"]).await?;
    let held = world.one().await?;
    world.nothing_is_due("the only room is leased").await?;
    world.happen(room, 1).await?;
    world.nothing_is_due("the only room is leased, whatever happens in it").await?;
    let second = world.rule("second").await?;
    world.happen(room, 1).await?;
    let other = world.one().await?;
    ensure_eq!(
        (held.rule.id, other.rule.id),
        (first.id, second.id),
        "the second rule has a lease of its own"
    );
    ensure_eq!(seqs(&other.events), [4], "what it holds");
    world.settle(took(&held)).await?;
    let next = world.one().await?;
    ensure_eq!(
        (next.rule.id, seqs(&next.events)),
        (first.id, vec![3, 4]),
        "what comes behind the first lease"
    );
    ensure!(next.id.token != held.id.token, "a lease's token is not used again");
    Ok(())
}

/// No more than eight rooms of a rule are in hand, however many are behind and however often somebody asks.
pub async fn at_most_eight_rooms_of_a_rule_are_leased_at_once(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let one = world.rule("one").await?;
    world.users(&["owner"]).await?;
    for _ in 0..12 {
        world.room("owner", &[]).await?;
    }
    let mut held = world.lease(3).await?;
    ensure_eq!(held.len(), 3, "as many as were asked for");
    held.extend(world.lease(99).await?);
    ensure_eq!(held.len(), ROOMS_AT_ONCE, "and no more than eight");
    world.nothing_is_due("eight rooms are leased").await?;
    let two = world.rule("two").await?;
    for _ in 0..9 {
        world.room("owner", &[]).await?;
    }
    let of_two = world.lease(99).await?;
    ensure!(of_two.iter().all(|lease| lease.rule.id == two.id), "eight rooms of the first: {of_two:?}");
    ensure_eq!(of_two.len(), ROOMS_AT_ONCE, "another rule has eight of its own");
    for lease in held.drain(..2) {
        world.settle(took(&lease)).await?;
    }
    held.extend(world.lease(99).await?);
    ensure_eq!(held.len(), ROOMS_AT_ONCE, "two that are settled make place for two");
    ensure!(held.iter().all(|lease| lease.rule.id == one.id), "of the same rule: {held:?}");
    let mut rooms: Vec<_> = held.iter().map(|lease| lease.id.room).collect();
    rooms.sort_unstable();
    rooms.dedup();
    ensure_eq!(rooms.len(), ROOMS_AT_ONCE, "each of another room");
    Ok(())
}

/// A lease ends after thirty seconds. Then its events are leased again, and its settlement does nothing.
pub async fn a_lease_ends_after_thirty_seconds(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.rule("one").await?;
    world.populated("owner", &["a"]).await?;
    let lost = world.one().await?;
    let ends = world.now().plus_millis(i64::try_from(LEASE.as_millis())?);
    world.pass(LEASE - MILLISECOND);
    let leased = world.leased(LeaseRequest { leases: 9, events: 9 }).await?;
    ensure!(leased.leases.is_empty(), "a lease lasts thirty seconds: {leased:?}");
    ensure!(leased.next.is_some_and(|next| next <= ends), "who asks is told when it ends: {leased:?}");
    world.pass(MILLISECOND);
    let again = world.one().await?;
    ensure_eq!(again.events, lost.events, "a lease that ended is leased again as it was");
    ensure!(again.id != lost.id, "under another name: {again:?}");
    ensure_eq!(world.says(took(&lost)).await?, Settled::Lost, "the lease that ended");
    world.nothing_is_due("a settlement that is lost ends no other lease").await?;
    world.settle(took_some(&again, 1)).await?;
    ensure_eq!(seqs(&world.one().await?.events), [2], "what is not settled by the lease that lasts");
    Ok(())
}

/// A settlement counts once. One of a lease that never was is lost, and each of many is answered in its place.
pub async fn a_settlement_is_noted_once(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.rule("one").await?;
    world.populated("owner", &["a"]).await?;
    world.room("owner", &["a"]).await?;
    let leases = world.lease(9).await?;
    let [one, two] = &leases[..] else { return world.nothing_is_due("two rooms are behind").await };
    let mut never = took(two);
    never.lease.token = LeaseToken(u64::MAX >> 1);
    let answers = world.store.settle(vec![took(one), never, took(one), took(two)]).await?;
    let expected = [Settled::Noted, Settled::Lost, Settled::Lost, Settled::Noted];
    ensure_eq!(answers, expected, "one answer each, in their order");
    ensure_eq!(world.store.settle(Vec::new()).await?, [], "of nothing");
    world.nothing_is_due("all is settled").await?;
    Ok(())
}

/// A lease that is given back undone is leased again at once, to whoever asks.
pub async fn what_is_given_back_is_leased_again(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.rule("one").await?;
    world.populated("owner", &["a"]).await?;
    let held = world.one().await?;
    let back = Settlement { lease: held.id, through: None, taken: 0, then: Progress::Go };
    world.settle(back).await?;
    let again = world.one().await?;
    ensure_eq!(again.events, held.events, "what was given back");
    ensure_eq!((again.failures, again.failing_for), (0, Duration::ZERO), "it did not fail");
    Ok(())
}

/// A rule that is off is leased nothing, misses nothing, and goes on where it stood.
pub async fn a_disabled_rule_goes_on_where_it_stood(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.settle(took_some(&world.one().await?, 1)).await?;
    world.change_rule(RuleChange::Disable(rule_name("one"))).await?;
    world.nothing_is_due("the only rule is off").await?;
    world.happen(room, 3).await?;
    let other = world.room("owner", &[]).await?;
    world.nothing_is_due("the only rule is off, whatever happens").await?;
    world.change_rule(RuleChange::Enable(rule_name("one"))).await?;
    let told = world.deliver().await?;
    let told_of = |room| told.get(&(rule.id, world.key(room))).map(|events| seqs(events));
    ensure_eq!(told_of(room), Some(vec![2, 3, 4, 5]), "where it stood, and what happened meanwhile");
    ensure_eq!(told_of(other), Some(vec![1]), "of a room that was made meanwhile");
    Ok(())
}
