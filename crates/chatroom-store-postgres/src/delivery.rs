//! What is delivered by this node.
//!
//! One node at a time delivers the events of an app: the app's courier. It holds a lease in a row, with a random token
//! and an end, and keeps what is to be delivered in a [`Backlog`](chatroom_core::Backlog) of the core, as a store of one process does. So at
//! most eight rooms of a rule are in hand over all nodes, a rule that fails is paused and probed once over all nodes,
//! and order per room and rule needs no lock. A courier that is not heard of loses the app when its lease ends, and
//! another goes on from the rows: the cursors of rooms that are behind, and the logs that have news.
//!
//! A commit that writes an event marks its log as having news, in the row that it writes anyway. The courier looks for
//! such logs, and clears the mark when all of it was delivered, or notes cursors when that takes longer.

mod courier;
mod flush;
mod leases;
mod load;
mod poll;
mod status;
mod stored;
mod trim;

pub(crate) use courier::Courier;
pub(crate) use flush::{put_cursors, put_letters};
pub(crate) use load::letter;
pub(crate) use status::decode as decode_status;
pub(crate) use stored::stored;
pub(crate) use trim::keep;
