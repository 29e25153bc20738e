//! The HTTP adapter: paths, tokens and JSON around the core's calls. No rule of chatrooms is here.
//!
//! A request comes in at [`Edge`](edge::Edge), is routed, goes through the checks of [`gate`], and is answered by an
//! endpoint, one a file.

mod answer;
mod call;
mod cors;
mod edge;
mod gate;
mod health;
mod path;
mod query;
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
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use chatroom_core::{CallbackOutbox, Chatrooms, Clock};
use chatroom_protocol as protocol;
use tokio::sync::Notify;

use crate::apps::Apps;
use crate::clock::Stopwatch;
use crate::config::{Compat, Origins, PublicUrl, RateLimit};
use crate::rate::{ClientCalls, SharedCalls};

pub(crate) use edge::Edge;
pub(crate) use health::{Notes, Readiness};

use gate::gate;

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

fn router(shared: Arc<Shared>) -> Router {
    let member = post(gate::<add_member::AddMember>).delete(gate::<remove_members::RemoveMembers>);
    let members = get(gate::<list_members::ListMembers>).post(gate::<add_members::AddMembers>);
    let room = get(gate::<get_rooms::GetRooms>).delete(gate::<dissolve_room::DissolveRoom>);
    let rooms = get(gate::<list_rooms::ListRooms>).post(gate::<create_room::CreateRoom>);
    let user = get(gate::<get_user::GetUser>).delete(gate::<delete_user::DeleteUser>);
    let users = get(gate::<list_users::ListUsers>).post(gate::<register_users::RegisterUsers>);
    Router::new()
        .route(protocol::members::remove::ROUTE, member)
        .route(protocol::members::list::ROUTE, members)
        .route(protocol::chatrooms::details::ROUTE, room)
        .route(protocol::chatrooms::list::ROUTE, rooms)
        .route(protocol::users::get::ROUTE, user)
        .route(protocol::users::list::ROUTE, users)
        .route(protocol::callbacks::events::ROUTE, get(gate::<list_events::ListEvents>))
        .route(protocol::callbacks::streams::ROUTE, get(gate::<list_streams::ListStreams>))
        .route(protocol::token::ROUTE, post(gate::<token::IssueToken>))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .fallback(gate::no_such_route)
        .with_state(shared)
}
