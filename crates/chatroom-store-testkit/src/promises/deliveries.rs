//! Whatever happens in whatever order, no room is in two hands at once, every rule is told in order, and nothing is
//! left out.

mod run;
mod step;

use std::cell::RefCell;

use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::broken::{Broken, Promise};
use crate::world::World;
use crate::{DeliveryHarness, DeliveryStore, DurableHarness};
use run::Run;

/// Histories a test. Each has an app of its own in the same store.
const HISTORIES: u32 = 40;

/// Changes, leases, settlements of every kind, time, rules off and on, replays: what is leased is what comes next, and
/// in the end every rule was told everything.
pub async fn random_deliveries_are_in_order_and_complete(harness: impl DeliveryHarness) -> Promise {
    hold(World::new(&harness).await, false, async |world| world)
}

/// The same, with restarts.
pub async fn random_deliveries_with_restarts_are_in_order_and_complete(
    harness: impl DurableHarness + DeliveryHarness,
) -> Promise {
    hold(World::new(&harness).await, true, async |world: World<_>| world.restart(&harness).await)
}

fn hold<R: DeliveryStore>(
    world: World<R>,
    restarts: bool,
    restart: impl AsyncFn(World<R>) -> World<R>,
) -> Promise {
    let config =
        Config { cases: HISTORIES, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let runtime = tokio::runtime::Handle::current();
    let world = RefCell::new(Some(world));
    let history = proptest::collection::vec(step::any(restarts), 1..60);
    let runs = tokio::task::block_in_place(|| {
        TestRunner::new(config).run(&history, |steps| {
            let taken = world.borrow_mut().take();
            let taken = taken.ok_or_else(|| TestCaseError::reject("the store was lost"))?;
            let (back, kept) = runtime.block_on(async {
                let mut run = Run::new(taken);
                let kept = run.all(&steps, &restart).await;
                (run.into_world(), kept)
            });
            world.replace(back);
            kept.map_err(|broken| TestCaseError::fail(broken.to_string()))
        })
    });
    runs.map_err(|error| Broken::new(error.to_string()))
}
