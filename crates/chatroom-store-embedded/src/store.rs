//! The store, as callers see it.

mod outbox;
mod registry;
mod repository;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use chatroom_core::{Clock, Operation, Outcome, StorageError, StorageErrorKind, TransactError};
use tokio::sync::watch;

use crate::directory::Directory;
use crate::engine::{Decided, Engine, Phase, settle};
use crate::error::OpenError;
use crate::journal::{Journal, JournalError, JournalReader, Left};
use crate::options::Options;
use crate::shared::Shared;
use crate::signal::Fate;
use crate::{open, writer};

/// A durable store of one process: state in memory, a synced journal on disk.
///
/// Reads and decisions come from memory. What is decided is committed in groups by a thread of its own; a call is
/// answered when its group is on the disk. One process at a time opens a directory.
pub struct EmbeddedStore {
    shared: Arc<Shared>,
    reader: Arc<Mutex<Box<dyn JournalReader>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Held by the threads; gone when they are.
    ended: watch::Receiver<()>,
}

/// How a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It works.
    Ready,
    /// The last commit did not fit on the disk and was taken back. The next one may fit.
    DiskFull,
    /// It was closed, or is closing.
    Closed,
    /// A write or a sync failed, so that nobody knows what is on the disk. Nothing is read or written any more, and
    /// the process should end. Why, in words without paths.
    Failed(Arc<str>),
}

/// How often a read looks again when what it saw was taken back.
const LOOKS: usize = 3;
/// How many of those that wait a caller decides beside its own.
const BESIDE: usize = 4;

impl EmbeddedStore {
    /// Opens the directory, which is made if it is not there, and reads what is in it.
    ///
    /// Blocks while it reads; starts threads, which end with the store.
    ///
    /// # Errors
    /// [`OpenError`]: another process holds it, a newer version wrote it, it is damaged, or the file system says no.
    pub fn open(options: &Options, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let directory = Directory::open(&options.dir)?;
        let opened = open::open(&directory, options)?;
        let ticker = chatroom_core::Ticker::starting_at(opened.newest);
        Self::start(directory, opened.engine, opened.journal, ticker, clock)
            .map_err(|e| e.at(&options.dir, "starting"))
    }

    pub(crate) fn start(
        directory: Directory,
        engine: Engine,
        journal: Box<dyn Journal>,
        ticker: chatroom_core::Ticker,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, crate::error::LoadError> {
        let reader = journal.reader()?;
        let shared = Arc::new(Shared::new(engine, journal, ticker, clock));
        let (alive, ended) = watch::channel(());
        let writer = {
            let shared = shared.clone();
            let run = move || {
                let run = std::panic::AssertUnwindSafe(|| writer::run(&shared));
                if std::panic::catch_unwind(run).is_err() {
                    shared.fail(&JournalError {
                        left: Left::Unknown,
                        doing: "the writer",
                        source: "it panicked".into(),
                    });
                }
                drop(directory);
                drop(alive);
            };
            std::thread::Builder::new().name("chatroom-writer".into()).spawn(run)?
        };
        let reader = Arc::new(Mutex::new(reader));
        Ok(Self { shared, reader, threads: Mutex::new(vec![writer]), ended })
    }

    /// How the store is.
    #[must_use]
    pub fn health(&self) -> Health {
        let engine = self.shared.engine();
        match &engine.phase {
            Phase::Open if engine.full => Health::DiskFull,
            Phase::Open => Health::Ready,
            Phase::Closing | Phase::Closed => Health::Closed,
            Phase::Failed(why) => Health::Failed(why.clone()),
        }
    }

    /// Ends when the store has failed, with the reason in words; never, as long as it has not. Whoever runs the store
    /// ends the process then.
    pub async fn failed(&self) -> Arc<str> {
        self.shared.failed().await
    }

    /// How many memberships are held.
    #[must_use]
    pub fn memberships(&self) -> u64 {
        self.shared.engine().memberships()
    }

    /// Takes no more operations, finishes what was begun, and gives the directory free. Dropping the store does the
    /// same, but blocks.
    pub async fn close(&self) {
        self.begin_to_close();
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }

    fn begin_to_close(&self) {
        let mut engine = self.shared.engine();
        if engine.phase == Phase::Open {
            engine.phase = Phase::Closing;
        }
        self.shared.wake_writer(engine);
    }

    async fn run(&self, operation: Operation) -> Result<Outcome, TransactError> {
        let waiting = {
            let mut engine = self.shared.engine();
            if engine.phase != Phase::Open {
                return Err(engine.refusal().into());
            }
            let decided = engine.submit(&operation, self.shared.moment());
            let waiting = match decided {
                Some(decided) => Ok(decided),
                None => {
                    let waiting = engine.enqueue(operation);
                    engine.admit(BESIDE, || self.shared.moment());
                    Err(waiting)
                }
            };
            self.shared.wake_writer(engine);
            waiting
        };
        let Decided { answer, seen } = match waiting {
            Ok(decided) => decided,
            Err(waiting) => match waiting.await {
                Ok(Some(decided)) => decided,
                Ok(None) => return Err(too_many().into()),
                Err(_gone) => return Err(self.shared.engine().refusal().into()),
            },
        };
        match seen {
            None => answer,
            Some(signal) => settle(answer, signal.wait().await),
        }
    }

    /// Reads the state, and waits until what was read is durable (invariant 3).
    async fn read<T>(&self, read: impl Fn(&Engine) -> T) -> Result<T, StorageError> {
        for _ in 0..LOOKS {
            let (value, seen) = self.shared.look(&read)?;
            let fate = match seen {
                None => Fate::Durable,
                Some(signal) => signal.wait().await,
            };
            match fate {
                Fate::Durable => return Ok(value),
                Fate::Undone => {}
                Fate::Unknown => break,
            }
        }
        let message = "what was read may not be on the disk";
        Err(StorageError::new(StorageErrorKind::Unavailable, message))
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.begin_to_close();
        for thread in self.threads.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // A thread that panicked has said so.
            drop(thread.join());
        }
    }
}

fn too_many() -> StorageError {
    StorageError::new(StorageErrorKind::Overloaded, "too many operations wait for a commit")
}
