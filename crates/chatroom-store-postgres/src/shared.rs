//! What the parts of a store share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chatroom_core::Clock;

use crate::connect::Connector;
use crate::known::Known;
use crate::options::Options;
use crate::queue::Queue;

pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) connector: Connector,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) queue: Queue,
    /// Told when events were written that somebody is to be told of.
    pub(crate) news: tokio::sync::Notify,
    pub(crate) registry: Registry,
    pub(crate) known: Known,
}

/// Whether an app or a rule was changed here.
#[derive(Default)]
pub(crate) struct Registry {
    changed: AtomicBool,
    pub(crate) told: tokio::sync::Notify,
}

impl Registry {
    pub(crate) fn change(&self) {
        self.changed.store(true, Ordering::SeqCst);
        self.told.notify_one();
    }

    /// Whether something was changed since this was last taken.
    pub(crate) fn take_change(&self) -> bool {
        self.changed.swap(false, Ordering::SeqCst)
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.changed.load(Ordering::SeqCst)
    }
}
