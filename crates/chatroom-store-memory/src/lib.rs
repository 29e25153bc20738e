//! The reference store: state in memory, gone when the process ends.
//!
//! [`MemoryStore`] is for tests and throw-away servers. [`State`] and [`EventIndex`] are what every in-process store
//! is built on: the embedded store makes them durable.

#![deny(missing_docs)]

mod event_index;
mod lost;
mod pieces;
mod state;
mod store;

pub use event_index::EventIndex;
pub use lost::report_lost;
pub use state::{DumpCursor, Dumped, State, Undo};
pub use store::{MemoryStore, Retention};
