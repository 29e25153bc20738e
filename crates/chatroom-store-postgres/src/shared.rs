//! What the parts of a store share.

use std::sync::Arc;

use chatroom_core::Clock;

use crate::connect::Connector;
use crate::options::Options;
use crate::queue::Queue;

pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) connector: Connector,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) queue: Queue,
    /// Told when events were written that somebody is to be told of.
    pub(crate) news: tokio::sync::Notify,
    /// Told when an app or a rule was changed here.
    pub(crate) registry: tokio::sync::Notify,
}
