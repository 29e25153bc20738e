//! Answers: JSON, with the headers that go with it.

use axum::body::Body;
use axum::response::Response;
use chatroom_core::Clock;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use super::trace::Trace;
use crate::error::{Exhausted, Failure, Place};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// Room for those of every answer.
const HEADERS: usize = 8;
/// Larger than most answers about one member.
const USUAL: usize = 512;

/// 200 with this body.
///
/// # Errors
/// [`Failure::Unwritable`] if it cannot be written as JSON.
pub(super) fn json(body: &impl Serialize) -> Result<Response, Failure> {
    Ok(with(StatusCode::OK, written(body).map_err(Failure::Unwritable)?))
}

fn written(body: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(USUAL);
    serde_json::to_writer(&mut bytes, body)?;
    Ok(bytes)
}

/// The answer to a call that failed. Its cause, if there is one, is logged here and nowhere else.
pub(super) fn failure(failure: &Failure, place: &Place<'_>, trace: &Trace, clock: &dyn Clock) -> Response {
    let answered = failure.answered(place);
    let row = &answered.refusal;
    if let Some(cause) = &answered.cause {
        let request_id = trace.id();
        // 503 alone says that nothing was done.
        if matches!(row.status, 500 | 504) {
            tracing::error!(request_id, status = row.status, cause, "a request failed: {cause}");
        } else {
            tracing::warn!(request_id, status = row.status, cause, "a request was not done: {cause}");
        }
    }
    let body = row.body(clock.now().as_millis(), trace.duration());
    let bytes = written(&body).unwrap_or_default();
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = with(status, bytes);
    let headers = response.headers_mut();
    if let Some(seconds) = answered.retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    match failure {
        Failure::MethodNotAllowed { allowed } => {
            headers.insert(ALLOW, allowed.clone());
        }
        Failure::RateLimited(reached) => {
            let (policy, limit) = rate_limit(reached);
            headers.extend([(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, limit)]);
        }
        _ => {}
    }
    response
}

/// The policy and what is left of it, as the IETF's draft writes them.
fn rate_limit(reached: &Exhausted) -> (HeaderValue, HeaderValue) {
    let name = reached.name();
    let policy = HeaderValue::try_from(format!("\"{name}\";q={};w=1", reached.limit));
    let left = HeaderValue::try_from(format!("\"{name}\";r=0;t={}", reached.seconds()));
    let none = |_| HeaderValue::from_static("");
    (policy.unwrap_or_else(none), left.unwrap_or_else(none))
}

fn with(status: StatusCode, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(CONTENT_TYPE, JSON);
    *response.headers_mut() = headers;
    response
}
