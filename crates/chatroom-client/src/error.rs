//! What can go wrong with a call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chatroom_protocol::path::InvalidSegment;
use chatroom_protocol::refusal;

use crate::http::Effect;

/// Why a call failed. Opaque: ask it with its methods.
///
/// The questions look at the vendor's `error` and its text, not at the status alone, because servers disagree on
/// the status. Cloning is cheap. It never shows credentials.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: Kind,
    call: &'static str,
    effect: Effect,
    request_id: Option<String>,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Kind {
    /// An answer with the vendor's error body.
    Answer { status: u16, code: String, description: String, retry_after: Option<Duration> },
    /// An error status with another body.
    NotJson { status: u16, beginning: String, retry_after: Option<Duration> },
    /// A success status with a body that is not what the call answers.
    Unreadable { status: u16, beginning: String, why: String },
    /// A success status with `result: false`.
    NotDone { status: u16, why: String },
    /// No complete answer. `unsent` if nothing of the request was sent; `status` if the answer broke off.
    Broken { unsent: bool, status: Option<u16>, source: reqwest::Error },
    /// The token source failed.
    Token(Box<dyn std::error::Error + Send + Sync>),
    /// A part of the path cannot be sent.
    Path(InvalidSegment),
}

impl Error {
    pub(crate) fn new(kind: Kind, call: &'static str, effect: Effect, request_id: Option<String>) -> Self {
        Self(Arc::new(Inner { kind, call, effect, request_id }))
    }

    /// Whether the user was not a member; of a batch, whether nobody was.
    #[must_use]
    pub fn is_not_a_member(&self) -> bool {
        self.says(refusal::is_not_a_member)
    }

    /// Whether the room does not exist.
    #[must_use]
    pub fn is_room_not_found(&self) -> bool {
        self.says(refusal::is_room_not_found)
    }

    /// Whether a user does not exist.
    #[must_use]
    pub fn is_user_not_found(&self) -> bool {
        self.says(refusal::is_user_not_found)
    }

    /// Whether the credentials, or the token also after it was renewed, were not accepted.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        let by_gateway = matches!(self.0.kind, Kind::NotJson { status: 401, .. });
        by_gateway || self.says(refusal::is_unauthorized)
    }

    /// Whether calls came too fast, also after waiting. Nothing was done.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        // A spent plan has the same status, but waiting does not help.
        let by_status = self.status() == Some(429) && self.code() != Some("resource_limited");
        by_status || self.says(refusal::is_rate_limited)
    }

    /// Whether the call may or may not have been done, so that its repetition may do it twice. Never true for
    /// calls that only read.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        if self.0.effect == Effect::Read {
            return false;
        }
        match &self.0.kind {
            Kind::Answer { status, code, retry_after, .. } => {
                refusal::is_outcome_unknown(code) || leaves_doubt(*status, *retry_after)
            }
            Kind::NotJson { status, retry_after, .. } => leaves_doubt(*status, *retry_after),
            Kind::Unreadable { .. } => true,
            Kind::Broken { unsent, .. } => !unsent,
            Kind::NotDone { .. } | Kind::Token(_) | Kind::Path(_) => false,
        }
    }

    /// The HTTP status, if an answer came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &self.0.kind {
            Kind::Answer { status, .. }
            | Kind::NotJson { status, .. }
            | Kind::Unreadable { status, .. }
            | Kind::NotDone { status, .. } => Some(*status),
            Kind::Broken { status, .. } => *status,
            Kind::Token(_) | Kind::Path(_) => None,
        }
    }

    /// The vendor's `error`, such as `forbidden_op`, if the answer had one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Answer { code, .. } => Some(code),
            _ => None,
        }
    }

    /// The `X-Request-Id` of the answer, or, where none came, the one that was sent.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    pub(crate) fn description(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Answer { description, .. } => Some(description),
            _ => None,
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match &self.0.kind {
            Kind::Answer { retry_after, .. } | Kind::NotJson { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether nothing of the request was sent.
    pub(crate) fn is_unsent(&self) -> bool {
        matches!(self.0.kind, Kind::Broken { unsent: true, .. })
    }

    fn says(&self, knows: fn(&str, &str) -> bool) -> bool {
        matches!(&self.0.kind, Kind::Answer { code, description, .. } if knows(code, description))
    }
}

/// Whether an error status leaves open if the request was done. A 503 with `Retry-After` says that it was not;
/// other 5xx may come from a gateway that had already passed the request on.
fn leaves_doubt(status: u16, retry_after: Option<Duration>) -> bool {
    match status {
        503 => retry_after.is_none(),
        408 | 500..=599 => true,
        _ => false,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: ", self.0.call)?;
        match &self.0.kind {
            Kind::Answer { status, code, description, .. } => write!(f, "{status} {code}: {description}")?,
            Kind::NotJson { status, beginning, .. } => {
                write!(f, "{status}, and the body is not the JSON of an error; it begins: {beginning:?}")?;
            }
            Kind::Unreadable { status, beginning, why } => {
                write!(f, "{status}, but the body cannot be read: {why}; it begins: {beginning:?}")?;
            }
            Kind::NotDone { status, why } => write!(f, "{status}, but not done: {why}")?,
            Kind::Broken { unsent: true, .. } => f.write_str("no connection")?,
            Kind::Broken { source, .. } if source.is_timeout() => f.write_str("no answer in time")?,
            Kind::Broken { .. } => f.write_str("the connection broke before the answer was complete")?,
            Kind::Token(_) => f.write_str("the token source failed")?,
            Kind::Path(why) => write!(f, "{why}")?,
        }
        if self.is_outcome_unknown() {
            f.write_str("; it may or may not have been done")?;
        }
        match &self.0.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("call", &self.0.call)
            .field("kind", &self.0.kind)
            .field("request_id", &self.0.request_id)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            Kind::Broken { source, .. } => Some(source),
            Kind::Token(source) => Some(source.as_ref()),
            _ => None,
        }
    }
}
