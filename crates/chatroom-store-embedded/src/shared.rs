//! What callers, the writer and the keeper share.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use chatroom_core::{Clock, Moment, StorageError, Ticker};
use tokio::sync::{Notify, watch};

use crate::engine::{Engine, Phase};
use crate::journal::{Journal, JournalError, Left};
use crate::signal::{Fate, Signal};

pub(crate) struct Shared {
    engine: Mutex<Engine>,
    /// The writer waits here for something to commit. It says under the lock that it does.
    work: Condvar,
    journal: Mutex<Guarded>,
    ticker: Ticker,
    clock: Arc<dyn Clock>,
    failed: watch::Sender<Option<Arc<str>>>,
    /// There may be more to lease than before.
    pub(crate) more: Notify,
}

/// The journal, until it fails in a way after which nothing is to be written (invariant 4).
struct Guarded {
    journal: Option<Box<dyn Journal>>,
    broken: bool,
}

impl Shared {
    pub(crate) fn new(
        engine: Engine,
        journal: Box<dyn Journal>,
        ticker: Ticker,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            engine: Mutex::new(engine),
            work: Condvar::new(),
            journal: Mutex::new(Guarded { journal: Some(journal), broken: false }),
            ticker,
            clock,
            failed: watch::Sender::new(None),
            more: Notify::new(),
        }
    }

    /// Short work only: callers wait for this lock. Nothing under it panics half-way through a change, so a poisoned
    /// lock is a lock.
    pub(crate) fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn moment(&self) -> Moment {
        self.ticker.tick(&*self.clock)
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Lets the writer know that there is something to commit. Takes the lock's guard, because the writer must not be
    /// woken to find the lock held.
    pub(crate) fn wake_writer(&self, mut engine: MutexGuard<'_, Engine>) {
        let asleep = std::mem::take(&mut engine.writer_asleep);
        drop(engine);
        if asleep {
            self.work.notify_one();
        }
    }

    /// The same, also where somebody else was to wake it and may never be run again.
    pub(crate) fn rouse_writer(&self, mut engine: MutexGuard<'_, Engine>) {
        engine.writer_asleep = false;
        drop(engine);
        self.work.notify_one();
    }

    /// Lets the writer know, as soon as what this gives is dropped.
    pub(crate) fn wake_writer_later(
        self: &Arc<Self>,
        mut engine: MutexGuard<'_, Engine>,
    ) -> Option<WakeWriter> {
        std::mem::take(&mut engine.writer_asleep).then(|| WakeWriter(self.clone()))
    }

    /// Waits for something to commit, up to what the guard's holder will look at next.
    pub(crate) fn sleep<'a>(&self, mut engine: MutexGuard<'a, Engine>) -> MutexGuard<'a, Engine> {
        engine.writer_asleep = true;
        self.work.wait(engine).unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes to the journal. `None` once it is broken or closed: nothing is written any more then.
    pub(crate) fn write<T>(
        &self,
        write: impl FnOnce(&mut dyn Journal) -> Result<T, JournalError>,
    ) -> Option<Result<T, JournalError>> {
        let mut guarded = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        if guarded.broken {
            return None;
        }
        let result = write(&mut **guarded.journal.as_mut()?);
        guarded.broken = matches!(&result, Err(error) if error.left == Left::Unknown);
        Some(result)
    }

    /// Closes the journal.
    pub(crate) fn end_of_journal(&self) {
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner).journal.take();
        drop(journal);
    }

    /// A failure beside the writer, after which nothing is to be written.
    pub(crate) fn fail_beside_the_writer(&self, error: &JournalError) {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).broken = true;
        let why: Arc<str> = in_words(error).into();
        let mut engine = self.engine();
        if matches!(engine.phase, Phase::Failed(_)) {
            return;
        }
        let (flying, pending) = engine.fail(why.clone());
        self.rouse_writer(engine);
        pending.tell(Fate::Undone);
        // The writer may be in the middle of it.
        if let Some(flying) = flying {
            flying.tell(Fate::Unknown);
        }
        self.announce(why, error);
    }

    /// The writer's own failure: nobody knows whether the group that flies is on the disk.
    pub(crate) fn fail(&self, error: &JournalError) {
        let why: Arc<str> = in_words(error).into();
        let (flying, pending) = self.engine().fail(why.clone());
        if let Some(flying) = flying {
            flying.tell(Fate::Unknown);
        }
        pending.tell(Fate::Undone);
        self.announce(why, error);
    }

    fn announce(&self, why: Arc<str>, error: &JournalError) {
        tracing::error!(error = %error, "the journal failed, so nothing more is written");
        self.failed.send_replace(Some(why));
    }

    /// Ends when the store has failed, with the reason in words.
    pub(crate) async fn failed(&self) -> Arc<str> {
        let mut failed = self.failed.subscribe();
        loop {
            if let Some(why) = failed.borrow_and_update().clone() {
                return why;
            }
            if failed.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Reads the state, and what must be durable before it may be told.
    pub(crate) fn look<T>(
        &self,
        read: impl FnOnce(&Engine) -> T,
    ) -> Result<(T, Option<Arc<Signal>>), StorageError> {
        let engine = self.engine();
        match engine.phase {
            Phase::Open | Phase::Closing => Ok((read(&engine), engine.seen())),
            Phase::Closed | Phase::Failed(_) => Err(engine.refusal()),
        }
    }
}

/// Wakes the writer when it is dropped, also by a runtime that ends.
pub(crate) struct WakeWriter(Arc<Shared>);

impl Drop for WakeWriter {
    fn drop(&mut self) {
        self.0.work.notify_one();
    }
}

/// Without paths, for those who ask how the store is.
fn in_words(error: &JournalError) -> String {
    format!("{} failed, and nobody knows what is on the disk: restart to find out", error.doing)
}
