use std::sync::Arc;
use std::time::Duration;

use chatroom_core::Chatrooms;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Sweeps that one round looks at.
const AT_ONCE: usize = 16;
/// How long to wait when nobody says that there is work: it may have been left by a process that ended.
const NOW_AND_THEN: Duration = Duration::from_secs(60);
/// How long to wait after the store failed, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Removes in bounded commits what large operations left behind, until `stop`. Begins with what is there already.
/// Dropping the future stops between two commits or leaves one to the store.
pub(super) async fn run(chatrooms: Chatrooms, work: Arc<Notify>, stop: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    while !stop.is_cancelled() {
        match chatrooms.sweep(AT_ONCE).await {
            Ok(true) => {
                pause = FIRST_PAUSE;
                // Neighbours come first.
                tokio::task::yield_now().await;
            }
            Ok(false) => {
                pause = FIRST_PAUSE;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = work.notified() => {}
                    () = tokio::time::sleep(NOW_AND_THEN) => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "sweeping failed, it is tried again in {pause:?}: {error}");
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use chatroom_core::test_util::CountingIds;
    use chatroom_core::{
        AppId, Limits, MockChatroomRepository, Outcome, StorageError, StorageErrorKind, Sweep,
    };

    use super::*;

    #[tokio::test]
    async fn work_is_begun_at_the_start_and_tried_again_after_a_failure() {
        let stop = CancellationToken::new();
        let left = Arc::new(Mutex::new(vec![Ok(()), Err(StorageErrorKind::Unavailable), Ok(())]));
        let mut mock = MockChatroomRepository::new();
        let (next, done) = (left.clone(), stop.clone());
        mock.expect_sweeps().returning(move |_| match next.lock().unwrap().pop() {
            Some(Ok(())) => Ok(vec![Sweep::App(AppId(1))]),
            Some(Err(kind)) => Err(StorageError::new(kind, "staged")),
            None => {
                done.cancel();
                Ok(Vec::new())
            }
        });
        mock.expect_transact().times(2).returning(|_| Ok(Outcome::Swept { finished: true }));
        let chatrooms = Chatrooms::new(Arc::new(mock), Arc::new(CountingIds::default()), Limits::default());
        run(chatrooms, Arc::default(), stop).await;
        assert!(left.lock().unwrap().is_empty());
    }
}
