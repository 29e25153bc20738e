//! Which endpoint answers which path and method.
//!
//! The paths are matched by the library that axum's router is built on, without what that router does besides for
//! every request: names of segments that nobody asks for, extensions, and a box for each layer (ADR 9).

use std::pin::Pin;

use axum::extract::Request;
use axum::response::Response;
use chatroom_protocol as protocol;
use http::{HeaderValue, Method};
use matchit::{InsertError, Router};

use super::gate::{Endpoint, gate};
use super::trace::Trace;
use super::{
    Shared, add_member, add_members, create_room, delete_user, dissolve_room, get_rooms, get_user, health,
    list_events, list_members, list_rooms, list_streams, list_users, register_users, remove_members, token,
};

/// Answers a request of one path and method.
pub(super) type Handler = for<'a> fn(&'a Shared, Request, &'a Trace) -> Answering<'a>;

/// An answer that is being made.
pub(super) type Answering<'a> = Pin<Box<dyn Future<Output = Response> + Send + 'a>>;

/// All routes.
pub(super) struct Routes(Router<Methods>);

/// What a request is led to.
pub(super) enum Found {
    /// The one that answers it.
    Handler(Handler),
    /// The path has other methods: these, as `Allow` names them.
    OtherMethods(HeaderValue),
    /// No endpoint has the path.
    Nothing,
}

/// What answers the methods of a path.
#[derive(Default)]
struct Methods {
    get: Option<Handler>,
    post: Option<Handler>,
    delete: Option<Handler>,
}

impl Routes {
    /// The routes that the protocol names, and those for whoever runs the server.
    ///
    /// # Errors
    /// Two routes cannot be told apart.
    pub(super) fn new() -> Result<Self, InsertError> {
        let none = Methods::default;
        let get = |handler| Methods { get: Some(handler), ..none() };
        let post = |handler| Methods { post: Some(handler), ..none() };
        let mut routes = Router::new();
        for (path, methods) in [
            (
                protocol::members::remove::ROUTE,
                Methods {
                    post: Some(to::<add_member::AddMember>()),
                    delete: Some(to::<remove_members::RemoveMembers>()),
                    ..none()
                },
            ),
            (
                protocol::members::list::ROUTE,
                Methods {
                    post: Some(to::<add_members::AddMembers>()),
                    ..get(to::<list_members::ListMembers>())
                },
            ),
            (
                protocol::chatrooms::details::ROUTE,
                Methods {
                    delete: Some(to::<dissolve_room::DissolveRoom>()),
                    ..get(to::<get_rooms::GetRooms>())
                },
            ),
            (
                protocol::chatrooms::list::ROUTE,
                Methods { post: Some(to::<create_room::CreateRoom>()), ..get(to::<list_rooms::ListRooms>()) },
            ),
            (
                protocol::users::get::ROUTE,
                Methods { delete: Some(to::<delete_user::DeleteUser>()), ..get(to::<get_user::GetUser>()) },
            ),
            (
                protocol::users::list::ROUTE,
                Methods {
                    post: Some(to::<register_users::RegisterUsers>()),
                    ..get(to::<list_users::ListUsers>())
                },
            ),
            (protocol::callbacks::events::ROUTE, get(to::<list_events::ListEvents>())),
            (protocol::callbacks::streams::ROUTE, get(to::<list_streams::ListStreams>())),
            (protocol::token::ROUTE, post(to::<token::IssueToken>())),
            ("/livez", get(|shared, _, trace| Box::pin(health::livez(shared, trace)))),
            ("/readyz", get(|shared, _, trace| Box::pin(health::readyz(shared, trace)))),
        ] {
            routes.insert(path, methods)?;
        }
        Ok(Self(routes))
    }

    /// What this path and method lead to. The path is the raw one: segments are decoded once, behind.
    pub(super) fn find(&self, path: &str, method: &Method) -> Found {
        let Ok(found) = self.0.at(path) else { return Found::Nothing };
        let methods = found.value;
        let handler = match *method {
            // hyper leaves the body out.
            Method::GET | Method::HEAD => methods.get,
            Method::POST => methods.post,
            Method::DELETE => methods.delete,
            _ => None,
        };
        handler.map_or_else(|| Found::OtherMethods(methods.allowed()), Found::Handler)
    }
}

impl Methods {
    fn allowed(&self) -> HeaderValue {
        HeaderValue::from_static(match (self.get.is_some(), self.post.is_some(), self.delete.is_some()) {
            (true, true, true) => "GET, HEAD, POST, DELETE, OPTIONS",
            (true, true, false) => "GET, HEAD, POST, OPTIONS",
            (true, false, true) => "GET, HEAD, DELETE, OPTIONS",
            (true, false, false) => "GET, HEAD, OPTIONS",
            (false, true, true) => "POST, DELETE, OPTIONS",
            (false, true, false) => "POST, OPTIONS",
            (false, false, true) => "DELETE, OPTIONS",
            (false, false, false) => "OPTIONS",
        })
    }
}

fn to<E: Endpoint + 'static>() -> Handler {
    |shared, request, trace| Box::pin(gate::<E>(shared, request, trace))
}
