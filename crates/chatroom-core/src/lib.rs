//! The rules of chatroom membership, behind repository and callback traits.
//!
//! A caller asks [`Chatrooms`] for something. It makes an [`Operation`], which a [`ChatroomRepository`] decides by
//! the rules of this crate on its [`Facts`], and commits, all or nothing, with the events that tell of it. Nothing
//! here does IO, and time and ids are passed in, so the rules are the same on every store.

#![deny(missing_docs)]

mod app;
mod batch;
mod callback;
mod clock;
mod error;
mod event;
mod facts;
mod group;
mod id;
mod ids;
mod limit;
mod limits;
mod model;
mod operation;
mod outbox;
mod page;
mod portable;
mod reads;
mod record;
mod repository;
mod service;
#[cfg(any(test, feature = "test-util"))]
#[expect(clippy::expect_used, reason = "facts made by hand are made right, or the test is wrong")]
pub mod test_util;

pub use app::*;
pub use batch::UserBatch;
pub use callback::*;
pub use clock::*;
pub use error::*;
pub use event::*;
pub use facts::*;
pub use group::*;
pub use id::*;
pub use ids::*;
pub use limit::*;
pub use limits::*;
pub use model::*;
pub use operation::*;
pub use outbox::*;
pub use page::*;
pub use portable::*;
pub use reads::{List, ReadSet, Strength};
pub use record::*;
pub use repository::*;
pub use service::*;
