//! A typed client of the vendor's chatroom REST API, for this project's server and for the vendor's cloud.
//!
//! ```no_run
//! use chatroom_client::{AppKey, ChatroomId, Client, Username};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder("http://127.0.0.1:8080", AppKey::from_parts("demo", "chat")?)
//!     .credentials("client-id", "client-secret")
//!     .build()?;
//! let room: ChatroomId = "181234567890123".parse()?;
//! let user: Username = "user1".parse()?;
//! match client.remove_member(room, &user).await {
//!     Ok(()) => {}
//!     Err(error) if error.is_not_a_member() => {} // the goal is reached all the same
//!     Err(error) if error.is_outcome_unknown() => {} // look who is a member before asking again
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What it does by itself
//!
//! * It fetches a token when one is needed, renews it before it expires, and once more when a call is answered
//!   that it is not accepted. However many callers need one, a single fetch serves them all.
//! * It repeats a call that failed before anything was sent, that came too fast (429), or that the server did not
//!   do (503). A call that changes something it repeats after a 503 only if that carries `Retry-After`. Waits are
//!   jittered, grow, and are bounded in number and in sum ([`RetryPolicy`]).
//! * It splits batches that are larger than the server's limits.
//!
//! It never repeats a call whose outcome is unknown: the connection broke after the request was written, the time
//! ran out, or the answer was a 5xx that does not say that nothing was done. Such an error says
//! [`is_outcome_unknown`](Error::is_outcome_unknown), and the caller looks before it asks again.
//!
//! # Callbacks
//!
//! What a server needs that is told of events is in the module `callbacks`, with the feature of that name; the feature
//! `axum` adds an extractor that checks and reads them.
//!
//! # Dropped futures
//!
//! A future that is dropped stops waiting. If its request was already written, the server may or may not do it;
//! nobody is told. A token fetch that others wait for goes on for them.

#![deny(missing_docs)]

mod batch;
mod builder;
#[cfg(feature = "callbacks")]
pub mod callbacks;
mod clock;
mod error;
mod http;
mod members;
mod paging;
mod retry;
mod room_id;
mod rooms;
mod tls;
mod token;
mod users;

#[cfg(test)]
mod tests;

/// The code of the page for receivers is compiled.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../../../docs/callbacks.md")]
struct PageForReceivers;

pub use batch::BatchError;
pub use builder::{BuildError, Client, ClientBuilder};
pub use chatroom_core::{AppKey, ChatroomId, Username};
pub use error::Error;
pub use members::{Member, Removal};
pub use paging::Page;
pub use retry::RetryPolicy;
pub use room_id::{InvalidRoomId, RoomId};
pub use rooms::{NewRoom, Room, RoomSummary};
pub use secrecy::SecretString;
pub use token::{Token, TokenSource};
pub use users::{NewUser, Registration, User};
