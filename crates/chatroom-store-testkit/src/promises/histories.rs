//! Whatever is done in whatever order, a store answers and shows what plain maps do.

mod run;
mod step;

use std::cell::RefCell;

use chatroom_core::{AppRegistry, CallbackOutbox, ChatroomRepository, Ticker, Timestamp};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::broken::{Broken, Promise};
use crate::world::World;
use crate::{DurableHarness, Harness};
use run::Run;

/// Histories a test. Each has an app of its own in the same store.
const HISTORIES: u32 = 40;

/// After every step of a random history, a store's answer and all that it shows are those of plain maps.
pub async fn random_histories_agree_with_plain_maps(harness: impl Harness) -> Promise {
    compare(World::new(&harness).await, false, async |world| world)
}

/// The same, with restarts between the steps.
pub async fn random_histories_with_restarts_agree_with_plain_maps(harness: impl DurableHarness) -> Promise {
    compare(World::new(&harness).await, true, async |world: World<_>| world.restart(&harness).await)
}

fn compare<R: ChatroomRepository + CallbackOutbox + AppRegistry>(
    world: World<R>,
    restarts: bool,
    restart: impl AsyncFn(World<R>) -> World<R>,
) -> Promise {
    let config =
        Config { cases: HISTORIES, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let runtime = tokio::runtime::Handle::current();
    let world = RefCell::new(Some(world));
    let ticker = Ticker::starting_at(Timestamp::default());
    let history = proptest::collection::vec(step::any(restarts), 1..30);
    let runs = tokio::task::block_in_place(|| {
        TestRunner::new(config).run(&history, |steps| {
            let taken = world.borrow_mut().take();
            let taken = taken.ok_or_else(|| TestCaseError::reject("the store was lost"))?;
            let (back, kept) = runtime.block_on(async {
                let mut run = Run::new(taken, &ticker);
                let kept = run.all(&steps, &restart).await;
                (run.into_world(), kept)
            });
            world.replace(back);
            kept.map_err(|broken| TestCaseError::fail(broken.to_string()))
        })
    });
    runs.map_err(|error| Broken::new(error.to_string()))
}
