//! The JSON that the vendor's REST API speaks, both directions, and nothing else: plain strings and numbers.
//!
//! The server serializes what the client deserializes, from the same types, so the two cannot drift apart.
//! What is written has the keys of the vendor's page, in its order. What is read is read with patience: unknown
//! fields are ignored, and what a recorded answer left out is optional.
//!
//! * [`envelope`]: what surrounds every successful answer.
//! * [`error`] and [`refusal`]: the error body, and every row of it that exists, each text once.
//! * [`path`]: percent-encoding of path segments, both directions.
//! * [`token`], [`users`], [`chatrooms`], [`members`]: one file per endpoint. Each has its `ROUTE` as a template
//!   and a function that fills it.
//! * `callbacks`, behind the feature of that name: the bodies that an app's server is told of events with, and their
//!   signatures.

#![deny(missing_docs)]

#[cfg(feature = "callbacks")]
pub mod callbacks;
pub mod chatrooms;
pub mod envelope;
pub mod error;
mod lenient;
pub mod members;
pub mod path;
pub mod refusal;
pub mod token;
pub mod users;

pub use envelope::{Envelope, NoEntity, Params};
pub use error::ErrorBody;
pub use lenient::Object;
pub use refusal::Refusal;
