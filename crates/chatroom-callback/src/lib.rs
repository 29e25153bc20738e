//! Delivers events to the servers of apps: at least once, in order per room and rule, signed, and only to addresses
//! that may be asked.
//!
//! * [`Dispatcher`] takes what is due from a store, hands it to a sink, and says what became of it.
//! * [`WebhookSink`] posts an event as the vendor does, with the Standard Webhooks headers beside it.
//! * [`Guard`] says which URLs and addresses may be asked. It is asked when a rule is made and again for every
//!   connection, on the address that is dialled.

#![deny(missing_docs)]

mod body;
mod dispatcher;
mod guard;
mod sample;
mod sink;
#[cfg(test)]
mod tests;
mod tls;

pub use body::listed;
pub use dispatcher::{Dispatcher, Pace};
pub use guard::{Checked, Guard, Refusal, Resolver, SystemResolver};
pub use ipnet::IpNet;
pub use sample::sample_event;
pub use sink::{BuildError, CLOSING, Reply, WebhookSink};
