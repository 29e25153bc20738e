//! The store, as callers see it.

mod deliveries;
mod outbox;
mod reads;
mod registry;
mod repository;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use chatroom_core::{Clock, Operation, StorageError, TransactError};
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio::sync::watch as channel;
use tokio::task::JoinHandle;

use crate::connect::{BEGIN_SESSION, Connector};
use crate::deadline::Deadline;
use crate::delivery::{self, Courier};
use crate::durability::Durability;
use crate::error::{OpenError, outcome_unknown, unavailable};
use crate::known::Known;
use crate::options::Options;
use crate::permits::Permits;
use crate::queue::{Answer, Queue};
use crate::shared::{Registry, Shared};
use crate::{config, group, import, migrate, tls};
use watch::Seen;

/// A store in PostgreSQL. Any number of processes open the same database.
///
/// Everything is in the database: what a process holds is connections, operations under way, and what it delivers. A
/// call is answered within [`Options::patience`] and a little, whether or not the database answers.
pub struct PostgresStore {
    pub(crate) shared: Arc<Shared>,
    pub(crate) permits: Permits,
    courier: Arc<Courier>,
    readers: Pool,
    writers: Vec<JoinHandle<()>>,
    keeper: JoinHandle<()>,
    watcher: JoinHandle<()>,
    seen: channel::Receiver<Seen>,
}

/// How a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// The database answers.
    Ready,
    /// It did not, half a second ago at most. Why, in words without secrets.
    Away(Arc<str>),
    /// The store was closed.
    Closed,
}

/// How much longer than its own patience a call waits for the group that it is in.
const GRACE: Duration = Duration::from_millis(300);

impl PostgresStore {
    /// Connects, and applies what migrations are pending if it may. Starts tasks, which end with the store.
    ///
    /// # Errors
    /// [`OpenError`]: the URL is none, the database cannot be reached or says no, or its schema is newer than this
    /// version, or older and not to be migrated; or the database holds a part of an import.
    pub async fn open(options: Options, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let config = config::parse(&options)?;
        let connector = Connector { config, tls: tls::connector(options.tls_ca.as_deref())? };
        let session = connector.connect().await.map_err(|error| migrate::unreachable(&connector, error))?;
        migrate::ready(session.client(), options.migrate).await?;
        if import::is_unfinished(session.client()).await? {
            return Err(OpenError::Unfinished);
        }
        drop(session);
        let readers = readers(&connector, options.readers)?;
        let queue = Queue::new(options.queue);
        let writers = options.writers.max(1);
        let (news, registry) = (tokio::sync::Notify::new(), Registry::default());
        let known = Known::default();
        let shared = Arc::new(Shared { options, connector, clock, queue, news, registry, known });
        let courier = Courier::new().map_err(|error| OpenError::Random(error.to_string()))?;
        let courier = Arc::new(courier);
        let writers = (0..writers).map(|_| tokio::spawn(group::run(shared.clone()))).collect();
        let keeper = tokio::spawn(delivery::keep(shared.clone(), courier.clone()));
        let (watcher, seen) = watch::start(readers.clone(), shared.options.patience).await;
        Ok(Self { shared, permits: Permits::default(), courier, readers, writers, keeper, watcher, seen })
    }

    /// Takes no more operations, and finishes those that wait.
    pub async fn close(&self) {
        self.shared.queue.close();
        while self.writers.iter().any(|writer| !writer.is_finished()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.keeper.abort();
        self.watcher.abort();
        self.courier.release(&self.shared).await;
        self.readers.close();
    }

    /// How it is.
    #[must_use]
    pub fn health(&self) -> Health {
        if self.readers.is_closed() {
            return Health::Closed;
        }
        match &self.seen.borrow().away {
            Some(why) => Health::Away(why.clone()),
            None => Health::Ready,
        }
    }

    /// What a commit means now, as the database said half a second ago at most.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.seen.borrow().durability
    }

    /// Ends when an app or a rule was changed, on whatever node, since `known`; answers what to ask with the next
    /// time. Begin with 0. A change is told within a second, unless the database is away. Dropping the future loses
    /// nothing.
    pub async fn registry_changed(&self, known: i64) -> i64 {
        let mut seen = self.seen.clone();
        let version = seen.wait_for(|seen| seen.version != known).await.ok().map(|seen| seen.version);
        match version {
            Some(version) => version,
            // The store is closed: nothing changes any more.
            None => std::future::pending().await,
        }
    }

    /// Trims old events, and what nobody will ask for again. A task of the store does it once a minute; who injects
    /// time may want it at once.
    ///
    /// # Errors
    /// [`StorageError`]: it could not be done, and will be tried again.
    pub async fn maintain(&self) -> Result<(), StorageError> {
        self.courier.maintain(&self.shared, true).await
    }

    async fn run(&self, operation: Operation) -> Answer {
        let patience = self.shared.options.patience;
        let mut ticket = self.shared.queue.push(operation, Deadline::after(patience))?;
        let answer = tokio::time::timeout(patience + GRACE, &mut ticket.answer).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(_late) => {
                let in_a_group = ticket.give_up();
                match ticket.answer.try_recv() {
                    Ok(answer) => Ok(answer),
                    Err(_none) if in_a_group => return Err(outcome_unknown().into()),
                    Err(_none) => return Err(unavailable("no place in a group was free in time").into()),
                }
            }
        };
        ticket.settle();
        answer.unwrap_or_else(|_gone| Err(TransactError::from(unavailable("the store is closed"))))
    }
}

impl Drop for PostgresStore {
    /// What is under way is abandoned, as when the process ends.
    fn drop(&mut self) {
        for task in self.writers.iter().chain([&self.keeper, &self.watcher]) {
            task.abort();
        }
    }
}

fn readers(connector: &Connector, size: usize) -> Result<Pool, OpenError> {
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(connector.config.clone(), connector.tls.clone(), recycling);
    let begin = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
        Box::pin(async move { client.batch_execute(BEGIN_SESSION).await.map_err(HookError::Backend) })
    });
    let pool = Pool::builder(manager).max_size(size.max(1)).post_create(begin).build();
    pool.map_err(|error| OpenError::Url(error.to_string()))
}
