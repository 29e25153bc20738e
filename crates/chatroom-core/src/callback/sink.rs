//! Where events go.

use std::time::Duration;

use async_trait::async_trait;

use super::rule::Rule;
use crate::event::Event;

/// Hands one event to one receiver.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait CallbackSink: Send + Sync + 'static {
    /// Makes one attempt, bounded in time. `attempt` counts from 1; what is sent is the same on every one of them,
    /// but for the time of the attempt and its signature. Dropping the future abandons the attempt: the receiver may
    /// or may not have got the event, so it is to be made again.
    ///
    /// # Errors
    /// [`DeliveryFailure`] if the receiver did not take the event, or may not have.
    async fn deliver(&self, to: &Rule, event: &Event, attempt: u32) -> Result<Delivered, DeliveryFailure>;
}

/// What the receiver that took an event said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// Its status: 2xx.
    pub status: u16,
    /// How long it took to say so.
    pub took: Duration,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct DeliveryFailure {
    /// In words, for people. It holds no secret and nothing that the receiver said beyond its status.
    pub words: Box<str>,
    /// How long the receiver asked to be left alone.
    pub retry_after: Option<Duration>,
}

impl DeliveryFailure {
    /// A failure in words.
    #[must_use]
    pub fn new(words: impl Into<Box<str>>) -> Self {
        Self { words: words.into(), retry_after: None }
    }
}
