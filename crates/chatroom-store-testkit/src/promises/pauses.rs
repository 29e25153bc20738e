//! A rule whose receiver fails all the time is left alone, and probed.

use std::time::Duration;

use chatroom_core::{FAILURES_TO_PAUSE, Lease, RuleHealth, SHORTEST_PROBE_WAIT};

use crate::broken::{Broken, ensure, ensure_eq};
use crate::delivering::{failed, seqs, took};
use crate::world::World;
use crate::{DeliveryHarness, DeliveryStore, Promise};

const MILLISECOND: Duration = Duration::from_millis(1);

/// Fails the only room so often, and answers the last lease that failed.
async fn fail<R: DeliveryStore>(world: &World<R>, times: u32) -> Result<Option<Lease>, Broken> {
    let mut last = None;
    for _ in 0..times {
        let lease = world.one().await?;
        ensure!(!lease.probe, "a rule is not paused before it failed twenty times: {lease:?}");
        world.settle(failed(&lease, world.now())).await?;
        last = Some(lease);
    }
    Ok(last)
}

async fn probed<R: DeliveryStore>(world: &World<R>) -> Result<Lease, Broken> {
    let lease = world.one().await?;
    ensure!(lease.probe, "a lease of a paused rule is a probe: {lease:?}");
    world.nothing_is_due("one probe at a time").await?;
    Ok(lease)
}

/// Twenty failures in a row pause a rule: nothing of it is leased until one room is, as a probe, and nothing else
/// meanwhile. When the receiver takes it, all goes on. Other rules notice nothing.
pub async fn twenty_failures_pause_a_rule_and_a_probe_ends_the_pause(
    harness: impl DeliveryHarness,
) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    fail(&world, FAILURES_TO_PAUSE - 1).await?;
    ensure_eq!(world.status(&rule).await?.health, RuleHealth::Delivering, "after nineteen failures");
    fail(&world, 1).await?;
    let since = world.now();
    let next_probe = since.plus_millis(i64::try_from(SHORTEST_PROBE_WAIT.as_millis())?);
    let paused = RuleHealth::Paused { since, next_probe };
    ensure_eq!(world.status(&rule).await?.health, paused, "after twenty failures");
    let other = world.rule("two").await?;
    for _ in 0..9 {
        world.room("owner", &[]).await?;
    }
    world.happen(room, 1).await?;
    let told = world.deliver().await?;
    ensure!(told.keys().all(|(told, _)| *told == other.id), "a paused rule is left alone: {told:?}");
    ensure_eq!(told.len(), 10, "rooms that the other rule is told of");
    world.pass(Duration::from_millis(u64::try_from(next_probe.as_millis() - world.now().as_millis() - 1)?));
    world.nothing_is_due("a millisecond before the probe").await?;
    world.pass(MILLISECOND);
    let probe = probed(&world).await?;
    world.settle(took(&probe)).await?;
    ensure_eq!(world.status(&rule).await?.health, RuleHealth::Delivering, "when the probe was taken");
    let told = world.deliver().await?;
    let rest = told.values().map(Vec::len).sum::<usize>();
    ensure_eq!(rest + probe.events.len(), 3 + 9, "events that the rule is told in all");
    Ok(())
}

/// Every probe that fails doubles the wait for the next, up to five minutes.
pub async fn probes_that_fail_wait_longer(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    world.populated("owner", &["a"]).await?;
    fail(&world, FAILURES_TO_PAUSE).await?;
    for seconds in [5, 10, 20, 40, 80, 160, 300, 300] {
        world.pass(Duration::from_secs(seconds) - MILLISECOND);
        world.nothing_is_due("a millisecond before the probe").await?;
        world.pass(MILLISECOND);
        world.settle(failed(&probed(&world).await?, world.now())).await?;
    }
    ensure_eq!(world.status(&rule).await?.failures_in_a_row, FAILURES_TO_PAUSE + 8, "failures in a row");
    Ok(())
}

/// A probe that nobody settles ends like any lease, and the next may be made.
pub async fn a_lost_probe_is_made_again(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.rule("one").await?;
    world.populated("owner", &["a"]).await?;
    fail(&world, FAILURES_TO_PAUSE).await?;
    world.pass(SHORTEST_PROBE_WAIT);
    let lost = probed(&world).await?;
    world.outlast_leases();
    let again = probed(&world).await?;
    ensure_eq!(seqs(&again.events), seqs(&lost.events), "what is probed with");
    Ok(())
}

/// While a rule is paused, no event grows older towards being given up.
pub async fn no_events_clock_runs_while_its_rule_is_paused(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.rule("one").await?;
    world.populated("owner", &["a"]).await?;
    fail(&world, 1).await?;
    world.pass(Duration::from_secs(60));
    fail(&world, FAILURES_TO_PAUSE - 1).await?;
    world.pass(Duration::from_secs(100 * 60 * 60));
    let probe = probed(&world).await?;
    ensure_eq!(probe.failing_for, Duration::from_secs(60), "how long the event failed before the pause");
    world.settle(failed(&probe, world.now())).await?;
    world.pass(Duration::from_secs(100 * 60 * 60));
    let probe = probed(&world).await?;
    ensure_eq!(probe.failing_for, Duration::from_secs(60), "how long the event failed before the pause");
    Ok(())
}

/// A success between failures keeps a rule going.
pub async fn a_success_between_failures_keeps_a_rule_going(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    for _ in 0..3 {
        fail(&world, FAILURES_TO_PAUSE - 1).await?;
        world.settle(took(&world.one().await?)).await?;
        ensure_eq!(world.status(&rule).await?.failures_in_a_row, 0, "failures in a row after a success");
        world.happen(room, 1).await?;
    }
    ensure_eq!(world.status(&rule).await?.health, RuleHealth::Delivering, "of a rule that succeeds");
    Ok(())
}
