use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chatroom_core::{
    AppId, ChatroomId, ChatroomRepository, MembersRequest, MembersSlice, Operation, Outcome, RoomKey,
    RoomView, StorageError, Sweep, TransactError, User, UserId, Username,
};
use tokio::time::{Instant, sleep_until};

/// How long one call takes, while the others wait: 2,000 a second.
const EACH: Duration = Duration::from_micros(500);

/// A store that does one call after the other, in the order in which they come. It refuses nothing: how many may wait
/// is for those before it to say.
pub(crate) struct SlowStore {
    inner: Arc<dyn ChatroomRepository>,
    /// When the last call that waits is done.
    busy_until: Mutex<Instant>,
    calls: AtomicU64,
}

impl SlowStore {
    pub(crate) fn over(inner: Arc<dyn ChatroomRepository>) -> Self {
        Self { inner, busy_until: Mutex::new(Instant::now()), calls: AtomicU64::new(0) }
    }

    /// How many calls it had.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Waits until all that came before are done, and then as long as one call takes.
    async fn turn(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let done = {
            let mut busy_until = self.busy_until.lock().unwrap_or_else(PoisonError::into_inner);
            *busy_until = Instant::now().max(*busy_until) + EACH;
            *busy_until
        };
        sleep_until(done).await;
    }
}

#[async_trait]
impl ChatroomRepository for SlowStore {
    async fn transact(&self, operation: Operation) -> Result<Outcome, TransactError> {
        self.turn().await;
        self.inner.transact(operation).await
    }

    async fn user(&self, app: AppId, name: &Username) -> Result<Option<User>, StorageError> {
        self.turn().await;
        self.inner.user(app, name).await
    }

    async fn users(
        &self,
        app: AppId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<User>, StorageError> {
        self.turn().await;
        self.inner.users(app, after, limit).await
    }

    async fn room(&self, key: &RoomKey) -> Result<Option<RoomView>, StorageError> {
        self.turn().await;
        self.inner.room(key).await
    }

    async fn rooms(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RoomView>, StorageError> {
        self.turn().await;
        self.inner.rooms(app, after, skip, limit).await
    }

    async fn members(
        &self,
        key: &RoomKey,
        request: MembersRequest,
    ) -> Result<Option<MembersSlice>, StorageError> {
        self.turn().await;
        self.inner.members(key, request).await
    }

    /// Not counted and not slowed: no call asks for it.
    async fn sweeps(&self, limit: usize) -> Result<Vec<Sweep>, StorageError> {
        self.inner.sweeps(limit).await
    }
}
