//! Time and chance, injected: tests wait for nobody.

use std::fmt::Debug;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;

#[async_trait]
pub(crate) trait Clock: Debug + Send + Sync + 'static {
    /// For spans: never goes back.
    fn now(&self) -> Instant;
    /// For `Retry-After` as a date, where the answer has no date of its own.
    fn wall(&self) -> SystemTime;
    /// A random number from 0 up to 1.
    fn chance(&self) -> f64;
    async fn sleep(&self, span: Duration);
}

#[derive(Debug)]
pub(crate) struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the module that injects the time")]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn chance(&self) -> f64 {
        rand::random()
    }

    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}
