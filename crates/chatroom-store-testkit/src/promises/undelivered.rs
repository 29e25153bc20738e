//! What waits for a rule, and the rules themselves, are there after a restart.
//!
//! A settlement need not be durable, so what was settled may be delivered again. It is not passed over.

use std::time::Duration;

use chatroom_core::{
    Burial, ChatroomId, DeadLetter, Deliveries, NewRule, Rule, RuleChange, RuleRegistry, RuleSecret, Seq,
};

use crate::broken::{Broken, ensure, ensure_eq};
use crate::delivering::{failed, gave_up, new_rule, rule_name, seqs, span, took, took_some};
use crate::world::{KEEP, World};
use crate::{DeliveryHarness, DeliveryStore, DurableHarness, Promise};

/// What a rule is told of a room after a restart: the end of the log from `from` on, or from before.
fn is_the_end_from(told: &[u64], from: u64, last: u64) -> bool {
    told.first().is_some_and(|first| *first <= from) && told.iter().copied().eq(told[0]..=last)
}

/// Rules are the same after a restart; what was removed stays removed, and no id is used again.
pub async fn rules_are_there_after_a_restart(harness: impl DurableHarness + DeliveryHarness) -> Promise {
    let mut world = World::new(&harness).await;
    let rotating = world.rule("rotating").await?;
    let chosen = NewRule { rooms: Some([ChatroomId::TEST].into()), enabled: false, ..new_rule("chosen") };
    world.change_rule(RuleChange::Add(chosen)).await?;
    let gone = world.rule("gone").await?;
    world.change_rule(RuleChange::RotateSecret(rotating.name, RuleSecret::new("second"))).await?;
    world.change_rule(RuleChange::Remove(rule_name("gone"))).await?;
    let before = world.store.rules(world.app).await?;
    ensure_eq!(before.len(), 2, "rules");
    for turn in 1..=2 {
        world = world.restart(&harness).await;
        let after = world.store.rules(world.app).await?;
        ensure!(after == before, "rules after {turn} restarts\n     is: {after:?}\nmust be: {before:?}");
        let shown: Vec<_> = world.store.statuses(world.app).await?.iter().map(|s| s.rule.id).collect();
        ensure_eq!(shown, before.iter().map(|rule| rule.id).collect::<Vec<_>>(), "rules that are shown");
    }
    ensure!(world.rule("gone").await?.id != gone.id, "a rule made again is a new one");
    Ok(())
}

/// What was written and not settled is delivered after a restart, the same and in order; the rule goes on with what
/// happens then. What is due is due at once, whoever had it in hand.
pub async fn what_was_not_settled_is_delivered_after_a_restart(
    harness: impl DurableHarness + DeliveryHarness,
) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let quiet = world.populated("owner", &["a"]).await?;
    world.deliver().await?;
    let room = world.room("owner", &["a"]).await?;
    world.happen(room, 4).await?;
    world.settle(took_some(&world.one().await?, 2)).await?;
    let held = world.one().await?;
    ensure_eq!(seqs(&held.events), [3, 4, 5, 6], "what is in hand");
    let log = world.log(room).await?;
    let world = world.restart(&harness).await;
    world.outlast_leases();
    world.happen(room, 1).await?;
    world.happen(quiet, 1).await?;
    let told = world.deliver().await?;
    let of_room = told.get(&(rule.id, world.key(room))).cloned().unwrap_or_default();
    ensure!(is_the_end_from(&seqs(&of_room), 3, 7), "from 3 on to 7: {:?}", seqs(&of_room));
    let same = of_room.iter().filter(|event| event.seq.0 <= 6).all(|event| log.contains(event));
    ensure!(same, "events are the same after a restart, their ids too: {of_room:?}");
    let of_quiet = told.get(&(rule.id, world.key(quiet))).map(|events| seqs(events)).unwrap_or_default();
    ensure!(is_the_end_from(&of_quiet, 3, 3), "the third event of the quiet room: {of_quiet:?}");
    world.nothing_is_due("all is told").await?;
    Ok(())
}

/// A rule that was made before a restart is told of nothing that happened before it was made.
pub async fn a_rule_is_told_of_nothing_older_after_a_restart(
    harness: impl DurableHarness + DeliveryHarness,
) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a"]).await?;
    world.rule("gone").await?;
    world.happen(room, 1).await?;
    world.change_rule(RuleChange::Remove(rule_name("gone"))).await?;
    let rule = world.rule("one").await?;
    let world = world.restart(&harness).await;
    world.nothing_is_due("nothing happened since the rule was made").await?;
    world.happen(room, 1).await?;
    let world = world.restart(&harness).await;
    ensure_eq!(world.delivered(&rule, room).await?, [4], "what the rule is told");
    Ok(())
}

/// A rule that is off keeps its place over a restart.
pub async fn a_disabled_rule_keeps_its_place_over_a_restart(
    harness: impl DurableHarness + DeliveryHarness,
) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.settle(took_some(&world.one().await?, 1)).await?;
    world.change_rule(RuleChange::Disable(rule_name("one"))).await?;
    world.happen(room, 1).await?;
    let world = world.restart(&harness).await;
    world.happen(room, 1).await?;
    world.nothing_is_due("the only rule is off").await?;
    world.change_rule(RuleChange::Enable(rule_name("one"))).await?;
    world.outlast_leases();
    let told = world.delivered(&rule, room).await?;
    ensure!(is_the_end_from(&told, 2, 4), "from 2 on to 4: {told:?}");
    Ok(())
}

/// An event that was given up is a dead letter after a restart, or is delivered again: it is not passed over. One that
/// failed waits or is tried again.
pub async fn what_was_given_up_is_not_forgotten(harness: impl DurableHarness + DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.settle(gave_up(&world.one().await?)).await?;
    world.settle(failed(&world.one().await?, world.now().plus_millis(1_000))).await?;
    world.happen(room, 1).await?;
    let world = world.restart(&harness).await;
    let letters: Vec<_> = world.letters(&rule).await?.into_iter().map(|l| (l.span, l.why)).collect();
    world.outlast_leases();
    let told = world.delivered(&rule, room).await?;
    let why = Burial::GivenUp("the receiver answered 500".into());
    if letters.is_empty() {
        ensure!(is_the_end_from(&told, 1, 3), "what is no dead letter is delivered again: {told:?}");
    } else {
        ensure_eq!(letters, [(span(1, 1), why)], "the dead letter");
        ensure!(is_the_end_from(&told, 2, 3), "from 2 on to 3: {told:?}");
    }
    Ok(())
}

/// What was asked to be told again is told after a restart, and its dead letter stays away.
pub async fn a_replay_is_not_forgotten(harness: impl DurableHarness + DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.settle(gave_up(&world.one().await?)).await?;
    world.deliver().await?;
    world.store.replay(rule.id, vec![(world.key(room), span(1, 1))]).await?;
    let world = world.restart(&harness).await;
    ensure_eq!(world.letters(&rule).await?, [], "dead letters");
    world.happen(room, 1).await?;
    let told = world.delivered(&rule, room).await?;
    ensure!(told.starts_with(&[1]) && told.ends_with(&[3]), "what is told again, and what is next: {told:?}");
    Ok(())
}

/// What was not settled is lost, and perhaps what was settled last before a restart.
async fn lost<R: DeliveryStore>(world: &World<R>, rule: &Rule) -> Promise {
    let letters = world.letters(rule).await?;
    let [DeadLetter { span, why: Burial::Trimmed, .. }] = &letters[..] else {
        return Err(Broken::new(format!("one dead letter must tell what is lost: {letters:?}")));
    };
    ensure!(span.first <= Seq(2) && span.last == Seq(4), "from 2 on to 4 is lost: {span:?}");
    Ok(())
}

/// What retention took before it was delivered is told, before a restart and after it.
pub async fn what_was_lost_is_told_after_a_restart(
    harness: impl DurableHarness + DeliveryHarness,
) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.settle(took_some(&world.one().await?, 1)).await?;
    world.happen(room, 2).await?;
    world.pass(KEEP + Duration::from_secs(3 * 24 * 60 * 60));
    world.happen(room, 1).await?;
    harness.retain(&world.store).await;
    lost(&world, &rule).await?;
    let world = world.restart(&harness).await;
    lost(&world, &rule).await?;
    ensure_eq!(world.store.losses(9).await?.len(), 1, "losses of all rules");
    ensure_eq!(world.delivered(&rule, room).await?, [5], "what is told behind it");
    let world = world.restart(&harness).await;
    lost(&world, &rule).await
}

/// Whoever had something in hand is gone with the process: its leases are free at once, and what it says is lost.
pub async fn leases_are_free_after_a_restart(harness: impl DurableHarness + DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.rule("one").await?;
    world.populated("owner", &["a"]).await?;
    let held = world.one().await?;
    let world = world.restart(&harness).await;
    let again = world.one().await?;
    ensure_eq!(again.events, held.events, "what was in hand");
    world.settle(took(&again)).await?;
    world.nothing_is_due("all is told").await?;
    Ok(())
}

/// Rooms change, events fail, are given up and delivered, and the store is restarted in the middle of it, again and
/// again: at the end each event was told or is a dead letter.
pub async fn nothing_is_forgotten_over_many_restarts(
    harness: impl DurableHarness + DeliveryHarness,
) -> Promise {
    let mut world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let mut rooms = vec![world.populated("owner", &["a"]).await?];
    for _ in 0..4 {
        rooms.push(world.room("owner", &["a"]).await?);
    }
    let mut told = std::collections::BTreeSet::new();
    for round in 0..8_usize {
        for room in &rooms {
            world.happen(*room, round % 3 + 1).await?;
        }
        for (index, lease) in world.lease(4).await?.iter().enumerate() {
            let settlement = match (round + index) % 5 {
                0 => failed(lease, world.now().plus_millis(10)),
                1 => gave_up(lease),
                2 => took(lease),
                3 => took_some(lease, 1),
                _ => continue,
            };
            let taken = lease.events.iter().filter(|event| Some(event.seq) <= settlement.through);
            told.extend(taken.map(|event| (event.room.id, event.seq.0)));
            world.settle(settlement).await?;
        }
        world = world.restart(&harness).await;
        world.outlast_leases();
    }
    let told = &mut told;
    for ((_, room), events) in world.deliver().await? {
        told.extend(events.iter().map(|event| (room.id, event.seq.0)));
    }
    for letter in world.letters(&rule).await? {
        told.extend((letter.span.first.0..=letter.span.last.0).map(|seq| (letter.room.id, seq)));
    }
    for room in rooms {
        let log = world.log(room).await?;
        let missing = seqs(&log).into_iter().find(|seq| !told.contains(&(room, *seq)));
        ensure_eq!(missing, None, "an event of room {room} that was neither told nor is a dead letter");
    }
    Ok::<(), Broken>(())
}
