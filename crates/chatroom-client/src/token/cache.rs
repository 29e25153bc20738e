//! One token for all callers, and one fetch however many wait for it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;

use super::TokenSource;
use crate::clock::Clock;
use crate::error::{Error, Kind};
use crate::http::Effect;

/// A token is renewed so long before it expires, or at half its life if that is shorter.
const MARGIN: Duration = Duration::from_secs(60);
/// When the renewal of a token that is still valid fails, the next attempt comes after so long.
const PAUSE: Duration = Duration::from_secs(10);

/// A token as it is sent.
pub(crate) struct Held {
    pub(crate) header: HeaderValue,
    expires: Option<Instant>,
}

type Fetch = BoxFuture<'static, Result<Arc<Held>, Error>>;

#[derive(Clone)]
pub(crate) struct TokenCache(Arc<Inner>);

struct Inner {
    source: Arc<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Arc<Held>>,
    renew_at: Option<Instant>,
    /// Weak, so that a fetch ends when nobody waits for it, instead of standing still until the next caller.
    fetch: Option<WeakShared<Fetch>>,
}

impl TokenCache {
    pub(crate) fn new(source: Arc<dyn TokenSource>, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { source, clock, state: Mutex::default() }))
    }

    /// A token that is valid, fetched if need be.
    pub(crate) async fn get(&self) -> Result<Arc<Held>, Error> {
        let now = self.0.clock.now();
        let (fetch, old) = {
            let mut state = self.0.state();
            match &state.held {
                Some(held) if state.renew_at.is_none_or(|at| now < at) => return Ok(Arc::clone(held)),
                _ => {}
            }
            let old = state.held.clone().filter(|held| held.expires.is_none_or(|at| now < at));
            (self.join(&mut state), old)
        };
        match (fetch.await, old) {
            (Err(error), Some(old)) => {
                tracing::debug!(%error, "cannot renew the token, which is still valid");
                Ok(old)
            }
            (fetched, _) => fetched,
        }
    }

    /// Another token than `refused`: the one that somebody fetched meanwhile, or a new one.
    pub(crate) async fn renew(&self, refused: &Arc<Held>) -> Result<Arc<Held>, Error> {
        let fetch = {
            let mut state = self.0.state();
            match &state.held {
                Some(held) if !Arc::ptr_eq(held, refused) => return Ok(Arc::clone(held)),
                _ => state.held = None,
            }
            self.join(&mut state)
        };
        fetch.await
    }

    /// The fetch that is under way, or a new one.
    fn join(&self, state: &mut State) -> Shared<Fetch> {
        if let Some(fetch) = state.fetch.as_ref().and_then(WeakShared::upgrade) {
            return fetch;
        }
        let inner = Arc::clone(&self.0);
        let fetch = async move { inner.fetch().await }.boxed().shared();
        state.fetch = fetch.downgrade();
        fetch
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock, and every state in it is a good one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self) -> Result<Arc<Held>, Error> {
        let asked = self.clock.now();
        let fetched = match self.source.fetch().await {
            Ok(token) => match HeaderValue::from_str(&format!("Bearer {}", token.secret.expose_secret())) {
                Ok(header) => Ok((header, token.valid_for)),
                Err(error) => Err(failure(error.into())),
            },
            Err(error) => Err(failure(error)),
        };
        let mut state = self.state();
        state.fetch = None;
        match fetched {
            Ok((mut header, valid_for)) => {
                header.set_sensitive(true);
                let held =
                    Arc::new(Held { header, expires: valid_for.and_then(|span| asked.checked_add(span)) });
                state.renew_at = valid_for.and_then(|span| asked.checked_add(span - MARGIN.min(span / 2)));
                state.held = Some(Arc::clone(&held));
                Ok(held)
            }
            Err(error) => {
                // The failure itself is not kept: who comes next without a valid token asks again.
                let until = self.clock.now() + PAUSE;
                let expires = state.held.as_ref().and_then(|held| held.expires);
                state.renew_at = Some(expires.map_or(until, |expires| expires.min(until)));
                Err(error)
            }
        }
    }
}

/// Our own errors pass as they are.
fn failure(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => Error::new(Kind::Token(error), "fetch a token", Effect::Read, None),
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").finish_non_exhaustive()
    }
}
