//! Where requests come in and answers leave: ids, the time limit, panics, CORS, the log.

use std::future::{poll_fn, ready};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::body::Body;
use axum::response::Response;
use futures_util::FutureExt;
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request};
use hyper::body::Incoming;
use matchit::InsertError;
use tracing::Level;

use super::routes::{Answering, Found, Routes};
use super::trace::{Trace, X_REQUEST_ID};
use super::{Shared, answer, cors, gate};
use crate::error::{Failure, Place, Stage};
use crate::rate::Peer;

/// The whole server for one request. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Edge(Arc<Inside>);

struct Inside {
    routes: Routes,
    shared: Shared,
}

impl Edge {
    /// # Errors
    /// Two routes cannot be told apart.
    pub(crate) fn new(shared: Shared) -> Result<Self, InsertError> {
        Ok(Self(Arc::new(Inside { routes: Routes::new()?, shared })))
    }

    /// Answers a request: always, and within the request timeout.
    pub(crate) async fn answer(self, request: Request<Incoming>, peer: Peer) -> Response {
        let Inside { routes, shared } = &*self.0;
        // Without the query, which may hold anything.
        let told = tracing::enabled!(Level::DEBUG)
            .then(|| (request.method().clone(), request.uri().path().to_owned()));
        let trace = Trace::begin(request.headers(), peer);
        let origin = cors::origin(request.headers()).cloned();

        let found = routes.find(request.uri().path(), request.method());
        let asks_for_options = request.method() == Method::OPTIONS;
        let request = request.map(Body::new);
        // All in boxes: what a future may hold is moved with it, and this one is moved for every request.
        let answering: Answering<'_> = match found {
            // For every path that has a route, without a token (decision 38).
            Found::OtherMethods(allowed) if asks_for_options => Box::pin(ready(cors::options(allowed))),
            Found::OtherMethods(allowed) => Box::pin(gate::no_such_method(allowed, shared, request, &trace)),
            Found::Handler(handler) => handler(shared, request, &trace),
            Found::Nothing => Box::pin(gate::no_such_route(shared, request, &trace)),
        };
        let mut response = within_time(answering, shared, &trace).await;
        cors::allow(&shared.origins, origin.as_ref(), response.headers_mut());
        response.headers_mut().insert(X_REQUEST_ID, trace.request_id.clone());
        if shared.readiness.is_draining() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some((method, path)) = told {
            let (status, duration) = (response.status().as_u16(), trace.duration());
            tracing::debug!(request_id = trace.id(), %method, path, status, duration, "answered");
        }
        response
    }
}

async fn within_time(answering: Answering<'_>, shared: &Shared, trace: &Trace) -> Response {
    // What a panicking handler shared is behind locks that hold nothing half-done.
    let mut answering = pin!(AssertUnwindSafe(answering).catch_unwind());
    // What is refused is refused at once, and needs no timer.
    let answered = match poll_fn(|cx| Poll::Ready(answering.as_mut().poll(cx))).await {
        Poll::Ready(answered) => Ok(answered),
        Poll::Pending => tokio::time::timeout(shared.request_timeout, answering).await,
    };
    match answered {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => failed(&Failure::Panicked(trace.stage(), message_of(&*panic)), shared, trace),
        Err(_) => {
            let stage = trace.stage();
            let mut response = failed(&Failure::TimedOut(stage), shared, trace);
            if stage == Stage::Arriving {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    }
}

fn failed(failure: &Failure, shared: &Shared, trace: &Trace) -> Response {
    answer::failure(failure, &Place::default(), trace, &*shared.clock)
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}
