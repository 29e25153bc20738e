//! Every failure, to a status and the vendor's error body: the one place that knows both (decisions 34 and 35).
//!
//! The caller sees the row and the request id. The cause goes to the log, once.

use std::time::Duration;

use chatroom_core::{Error, Invalid, Rejection, StorageErrorKind};
use chatroom_protocol::path::InvalidSegment;
use chatroom_protocol::refusal::{self, Refusal};
use http::HeaderValue;

use crate::config::Endpoint;

/// Why a call is not answered with 200.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No endpoint has this path.
    NoSuchRoute,
    /// The path has an endpoint, but not for this method.
    MethodNotAllowed {
        /// The methods it has.
        allowed: HeaderValue,
    },
    /// The path cannot be decoded.
    InvalidPath(InvalidSegment),
    /// There is no such app, or it does not answer.
    NoSuchApp,
    /// The token is not good.
    Unauthorized,
    /// There is no token, and the live service's body is wanted for that.
    BlankToken,
    /// Too many calls.
    RateLimited(Exhausted),
    /// Whether there are too many calls cannot be said now, because the database is away.
    LimitUnknown,
    /// The store has as many calls as it answers in time.
    TooManyAtOnce,
    /// The body is larger than is read.
    BodyTooLarge {
        /// How much is read.
        limit: usize,
    },
    /// The body ended before it was complete.
    BodyBroken,
    /// The body is not the JSON that the endpoint reads: what and where.
    Json(String),
    /// The endpoint's own check of what was sent.
    Refused(Refusal),
    /// The core's answer.
    Core(Error, During),
    /// The time for a request is over.
    TimedOut(Stage),
    /// The server is not ready to be sent calls, for these reasons.
    NotReady(Vec<String>),
    /// A change would not be as safe as the configuration asks for, for this reason.
    Unsafe(String),
    /// A handler panicked, when it was so far, with this message.
    Panicked(Stage, String),
    /// An answer could not be written as JSON.
    Unwritable(serde_json::Error),
}

/// A limit that was reached (decision 18).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exhausted {
    /// What is limited; `None` is `POST …/token`.
    pub(crate) endpoint: Option<Endpoint>,
    /// How many calls a second.
    pub(crate) limit: u32,
    /// When the next is admitted.
    pub(crate) retry_after: Duration,
}

/// What the core was asked for: the same answer of it has different rows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum During {
    /// A removal of members.
    Removal,
    /// An addition of members.
    Addition,
    /// The creation or dissolution of a room.
    RoomChange,
    /// A registration of so many different names.
    Registration(usize),
    /// The deletion of a user.
    UserDeletion,
    /// A read.
    Reading,
}

/// How far a request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is still arriving, or is being checked.
    Arriving,
    /// The store was asked to read.
    Reading,
    /// The store was asked for a change.
    Changing,
}

/// What rows name beside the failure itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place<'a> {
    /// The first half of the app key, as sent.
    pub(crate) org: &'a str,
    /// The second half.
    pub(crate) app: &'a str,
    /// The raw path behind them.
    pub(crate) rest: &'a str,
    /// The app's id, once it is known.
    pub(crate) application: &'a str,
    /// The status for users that are not members (decision 1).
    pub(crate) not_member_status: u16,
}

/// What is answered, and what the log is told.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) refusal: Refusal,
    /// `Retry-After`, in seconds.
    pub(crate) retry_after: Option<u64>,
    pub(crate) cause: Option<String>,
}

/// When a call that found the store unavailable is worth repeating.
const STORE_MAY_BE_BACK: u64 = 5;
/// When one that found it overloaded is.
const STORE_MAY_HAVE_ROOM: u64 = 1;

impl Failure {
    /// The row.
    pub(crate) fn answered(&self, at: &Place<'_>) -> Answered {
        match self {
            Self::NoSuchRoute => refusal::no_such_route().into(),
            Self::MethodNotAllowed { allowed } => {
                refusal::method_not_allowed(allowed.to_str().unwrap_or_default()).into()
            }
            Self::InvalidPath(why) => refusal::invalid_path(*why).into(),
            Self::NoSuchApp => refusal::no_such_app(at.org, at.app, at.rest).into(),
            Self::Unauthorized => refusal::unauthorized().into(),
            Self::BlankToken => refusal::token_is_blank().into(),
            Self::RateLimited(reached) => {
                Answered { retry_after: Some(reached.seconds()), ..refusal::reach_limit().into() }
            }
            Self::LimitUnknown => {
                let cause =
                    Some("the database does not say how many calls other nodes have admitted".to_owned());
                Answered { cause, ..storage(StorageErrorKind::Unavailable) }
            }
            // Not with its cause, which would be a line for each: that calls are refused is told once a second.
            Self::TooManyAtOnce => storage(StorageErrorKind::Overloaded),
            Self::BodyTooLarge { limit } => refusal::request_too_large(*limit).into(),
            Self::BodyBroken => refusal::json_parse("the body is not complete").into(),
            Self::Json(why) => refusal::json_parse(why).into(),
            Self::Refused(refusal) => refusal.clone().into(),
            Self::Core(Error::Invalid(invalid), during) => self::invalid(invalid, *during),
            Self::Core(Error::Rejected(rejection), during) => rejected(rejection, *during, at),
            Self::Core(Error::Storage(error), _) => {
                Answered { cause: Some(chain(error)), ..storage(error.kind()) }
            }
            Self::TimedOut(Stage::Arriving) => refusal::request_timeout().into(),
            // A read changes nothing, so it may be repeated.
            Self::TimedOut(Stage::Reading) => {
                let cause = Some("the request timeout passed while the store was reading".to_owned());
                Answered { cause, ..storage(StorageErrorKind::Unavailable) }
            }
            Self::TimedOut(Stage::Changing) => {
                let cause = Some("the request timeout passed while the store was changing".to_owned());
                Answered { cause, ..storage(StorageErrorKind::OutcomeUnknown) }
            }
            Self::NotReady(reasons) => Answered {
                retry_after: Some(STORE_MAY_HAVE_ROOM),
                ..refusal::not_ready(&reasons.join("; ")).into()
            },
            Self::Unsafe(why) => {
                Answered { cause: Some(why.clone()), ..storage(StorageErrorKind::Unavailable) }
            }
            // The change may have been made.
            Self::Panicked(Stage::Changing, message) => {
                let cause = Some(format!("a handler panicked: {message}"));
                Answered { cause, ..storage(StorageErrorKind::OutcomeUnknown) }
            }
            Self::Panicked(_, message) => broken(format!("a handler panicked: {message}")),
            Self::Unwritable(error) => broken(format!("an answer could not be written: {error}")),
        }
    }
}

fn invalid(invalid: &Invalid, during: During) -> Answered {
    let refusal = match (invalid, during) {
        (Invalid::EmptyBatch, During::Registration(_)) => refusal::username_missing(),
        (Invalid::EmptyBatch, _) => refusal::no_usernames(),
        (Invalid::BatchTooLarge { limit }, During::Removal) => refusal::too_many_to_remove(*limit),
        (Invalid::BatchTooLarge { limit }, During::Registration(size)) => {
            refusal::too_many_to_register(size, *limit)
        }
        (Invalid::BatchTooLarge { limit }, _) => refusal::too_many_to_add(*limit),
        (Invalid::MaxUsers { limit }, _) => refusal::max_users_too_large(u64::from(*limit)),
        (Invalid::TooLong { field: "name", limit }, _) => refusal::name_too_long(*limit),
        (Invalid::TooLong { field: "description", limit }, _) => refusal::description_too_long(*limit),
        (Invalid::TooLong { limit, .. }, _) => refusal::custom_too_long(*limit),
    };
    refusal.into()
}

fn rejected(rejection: &Rejection, during: During, at: &Place<'_>) -> Answered {
    let refusal = match rejection {
        Rejection::RoomNotFound(id) => refusal::no_such_room(id),
        Rejection::UserNotFound(name) => match during {
            During::UserDeletion => refusal::no_such_user(),
            During::Removal
            | During::Addition
            | During::RoomChange
            | During::Registration(_)
            | During::Reading => refusal::no_such_username(name),
        },
        Rejection::NotMembers(names) => {
            let names: Vec<_> = names.iter().map(chatroom_core::Username::as_str).collect();
            refusal::not_members(at.not_member_status, &names)
        }
        Rejection::RoomFull => refusal::room_full(),
        Rejection::MembersExceedMaxUsers => refusal::members_over_max_users(),
        Rejection::UserExists(name) => refusal::username_taken(at.application, name.as_str()),
        Rejection::StoreFull { limit } => refusal::store_full("store.max_members", *limit),
        Rejection::AppGone => refusal::no_such_app(at.org, at.app, at.rest),
        // No call over HTTP changes apps or rules of callbacks.
        Rejection::AppExists(_)
        | Rejection::AppNotFound(_)
        | Rejection::AppDeclared(_)
        | Rejection::Rule(_) => {
            return broken(format!("{} in a call that changes no app: {rejection}", rejection.code()));
        }
    };
    refusal.into()
}

fn storage(kind: StorageErrorKind) -> Answered {
    match kind {
        StorageErrorKind::Unavailable => {
            Answered { retry_after: Some(STORE_MAY_BE_BACK), ..refusal::service_unavailable().into() }
        }
        StorageErrorKind::Overloaded | StorageErrorKind::Conflict => {
            Answered { retry_after: Some(STORE_MAY_HAVE_ROOM), ..refusal::service_unavailable().into() }
        }
        StorageErrorKind::OutcomeUnknown => refusal::outcome_unknown().into(),
        StorageErrorKind::Corrupt => refusal::internal().into(),
    }
}

fn broken(cause: String) -> Answered {
    Answered { cause: Some(cause), ..refusal::internal().into() }
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}

impl Exhausted {
    /// Whole seconds until the next call is admitted, at least one. A slot is free a microsecond after its second,
    /// which no client can tell from the second.
    pub(crate) fn seconds(&self) -> u64 {
        let wait = self.retry_after.saturating_sub(Duration::from_micros(1));
        (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
    }

    /// The name of the limit in the headers.
    pub(crate) fn name(&self) -> &'static str {
        self.endpoint.map_or("token", Endpoint::as_str)
    }
}

impl From<Refusal> for Answered {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, retry_after: None, cause: None }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
