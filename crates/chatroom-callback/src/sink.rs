//! Posts events.

mod failure;
mod reply;
mod sockets;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatroom_core::{CallbackSink, Clock, Delivered, DeliveryFailure, Event, Rule, Timestamp};
use chatroom_protocol::callbacks::webhook;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use tokio::time::Instant;

use self::sockets::Sockets;
use crate::body::body;
use crate::guard::{Guard, GuardedResolver, Resolver};
use crate::tls;

pub use self::reply::Reply;
pub use self::sockets::CLOSING;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const USER_AGENT: &str = concat!("chatroom/", env!("CARGO_PKG_VERSION"));
/// How long a connection that nobody uses is kept: less than receivers commonly keep it.
const IDLE: Duration = Duration::from_secs(30);

/// Posts each event to its rule's URL: the vendor's body, signed twice. Success is any 2xx.
///
/// One HTTP client serves all rules: it keeps connections by origin, and no rule uses more than
/// [`ROOMS_AT_ONCE`](chatroom_core::ROOMS_AT_ONCE) at once. Neither redirects nor proxies are followed.
pub struct WebhookSink {
    client: reqwest::Client,
    guard: Guard,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    sockets: Sockets,
    /// Why https cannot be spoken.
    no_tls: Option<Box<str>>,
}

/// Why a sink could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// TLS could not be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The HTTP client could not be set up.
    #[error("the HTTP client cannot be set up")]
    Http(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl WebhookSink {
    /// Posts to what `guard` admits. An attempt takes up to `timeout`: the connection, the request and the head of
    /// the answer.
    ///
    /// # Errors
    /// [`BuildError`] if TLS or the HTTP client cannot be set up.
    pub fn new(
        guard: Guard,
        resolver: Arc<dyn Resolver>,
        clock: Arc<dyn Clock>,
        timeout: Duration,
    ) -> Result<Self, BuildError> {
        let (tls, no_tls) = tls::config().map_err(|error| BuildError::Tls(error.into()))?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(GuardedResolver { guard: guard.clone(), resolver })
            .http1_only()
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .user_agent(USER_AGENT)
            .pool_max_idle_per_host(chatroom_core::ROOMS_AT_ONCE)
            .pool_idle_timeout(IDLE)
            .build()
            .map_err(|error| BuildError::Http(error.into()))?;
        let no_tls = no_tls.map(|error| error.to_string().into());
        Ok(Self { client, guard, clock, timeout, sockets: Sockets::default(), no_tls })
    }

    /// Posts an event once and says what came back, whatever its status: what `callback test` shows.
    ///
    /// # Errors
    /// [`DeliveryFailure`] if nothing came back.
    pub async fn exchange(&self, to: &Rule, event: &Event) -> Result<Reply, DeliveryFailure> {
        let now = self.clock.now();
        let request = self.request(to, event, now)?;
        let socket = self.sockets.take(to.id).await;
        let began = Instant::now();
        let sent = tokio::time::timeout(self.timeout, request.send()).await;
        let response = match sent {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(failure::of(&error)),
            Err(_) => {
                Sockets::close(socket);
                return Err(DeliveryFailure::new(format!("no answer within {:?}", self.timeout)));
            }
        };
        let reply = reply::read(response, began, now).await;
        drop(socket);
        Ok(reply)
    }

    /// Makes the request, unless its host is an address that may not be asked: those the resolver never sees.
    fn request(
        &self,
        to: &Rule,
        event: &Event,
        now: Timestamp,
    ) -> Result<reqwest::RequestBuilder, DeliveryFailure> {
        let url =
            self.guard.check_url(&to.url).map_err(|refusal| DeliveryFailure::new(refusal.to_string()))?;
        if let (Some(why), "https") = (&self.no_tls, url.scheme()) {
            return Err(DeliveryFailure::new(format!("https cannot be spoken here: {why}")));
        }
        let id = event.id.to_string();
        let body = body(to, event, &id, to.secrets.for_security(now).expose());
        let body = body.ok_or_else(|| DeliveryFailure::new("this version cannot tell of such an event"))?;
        let keys = to.secrets.signing(now).map(|secret| webhook::Key::parse(secret.expose()));
        let keys: Vec<_> = keys
            .collect::<Result<_, _>>()
            .map_err(|invalid: webhook::InvalidSecret| DeliveryFailure::new(invalid.to_string()))?;
        let seconds = now.as_millis().div_euclid(1_000);
        let signature = webhook::sign(&keys, &id, seconds, &body);
        let request = self.client.post(url).header(CONTENT_TYPE, JSON);
        Ok(request
            .header(webhook::ID, id)
            .header(webhook::TIMESTAMP, seconds)
            .header(webhook::SIGNATURE, signature)
            .body(Bytes::from(body)))
    }
}

#[async_trait]
impl CallbackSink for WebhookSink {
    async fn deliver(&self, to: &Rule, event: &Event, _attempt: u32) -> Result<Delivered, DeliveryFailure> {
        let reply = self.exchange(to, event).await?;
        if reply.is_success() {
            return Ok(Delivered { status: reply.status, took: reply.took });
        }
        Err(reply.failure())
    }
}

impl std::fmt::Debug for WebhookSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { guard, timeout, no_tls, .. } = self;
        let mut shown = f.debug_struct("WebhookSink");
        shown.field("guard", guard).field("timeout", timeout).field("no_tls", no_tls).finish_non_exhaustive()
    }
}
