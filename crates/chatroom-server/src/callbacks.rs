//! What the server tells the servers of apps: the rules, the log that they read, and how deliveries are doing.

use std::sync::Arc;

use chatroom_callback::{Guard, Resolver, WebhookSink};
use chatroom_core::{CallbackOutbox, Clock, Deliveries, Ids, RuleRegistry};

/// All that commands, the configuration and calls need of callbacks. The dispatcher works beside it.
#[derive(Clone)]
pub(crate) struct Callbacks {
    pub(crate) rules: Arc<dyn RuleRegistry>,
    pub(crate) deliveries: Arc<dyn Deliveries>,
    pub(crate) outbox: Arc<dyn CallbackOutbox>,
    /// Says which URLs a rule may have.
    pub(crate) guard: Guard,
    pub(crate) resolver: Arc<dyn Resolver>,
    /// Posts what somebody asks to be sent as a test; the dispatcher posts through it too.
    pub(crate) sink: Arc<WebhookSink>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) clock: Arc<dyn Clock>,
    /// `callback.max_rules`
    pub(crate) max_rules: usize,
}
