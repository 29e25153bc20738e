//! The checks that every call passes, in their order (decision 4): path decoding, app key, token, rate limit, whether
//! a change would be safe, body, how many calls the store has. Route and method come before, in the router; batch size,
//! room, user and membership behind, in the endpoint and in the core.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use chatroom_core::Permit;
use chatroom_protocol::path::InvalidSegment;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, request};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::asked::Asked;
use super::call::Call;
use super::path::{Path, has_dots};
use super::trace::Trace;
use super::{Shared, answer};
use crate::apps::AppEntry;
use crate::auth::{Bearer, bearer};
use crate::config::{BlankToken, Endpoint as Limit};
use crate::error::{Exhausted, Failure, Place};
use crate::rate::SharedCalls;

/// What answers a call that passed the gate.
pub(super) trait Endpoint {
    /// What the gate asks for.
    const GUARD: Guard;

    /// Answers. Dropping the future may or may not make the change that the endpoint makes, never half of it.
    fn answer(call: &Call<'_>) -> impl Future<Output = Result<Response, Failure>> + Send;
}

/// What a call has to show, and by what it is limited.
#[derive(Debug, Clone, Copy)]
pub(super) enum Guard {
    /// An app token; so many calls of this endpoint a second for each app.
    AppToken(Limit),
    /// Nothing, since its body has the credentials; so many calls a second for each client address.
    Credentials,
}

/// The longest body of a call that has shown nothing yet, in bytes: many times what credentials take. Whoever may hold
/// more for as long as a request lasts holds the memory of a server with an app key alone.
const CREDENTIALS: usize = 16 << 10;

impl Guard {
    /// The bytes of a body that are read.
    fn body(self, shared: &Shared) -> usize {
        match self {
            Self::AppToken(_) => shared.body,
            Self::Credentials => shared.body.min(CREDENTIALS),
        }
    }
}

/// Lets a request through to its endpoint, or answers why not.
pub(super) async fn gate<E: Endpoint>(shared: &Shared, request: Request, trace: &Trace) -> Response {
    let (head, body) = request.into_parts();
    let mut place = Place { not_member_status: shared.compat.not_member_status.as_u16(), ..Place::default() };
    let path = match Path::decode(head.uri.path()) {
        Ok(path) => path,
        Err(why) => {
            return refuse(&Failure::InvalidPath(why), &place, trace, shared, Some(body), &head).await;
        }
    };
    (place.org, place.app, place.rest) = (path.org(), path.app(), path.rest);
    let entry = match admit(E::GUARD, shared, &path, &head, trace) {
        Ok(entry) => entry,
        Err(failure) => return refuse(&failure, &place, trace, shared, Some(body), &head).await,
    };
    if let Some(calls) = &shared.shared_calls
        && let Err(failure) = admit_shared(calls, E::GUARD, shared, &entry).await
    {
        return refuse(&failure, &place, trace, shared, Some(body), &head).await;
    }
    if let Some(lacking) = changes(E::GUARD, &head).then(|| shared.readiness.lacks()).flatten() {
        let failure = Failure::Unsafe(lacking);
        return refuse(&failure, &place, trace, shared, Some(body), &head).await;
    }
    let limit = E::GUARD.body(shared);
    if body.size_hint().lower() > limit as u64 {
        let failure = Failure::BodyTooLarge { limit };
        return close(refuse(&failure, &place, trace, shared, Some(body), &head).await);
    }
    let body = match read(body, limit).await {
        Ok(body) => body,
        Err(failure) => return close(refuse(&failure, &place, trace, shared, None, &head).await),
    };
    let call = Call { shared, entry, path: &path, head: &head, body, trace };
    match answer_in_time::<E>(&call).await {
        Ok(response) => response,
        Err(failure) => {
            place.application = &call.entry.application;
            refuse(&failure, &place, trace, shared, None, &head).await
        }
    }
}

/// Lets the endpoint answer, if that would not be too late.
async fn answer_in_time<E: Endpoint>(call: &Call<'_>) -> Result<Response, Failure> {
    let Call { shared, entry, .. } = call;
    if matches!(E::GUARD, Guard::Credentials) {
        // It has nothing to do with the store.
        return E::answer(call).await;
    }
    let Some(asked) = Asked::of(entry, shared) else {
        let second = shared.watch.micros() / 1_000_000;
        if shared.told_overloaded.swap(second, Ordering::Relaxed) != second {
            tracing::warn!("calls are refused with 503, because the store does not keep up");
        }
        return Err(Failure::TooManyAtOnce);
    };
    let answer = E::answer(call).await;
    asked.answered();
    answer
}

/// The answer for a path that no endpoint has.
pub(super) async fn no_such_route(shared: &Shared, request: Request, trace: &Trace) -> Response {
    let (head, body) = request.into_parts();
    let failure = if has_dots(head.uri.path()) {
        Failure::InvalidPath(InvalidSegment::Dots)
    } else {
        Failure::NoSuchRoute
    };
    refuse(&failure, &Place::default(), trace, shared, Some(body), &head).await
}

/// The answer for a path whose endpoints have other methods.
pub(super) async fn no_such_method(
    allowed: HeaderValue,
    shared: &Shared,
    request: Request,
    trace: &Trace,
) -> Response {
    let (head, body) = request.into_parts();
    refuse(&Failure::MethodNotAllowed { allowed }, &Place::default(), trace, shared, Some(body), &head).await
}

/// App key, then token, then rate limit: who is not let in spends nothing of the app's, and learns nothing.
fn admit(
    guard: Guard,
    shared: &Shared,
    path: &Path<'_>,
    head: &request::Parts,
    trace: &Trace,
) -> Result<Arc<AppEntry>, Failure> {
    let entry = shared.apps.answering(path.org(), path.app()).ok_or(Failure::NoSuchApp)?;
    match guard {
        Guard::AppToken(endpoint) => {
            authenticate(&entry, shared, head)?;
            let Some(limit) = shared.rate_limit.of(endpoint) else { return Ok(entry) };
            if shared.shared_calls.is_some() {
                return Ok(entry);
            }
            let permit = entry.calls.take(endpoint, limit, &*shared.watch);
            admitted(permit, Some(endpoint), limit.get())?;
        }
        Guard::Credentials => {
            let Some(limit) = shared.rate_limit.of_token() else { return Ok(entry) };
            let permit = shared.token_calls.take(trace.peer, limit, &*shared.watch);
            admitted(permit, None, limit.get())?;
        }
    }
    Ok(entry)
}

/// The app's limit, where several servers share it.
async fn admit_shared(
    calls: &SharedCalls,
    guard: Guard,
    shared: &Shared,
    entry: &AppEntry,
) -> Result<(), Failure> {
    let Guard::AppToken(endpoint) = guard else { return Ok(()) };
    let Some(limit) = shared.rate_limit.of(endpoint) else { return Ok(()) };
    match calls.take(entry.app.id, endpoint, limit).await {
        Some(permit) => admitted(permit, Some(endpoint), limit.get()),
        None => Err(Failure::LimitUnknown),
    }
}

/// Whether the store may be asked for a change.
fn changes(guard: Guard, head: &request::Parts) -> bool {
    matches!(guard, Guard::AppToken(_)) && !head.method.is_safe()
}

fn authenticate(entry: &AppEntry, shared: &Shared, head: &request::Parts) -> Result<(), Failure> {
    match bearer(&head.headers) {
        Bearer::Token(token) if entry.signer.accepts(token, shared.clock.now()) => Ok(()),
        Bearer::Token(_) | Bearer::Other => Err(Failure::Unauthorized),
        Bearer::Blank => Err(match shared.compat.blank_token {
            BlankToken::Documented => Failure::Unauthorized,
            BlankToken::Recorded => Failure::BlankToken,
        }),
    }
}

fn admitted(permit: Permit, endpoint: Option<Limit>, limit: u32) -> Result<(), Failure> {
    match permit {
        Permit::Admitted { .. } => Ok(()),
        Permit::Exhausted { retry_after } => {
            Err(Failure::RateLimited(Exhausted { endpoint, limit, retry_after }))
        }
    }
}

/// Reads a body to its end, or as far as it may go.
async fn read(body: Body, limit: usize) -> Result<Bytes, Failure> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let mut limited = Limited::new(body, limit);
    match (&mut limited).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            discard(limited, limit).await;
            Err(Failure::BodyTooLarge { limit })
        }
        Err(_) => Err(Failure::BodyBroken),
    }
}

async fn refuse(
    failure: &Failure,
    place: &Place<'_>,
    trace: &Trace,
    shared: &Shared,
    unread: Option<Body>,
    head: &request::Parts,
) -> Response {
    if let Some(body) = unread
        && !body.is_end_stream()
        // Who asks before sending is told not to.
        && !head.headers.contains_key(EXPECT)
    {
        discard(body, shared.body).await;
    }
    answer::failure(failure, place, trace, &*shared.clock)
}

/// What is left of the body would be read as the next request.
fn close(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// How long a body that nobody wants is read.
const PATIENCE: Duration = Duration::from_secs(1);

/// Reads on for a while and throws away: a client that is still sending would lose the answer with the connection.
async fn discard(body: impl http_body::Body<Data = Bytes> + Unpin, most: usize) {
    let read = async {
        let (mut body, mut seen) = (body, 0_usize);
        while let Some(Ok(frame)) = body.frame().await {
            seen = seen.saturating_add(frame.data_ref().map_or(0, Bytes::len));
            if seen > most {
                return;
            }
        }
    };
    // Whoever sends longer than that loses the answer.
    let _ = tokio::time::timeout(PATIENCE, read).await;
}
