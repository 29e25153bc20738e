//! How long a connection may be silent: while its head arrives, between requests, and while it takes an answer.
//!
//! hyper has one time for a head, which runs between requests too. There it would be too short: a client that uses an
//! idle connection in the moment of its end does not learn whether its removal was done.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a connection may wait for its next request: longer than clients keep idle connections.
const IDLE: Duration = Duration::from_secs(75);

/// The times of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// From the first byte of a head to its last; for the first head, from the connection on. Of a head whose first
    /// bytes came before the last answer was made, it is not known that it began: it has the time between requests.
    pub(super) head: Duration,
    /// How long an answer may not move because the peer does not take it.
    pub(super) write: Duration,
}

/// Counts the requests of a connection, for its [`Patient`] stream to know whether it waits for one.
#[derive(Debug, Default)]
pub(super) struct Requests {
    begun: AtomicU64,
    answered: AtomicU64,
}

impl Requests {
    /// A head has arrived.
    pub(super) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Its answer is made.
    pub(super) fn answer(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// A stream that fails when its peer is silent for too long.
pub(super) struct Patient<S> {
    stream: S,
    times: Times,
    requests: Arc<Requests>,
    /// Answers that the stream knows of.
    answered: u64,
    /// Whether a head has begun to arrive.
    in_head: bool,
    /// How long the peer has to send more. Looked up on the clock when it is waited for: a head that arrives in one
    /// piece never is.
    read_until: Option<Instant>,
    /// Set for that time or an earlier one: to set it anew for every request would cost more than to be woken now and
    /// then for nothing.
    alarm: Pin<Box<Sleep>>,
    /// While the peer does not take what is written.
    write_until: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, times: Times, requests: Arc<Requests>) -> Self {
        let until = Instant::now() + times.head;
        let alarm = Box::pin(sleep_until(until));
        let read_until = Some(until);
        Self { stream, times, requests, answered: 0, in_head: true, read_until, alarm, write_until: None }
    }

    /// Whether the peer is the one to act, and since when anew.
    fn waits_for_head(&mut self) -> bool {
        let answered = self.requests.answered.load(Ordering::Relaxed);
        if self.requests.begun.load(Ordering::Relaxed) != answered {
            return false;
        }
        if self.answered != answered {
            self.answered = answered;
            self.in_head = false;
            self.read_until = None;
        }
        true
    }

    /// Ends when the peer has been silent for too long.
    fn silent(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let patience = if self.in_head { self.times.head } else { IDLE };
        let until = *self.read_until.get_or_insert_with(|| Instant::now() + patience);
        if self.alarm.deadline() > until {
            self.alarm.as_mut().reset(until);
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            if self.alarm.deadline() >= until {
                return Poll::Ready(());
            }
            self.alarm.as_mut().reset(until);
        }
        Poll::Pending
    }

    fn written<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.write_until = None;
            // An answer that moves is no silence between requests, however long it takes.
            if !self.in_head {
                self.read_until = None;
            }
            return result;
        }
        let until = Instant::now() + self.times.write;
        let timer = self.write_until.get_or_insert_with(|| Box::pin(sleep_until(until)));
        timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if !self.waits_for_head() {
            return result;
        }
        if result.is_ready() {
            if !self.in_head && buffer.filled().len() > before {
                self.in_head = true;
                self.read_until = None;
            }
            return result;
        }
        self.silent(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.written(cx, result)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const TIMES: Times = Times { head: Duration::from_secs(5), write: Duration::from_secs(30) };

    fn connection() -> (DuplexStream, Patient<DuplexStream>, Arc<Requests>) {
        let requests = Arc::new(Requests::default());
        let (peer, stream) = duplex(16);
        (peer, Patient::new(stream, TIMES, requests.clone()), requests)
    }

    /// Reads until it fails, and says how many whole seconds that took.
    async fn silent(stream: &mut Patient<DuplexStream>) -> u64 {
        let since = Instant::now();
        let error = stream.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        since.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_head_has_its_time_from_the_connection_on() {
        let (mut peer, mut stream, _) = connection();
        tokio::time::sleep(Duration::from_secs(2)).await;
        peer.write_all(b"G").await.unwrap();
        stream.read_u8().await.unwrap();
        assert_eq!(silent(&mut stream).await, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn between_requests_a_connection_waits_longer_and_then_the_head_has_its_time() {
        let (mut peer, mut stream, requests) = connection();
        peer.write_all(b"G").await.unwrap();
        stream.read_u8().await.unwrap();
        requests.begin();
        requests.answer();
        let waited = tokio::time::timeout(Duration::from_secs(60), stream.read_u8()).await;
        assert!(waited.is_err(), "{waited:?}");
        peer.write_all(b"G").await.unwrap();
        stream.read_u8().await.unwrap();
        assert_eq!(silent(&mut stream).await, 5);

        requests.begin();
        requests.answer();
        assert_eq!(silent(&mut stream).await, IDLE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_not_timed_here() {
        let (_peer, mut stream, requests) = connection();
        requests.begin();
        let waited = tokio::time::timeout(Duration::from_secs(3_600), stream.read_u8()).await;
        assert!(waited.is_err(), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_taken_ends_the_connection_and_one_taken_slowly_does_not() {
        let (mut peer, mut stream, _) = connection();
        let since = Instant::now();
        let slowly = async {
            for _ in 0..4 {
                tokio::time::sleep(Duration::from_secs(20)).await;
                let mut part = [0; 16];
                peer.read_exact(&mut part).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(stream.write_all(&[0; 100]), slowly);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(since.elapsed().as_secs(), 80 + 30);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_taken_slowly_may_take_longer_than_a_connection_may_be_idle() {
        let (mut peer, stream, requests) = connection();
        requests.begin();
        requests.answer();
        let (mut reads, mut writes) = tokio::io::split(stream);
        let since = Instant::now();
        // hyper looks for the end of a connection while it writes.
        let read = async { reads.read_u8().await.unwrap_err() };
        let slowly = async {
            for _ in 0..6 {
                tokio::time::sleep(Duration::from_secs(20)).await;
                let mut part = [0; 16];
                peer.read_exact(&mut part).await.unwrap();
            }
        };
        let (idle, written, ()) = tokio::join!(read, writes.write_all(&[0; 96]), slowly);
        written.unwrap();
        assert_eq!(idle.kind(), io::ErrorKind::TimedOut);
        assert_eq!(since.elapsed().as_secs(), 120 + IDLE.as_secs());
    }
}
