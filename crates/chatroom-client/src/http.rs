//! One call: its attempts, its answer, its error.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use chatroom_protocol::path::InvalidSegment;
use chatroom_protocol::{Envelope, ErrorBody};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::clock::Clock;
use crate::error::{Error, Kind};
use crate::retry::RetryPolicy;

const X_REQUEST_ID: &str = "x-request-id";
/// More than any answer of the API; a server that sends more is not one.
const LONGEST_BODY: usize = 16 * 1024 * 1024;
/// How much of a body that cannot be read goes into the error, in characters.
const BEGINNING: usize = 200;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a call does to the server's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    Read,
    /// It makes something or takes something away, and must not do so twice.
    Change,
}

/// A request, as often as it is sent.
#[derive(Debug)]
pub(crate) struct Call {
    /// What it does, in the words of its error: `cannot {name}: …`.
    name: &'static str,
    effect: Effect,
    method: Method,
    path: Result<String, InvalidSegment>,
    query: Vec<(&'static str, String)>,
    body: Option<Bytes>,
}

impl Call {
    pub(crate) fn get(name: &'static str, path: Result<String, InvalidSegment>) -> Self {
        Self { name, effect: Effect::Read, method: Method::GET, path, query: vec![], body: None }
    }

    pub(crate) fn post(name: &'static str, path: Result<String, InvalidSegment>) -> Self {
        Self { effect: Effect::Change, method: Method::POST, ..Self::get(name, path) }
    }

    pub(crate) fn delete(name: &'static str, path: Result<String, InvalidSegment>) -> Self {
        Self { effect: Effect::Change, method: Method::DELETE, ..Self::get(name, path) }
    }

    pub(crate) fn effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    pub(crate) fn query(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    pub(crate) fn json(self, body: &impl Serialize) -> Self {
        // The protocol's types hold strings and numbers only, so writing them cannot fail.
        Self { body: Some(serde_json::to_vec(body).unwrap_or_default().into()), ..self }
    }

    fn error(&self, kind: Kind, request_id: Option<String>) -> Error {
        Error::new(kind, self.name, self.effect, request_id)
    }
}

/// A successful answer, not yet read.
#[derive(Debug)]
pub(crate) struct Answer {
    call: &'static str,
    effect: Effect,
    status: u16,
    request_id: Option<String>,
    body: Bytes,
}

impl Answer {
    /// Reads the body as `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| self.unreadable(error.to_string()))
    }

    /// Reads the body as an envelope, and takes its `data`.
    pub(crate) fn data<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let envelope: Envelope<'static, T, serde::de::IgnoredAny> = self.read()?;
        envelope.data.ok_or_else(|| self.unreadable("`data` is missing".to_owned()))
    }

    /// Reads a text as an id; what the server sends must be right too.
    pub(crate) fn parse<T>(&self, text: &str) -> Result<T, Error>
    where
        T: std::str::FromStr<Err: ToString>,
    {
        text.parse().map_err(|error: T::Err| self.unreadable(error.to_string()))
    }

    /// Where the next page begins. A server that sends the same cursor again would be asked for ever.
    pub(crate) fn next(
        &self,
        next: Option<Cow<'_, str>>,
        asked: Option<&str>,
    ) -> Result<Option<String>, Error> {
        match next {
            Some(next) if asked == Some(&*next) => {
                Err(self.unreadable("the cursor does not move on".to_owned()))
            }
            Some(next) if !next.is_empty() => Ok(Some(next.into_owned())),
            Some(_) | None => Ok(None),
        }
    }

    /// The body is not what the call answers.
    pub(crate) fn unreadable(&self, why: String) -> Error {
        let kind = Kind::Unreadable { status: self.status, beginning: beginning(&self.body), why };
        Error::new(kind, self.call, self.effect, self.request_id.clone())
    }

    /// The server says that it did not do it.
    pub(crate) fn not_done(&self, why: Option<&str>) -> Error {
        let why = why.unwrap_or("the server gives no reason").to_owned();
        Error::new(
            Kind::NotDone { status: self.status, why },
            self.call,
            self.effect,
            self.request_id.clone(),
        )
    }
}

/// Sends calls to one base URL.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) client: reqwest::Client,
    pub(crate) base: Url,
    pub(crate) retry: RetryPolicy,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Http {
    /// Sends the call, and again as the policy allows.
    pub(crate) async fn send(
        &self,
        call: &Call,
        authorization: Option<&HeaderValue>,
    ) -> Result<Answer, Error> {
        let mut attempt = 1;
        let mut waited = Duration::ZERO;
        loop {
            let error = match self.send_once(call, authorization).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let chance = self.clock.chance();
            let Some(wait) = self.retry.wait_after(&error, call.effect, attempt, waited, chance) else {
                return Err(error);
            };
            tracing::debug!(attempt, wait_ms = wait.as_millis(), %error, "repeating a call");
            self.clock.sleep(wait).await;
            waited += wait;
            attempt += 1;
        }
    }

    async fn send_once(&self, call: &Call, authorization: Option<&HeaderValue>) -> Result<Answer, Error> {
        let path = call.path.as_deref().map_err(|why| call.error(Kind::Path(*why), None))?;
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        // Sent, so that a call whose answer is lost can be found in the server's log.
        let sent_id = format!("{:032x}", rand::random::<u128>());
        let mut request =
            self.client.request(call.method.clone(), url).header(ACCEPT, JSON).header(X_REQUEST_ID, &sent_id);
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, JSON).body(body.clone());
        }
        match request.send().await {
            Ok(response) => self.read(call, sent_id, response).await,
            Err(source) => {
                let unsent = source.is_connect() || source.is_builder();
                Err(call.error(
                    Kind::Broken { unsent, status: None, source: source.without_url() },
                    Some(sent_id),
                ))
            }
        }
    }

    async fn read(&self, call: &Call, sent_id: String, response: Response) -> Result<Answer, Error> {
        let status = response.status();
        let headers = response.headers();
        let named = headers.get(X_REQUEST_ID).and_then(|id| id.to_str().ok());
        let request_id = Some(named.map_or(sent_id, str::to_owned));
        let retry_after = retry_after(headers, self.clock.wall());
        let read = body(response).await;
        let status_number = status.as_u16();
        if status.is_success() {
            return match read {
                Ok(body) => Ok(Answer {
                    call: call.name,
                    effect: call.effect,
                    status: status_number,
                    request_id,
                    body,
                }),
                Err(source) => {
                    let source = source.without_url();
                    let kind = Kind::Broken { unsent: false, status: Some(status_number), source };
                    Err(call.error(kind, request_id))
                }
            };
        }
        // The status of a refusal is known even if its body broke off.
        let body = read.unwrap_or_default();
        let kind = match serde_json::from_slice::<ErrorBody<'_>>(&body) {
            Ok(parsed) if !parsed.error.is_empty() => Kind::Answer {
                status: status_number,
                code: parsed.error.into_owned(),
                description: parsed.error_description.into_owned(),
                retry_after,
            },
            Ok(_) | Err(_) => {
                Kind::NotJson { status: status_number, beginning: beginning(&body), retry_after }
            }
        };
        Err(call.error(kind, request_id))
    }
}

/// The body, at most [`LONGEST_BODY`] of it.
async fn body(mut response: Response) -> Result<Bytes, reqwest::Error> {
    let mut all = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        all.extend_from_slice(&chunk);
        if all.len() > LONGEST_BODY {
            // What is cut here cannot be parsed, and says so.
            break;
        }
    }
    Ok(all.freeze())
}

fn beginning(body: &[u8]) -> String {
    let start = body.get(..BEGINNING * 4).unwrap_or(body);
    String::from_utf8_lossy(start).chars().take(BEGINNING).collect()
}

/// `Retry-After` as a span, from seconds or a date. A date is compared with the answer's own `Date`, so that
/// clocks that differ do not matter; without one, with `now`.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let from = date.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    Some(until.duration_since(from).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(reqwest::header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        const NOON: &str = "Mon, 23 Nov 2026 12:00:00 GMT";
        const LATER: &str = "Mon, 23 Nov 2026 12:00:07 GMT";
        let noon = httpdate::parse_http_date(NOON).unwrap();
        let read = |pairs: &[_]| retry_after(&headers(pairs), noon);
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[(RETRY_AFTER, "soon")]), None);
        assert_eq!(read(&[(RETRY_AFTER, "-1")]), None);
        assert_eq!(read(&[(RETRY_AFTER, " 3")]), Some(Duration::from_secs(3)));
        assert_eq!(read(&[(RETRY_AFTER, LATER)]), Some(Duration::from_secs(7)));
        assert_eq!(read(&[(RETRY_AFTER, NOON), (DATE, LATER)]), Some(Duration::ZERO));
        assert_eq!(
            read(&[(RETRY_AFTER, LATER), (DATE, "Mon, 23 Nov 2026 12:00:05 GMT")]),
            Some(Duration::from_secs(2))
        );
    }

    #[test]
    fn the_beginning_of_a_body_is_short_and_never_panics() {
        assert_eq!(beginning(b"<html>"), "<html>");
        assert_eq!(beginning("ü".repeat(1_000).as_bytes()).chars().count(), BEGINNING);
        assert_eq!(beginning(&[0xff]), "\u{fffd}");
    }
}
