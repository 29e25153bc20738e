//! Connections: how many, and what one may cost.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::listener::{Accepted, Listener, Stream};
use super::patience::{Patient, Requests, Times};
use super::workers::Workers;
use crate::config::LimitsConfig;
use crate::http::Edge;
use crate::rate::Peer;

/// How long to wait when the system has no descriptor for a connection.
const PAUSE: Duration = Duration::from_millis(50);

/// What hyper reads of a connection at most before it is handled, and writes at once, in bytes: its own choice.
const BUFFER: usize = 8_192 + 100 * 4_096;

/// What connections are served with.
#[derive(Clone)]
pub(super) struct Connections {
    edge: Edge,
    http: http1::Builder,
    times: Times,
    /// Beyond so many connections, the next wait: one accepted for each listener, the rest in the system's queue. A
    /// short burst is answered late instead of refused.
    free: Arc<Semaphore>,
    /// The connections that are open.
    pub(super) open: TaskTracker,
}

impl Connections {
    pub(super) fn new(edge: Edge, limits: &LimitsConfig) -> Self {
        let mut http = http1::Builder::new();
        // The stream has the times of a connection.
        http.header_read_timeout(None).max_header_size(limits.head);
        // A head is read in one piece.
        http.max_buf_size(limits.head.max(BUFFER));
        let times = Times { head: limits.head_timeout, write: limits.request_timeout };
        let free = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
        Self { edge, http, times, free, open: TaskTracker::new() }
    }

    /// Accepts until `stop`, then closes the socket: the system refuses what comes later.
    pub(super) async fn accept(
        self,
        listener: Listener,
        workers: Arc<Workers>,
        graceful: Arc<GracefulShutdown>,
        stop: CancellationToken,
    ) {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Accepted { stream, peer } = match accepted {
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
            let served = async move {
                connections.serve(stream, peer, watcher).await;
                drop(permit);
            };
            self.open.spawn_on(served, workers.next());
        }
    }

    async fn serve(self, stream: Stream, peer: Peer, watcher: Watcher) {
        let served = match stream {
            Stream::Tcp(stream) => self.converse(TcpStream::from_std(stream), peer, watcher).await,
            Stream::Unix(stream) => self.converse(UnixStream::from_std(stream), peer, watcher).await,
        };
        if let Err(error) = served {
            // The peer's doing: it went away, was silent, or sent what is not HTTP.
            tracing::debug!(%error, "a connection ended early: {error}");
        }
    }

    async fn converse<S>(self, stream: io::Result<S>, peer: Peer, watcher: Watcher) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = match stream {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be served: {error}");
                return Ok(());
            }
        };
        let requests = Arc::new(Requests::default());
        let stream = TokioIo::new(Patient::new(stream, self.times, requests.clone()));
        let edge = self.edge;
        let answer = service_fn(move |request| {
            requests.begin();
            let (edge, requests) = (edge.clone(), requests.clone());
            async move {
                let response = edge.answer(request, peer).await;
                requests.answer();
                Ok::<_, Infallible>(response)
            }
        });
        watcher.watch(self.http.serve_connection(stream, answer)).await
    }
}
