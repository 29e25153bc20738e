//! Tokens: where they come from, and how many callers share one.

pub(crate) mod cache;
pub(crate) mod credentials;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

/// A token and how long it is valid. Its `Debug` does not show it.
#[derive(Clone)]
pub struct Token {
    pub(crate) secret: SecretString,
    pub(crate) valid_for: Option<Duration>,
}

impl Token {
    /// A token that is valid for so long, counted from when it was asked for; `None` if it never expires.
    #[must_use]
    pub fn new(secret: SecretString, valid_for: Option<Duration>) -> Self {
        Self { secret, valid_for }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("valid_for", &self.valid_for).finish_non_exhaustive()
    }
}

/// Where tokens come from, if not from credentials: a vault, or a service that shares one token among many.
///
/// The client keeps the token, renews it in time, and calls this once for however many callers need one.
#[async_trait]
pub trait TokenSource: Send + Sync + 'static {
    /// Gets a token that is valid now, and not one that was handed out before and may have been refused.
    ///
    /// # Errors
    /// Whatever hinders it. All calls that wait for the token fail with it, and the next call asks again.
    ///
    /// # Dropped futures
    /// The future is dropped when every call that waits for it was.
    async fn fetch(&self) -> Result<Token, Box<dyn std::error::Error + Send + Sync>>;
}
