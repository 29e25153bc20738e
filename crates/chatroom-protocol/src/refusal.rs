//! Every error row that this project answers, each text once (contract §1.5 and §9, decisions).
//!
//! The server makes them, the client recognizes them ([`is_not_a_member`] and the like), and both do it here.

mod access;
mod http;
mod limits;
mod recognize;
mod rooms;
mod users;

use std::borrow::Cow;

pub use access::*;
pub use http::*;
pub use limits::*;
pub use recognize::*;
pub use rooms::*;
pub use users::*;

use crate::error::ErrorBody;

/// An error row: the status, and the body but for its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The machine's word.
    pub error: &'static str,
    /// The class of the exception, as recorded; where none was, a plausible one.
    pub exception: &'static str,
    /// The text for people.
    pub description: Cow<'static, str>,
}

impl Refusal {
    /// The body, answered at `timestamp` (milliseconds since 1970) after `duration` milliseconds.
    #[must_use]
    pub fn body(&self, timestamp: i64, duration: u64) -> ErrorBody<'_> {
        ErrorBody {
            error: self.error.into(),
            exception: self.exception.into(),
            timestamp,
            duration,
            error_description: self.description.as_ref().into(),
        }
    }
}

fn row(
    status: u16,
    error: &'static str,
    exception: &'static str,
    description: impl Into<Cow<'static, str>>,
) -> Refusal {
    Refusal { status, error, exception, description: description.into() }
}

const INVALID_PARAMETER: &str = "com.easemob.group.exception.InvalidParameterException";
const ILLEGAL_ARGUMENT: &str = "java.lang.IllegalArgumentException";

/// 400 `invalid_parameter` of the room service, in the caller's words.
pub fn invalid_parameter(description: impl Into<Cow<'static, str>>) -> Refusal {
    row(400, "invalid_parameter", INVALID_PARAMETER, description)
}

/// 400 `illegal_argument` of the user service, in the caller's words.
pub fn illegal_argument(description: impl Into<Cow<'static, str>>) -> Refusal {
    row(400, "illegal_argument", ILLEGAL_ARGUMENT, description)
}

#[cfg(test)]
mod tests;
