//! Where requests come in and answers leave: ids, the time limit, panics, CORS, the log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use futures_util::FutureExt;
use http::header::{ALLOW, CONNECTION};
use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use tower::ServiceExt;

use super::trace::{Trace, X_REQUEST_ID};
use super::{Shared, answer, cors, router};
use crate::error::{Failure, Place, Stage};
use crate::rate::Peer;

/// The whole server for one request. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Edge {
    router: Router,
    shared: Arc<Shared>,
}

impl Edge {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { router: router(shared.clone()), shared }
    }

    /// Answers a request: always, and within the request timeout.
    pub(crate) async fn answer(self, request: Request<Incoming>, peer: Peer) -> Response {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let trace = Arc::new(Trace::begin(request.headers(), peer));
        let origin = cors::origin(request.headers()).cloned();

        let mut response = self.within_time(request, &trace).await;
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            response = self.method_not_allowed(&method, &response, &trace);
        }
        cors::allow(&self.shared.origins, origin.as_ref(), response.headers_mut());
        response.headers_mut().insert(X_REQUEST_ID, trace.request_id.clone());
        if self.shared.readiness.is_draining() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let (status, duration) = (response.status().as_u16(), trace.duration());
        // Without the query, which may hold anything.
        tracing::debug!(request_id = trace.id(), %method, path = uri.path(), status, duration, "answered");
        response
    }

    async fn within_time(&self, request: Request<Incoming>, trace: &Arc<Trace>) -> Response {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(trace.clone());
        // What a panicking handler shared is behind locks that hold nothing half-done.
        let answering = AssertUnwindSafe(self.router.clone().oneshot(request)).catch_unwind();
        match tokio::time::timeout(self.shared.request_timeout, answering).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Err(panic)) => self.failed(&Failure::Panicked(message_of(&*panic)), trace),
            Err(_) => {
                let stage = trace.stage();
                let mut response = self.failed(&Failure::TimedOut(stage), trace);
                if stage == Stage::Arriving {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                response
            }
        }
    }

    /// `OPTIONS` is answered for every path that has a route, without a token (decision 38).
    fn method_not_allowed(&self, method: &Method, refused: &Response, trace: &Trace) -> Response {
        let methods = refused.headers().get(ALLOW).and_then(|allow| allow.to_str().ok()).unwrap_or_default();
        let methods = methods.replace(',', ", ");
        let allowed = HeaderValue::try_from(format!("{methods}, OPTIONS"));
        let allowed = allowed.unwrap_or(HeaderValue::from_static("OPTIONS"));
        if method == Method::OPTIONS {
            return cors::options(allowed);
        }
        self.failed(&Failure::MethodNotAllowed { allowed }, trace)
    }

    fn failed(&self, failure: &Failure, trace: &Trace) -> Response {
        answer::failure(failure, &Place::default(), trace, &*self.shared.clock)
    }
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}
