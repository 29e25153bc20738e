//! What was told can be told again: one event, a run, a room, a dead letter.

use chatroom_core::{Deliveries, RuleChange, Seq, Span};

use crate::broken::ensure_eq;
use crate::delivering::{gave_up, rule_name, seqs, span, took};
use crate::world::World;
use crate::{DeliveryHarness, Promise};

/// One event is told again before its room goes on, and the other rules notice nothing.
pub async fn an_event_is_told_again_before_its_room_goes_on(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    world.rule("two").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.happen(room, 3).await?;
    let first = world.deliver().await?;
    world.happen(room, 1).await?;
    let again = world.store.replay(rule.id, vec![(world.key(room), span(4, 4))]).await?;
    ensure_eq!(again, 1, "events that are told again");
    let told = world.deliver().await?;
    let told: Vec<_> = told.iter().map(|((to, _), events)| (*to == rule.id, seqs(events))).collect();
    let mut sorted = told;
    sorted.sort();
    ensure_eq!(sorted, [(false, vec![6]), (true, vec![4, 6])], "what both rules are told");
    world.store.replay(rule.id, vec![(world.key(room), span(4, 4))]).await?;
    let lease = world.one().await?;
    let before = first.get(&(rule.id, world.key(room))).map(|events| &events[3..4]);
    ensure_eq!(Some(&lease.events[..]), before, "the event is the same, its id too");
    Ok(())
}

/// A whole room is told again, and then goes on; of several runs each room has its own.
pub async fn whole_rooms_are_told_again(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    let other = world.room("owner", &["a"]).await?;
    world.happen(room, 5).await?;
    world.happen(other, 1).await?;
    world.deliver().await?;
    let all = Span { first: Seq(1), last: Seq(u64::MAX) };
    let again = world.store.replay(rule.id, vec![(world.key(room), all), (world.key(other), all)]).await?;
    ensure_eq!(again, 7 + 3, "events that are told again");
    world.happen(room, 1).await?;
    let told = world.deliver().await?;
    let told_of = |room| told.get(&(rule.id, world.key(room))).map(|events| seqs(events));
    ensure_eq!(told_of(room), Some((1..=8).collect()), "the room");
    ensure_eq!(told_of(other), Some((1..=3).collect()), "the other room");
    Ok(())
}

/// A dead letter that is told again is listed no more; the others stay.
pub async fn a_dead_letter_that_is_told_again_is_listed_no_more(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.happen(room, 2).await?;
    for _ in 0..3 {
        world.settle(gave_up(&world.one().await?)).await?;
    }
    world.deliver().await?;
    let again = world.store.replay(rule.id, vec![(world.key(room), span(2, 2))]).await?;
    ensure_eq!(again, 1, "events that are told again");
    let left: Vec<_> = world.letters(&rule).await?.iter().map(|letter| letter.span).collect();
    ensure_eq!(left, [span(1, 1), span(3, 3)], "dead letters that are left");
    ensure_eq!(world.delivered(&rule, room).await?, [2], "what is told again");
    ensure_eq!(world.status(&rule).await?.dead_letters, 2, "dead letters in the status");
    Ok(())
}

/// A run that is asked for twice is told once, and what was not told yet is not told twice.
pub async fn nothing_is_told_twice_for_one_reason(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.deliver().await?;
    world.happen(room, 2).await?;
    for _ in 0..2 {
        let again = world.store.replay(rule.id, vec![(world.key(room), span(2, 3))]).await?;
        ensure_eq!(again, 1, "only the second event was told yet");
    }
    world.store.replay(rule.id, vec![(world.key(room), span(1, 2))]).await?;
    ensure_eq!(world.delivered(&rule, room).await?, [1, 2, 3, 4], "each once");
    world.nothing_is_due("all is told").await?;
    Ok(())
}

/// A room that is in hand is told again when its lease ends: nobody else gets it before.
pub async fn a_room_in_hand_is_told_again_when_its_lease_ends(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.deliver().await?;
    world.happen(room, 2).await?;
    let held = world.one().await?;
    let again = world.store.replay(rule.id, vec![(world.key(room), span(1, 2))]).await?;
    ensure_eq!(again, 2, "events that are told again");
    world.nothing_is_due("the only room is in hand").await?;
    world.settle(took(&held)).await?;
    world.happen(room, 1).await?;
    ensure_eq!(world.delivered(&rule, room).await?, [1, 2, 5], "what is told again, and what is next");
    Ok(())
}

/// What is to be told again to a rule that is off waits for it.
pub async fn a_rule_that_is_off_is_told_again_when_it_is_on(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.deliver().await?;
    world.change_rule(RuleChange::Disable(rule_name("one"))).await?;
    world.store.replay(rule.id, vec![(world.key(room), span(1, 1))]).await?;
    world.nothing_is_due("the only rule is off").await?;
    world.change_rule(RuleChange::Enable(rule_name("one"))).await?;
    ensure_eq!(world.delivered(&rule, room).await?, [1], "what is told again");
    Ok(())
}
