//! The dispatcher, as long as the server runs.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chatroom_callback::{CLOSING, Dispatcher, Pace};
use chatroom_core::{CallbackLeases, CallbackSink, Clock, RetrySchedule};
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use crate::config::CallbackConfig;

/// How long nothing is delivered after the dispatcher ended badly.
const REST: Duration = Duration::from_secs(5);

/// Delivers until `stop` is cancelled, then waits for attempts that are under way and settles. Whatever goes wrong
/// here is logged and goes no further: calls are answered all the same. Dropping the future loses nothing: leases end
/// by themselves, and what was under way is delivered again.
pub(crate) async fn deliver(
    leases: Arc<dyn CallbackLeases>,
    sink: Arc<dyn CallbackSink>,
    clock: Arc<dyn Clock>,
    config: CallbackConfig,
    stop: CancellationToken,
) {
    let schedule = RetrySchedule { give_up_after: config.give_up_after };
    // An attempt may wait for a connection that was given up before it.
    let pace = Pace { attempt: config.timeout + CLOSING, schedule, ..Pace::default() };
    while !stop.is_cancelled() {
        let dispatcher = Dispatcher::new(leases.clone(), sink.clone(), clock.clone(), pace);
        // A panic is in the log already, with its place.
        if AssertUnwindSafe(dispatcher.run(stop.clone())).catch_unwind().await.is_ok() {
            return;
        }
        tracing::error!("the delivery of callbacks ended badly: it begins anew in {REST:?}");
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = stop.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use chatroom_core::test_util::ManualClock;
    use chatroom_core::{
        LeaseRequest, Leased, MockCallbackSink, Settled, Settlement, StorageError, StorageErrorKind,
    };
    use tokio::time::Instant;

    use super::*;

    /// Panics when it is first asked, fails when it is asked again, and ends the delivery then.
    struct Broken {
        asked: AtomicUsize,
        end: CancellationToken,
    }

    #[async_trait]
    impl CallbackLeases for Broken {
        async fn lease(&self, _: LeaseRequest) -> Result<Leased, StorageError> {
            assert!(self.asked.fetch_add(1, Ordering::SeqCst) > 0, "the first time it panics");
            self.end.cancel();
            Err(StorageError::new(StorageErrorKind::Unavailable, "gone"))
        }

        async fn settle(&self, _: Vec<Settlement>) -> Result<Vec<Settled>, StorageError> {
            Ok(Vec::new())
        }

        async fn more(&self) {}
    }

    #[tokio::test(start_paused = true)]
    async fn a_delivery_that_panics_begins_anew_and_a_stop_ends_it_while_the_store_fails() {
        let stop = CancellationToken::new();
        let leases = Arc::new(Broken { asked: AtomicUsize::new(0), end: stop.clone() });
        let config = crate::config::Config::default().callback;
        let began = Instant::now();
        let (sink, clock) = (Arc::new(MockCallbackSink::new()), Arc::new(ManualClock::at(0)));
        deliver(leases.clone(), sink, clock, config, stop).await;
        assert_eq!((leases.asked.load(Ordering::SeqCst), began.elapsed()), (2, REST));
    }
}
