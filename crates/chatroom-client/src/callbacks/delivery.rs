//! The extractor.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use axum::body::{Bytes, HttpBody};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRef, FromRequest, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chatroom_protocol::callbacks::webhook::{self, Headers};
use chatroom_protocol::callbacks::{Callback, InvalidCallback, Receiver, Refused};

/// The most bytes that a delivery may have: 1 MiB. Those of this project's server have fewer than 100 KB.
pub const MAX_BODY: usize = 1 << 20;

/// What [`Delivery`] checks with. It goes into the state of a router.
#[derive(Clone)]
pub struct Verifier {
    receiver: Arc<Receiver>,
    now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

impl Verifier {
    /// Goes by the system's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "who goes by another clock gives it")]
    pub fn new(receiver: Receiver) -> Self {
        Self::with_clock(receiver, SystemTime::now)
    }

    /// Goes by this clock.
    #[must_use]
    pub fn with_clock(receiver: Receiver, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { receiver: Arc::new(receiver), now: Arc::new(now) }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("receiver", &self.receiver).finish_non_exhaustive()
    }
}

/// A delivery with both signatures right, at a time that is near: an extractor of axum, for routers whose state holds a
/// [`Verifier`].
///
/// It takes the whole body, of up to [`MAX_BODY`] bytes whatever limit the router has, and parses it only when the
/// headers were found right. The vendor's cloud signs with `security` alone: who receives from there asks
/// [`Receiver::accept_security`].
///
/// The same event may arrive more than once: know it by [`Callback::event_id`].
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery(pub Callback);

/// Why a request is no delivery. As an answer it says its status and no more than who sent it needs; in words, for
/// the log, it says what was wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryRejection {
    /// 401: a signature or a time is missing or not right.
    #[error("the delivery is not signed as it should be: {0}")]
    Unsigned(#[source] Refused),
    /// 400: it is signed, and is no callback.
    #[error(transparent)]
    Malformed(InvalidCallback),
    /// 413: it has more than [`MAX_BODY`] bytes.
    #[error("the body has more than {MAX_BODY} bytes")]
    TooLarge,
    /// 400: the body could not be read to its end.
    #[error("the body could not be read: {0}")]
    Unread(#[source] BytesRejection),
}

impl DeliveryRejection {
    /// The status that it is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unsigned(_) => StatusCode::UNAUTHORIZED,
            Self::Malformed(_) | Self::Unread(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

impl IntoResponse for DeliveryRejection {
    fn into_response(self) -> Response {
        // Which signature or which time is wrong helps who guesses, and nobody else.
        let words = match &self {
            Self::Unsigned(_) => "the delivery is not signed as it should be".to_owned(),
            Self::Unread(_) => "the body could not be read".to_owned(),
            Self::Malformed(_) | Self::TooLarge => self.to_string(),
        };
        (self.status(), words).into_response()
    }
}

impl From<BytesRejection> for DeliveryRejection {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            _ => Self::Unread(rejection),
        }
    }
}

impl<S> FromRequest<S> for Delivery
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = DeliveryRejection;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, DeliveryRejection> {
        let Verifier { receiver, now } = Verifier::from_ref(state);
        // What says that it is too long is not waited for.
        if request.body().size_hint().lower() > MAX_BODY as u64 {
            return Err(DeliveryRejection::TooLarge);
        }
        let headers = request.headers().clone();
        DefaultBodyLimit::max(MAX_BODY).apply(&mut request);
        let body = Bytes::from_request(request, state).await?;
        match receiver.accept_both(signed(&headers), &body, now()) {
            Ok(callback) => Ok(Self(callback)),
            Err(Refused::Invalid(invalid)) => Err(DeliveryRejection::Malformed(invalid)),
            Err(refused) => Err(DeliveryRejection::Unsigned(refused)),
        }
    }
}

/// The headers that sign. One that is missing is empty, which no signature fits.
fn signed(headers: &HeaderMap) -> Headers<'_> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Headers {
        id: header(webhook::ID),
        timestamp: header(webhook::TIMESTAMP),
        signature: header(webhook::SIGNATURE),
    }
}
