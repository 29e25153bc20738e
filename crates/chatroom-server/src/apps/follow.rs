//! Apps that other processes change, in stores that several share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::view::Apps;
use crate::serve::Life;

/// How long to wait after the store could not be read.
const PAUSE: Duration = Duration::from_millis(200);

/// Reads the apps again whenever they were changed, and wakes the sweeper, for whom a deletion leaves work; until
/// `stop`.
pub(crate) async fn follow(
    apps: Arc<Apps>,
    life: Arc<dyn Life>,
    sweeper: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut known = 0;
    let follow = async {
        loop {
            let seen = life.registry_changed(known).await;
            match apps.refresh().await {
                Ok(()) => {
                    known = seen;
                    sweeper.notify_one();
                }
                Err(error) => {
                    tracing::warn!(%error, "the apps were changed and cannot be read, which is tried again: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = follow => {}
    }
}
