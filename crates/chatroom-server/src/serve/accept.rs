//! Connections: how many, and what one may cost.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::listener::{Listener, Stream};
use crate::config::LimitsConfig;
use crate::http::Edge;
use crate::rate::Peer;

/// How long to wait when the system has no descriptor for a connection.
const PAUSE: Duration = Duration::from_millis(50);

/// What connections are served with.
#[derive(Clone)]
pub(super) struct Connections {
    edge: Edge,
    http: http1::Builder,
    /// Beyond so many connections, the next wait: one accepted for each listener, the rest in the system's queue. A
    /// short burst is answered late instead of refused.
    free: Arc<Semaphore>,
    /// The connections that are open.
    pub(super) open: TaskTracker,
}

impl Connections {
    pub(super) fn new(edge: Edge, limits: &LimitsConfig) -> Self {
        let mut http = http1::Builder::new();
        // The head's time runs between requests too, so a connection that idles so long is closed.
        http.timer(TokioTimer::new()).header_read_timeout(limits.head_timeout).max_header_size(limits.head);
        let free = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
        Self { edge, http, free, open: TaskTracker::new() }
    }

    /// Accepts until `stop`, then closes the socket: the system refuses what comes later.
    pub(super) async fn accept(
        self,
        listener: Listener,
        graceful: Arc<GracefulShutdown>,
        stop: CancellationToken,
    ) {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted: {error}");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let permit = tokio::select! {
                () = stop.cancelled() => return,
                permit = self.free.clone().acquire_owned() => permit,
            };
            let (connections, watcher) = (self.clone(), graceful.watcher());
            self.open.spawn(async move {
                connections.serve(stream, peer, watcher).await;
                drop(permit);
            });
        }
    }

    async fn serve(self, stream: Stream, peer: Peer, watcher: hyper_util::server::graceful::Watcher) {
        let edge = self.edge;
        let answer = service_fn(move |request| {
            let edge = edge.clone();
            async move { Ok::<_, Infallible>(edge.answer(request, peer).await) }
        });
        let served = match stream {
            Stream::Tcp(stream) => {
                watcher.watch(self.http.serve_connection(TokioIo::new(stream), answer)).await
            }
            Stream::Unix(stream) => {
                watcher.watch(self.http.serve_connection(TokioIo::new(stream), answer)).await
            }
        };
        if let Err(error) = served {
            // The peer's doing: it went away, or sent what is not HTTP.
            tracing::debug!(%error, "a connection ended early: {error}");
        }
    }
}
