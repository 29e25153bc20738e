//! What an app's server is told of events (contract §7): bodies, both directions, and their signatures.
//!
//! A delivery is signed twice. [`security`] is the vendor's: an MD5 in the body, over the id, the secret and the time,
//! not over what the body says; receivers written for the vendor check it. [`webhook`] is the [Standard
//! Webhooks](https://www.standardwebhooks.com) one: an HMAC-SHA256 in the headers, over the id, the time of the
//! attempt and the whole body; new receivers check that.
//!
//! * [`Notice`] makes a body.
//! * [`Callback`] reads one, of whatever kind.
//! * [`Receiver`] checks a delivery and reads it.
//! * [`events`] and [`streams`]: the calls that list what happened, for who missed a delivery.

mod body;
mod event;
pub mod events;
mod parse;
mod receiver;
pub mod security;
pub mod streams;
pub mod webhook;

pub use body::{Created, Notice, OPERATOR, What};
pub use event::{Change, Event, Joined, Left};
pub use parse::{Callback, InvalidCallback};
pub use receiver::{Receiver, Refused};
