//! The ledger as a node reaches it: late, not at all, or without the node hearing of it.

use std::future::Future;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, sleep};

use super::super::{Look, NodeId, PermitLedger, Pulse, Seen, Swap};
use crate::error::{StorageError, StorageErrorKind};
use crate::test_util::{Book, MemoryLedger};

/// What goes wrong, in thousandths of all trips.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trouble {
    /// The ledger never hears of it.
    pub(super) lost: u32,
    /// The node does not hear of what was done.
    pub(super) unheard: u32,
    /// It is done some time after the node was told that it failed.
    pub(super) late: u32,
    /// The longest way of a message, in milliseconds.
    pub(super) slow: u64,
}

pub(super) struct World {
    pub(super) ledger: MemoryLedger,
    pub(super) trouble: Trouble,
    rng: Mutex<StdRng>,
    began: Instant,
    state: Mutex<State>,
    pub(super) admitted: Mutex<Vec<u64>>,
    pub(super) trips: Mutex<u64>,
}

#[derive(Default)]
struct State {
    /// How often the database failed over, and whether there is none at the moment.
    epoch: u64,
    down: bool,
    /// What was written when: of the last time that a failover can lose.
    past: Vec<(u64, Book)>,
}

/// The most that a failover loses, in milliseconds.
pub(super) const LOST: u64 = 5_000;

impl World {
    pub(super) fn new(seed: u64, trouble: Trouble) -> Arc<Self> {
        Arc::new(Self {
            ledger: MemoryLedger::default(),
            trouble,
            rng: Mutex::new(StdRng::seed_from_u64(seed)),
            began: Instant::now(),
            state: Mutex::default(),
            admitted: Mutex::default(),
            trips: Mutex::default(),
        })
    }

    /// True time in microseconds.
    pub(super) fn time(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap()
    }

    /// A random number below `bound`.
    pub(super) fn below(&self, bound: u64) -> u64 {
        self.rng.lock().unwrap().random_range(0..bound.max(1))
    }

    fn happens(&self, thousandths: u32) -> bool {
        self.below(1_000) < u64::from(thousandths)
    }

    /// The database is away for `down`, and comes back without what was written in the last `lost` milliseconds.
    pub(super) async fn fail_over(&self, lost: u64, down: u64) {
        let then = self.time().saturating_sub(lost * 1_000);
        {
            let mut state = self.state.lock().unwrap();
            (state.epoch, state.down) = (state.epoch + 1, true);
        }
        sleep(Duration::from_millis(down)).await;
        let mut state = self.state.lock().unwrap();
        if lost > 0 {
            state.past.retain(|(at, _)| *at <= then);
            let kept = state.past.last().map(|(_, book)| book.clone());
            self.ledger.go_back_to(kept.unwrap_or_default());
        }
        state.down = false;
    }

    /// `None` if there is no database at the moment.
    fn epoch(&self) -> Option<u64> {
        let state = self.state.lock().unwrap();
        (!state.down).then_some(state.epoch)
    }

    fn remember(&self) {
        let (now, mut state) = (self.time(), self.state.lock().unwrap());
        state.past.push((now, self.ledger.book()));
        // The last one before that time is what there was at its beginning.
        let old = state.past.partition_point(|(at, _)| *at + LOST * 1_000 < now);
        state.past.drain(..old.saturating_sub(1));
    }
}

/// One node's way to the ledger.
pub(super) struct Way {
    world: Arc<World>,
    /// How often the database had failed over when the node last called: a connection does not outlive that.
    epoch: AtomicU64,
}

impl Way {
    pub(super) fn new(world: &Arc<World>) -> Self {
        let epoch = world.state.lock().unwrap().epoch;
        Self { world: Arc::clone(world), epoch: AtomicU64::new(epoch) }
    }

    async fn trip<T, F>(&self, work: impl FnOnce(Arc<World>) -> F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let world = &self.world;
        *world.trips.lock().unwrap() += 1;
        let now = world.state.lock().unwrap().epoch;
        // Whoever had a connection from before hears of its loss.
        if self.epoch.swap(now, Ordering::SeqCst) != now {
            return Err(away());
        }
        let epoch = world.epoch().ok_or_else(away)?;
        self.message().await;
        if world.happens(world.trouble.lost) {
            sleep(Duration::from_millis(300)).await;
            return Err(away());
        }
        let work = work(Arc::clone(world));
        if world.happens(world.trouble.late) {
            let (world, wait) = (Arc::clone(world), world.below(5_000));
            tokio::spawn(async move {
                sleep(Duration::from_millis(wait)).await;
                if world.epoch() == Some(epoch) {
                    work.await;
                    world.remember();
                }
            });
            return Err(away());
        }
        if world.epoch() != Some(epoch) {
            return Err(away());
        }
        let done = work.await;
        world.remember();
        if world.happens(world.trouble.unheard) {
            return Err(away());
        }
        self.message().await;
        if world.epoch() == Some(epoch) { Ok(done) } else { Err(away()) }
    }

    async fn message(&self) {
        let slow = self.world.below(self.world.trouble.slow + 1);
        if slow > 0 {
            sleep(Duration::from_millis(slow)).await;
        }
    }
}

fn away() -> StorageError {
    StorageError::new(StorageErrorKind::Unavailable, "staged")
}

#[async_trait]
impl PermitLedger for Way {
    async fn join(&self, node: NodeId) -> Result<(), StorageError> {
        self.trip(|world| async move { world.ledger.join(node).await }).await?
    }

    async fn look(&self, look: &Look) -> Result<Seen, StorageError> {
        let (records, roster) = (look.clone(), Look { beat: None, keys: Vec::new() });
        self.trip(|world| async move {
            let seen = world.ledger.look(&records).await?;
            // The roster is read in a statement of its own.
            sleep(Duration::from_millis(world.below(3))).await;
            Ok(Seen { roster: world.ledger.look(&roster).await?.roster, ..seen })
        })
        .await?
    }

    async fn swap(&self, swaps: &[Swap]) -> Result<Vec<bool>, StorageError> {
        let swaps = swaps.to_vec();
        self.trip(|world| async move { world.ledger.swap(&swaps).await }).await?
    }

    async fn remove(&self, dead: &[Pulse]) -> Result<(), StorageError> {
        let dead = dead.to_vec();
        self.trip(|world| async move { world.ledger.remove(&dead).await }).await?
    }
}
