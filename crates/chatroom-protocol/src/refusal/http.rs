//! What HTTP itself or the server's own state refuses (decisions 34 and 35). Each text says what to do.

use super::{Refusal, illegal_argument, row};
use crate::path::InvalidSegment;

/// No endpoint has this path.
#[must_use]
pub fn no_such_route() -> Refusal {
    let text =
        "There is no such endpoint: compare the path with the documentation, it begins with /{org}/{app}/";
    row(404, "resource_not_found", "ResourceNotFoundException", text)
}

/// The path exists, but not with this method. Goes with `Allow`.
#[must_use]
pub fn method_not_allowed(allowed: &str) -> Refusal {
    let text = format!("This path does not know this method: use one of {allowed}");
    row(405, "method_not_allowed", "NotAllowedException", text)
}

/// A path that cannot be read.
#[must_use]
pub fn invalid_path(why: InvalidSegment) -> Refusal {
    illegal_argument(why.to_string())
}

/// A body that is not the JSON that the endpoint reads. `why` says what and where.
#[must_use]
pub fn json_parse(why: &str) -> Refusal {
    let text = format!("The body cannot be read as JSON for this endpoint, correct it: {why}");
    row(400, "json_parse", "JsonParseException", text)
}

/// A body that is larger than the server reads.
#[must_use]
pub fn request_too_large(limit_bytes: usize) -> Refusal {
    let text = format!("The body is larger than {limit_bytes} bytes: send less at a time");
    row(413, "request_too_large", "RequestTooLargeException", text)
}

/// A request that did not arrive in time.
#[must_use]
pub fn request_timeout() -> Refusal {
    let text = "The request did not arrive in time, and nothing was done: send it again";
    row(408, "request_timeout", "RequestTimeoutException", text)
}

/// `/readyz` while the server should not be sent calls. `reasons` says why.
#[must_use]
pub fn not_ready(reasons: &str) -> Refusal {
    let text = format!("Not ready: {reasons}");
    row(503, "service_unavailable", "ServiceUnavailableException", text)
}

/// Something broke inside.
#[must_use]
pub fn internal() -> Refusal {
    let text = "The server failed on this request: report it with the X-Request-Id of this answer";
    row(500, "internal", "InternalServerErrorException", text)
}

/// Nothing was done. Goes with `Retry-After`.
#[must_use]
pub fn service_unavailable() -> Refusal {
    let text = "Nothing was done: repeat the request after the time that Retry-After names";
    row(503, "service_unavailable", "ServiceUnavailableException", text)
}

/// It may or may not have been done. Goes without `Retry-After`.
#[must_use]
pub fn outcome_unknown() -> Refusal {
    let text = "It may or may not have been done: look at the present state before you repeat the request";
    row(504, "outcome_unknown", "OutcomeUnknownException", text)
}
