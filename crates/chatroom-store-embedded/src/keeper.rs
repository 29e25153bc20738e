//! The thread that keeps the directory small: checkpoints, snapshots, and the end of old events.

mod deliveries;
mod forget;
mod snapshots;
mod trim;

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatroom_core::Timestamp;

use crate::engine::{Engine, Phase};
use crate::journal::{JournalError, JournalReader, Left};
use crate::options::Options;
use crate::shared::Shared;

/// How often the thread looks.
const EVERY: Duration = Duration::from_millis(250);
/// How long it writes nothing of its own after a commit that did not fit on the disk.
const AFTER_FULL_MS: i64 = 10_000;

/// What is kept besides the state. One thread at a time works with it.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    reader: Box<dyn JournalReader>,
    dir: PathBuf,
    store_id: [u8; 16],
    keep: Duration,
    keep_bytes: u64,
    snapshot_bytes: u64,
    /// The first group that the newest snapshot does not cover: those below may be trimmed.
    covered: u64,
    /// The size of the newest snapshot.
    snapshot_size: u64,
    no_snapshot_before: Timestamp,
    /// When the backlog is tidied up next.
    next_tidying: Timestamp,
}

/// The newest snapshot of a directory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Covered {
    /// The first group that it does not cover.
    pub(crate) from: u64,
    pub(crate) bytes: u64,
}

/// What is to be trimmed, and whether it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trimmed {
    /// Nothing is left to trim.
    All,
    /// More is to be trimmed, but no snapshot covers it.
    Uncovered,
}

/// Work for the keeper was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("a snapshot cannot be written: {0}")]
    Snapshot(#[from] std::io::Error),
    #[error("a group that is to be trimmed cannot be read: {0}")]
    Decode(#[from] crate::codec::DecodeError),
    #[error("the store does not write any more")]
    Stopped,
}

impl Keeper {
    pub(crate) fn new(
        shared: Arc<Shared>,
        reader: Box<dyn JournalReader>,
        dir: PathBuf,
        store_id: [u8; 16],
        options: &Options,
        covered: Covered,
    ) -> Self {
        Self {
            shared,
            reader,
            dir,
            store_id,
            keep: options.keep,
            keep_bytes: options.keep_bytes,
            snapshot_bytes: options.snapshot_bytes,
            covered: covered.from,
            snapshot_size: covered.bytes,
            no_snapshot_before: Timestamp::from_millis(i64::MIN),
            next_tidying: Timestamp::from_millis(i64::MIN),
        }
    }

    /// Does what is to be done now. Everything that it does may stop anywhere and be done again.
    pub(crate) fn maintain(&mut self) -> Result<(), KeepError> {
        if self.shared.engine().phase != Phase::Open {
            return Err(KeepError::Stopped);
        }
        self.write_deliveries();
        self.checkpoint()?;
        // A group that cannot be read stays, and whoever looks after the store is told; the rest needs no trimming.
        let trimmed = self.trim();
        if self.shared.engine().phase != Phase::Open {
            return trimmed.and(Err(KeepError::Stopped));
        }
        let due = self.snapshot_is_due(*trimmed.as_ref().unwrap_or(&Trimmed::All));
        let snapshot = if due { self.snapshot().and_then(|()| self.trim()) } else { Ok(Trimmed::All) };
        self.forget();
        trimmed.and(snapshot).map(drop)
    }

    fn checkpoint(&mut self) -> Result<(), KeepError> {
        let done = self.reader.checkpoint();
        self.heed(done)
    }

    /// A failure after which nobody knows what is on the disk ends the store.
    fn heed<T>(&self, done: Result<T, JournalError>) -> Result<T, KeepError> {
        if let Err(error) = &done
            && error.left == Left::Unknown
        {
            self.shared.fail_beside_the_writer(error);
        }
        Ok(done?)
    }

    fn snapshot_is_due(&self, trimmed: Trimmed) -> bool {
        if self.shared.clock().now() < self.no_snapshot_before {
            return false;
        }
        let uncovered = self.shared.engine().uncovered;
        let for_a_start = uncovered >= self.snapshot_bytes.max(self.snapshot_size / 2);
        // Not for every few bytes beyond `keep_bytes`, since each snapshot writes the whole state.
        let for_trimming = uncovered >= (self.keep_bytes / 2).max(self.snapshot_size / 8);
        uncovered > 0
            && (for_a_start || trimmed == Trimmed::Uncovered && (for_trimming || self.oldest_is_too_old()))
    }

    fn oldest_is_too_old(&self) -> bool {
        let oldest = self.shared.write(|journal| journal.oldest(1));
        let too_old = self.shared.clock().now().minus(self.keep);
        matches!(oldest, Some(Ok(heads)) if heads.iter().any(|head| head.at < too_old))
    }
}

fn was_full_lately(engine: &Engine, now: Timestamp) -> bool {
    engine.full.is_some_and(|at| now < at.plus_millis(AFTER_FULL_MS))
}

/// Ends the thread.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    stopped: Mutex<bool>,
    told: Condvar,
}

impl Stop {
    pub(crate) fn tell(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.told.notify_all();
    }

    /// Waits a while. Answers whether to stop.
    fn wait(&self) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        *self
            .told
            .wait_timeout_while(stopped, EVERY, |stopped| !*stopped)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

/// Maintains the store until it is told to stop.
pub(crate) fn run(keeper: &Mutex<Keeper>, stop: &Stop) {
    let mut said = String::new();
    while !stop.wait() {
        match lock(keeper).maintain() {
            Ok(()) => said.clear(),
            Err(KeepError::Stopped) => break,
            // Said once, not four times a second.
            Err(error) if error.to_string() != said => {
                tracing::warn!(error = %error, "the data directory could not be tidied up");
                said = error.to_string();
            }
            Err(_) => {}
        }
    }
    // Whoever is at it has stopped when the lock is free, and others stop before they begin.
    drop(lock(keeper));
}

/// Nothing that a panic leaves half-done here is trusted later.
pub(crate) fn lock(keeper: &Mutex<Keeper>) -> MutexGuard<'_, Keeper> {
    keeper.lock().unwrap_or_else(PoisonError::into_inner)
}
