//! Ids: parsed once at the boundary, right for ever after.
//!
//! None of them derefs to a string or a number, so an id cannot be confused with text that was not checked.

mod app_key;
mod chatroom_id;
mod internal;
mod username;

pub use app_key::{AppKey, InvalidAppKey};
pub use chatroom_id::{ChatroomId, InvalidChatroomId};
pub use internal::{AppId, EventId, OperationId, UserId};
pub use username::{InvalidUsername, Username};
