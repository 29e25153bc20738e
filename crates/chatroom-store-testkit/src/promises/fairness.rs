//! Rules take turns, and so do the rooms of a rule.

use std::collections::BTreeMap;

use chatroom_core::{ChatroomId, NewRule, RuleChange};

use crate::broken::{Broken, ensure, ensure_eq};
use crate::delivering::{new_rule, took, took_some};
use crate::world::World;
use crate::{DeliveryHarness, DeliveryStore, Promise};

/// Makes so many rooms, many at a time.
async fn rooms<R: DeliveryStore>(world: &World<R>, count: usize) -> Result<Vec<ChatroomId>, Broken> {
    const AT_ONCE: usize = 100;
    let mut rooms = Vec::with_capacity(count);
    while rooms.len() < count {
        let making: Vec<_> = (0..AT_ONCE.min(count - rooms.len()))
            .map(|_| {
                let world = world.clone();
                tokio::spawn(async move { world.room("owner", &["a"]).await })
            })
            .collect();
        for made in making {
            rooms.push(made.await??);
        }
    }
    Ok(rooms)
}

/// A rule with a thousand rooms behind does not keep another waiting.
pub async fn a_rule_with_a_thousand_rooms_does_not_starve_another(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let large = world.rule("large").await?;
    world.users(&["owner", "a"]).await?;
    let room = rooms(&world, 1_000).await?[0];
    let only = NewRule { rooms: Some([room].into()), ..new_rule("small") };
    let small = world.change_rule(RuleChange::Add(only)).await?;
    for turn in 1..=20 {
        world.happen(room, 1).await?;
        let mut of_large = 0;
        while let Some(lease) = world.lease(1).await?.pop() {
            world.settle(took(&lease)).await?;
            if lease.rule.id == small.id {
                break;
            }
            of_large += 1;
            ensure!(of_large < 4, "rules take turns, but the large one has more than one (turn {turn})");
        }
    }
    ensure!(world.status(&large).await?.rooms_behind > 900, "the large rule is far behind");
    world.happen(room, 1).await?;
    let several = world.lease(4).await?;
    ensure!(
        several.iter().any(|lease| lease.rule.id == small.id),
        "one of four is the small one: {several:?}"
    );
    Ok(())
}

/// A rule whose receiver takes nothing, and one whose leases nobody settles, keep no other waiting.
pub async fn a_rule_that_is_stuck_does_not_hold_up_another(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    for name in ["stuck", "well"] {
        world.rule(name).await?;
    }
    world.users(&["owner", "a"]).await?;
    let room = rooms(&world, 20).await?[0];
    let mut well = 0;
    for _ in 0..60 {
        let leases = world.lease(2).await?;
        for lease in leases.iter().filter(|lease| lease.rule.name.as_str() == "well") {
            world.settle(took(lease)).await?;
            well += 1;
        }
    }
    ensure_eq!(well, 20, "rooms of the rule that is well, while nobody settles those of the other");
    world.happen(room, 1).await?;
    ensure_eq!(world.one().await?.rule.name.as_str(), "well", "the rule that has a place");
    Ok(())
}

/// A room in which something happens all the time does not keep the other rooms of its rule waiting.
pub async fn a_busy_room_does_not_starve_the_others(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.rule("one").await?;
    world.users(&["owner", "a"]).await?;
    let all = rooms(&world, 20).await?;
    let mut turns: BTreeMap<ChatroomId, usize> = BTreeMap::new();
    for _ in 0..4 * all.len() {
        world.happen(all[7], 3).await?;
        for lease in world.lease(1).await? {
            *turns.entry(lease.id.room.id).or_default() += 1;
            world.settle(took_some(&lease, 1)).await?;
        }
    }
    for room in &all {
        // Each has two events at least, one of which is taken at a turn.
        ensure!(turns.get(room) >= Some(&2), "each room has its turns: {turns:?}");
    }
    Ok(())
}
