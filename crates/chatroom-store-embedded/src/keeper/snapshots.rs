//! Snapshots are written by a thread that steps back: there is time for them, and none for calls that wait.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::{KeepError, Keeper};
use crate::snapshot::{self, Taken};

/// How long no snapshot is tried after one that failed: each costs the disk its whole size.
const AFTER_A_FAILURE: Duration = Duration::from_secs(60);
/// How often the journal's log is looked at while one is written.
const EVERY: Duration = Duration::from_millis(100);

impl Keeper {
    pub(super) fn snapshot(&mut self) -> Result<(), KeepError> {
        let taken = self.take_snapshot();
        match taken {
            Ok(Taken::Complete { from, bytes }) => {
                (self.covered, self.snapshot_size) = (from, bytes);
                snapshot::remove_others(&self.dir, from)?;
                tracing::info!(from, bytes, "a snapshot is complete");
                Ok(())
            }
            Ok(Taken::Abandoned) => Ok(snapshot::remove_unfinished(&self.dir)?),
            Err(error) => {
                let pause = i64::try_from(AFTER_A_FAILURE.as_millis()).unwrap_or(i64::MAX);
                self.no_snapshot_before = self.shared.clock().now().plus_millis(pause);
                snapshot::remove_unfinished(&self.dir)?;
                Err(error.into())
            }
        }
    }

    /// Writes a snapshot, and keeps the journal's log small meanwhile.
    fn take_snapshot(&mut self) -> io::Result<Taken> {
        let (shared, dir, store_id) = (self.shared.clone(), self.dir.clone(), self.store_id);
        let (alive, ended) = mpsc::channel::<()>();
        let writing = thread::Builder::new().name("chatroom-snapshot".into()).spawn(move || {
            let _alive = alive;
            step_back();
            snapshot::take(&shared, &dir, store_id)
        })?;
        while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            // What fails is tried again, and told, when the keeper looks the next time.
            drop(self.checkpoint());
            self.write_deliveries();
        }
        writing.join().unwrap_or_else(|_| Err(io::Error::other("the thread that wrote it panicked")))
    }
}

/// On Linux a thread has a priority of its own; elsewhere it would be the whole process's.
#[cfg(target_os = "linux")]
fn step_back() {
    use rustix::process::setpriority_process;
    use rustix::thread::gettid;

    /// About a tenth of what another thread gets where both want a core.
    const NICE: i32 = 10;
    if let Err(error) = setpriority_process(Some(gettid()), NICE) {
        tracing::debug!(%error, "a snapshot is written with the priority of everything else");
    }
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}
