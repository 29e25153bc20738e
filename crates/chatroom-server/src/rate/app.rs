use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use chatroom_core::{Permit, RollingSecond};

use crate::clock::Stopwatch;
use crate::config::Endpoint;

/// The calls of one app in the last second, each endpoint on its own.
#[derive(Debug, Default)]
pub(crate) struct AppCalls([Mutex<RollingSecond>; Endpoint::ALL.len()]);

impl AppCalls {
    /// Asks for one call of this endpoint.
    pub(crate) fn take(&self, endpoint: Endpoint, limit: NonZeroU32, watch: &dyn Stopwatch) -> Permit {
        let mut calls = self.0[endpoint as usize].lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, or the times would not be in order.
        calls.take(limit.get(), watch.micros())
    }
}
