//! The threads that serve connections: one a core, each with a runtime of its own.
//!
//! A connection stays on its thread, so nothing of a call is handed from core to core, and no thread looks for work at
//! another. What is not part of a call (commands, deliveries, sweeps) has the process's own runtime.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Runs until it is dropped. The threads end then, and with them whatever still runs on them.
pub(super) struct Workers {
    all: Vec<Worker>,
    turn: AtomicUsize,
}

struct Worker {
    handle: Handle,
    /// Ends the thread when it is dropped.
    _alive: oneshot::Sender<()>,
}

impl Workers {
    /// Starts one thread for each core that the process may use.
    ///
    /// # Errors
    /// The system has no threads or descriptors left.
    pub(super) fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let all = (0..cores).map(Worker::start).collect::<io::Result<_>>()?;
        Ok(Self { all, turn: AtomicUsize::new(0) })
    }

    /// Where the next connection is served.
    pub(super) fn next(&self) -> &Handle {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.all.len();
        &self.all[turn].handle
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel();
        thread::Builder::new().name(format!("chatroom-http-{number}")).spawn(move || {
            // It is dropped, never sent.
            let _ = runtime.block_on(ended);
        })?;
        Ok(Self { handle, _alive: alive })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[tokio::test]
    async fn connections_take_turns_on_all_threads_and_the_threads_end_with_the_workers() {
        let workers = Workers::start().unwrap();
        let mut threads = HashSet::new();
        for _ in 0..2 * workers.all.len() {
            let on = workers.next().spawn(async { thread::current().name().map(str::to_owned) });
            threads.insert(on.await.unwrap().unwrap());
        }
        assert_eq!(threads.len(), workers.all.len(), "{threads:?}");
        let endless = workers.next().spawn(std::future::pending::<()>());
        drop(workers);
        assert!(endless.await.unwrap_err().is_cancelled());
    }
}
