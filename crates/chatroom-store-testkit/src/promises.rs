//! The promises: each a function that answers how a store breaks it, if it does.
//!
//! The macros write a test for each. They are public so that a store's own tests can ask for one of them, on a store
//! in a special state.

#![expect(clippy::missing_errors_doc, reason = "each answers `Broken` when what its document says is not so")]

pub mod apps;
pub mod changes;
pub mod deliveries;
pub mod drops;
pub mod durability;
pub mod events;
pub mod failures;
pub mod fairness;
pub mod histories;
pub mod large;
pub mod leases;
pub mod paging;
pub mod pauses;
pub mod permits;
pub mod races;
pub mod rejections;
pub mod replays;
pub mod retention;
pub mod rules;
pub mod statuses;
pub mod undelivered;
pub mod wakes;
