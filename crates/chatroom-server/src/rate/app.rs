use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use chatroom_core::{OfOneApp, Permit, RollingSecond};

use crate::clock::Stopwatch;
use crate::config::Endpoint;

/// The calls of one app.
#[derive(Debug, Default)]
pub(crate) struct AppCalls {
    /// Those of the last second, each endpoint on its own.
    lately: [Mutex<RollingSecond>; Endpoint::ALL.len()],
    /// Those that the store has now.
    pub(crate) inside: OfOneApp,
}

impl AppCalls {
    /// Asks for one call of this endpoint.
    pub(crate) fn take(&self, endpoint: Endpoint, limit: NonZeroU32, watch: &dyn Stopwatch) -> Permit {
        let mut calls = self.lately[endpoint as usize].lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, or the times would not be in order.
        calls.take(limit.get(), watch.micros())
    }
}
