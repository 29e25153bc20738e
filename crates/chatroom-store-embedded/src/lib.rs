//! The durable store of one process: state in memory, a synced journal on disk.
//!
//! An operation is decided in its caller's task on the state in memory, with everything applied that was decided
//! before, and joins the group that fills. A thread of its own commits one group after the other: one row in a
//! journal, synced. Nobody is answered before the group is durable on which the answer rests, not even with a refusal.
//! After a start, the newest snapshot and the groups behind it make the state anew.

#![deny(missing_docs)]

mod codec;
mod contents;
mod counted;
mod directory;
mod engine;
mod error;
mod import;
mod journal;
mod keeper;
mod open;
mod options;
mod picture;
mod queue;
mod shared;
mod signal;
mod snapshot;
mod store;
mod writer;

pub use error::OpenError;
pub use import::EmbeddedImport;
pub use options::{Options, Sync};
pub use picture::EmbeddedPicture;
pub use store::{EmbeddedStore, Health};
