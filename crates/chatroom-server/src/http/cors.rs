//! Calls from browsers (decision 38).

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::config::Origins;

/// What a page may send beside what browsers always allow.
const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type, x-request-id");
/// What a page may read beside what browsers always show.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("x-request-id, retry-after, ratelimit, ratelimit-policy");
/// How many seconds a browser may remember the answer to `OPTIONS`.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");

/// The page that calls, if a browser sent the request.
pub(super) fn origin(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(ORIGIN)
}

/// The answer to `OPTIONS`; `allow` adds to it who may call.
pub(super) fn options(allowed: HeaderValue) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, allowed);
    response
}

/// Tells a browser whether the page may see the answer. Without a listed origin nothing is said, and the browser
/// keeps the answer from the page.
pub(super) fn allow(origins: &Origins, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
    let allowed = match origins {
        Origins::Any => origin.map(|_| HeaderValue::from_static("*")),
        Origins::Listed(listed) if listed.is_empty() => return,
        Origins::Listed(listed) => {
            headers.append(VARY, HeaderValue::from_static("origin"));
            origin.filter(|origin| listed.contains(origin)).cloned()
        }
    };
    let Some(allowed) = allowed else { return };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if let Some(methods) = headers.get(ALLOW).cloned() {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, REMEMBERED);
    }
}
