//! The client and how it is made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chatroom_core::AppKey;
use chatroom_protocol::path::{self, InvalidSegment};
use secrecy::SecretString;
use url::Url;

use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::http::{Answer, Call, Http};
use crate::retry::RetryPolicy;
use crate::tls;
use crate::token::TokenSource;
use crate::token::cache::TokenCache;
use crate::token::credentials::Credentials;

/// A client of one app. Cloning is cheap; clones share connections and the token.
///
/// It needs a Tokio runtime with IO and time.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) app: AppKey,
    pub(crate) remove_batch: usize,
    pub(crate) batch: usize,
    http: Arc<Http>,
    tokens: TokenCache,
}

impl Client {
    /// Begins a client of `app` at `base_url`, such as `https://a1.easemob.com` or `http://127.0.0.1:8080`.
    #[must_use]
    pub fn builder(base_url: &str, app: AppKey) -> ClientBuilder {
        ClientBuilder {
            base_url: base_url.to_owned(),
            app,
            source: Source::None,
            token_ttl: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(35),
            retry: RetryPolicy::default(),
            remove_batch: 100,
            batch: 60,
            clock: Arc::new(SystemClock),
        }
    }

    /// Sends a call with a token; with a new one once more if that is not accepted.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Error> {
        let token = self.tokens.get().await?;
        match self.http.send(call, Some(&token.header)).await {
            Err(error) if error.is_unauthorized() => {
                let token = self.tokens.renew(&token).await?;
                self.http.send(call, Some(&token.header)).await
            }
            answered => answered,
        }
    }

    /// Both halves of the app key.
    pub(crate) fn org_app(&self) -> (&str, &str) {
        (self.app.org(), self.app.app())
    }
}

/// What a [`Client`] is made of. Only credentials or a token source are needed.
pub struct ClientBuilder {
    base_url: String,
    app: AppKey,
    source: Source,
    token_ttl: Option<Duration>,
    connect_timeout: Duration,
    timeout: Duration,
    retry: RetryPolicy,
    remove_batch: usize,
    batch: usize,
    clock: Arc<dyn Clock>,
}

enum Source {
    None,
    Credentials(String, SecretString),
    Other(Arc<dyn TokenSource>),
}

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base URL cannot be read.
    #[error("the base URL cannot be read")]
    UnreadableBaseUrl(#[source] url::ParseError),
    /// The base URL is none that calls can be made to.
    #[error("the base URL must begin with http:// or https:// and have no user, password, query or fragment")]
    UnusableBaseUrl,
    /// The app key cannot stand in a path.
    #[error("the app key cannot stand in a path")]
    UnusableAppKey(#[source] InvalidSegment),
    /// Neither credentials nor a token source were given.
    #[error("the client needs credentials or a token source")]
    NoTokenSource,
    /// TLS could not be set up: the platform's certificates cannot be read, for one.
    #[error("TLS cannot be set up")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The HTTP client could not be set up.
    #[error("the HTTP client cannot be set up")]
    Http(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ClientBuilder {
    /// Tokens are fetched from the server with these. Replaces a token source.
    #[must_use]
    pub fn credentials(self, client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Self {
        Self { source: Source::Credentials(client_id.into(), client_secret.into()), ..self }
    }

    /// Tokens come from here. Replaces credentials.
    #[must_use]
    pub fn token_source(self, source: impl TokenSource) -> Self {
        Self { source: Source::Other(Arc::new(source)), ..self }
    }

    /// How long fetched tokens are to be valid, in whole seconds; the server decides if this is not called.
    /// Zero means for ever. Has no effect on a token source.
    #[must_use]
    pub fn token_ttl(self, ttl: Duration) -> Self {
        Self { token_ttl: Some(ttl), ..self }
    }

    /// How long an attempt may take to connect: 5 seconds if not set.
    #[must_use]
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// How long an attempt may take in all: 35 seconds if not set, a little more than the server gives itself, so
    /// that its own answer comes first. When it ends after the request was sent, the outcome is unknown.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How calls are repeated.
    #[must_use]
    pub fn retry(self, retry: RetryPolicy) -> Self {
        Self { retry, ..self }
    }

    /// How many members one call removes at most: 100 if not set. Larger batches are split; 0 counts as 1.
    #[must_use]
    pub fn remove_batch(self, remove_batch: usize) -> Self {
        Self { remove_batch, ..self }
    }

    /// How many members one call adds, or users it registers, at most: 60 if not set. Larger batches are split;
    /// 0 counts as 1.
    #[must_use]
    pub fn batch(self, batch: usize) -> Self {
        Self { batch, ..self }
    }

    #[cfg(test)]
    pub(crate) fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Makes the client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`BuildError`]: the base URL, the app key or the token source are of no use, or TLS cannot be set up.
    pub fn build(self) -> Result<Client, BuildError> {
        let base = Url::parse(&self.base_url).map_err(BuildError::UnreadableBaseUrl)?;
        let https = base.scheme() == "https";
        let plain = base.username().is_empty() && base.password().is_none();
        let bare = base.query().is_none() && base.fragment().is_none();
        if !(https || base.scheme() == "http") || !plain || !bare {
            return Err(BuildError::UnusableBaseUrl);
        }
        path::encode(&[self.app.org(), self.app.app()]).map_err(BuildError::UnusableAppKey)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(https).map_err(|error| BuildError::Tls(error.into()))?)
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            // Shorter than servers keep idle connections, so that a request seldom meets a closing one.
            .pool_idle_timeout(Duration::from_secs(15))
            // A redirect would repeat the call elsewhere, with the token.
            .redirect(reqwest::redirect::Policy::none())
            // What is repeated is decided in one place, and that is not the transport.
            .retry(reqwest::retry::never())
            .user_agent(concat!("chatroom-client/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| BuildError::Http(error.into()))?;
        let http = Arc::new(Http { client, base, retry: self.retry, clock: Arc::clone(&self.clock) });
        let source: Arc<dyn TokenSource> = match self.source {
            Source::None => return Err(BuildError::NoTokenSource),
            Source::Other(source) => source,
            Source::Credentials(client_id, client_secret) => Arc::new(Credentials {
                http: Arc::clone(&http),
                app: self.app.clone(),
                client_id,
                client_secret,
                ttl: self.token_ttl,
            }),
        };
        let tokens = TokenCache::new(source, self.clock);
        Ok(Client { app: self.app, remove_batch: self.remove_batch, batch: self.batch, http, tokens })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("app", &self.app).finish_non_exhaustive()
    }
}
