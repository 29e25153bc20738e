//! The HTTP adapter: paths, tokens and JSON around the core's calls. No rule of chatrooms is here.
//!
//! A request comes in at [`Edge`](edge::Edge), is routed, goes through the checks of [`gate`], and is answered by an
//! endpoint, one a file.

mod answer;
mod asked;
mod call;
mod cors;
mod edge;
mod gate;
mod health;
mod path;
mod query;
mod routes;
mod trace;

mod add_member;
mod add_members;
mod create_room;
mod delete_user;
mod dissolve_room;
mod get_rooms;
mod get_user;
mod list_events;
mod list_members;
mod list_rooms;
mod list_streams;
mod list_users;
mod register_users;
mod remove_members;
mod token;
mod user_entity;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use chatroom_core::{AtOnce, CallbackOutbox, Chatrooms, Clock};
use tokio::sync::Notify;

use crate::apps::Apps;
use crate::clock::Stopwatch;
use crate::config::{Compat, Origins, PublicUrl, RateLimit};
use crate::rate::{ClientCalls, SharedCalls};

pub(crate) use edge::Edge;
pub(crate) use health::{Notes, Readiness};

/// What all calls share.
pub(crate) struct Shared {
    pub(crate) chatrooms: Chatrooms,
    pub(crate) outbox: Arc<dyn CallbackOutbox>,
    pub(crate) apps: Arc<Apps>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) watch: Arc<dyn Stopwatch>,
    pub(crate) token_calls: ClientCalls,
    /// Counts the calls of apps where other servers share their limits; otherwise each app does.
    pub(crate) shared_calls: Option<Arc<SharedCalls>>,
    /// The calls that the store has.
    pub(crate) at_once: AtOnce,
    /// The last second in which the log was told that it has too many.
    pub(crate) told_overloaded: AtomicU64,
    /// Told of what leaves something to sweep.
    pub(crate) sweeper: Arc<Notify>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) rate_limit: RateLimit,
    pub(crate) compat: Compat,
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) origins: Origins,
    /// The bytes of a body that are read.
    pub(crate) body: usize,
    /// How long a request may take from its head to its answer.
    pub(crate) request_timeout: Duration,
}
