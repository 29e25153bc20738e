use std::borrow::Cow;
use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use chatroom_core::{AppId, CallbackOutbox, Chatrooms, Error};
use chatroom_protocol::{Envelope, NoEntity, Params};
use http::header::HOST;
use http::{Method, request};
use serde::{Deserialize, Serialize};

use super::answer;
use super::path::Path;
use super::trace::Trace;
use super::{Shared, query};
use crate::apps::AppEntry;
use crate::error::{During, Failure, Stage};

/// A call that passed the gate: it comes from the app, within its limits.
pub(super) struct Call<'r> {
    pub(super) shared: &'r Shared,
    pub(super) entry: Arc<AppEntry>,
    pub(super) path: &'r Path<'r>,
    pub(super) head: &'r request::Parts,
    pub(super) body: Bytes,
    pub(super) trace: &'r Trace,
}

impl<'r> Call<'r> {
    /// The app that calls.
    pub(super) fn app(&self) -> AppId {
        self.entry.app.id
    }

    /// The core, to read from.
    pub(super) fn read(&self) -> &'r Chatrooms {
        self.trace.reached(Stage::Reading);
        &self.shared.chatrooms
    }

    /// The events, to read from.
    pub(super) fn outbox(&self) -> &'r dyn CallbackOutbox {
        self.trace.reached(Stage::Reading);
        &*self.shared.outbox
    }

    /// The core, to ask for a change: from here on, a timeout does not know whether it was made.
    pub(super) fn change(&self) -> &'r Chatrooms {
        self.trace.reached(Stage::Changing);
        &self.shared.chatrooms
    }

    /// The query, decoded.
    pub(super) fn params(&self) -> Params<'static> {
        query::params(&self.head.uri)
    }

    /// The body as JSON, whatever the `Content-Type` says (decision 24).
    ///
    /// # Errors
    /// [`Failure::Json`] with what is wrong and where.
    pub(super) fn json<'b, T: Deserialize<'b>>(&'b self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| Failure::Json(error.to_string()))
    }

    /// An envelope around `data`.
    pub(super) fn envelope<D>(&self, data: D) -> Envelope<'_, D, NoEntity> {
        self.around(Vec::new(), Some(data))
    }

    /// An envelope around entities and perhaps `data`. Its times are those of this moment.
    pub(super) fn around<D, E>(&self, entities: Vec<E>, data: Option<D>) -> Envelope<'_, D, E> {
        let key = &self.entry.app.key;
        Envelope {
            action: verb(&self.head.method).into(),
            application: Some(self.entry.application.as_str().into()),
            params: None,
            path: None,
            uri: Cow::Owned(self.uri()),
            entities,
            data,
            timestamp: self.shared.clock.now().as_millis(),
            duration: self.trace.duration(),
            organization: Some(key.org().into()),
            application_name: Some(key.app().into()),
            count: None,
            cursor: None,
        }
    }

    /// 200 with `data` in an envelope.
    ///
    /// # Errors
    /// [`Failure::Unwritable`]
    pub(super) fn answer(&self, data: impl Serialize) -> Result<Response, Failure> {
        answer::json(&self.envelope(data))
    }

    /// The URL of the request without its query, as it was sent (decision 21).
    fn uri(&self) -> String {
        let path = self.head.uri.path();
        if let Some(public) = &self.shared.public_url {
            return [public.as_str(), path].concat();
        }
        let named = self.head.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = named.or_else(|| self.head.uri.authority().map(http::uri::Authority::as_str));
        ["http://", host.unwrap_or("localhost"), path].concat()
    }
}

/// The method in lower case; `HEAD` is answered as `GET` (decision 38).
fn verb(method: &Method) -> &'static str {
    match *method {
        Method::DELETE => "delete",
        Method::POST => "post",
        Method::PUT => "put",
        _ => "get",
    }
}

/// Takes the core's errors along with what it was asked for.
pub(super) fn core(during: During) -> impl FnOnce(Error) -> Failure {
    move |error| Failure::Core(error, during)
}
