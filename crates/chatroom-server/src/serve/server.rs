//! A server, from its start to its end.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::{Context, bail};
use chatroom_core::permits::NodeId;
use chatroom_core::{AtOnce, Chatrooms, Clock, Ids, Origin};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::accept::Connections;
use super::banner::Banner;
use super::credentials_file::CredentialsFile;
use super::life::Life;
use super::listener::{Address, Listener};
use super::stores::Stores;
use super::sweeper;
use super::workers::Workers;
use crate::apps::{self, Administrator, Apps, Demo};
use crate::callbacks::{self, Callbacks};
use crate::cli::Terminal;
use crate::clock::{Stopwatch, SystemClock, SystemIds, SystemStopwatch};
use crate::config::{Config, ListenAddress, Origins, StoreSync};
use crate::control::ControlSocket;
use crate::http::{Edge, Notes, Readiness, Shared};
use crate::rate::{ClientCalls, SharedCalls};

/// How long a stop keeps connections open that have nothing in flight, so that whoever watches `/readyz` on one
/// learns of it.
const LINGER: Duration = Duration::from_secs(1);

/// Time and ids, which tests make themselves.
#[derive(Clone)]
pub struct Environment {
    /// What `timestamp` shows and what tokens expire by.
    pub clock: Arc<dyn Clock>,
    /// What rate limits are counted by.
    pub watch: Arc<dyn Stopwatch>,
    /// The ids of operations and apps.
    pub ids: Arc<dyn Ids>,
}

impl Environment {
    /// Those of the machine.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            watch: Arc::new(SystemStopwatch::start()),
            ids: Arc::new(SystemIds),
        }
    }
}

/// A server that answers.
pub struct Server {
    config: Config,
    addresses: Vec<Address>,
    apps: Arc<Apps>,
    demo: Option<Demo>,
    life: Arc<dyn Life>,
    readiness: Arc<Readiness>,
    connections: Connections,
    graceful: Arc<GracefulShutdown>,
    /// What connections are served on.
    workers: Arc<Workers>,
    /// Ends the acceptance of connections and of commands, and begins no further deliveries.
    closing: CancellationToken,
    /// Ends the sweeper.
    ending: CancellationToken,
    accepting: Vec<JoinHandle<()>>,
    control: Option<JoinHandle<()>>,
    sweeping: JoinHandle<()>,
    following: JoinHandle<()>,
    /// Shares the limits with other nodes.
    sharing: Option<JoinHandle<()>>,
    delivering: JoinHandle<()>,
}

impl Server {
    /// Starts: apps as declared, or the demo set-up at the first start; sockets; the sweeper. `public_demo` lets a
    /// demo app be reached from other machines.
    ///
    /// # Errors
    /// An address cannot be bound or must not be, or the store failed.
    pub async fn start(
        config: &Config,
        public_demo: bool,
        stores: Stores,
        environment: Environment,
    ) -> anyhow::Result<Self> {
        let Environment { clock, watch, ids } = environment;
        // Without a limit there is nothing to share.
        let permits = stores.permits.clone().filter(|_| config.rate_limit.per_second > 0);
        let shared_calls = permits.map(|ledger| {
            let node = NodeId::new(ids.app().0);
            Arc::new(SharedCalls::new(node, ledger, watch.clone()))
        });
        let chatrooms = Chatrooms::new(stores.repository.clone(), ids.clone(), config.limits.calls);
        let apps = Apps::load(stores.registry.clone(), ids.clone()).await;
        let apps = apps.context("the apps could not be read")?;
        let callbacks = Callbacks::new(&config.callback, &stores, &apps, ids, clock.clone())?;
        apps::reconcile(&apps, &config.apps).await?;
        callbacks::reconcile(&callbacks, &apps, &config.apps).await?;
        let first = config.apps.is_empty() && apps.all().is_empty();
        let has_demo = first || apps.all().iter().any(|entry| entry.app.origin == Origin::Demo);
        if has_demo && !public_demo {
            refuse_others(&config.listen)?;
        }
        // Sockets before the demo app: a start that fails has made nothing, and the next one shows the secret.
        let mut listeners = Vec::with_capacity(config.listen.len());
        let mut addresses = Vec::with_capacity(config.listen.len());
        for wanted in &config.listen {
            let (listener, address) = Listener::bind(wanted).await?;
            listeners.push(listener);
            addresses.push(address);
        }
        let control = match config.data_dir() {
            Some(dir) => Some(ControlSocket::bind(dir).context("the control socket could not be made")?),
            None => None,
        };
        let demo = if first { apps::make_demo(&apps, &chatrooms, &callbacks).await? } else { None };

        let (apps, sweeper) = (Arc::new(apps), Arc::new(Notify::new()));
        let readiness = Arc::new(Readiness::new(
            stores.life.clone(),
            callbacks.deliveries.clone(),
            notes(config),
            config.store.require,
        ));
        let shared = Shared {
            chatrooms: chatrooms.clone(),
            outbox: callbacks.outbox.clone(),
            apps: apps.clone(),
            clock: clock.clone(),
            watch,
            token_calls: ClientCalls::default(),
            shared_calls: shared_calls.clone(),
            at_once: AtOnce::default(),
            told_overloaded: AtomicU64::new(u64::MAX),
            sweeper: sweeper.clone(),
            readiness: readiness.clone(),
            rate_limit: config.rate_limit.clone(),
            compat: config.compat.clone(),
            public_url: config.public_url.clone(),
            origins: origins(config, has_demo),
            body: config.limits.body,
            request_timeout: config.limits.request_timeout,
        };
        let (closing, ending) = (CancellationToken::new(), CancellationToken::new());
        let delivering = tokio::spawn(callbacks::deliver(
            stores.leases,
            callbacks.sink.clone(),
            clock.clone(),
            config.callback.clone(),
            closing.clone(),
        ));
        let connections = Connections::new(Edge::new(shared)?, &config.limits);
        let graceful = Arc::new(GracefulShutdown::new());
        let workers = Arc::new(Workers::start().context("no threads for connections")?);
        let accept = |listener| {
            let connections = connections.clone();
            tokio::spawn(connections.accept(listener, workers.clone(), graceful.clone(), closing.clone()))
        };
        let accepting = listeners.into_iter().map(accept).collect();
        let admin = Administrator { apps: apps.clone(), callbacks, clock, sweeper: sweeper.clone() };
        let control = control.map(|socket| tokio::spawn(socket.serve(Arc::new(admin), closing.clone())));
        let following =
            tokio::spawn(apps::follow(apps.clone(), stores.life.clone(), sweeper.clone(), closing.clone()));
        let sharing = shared_calls.map(|calls| {
            let stop = ending.clone();
            tokio::spawn(async move { calls.keep(stop).await })
        });
        let sweeping = tokio::spawn(sweeper::run(chatrooms, sweeper, ending.clone()));
        for address in &addresses {
            tracing::info!(%address, "listening");
        }
        Ok(Self {
            config: config.clone(),
            addresses,
            apps,
            demo,
            life: stores.life,
            readiness,
            connections,
            graceful,
            workers,
            closing,
            ending,
            accepting,
            control,
            sweeping,
            following,
            sharing,
            delivering,
        })
    }

    /// Where it listens, in the order of the configuration.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Prints where the server is and how to get on. The secret of a demo app that this start made goes there only
    /// on a terminal, else to a file.
    ///
    /// # Errors
    /// The file cannot be written. That nobody reads the banner is no error.
    pub fn announce(&self, terminal: &mut Terminal) -> anyhow::Result<Announced> {
        let credentials = match &self.demo {
            Some(demo) if !terminal.is_interactive() => {
                let file = CredentialsFile::write(demo, self.config.data_dir());
                Some(file.context("the demo credentials could not be written")?)
            }
            Some(_) | None => None,
        };
        let apps = self.apps.all();
        let banner = Banner {
            config: &self.config,
            addresses: &self.addresses,
            apps: &apps,
            durability: self.life.durability(),
            demo: self.demo.as_ref(),
            credentials: credentials.as_ref(),
        };
        if let Err(error) = terminal.print(&banner.text()?) {
            tracing::debug!(%error, "nobody reads the banner");
        }
        Ok(Announced { _credentials: credentials })
    }

    /// Ends when the store has failed, with the reason.
    pub async fn store_failed(&self) -> Arc<str> {
        self.life.failed().await
    }

    /// Stops: new connections are refused, `/readyz` says so on those that are open, what is in flight is answered,
    /// and queued commits are finished, all within `shutdown_grace`. Deliveries that are under way have half of that.
    pub async fn stop(self) {
        let Self { config, connections, graceful, workers, closing, ending, life, .. } = self;
        let (readiness, delivering) = (self.readiness, self.delivering);
        readiness.drain();
        closing.cancel();
        tracing::info!("stopping");
        let grace = config.shutdown_grace;
        let delivered = Instant::now() + grace / 2;
        let orderly = async {
            for accepting in self.accepting {
                // A task that panicked has nothing to wait for.
                let _ = accepting.await;
            }
            connections.open.close();
            let linger = LINGER.min(grace / 2);
            if tokio::time::timeout(linger, connections.open.wait()).await.is_err() {
                // Connections that wait for a next request are closed; those in flight finish first.
                if let Some(graceful) = Arc::into_inner(graceful) {
                    graceful.shutdown().await;
                }
                connections.open.wait().await;
            }
            if let Some(control) = self.control {
                let _ = control.await;
            }
            ending.cancel();
            let _ = self.sweeping.await;
            let _ = self.following.await;
            if let Some(sharing) = self.sharing {
                let _ = sharing.await;
            }
            settled(delivering, delivered).await;
            life.close().await;
        };
        if tokio::time::timeout(grace, orderly).await.is_err() {
            tracing::warn!(open = connections.open.len(), "not all was finished within {grace:?}");
        }
        drop(workers);
        tracing::info!("stopped");
    }
}

/// Waits until deliveries have ended, or ends them: what was under way is delivered again at the next start.
async fn settled(mut delivering: JoinHandle<()>, until: Instant) {
    if tokio::time::timeout_at(until, &mut delivering).await.is_err() {
        tracing::info!("receivers of callbacks did not answer in time: they are told again");
        delivering.abort();
        let _ = delivering.await;
    }
}

/// Holds what the banner names until the server ends.
pub struct Announced {
    _credentials: Option<CredentialsFile>,
}

/// The demo app is there without anybody having asked for it, so it is not shown to other machines by accident.
fn refuse_others(listen: &[ListenAddress]) -> anyhow::Result<()> {
    match listen.iter().find(|address| !address.is_local()) {
        None => Ok(()),
        Some(address) => bail!(
            "{address} can be reached from other machines, and the demo app would be served there: declare apps of your \
             own, make one with `chatroom-server app create ORG/APP` and delete `demo/chat`, or allow it with \
             `--public-demo`"
        ),
    }
}

fn origins(config: &Config, has_demo: bool) -> Origins {
    match &config.cors.origins {
        // To try things out from a page on this machine.
        Origins::Listed(none) if none.is_empty() && has_demo => Origins::Any,
        origins => origins.clone(),
    }
}

fn notes(config: &Config) -> Notes {
    if config.data_dir().is_some() && config.store.sync == StoreSync::None {
        vec!["store.sync is none: a loss of power loses what was answered".into()]
    } else {
        Vec::new()
    }
}
