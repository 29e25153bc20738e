//! A receiver of callbacks: one thread that waits for all connections, reads what is posted and answers 200, or behaves
//! as badly as it is told to.

mod body;
mod connection;
mod seen;
mod serving;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use mio::net::TcpListener;
use mio::{Poll, Waker};

pub(crate) use self::seen::Seen;
use self::serving::{WAKER, serve};

const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// How posts are answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Manner {
    /// At once.
    Answer,
    /// Not before the manner changes.
    Hold,
    /// At this rate, over all connections.
    PerSecond(f64),
    /// Not at all: connections are closed as soon as they are there.
    Refuse,
}

/// What the thread and its owner share.
struct Shared {
    manner: Manner,
    seen: Seen,
    stop: bool,
}

type Told = Arc<Mutex<Shared>>;

fn lock(told: &Told) -> MutexGuard<'_, Shared> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A receiver that listens on loopback, on a free port. It ends when this is dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    told: Told,
    waker: Waker,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Receiver {
    pub(crate) fn start(manner: Manner) -> Result<Self> {
        let poll = Poll::new()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = listener.local_addr()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let told = Arc::new(Mutex::new(Shared { manner, seen: Seen::new()?, stop: false }));
        let of_thread = told.clone();
        let thread = thread::Builder::new().name("receiver".to_owned());
        let thread = Some(thread.spawn(move || serve(poll, listener, &of_thread))?);
        Ok(Self { address, told, waker, thread })
    }

    /// Where the rule of this number posts to.
    pub(crate) fn url(&self, rule: usize) -> String {
        format!("http://{}/{rule}", self.address)
    }

    /// Answers so from now on, also what is held.
    pub(crate) fn behave(&self, manner: Manner) -> Result<()> {
        lock(&self.told).manner = manner;
        Ok(self.waker.wake()?)
    }

    /// Forgets what it has seen; bodies are kept from now on if so asked.
    pub(crate) fn begin_anew(&self, keep_bodies: bool) -> Result<()> {
        let mut shared = lock(&self.told);
        shared.seen = shared.seen.anew(keep_bodies)?;
        Ok(())
    }

    /// Looks at what it has seen.
    pub(crate) fn seen<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut lock(&self.told).seen)
    }

    /// Waits until so many posts have arrived.
    pub(crate) fn wait_for(&self, posts: u64, patience: Duration) -> Result<()> {
        let all = self.wait_until(|seen| seen.posts() >= posts, patience)?;
        ensure!(all, "{} of {posts} callbacks came within {patience:?}", self.seen(|seen| seen.posts()));
        Ok(())
    }

    /// Waits until it has seen what is waited for. Answers whether it has.
    pub(crate) fn wait_until(&self, has: impl Fn(&Seen) -> bool, patience: Duration) -> Result<bool> {
        let began = Instant::now();
        while !self.seen(|seen| has(seen)) {
            let ended = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
            ensure!(!ended, "the receiver ended");
            if began.elapsed() > patience {
                return Ok(false);
            }
            thread::sleep(LOOK_AGAIN);
        }
        Ok(true)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        lock(&self.told).stop = true;
        let _woken = self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
