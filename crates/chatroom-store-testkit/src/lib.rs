//! The storage contract as tests that every store runs: one named test for each promise.
//!
//! A store that serves the whole service implements [`Harness`] and calls [`contract_tests!`]; one that is durable
//! implements [`DurableHarness`] too and calls [`durability_tests!`]. One that hands out what is to be delivered
//! implements [`DeliveryHarness`] and calls [`delivery_tests!`], [`delivery_durability_tests!`] if it is durable, and
//! [`one_process_delivery_tests!`] and [`one_process_delivery_durability_tests!`] if nobody else has its data open. Who
//! keeps chatrooms in a store of his own and implements only [`ChatroomRepository`](chatroom_core::ChatroomRepository) implements [`RepositoryHarness`]
//! and calls [`repository_tests!`]. So what a store does not promise is not in its list of tests, instead of being
//! skipped where nobody sees it.
//!
//! ```text
//! #[async_trait]
//! impl RepositoryHarness for MyHarness {
//!     type Repository = MyStore;
//!
//!     async fn open(&self, setup: Setup) -> (Arc<MyStore>, AppId) {
//!         // A store of its own for every call, with one app in it. Time comes from `setup.clock`.
//!     }
//! }
//!
//! repository_tests!(MyHarness); // one `#[test]` a promise, each with a harness of its own
//! ```
//!
//! The example `own_map` of `chatroom-core` is such a store, and its tests are such a harness.
//!
//! A promise is a function that answers what was broken, so a test can show that a planted fault is found:
//! see the `faults` of this crate.

#![deny(missing_docs)]

mod broken;
mod delivering;
#[cfg(test)]
mod faults;
mod harness;
mod log;
mod macros;
mod model;
pub mod promises;
mod visible;
mod world;

pub use async_trait::async_trait;
pub use broken::{Broken, Promise, keep};
pub use harness::{
    DeliveryHarness, DeliveryStore, DurableHarness, Harness, LedgerHarness, RepositoryHarness, Setup,
};
