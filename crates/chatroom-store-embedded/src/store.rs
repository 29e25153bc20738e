//! The store, as callers see it.

mod deliveries;
mod leases;
mod outbox;
mod registry;
mod repository;
mod rules;
#[cfg(test)]
pub(crate) mod tests;

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use chatroom_core::{Clock, Operation, Outcome, StorageError, StorageErrorKind, Ticker, TransactError};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::directory::Directory;
use crate::engine::{Decided, Engine, Phase, settle};
use crate::error::{LoadError, OpenError};
use crate::journal::{JournalError, JournalReader, Left};
use crate::keeper::{self, Keeper, Stop};
use crate::open::{self, Opened};
use crate::options::Options;
use crate::shared::{Shared, WakeWriter};
use crate::signal::Fate;
use crate::writer;

/// A durable store of one process: state in memory, a synced journal on disk.
///
/// Reads and decisions come from memory. What is decided is committed in groups by a thread of its own; a call is
/// answered when its group is on the disk. One process at a time opens a directory.
pub struct EmbeddedStore {
    shared: Arc<Shared>,
    reader: Arc<Mutex<Box<dyn JournalReader>>>,
    keeper: Arc<Mutex<Keeper>>,
    stop: Arc<Stop>,
    threads: Vec<JoinHandle<()>>,
    /// Held by the threads; gone when they are.
    ended: watch::Receiver<()>,
}

/// How a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It works.
    Ready,
    /// The last commit did not fit on the disk and was taken back, some seconds ago at most. The next one may fit:
    /// nobody knows before it is tried.
    DiskFull,
    /// It was closed, or is closing.
    Closed,
    /// A write or a sync failed, so that nobody knows what is on the disk. Nothing is read or written any more, and
    /// the process should end. Why, in words without paths.
    Failed(Arc<str>),
}

/// How long the disk is called full after a commit that did not fit: somebody must try again to find out.
const FULL_FOR: Duration = Duration::from_secs(10);
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
        let opened = open::open(&directory, options, clock.now())?;
        Self::start(directory, opened, options, clock).map_err(|e| e.at(&options.dir, "starting"))
    }

    fn start(
        directory: Directory,
        opened: Opened,
        options: &Options,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LoadError> {
        let Opened { engine, journal, newest, covered } = opened;
        let (reader, for_keeper, store_id) = (journal.reader()?, journal.reader()?, journal.store_id());
        let shared = Arc::new(Shared::new(engine, journal, Ticker::starting_at(newest), clock));
        let dir = directory.path().to_owned();
        let keeper = Keeper::new(shared.clone(), for_keeper, dir, store_id, options, covered);
        let (keeper, stop, directory) =
            (Arc::new(Mutex::new(keeper)), Arc::new(Stop::default()), Arc::new(directory));
        let (alive, ended) = watch::channel(());
        let mut store = Self {
            shared: shared.clone(),
            reader: Arc::new(Mutex::new(reader)),
            keeper: keeper.clone(),
            stop: stop.clone(),
            threads: Vec::new(),
            ended,
        };
        let held = (directory.clone(), alive.clone());
        store.spawn("chatroom-keeper", move || {
            keeper::run(&keeper, &stop);
            drop(held);
        })?;
        store.spawn("chatroom-writer", move || {
            let run = AssertUnwindSafe(|| writer::run(&shared));
            if std::panic::catch_unwind(run).is_err() {
                let source = "it panicked".into();
                shared.fail(&JournalError { left: Left::Unknown, doing: "the writer", source });
            }
            shared.end_of_journal();
            drop((directory, alive));
        })?;
        Ok(store)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), LoadError> {
        self.threads.push(std::thread::Builder::new().name(name.into()).spawn(run)?);
        Ok(())
    }

    /// Trims events, writes a snapshot and tidies up, as far as that is due now. A thread of the store does it four
    /// times a second; who injects time may want it at once. Blocks.
    ///
    /// # Errors
    /// [`StorageError`]: it could not be done, and will be tried again; or the store is closed or has failed.
    pub fn maintain(&self) -> Result<(), StorageError> {
        keeper::lock(&self.keeper).maintain().map_err(|error| {
            let message = "the data directory could not be tidied up";
            StorageError::caused_by(StorageErrorKind::Unavailable, message, error)
        })
    }

    /// How the store is.
    #[must_use]
    pub fn health(&self) -> Health {
        let lately = self.shared.clock().now().minus(FULL_FOR);
        let engine = self.shared.engine();
        match &engine.phase {
            Phase::Open if engine.full.is_some_and(|at| at > lately) => Health::DiskFull,
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
        self.shared.rouse_writer(engine);
        self.stop.tell();
    }

    async fn run(&self, operation: Operation) -> Result<Outcome, TransactError> {
        let (waiting, wake) = {
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
            (waiting, self.shared.wake_writer_later(engine))
        };
        if let Some(wake) = wake {
            wait_for_company(wake);
        }
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
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            drop(thread.join());
        }
    }
}

/// Lets the calls be decided that this thread has at hand beside the first of a group, so that they share its commit.
/// Not in the call itself: it may be dropped, or not be polled again, and others wait for the writer too.
fn wait_for_company(wake: WakeWriter) {
    if let Ok(runtime) = Handle::try_current() {
        drop(runtime.spawn(async move {
            tokio::task::yield_now().await;
            drop(wake);
        }));
    }
}

fn too_many() -> StorageError {
    StorageError::new(StorageErrorKind::Overloaded, "too many operations wait for a commit")
}
