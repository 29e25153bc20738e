//! What became of a group: told once, to everybody who waits for it.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

/// Says what became of one group.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    fate: AtomicU8,
    told: Notify,
}

/// What became of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is on the disk.
    Durable,
    /// It was taken back: nothing of it was written.
    Undone,
    /// Nobody knows.
    Unknown,
}

impl Signal {
    /// Tells everybody.
    pub(crate) fn tell(&self, fate: Fate) {
        let fate = match fate {
            Fate::Durable => 1,
            Fate::Undone => 2,
            Fate::Unknown => 3,
        };
        self.fate.store(fate, Ordering::Release);
        self.told.notify_waiters();
    }

    pub(crate) fn fate(&self) -> Option<Fate> {
        match self.fate.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Fate::Durable),
            2 => Some(Fate::Undone),
            _ => Some(Fate::Unknown),
        }
    }

    /// Waits until it is told. May be dropped at any time.
    pub(crate) async fn wait(&self) -> Fate {
        loop {
            // Made before the look, so that nothing is told between the two unheard.
            let told = self.told.notified();
            if let Some(fate) = self.fate() {
                return fate;
            }
            told.await;
        }
    }
}
