//! What the server tells the servers of apps: the rules, the log that they read, and how deliveries are doing.

mod administrator;
mod declared;
mod delivery;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chatroom_callback::{Checked, Guard, Refusal, Resolver, SystemResolver, WebhookSink};
use chatroom_core::{
    AppId, CallbackOutbox, ChangeRule, Clock, Deliveries, Error, Ids, Rule, RuleChange, RuleRegistry,
};

pub(crate) use administrator::AppCallbacks;
pub(crate) use declared::reconcile;
pub(crate) use delivery::deliver;

use crate::apps::Apps;
use crate::config::CallbackConfig;
use crate::serve::Stores;

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
    /// `callback.timeout`
    pub(crate) timeout: Duration,
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
            timeout: config.timeout,
        })
    }

    /// Checks the URL of a rule that is to be made. That its host cannot be found in time is no reason to refuse it.
    ///
    /// # Errors
    /// [`Refusal`] if it may not be asked.
    pub(crate) async fn check(&self, url: &str) -> Result<Checked, Refusal> {
        let checking = self.guard.check_rule(url, &*self.resolver);
        match tokio::time::timeout(self.timeout, checking).await {
            Ok(checked) => checked,
            Err(_) => {
                let unresolved = Some(format!("no answer within {:?}", self.timeout));
                Ok(Checked { url: self.guard.check_url(url)?, unresolved })
            }
        }
    }

    /// Changes a rule of an app. Durable on return, and in force for the next delivery. Answers the rule as it is
    /// now, or as it was before it was removed.
    ///
    /// # Errors
    /// [`Error::Rejected`] or [`Error::Storage`].
    pub(crate) async fn change(&self, app: AppId, change: RuleChange) -> Result<Rule, Error> {
        let change = ChangeRule { change, max_rules: self.max_rules };
        Ok(self.rules.change_rule(self.ids.operation(), app, change).await?)
    }
}

#[cfg(test)]
mod tests {
    use chatroom_core::test_util::{CountingIds, ManualClock};
    use chatroom_core::{AppChange, NewApp, Origin, SecretDigest, SigningKey};

    use super::*;
    use crate::config::Config;

    #[tokio::test]
    async fn this_machine_may_be_asked_as_long_as_there_is_a_demo_app() {
        let (config, clock) = (Config::default(), Arc::new(ManualClock::at(0)));
        let (stores, ids) = (Stores::memory(&config, clock.clone()), Arc::new(CountingIds::default()));
        let apps = Apps::load(stores.registry.clone(), ids.clone()).await.unwrap();
        let callbacks = Callbacks::new(&config.callback, &stores, &apps, ids, clock).unwrap();
        let may = || callbacks.guard.check_url("http://127.0.0.1:9080/").is_ok();
        let app = |key: &str, origin| NewApp {
            key: key.parse().unwrap(),
            client_id: "id".into(),
            secret: SecretDigest([0; 32]),
            signing_key: SigningKey([0; 32]),
            origin,
        };
        apps.change(AppChange::Create(app("a#b", Origin::Command))).await.unwrap();
        assert!(!may());
        let demo = app("demo#chat", Origin::Demo);
        apps.change(AppChange::Create(demo.clone())).await.unwrap();
        assert!(may());
        apps.change(AppChange::Delete(demo.key)).await.unwrap();
        assert!(!may());
    }
}
