//! The status of a rule says how it is doing.

use chatroom_core::{Deliveries, Failing, RuleChange, RuleHealth, RuleStatus};

use crate::broken::ensure_eq;
use crate::delivering::{failed, gave_up, no, rule_name, took};
use crate::world::World;
use crate::{DeliveryHarness, Promise};

/// How far a rule is behind and since when, what is in hand, the last failure and success, and its dead letters.
pub async fn the_status_says_how_far_a_rule_is_behind(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let well = RuleStatus {
        rule: rule.clone().into(),
        health: RuleHealth::Delivering,
        rooms_behind: 0,
        events_behind: 0,
        behind_since: None,
        leased: 0,
        failures_in_a_row: 0,
        last_failure: None,
        last_success: None,
        dead_letters: 0,
        lost: 0,
    };
    ensure_eq!(world.status(&rule).await?, well, "of a new rule");
    let room = world.populated("owner", &["a"]).await?;
    let behind_since = Some(world.now());
    world.happen(room, 1).await?;
    world.room("owner", &[]).await?;
    let behind = RuleStatus { rooms_behind: 2, events_behind: 4, behind_since, ..well.clone() };
    ensure_eq!(world.status(&rule).await?, behind, "of a rule that is behind");
    let leases = world.lease(9).await?;
    ensure_eq!(world.status(&rule).await?, RuleStatus { leased: 2, ..behind.clone() }, "while it is in hand");
    for lease in &leases {
        world.settle(gave_up(lease)).await?;
    }
    let last_failure = Some(Failing { at: world.now(), words: no().words });
    let failing = RuleStatus {
        rooms_behind: 1,
        events_behind: 2,
        behind_since,
        failures_in_a_row: 2,
        last_failure,
        dead_letters: 2,
        ..behind
    };
    ensure_eq!(world.status(&rule).await?, failing, "when two events were given up");
    world.clock.advance(1);
    world.settle(took(&world.one().await?)).await?;
    let last_success = Some(world.now());
    let caught_up = RuleStatus {
        rooms_behind: 0,
        events_behind: 0,
        behind_since: None,
        failures_in_a_row: 0,
        last_success,
        ..failing
    };
    ensure_eq!(world.status(&rule).await?, caught_up, "when it caught up");
    Ok(())
}

/// The rules of an app are shown oldest first, also those that are off, and none of another app.
pub async fn the_rules_of_an_app_are_shown_oldest_first(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rules = [world.rule("zz").await?, world.rule("aa").await?];
    world.of_app(world.make_app("other").await?).rule("other").await?;
    let off = world.change_rule(RuleChange::Disable(rule_name("zz"))).await?;
    let room = world.populated("owner", &["a"]).await?;
    let statuses = world.store.statuses(world.app).await?;
    let shown: Vec<_> = statuses.iter().map(|status| (status.rule.id, status.health)).collect();
    ensure_eq!(shown, [(rules[0].id, RuleHealth::Off), (rules[1].id, RuleHealth::Delivering)], "the rules");
    ensure_eq!(*statuses[0].rule, off, "a rule as it is now");
    let behind: Vec<_> = statuses.iter().map(|status| status.events_behind).collect();
    ensure_eq!(behind, [2, 2], "a rule that is off falls behind like any");
    let lease = world.one().await?;
    world.settle(failed(&lease, world.now().plus_millis(1_000))).await?;
    world.happen(room, 1).await?;
    let statuses = world.store.statuses(world.app).await?;
    let failures: Vec<_> = statuses.iter().map(|status| status.failures_in_a_row).collect();
    ensure_eq!(failures, [0, 1], "failures are a rule's own");
    Ok(())
}
