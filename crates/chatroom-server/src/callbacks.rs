//! What the server tells the servers of apps: the rules, the log that they read, and how deliveries are doing.

mod administrator;

use std::sync::Arc;

use anyhow::Context;
use chatroom_callback::{Guard, Resolver, SystemResolver, WebhookSink};
use chatroom_core::{CallbackOutbox, Clock, Deliveries, Ids, RuleRegistry};

use crate::apps::Apps;
use crate::config::CallbackConfig;
use crate::serve::Stores;

pub(crate) use administrator::AppCallbacks;

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

impl Callbacks {
    /// On these stores. Addresses of this machine may be asked as long as `apps` has a demo app.
    ///
    /// # Errors
    /// TLS or the HTTP client cannot be set up.
    pub(crate) fn new(
        config: &CallbackConfig,
        stores: &Stores,
        apps: &Apps,
        ids: Arc<dyn Ids>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let guard =
            Guard::allowing(config.allow_networks.iter().copied()).with_loopback_while(apps.has_demo());
        let resolver: Arc<dyn Resolver> = Arc::new(SystemResolver);
        let sink = WebhookSink::new(guard.clone(), resolver.clone(), clock.clone(), config.timeout);
        Ok(Self {
            rules: stores.rules.clone(),
            deliveries: stores.deliveries.clone(),
            outbox: stores.outbox.clone(),
            guard,
            resolver,
            sink: Arc::new(sink.context("callbacks cannot be posted")?),
            ids,
            clock,
            max_rules: config.max_rules,
        })
    }
}
