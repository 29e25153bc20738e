//! Rules that the configuration declares.

use std::sync::Arc;

use chatroom_core::test_util::{CountingIds, ManualClock};
use chatroom_core::{ChangeRule, RuleRejection};
use chatroom_core::{Ids, NewRule, Origin, Rule, RuleChange, RuleSecret, RuleState};
use chatroom_server::config::{Config, DeclaredCallback};
use chatroom_server::serve::{Environment, Server, Stores, SystemStopwatch};

use crate::support::{NOW, config, declared};

const URL: &str = "http://127.0.0.1:1/hook";

/// A store that servers are started on, one after the other.
struct Restarts {
    stores: Stores,
    clock: Arc<ManualClock>,
    ids: Arc<CountingIds>,
}

impl Restarts {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let stores = Stores::memory(&config(), clock.clone());
        Self { stores, clock, ids: Arc::default() }
    }

    /// Starts and stops a server on this configuration.
    async fn start(&self, config: &Config) -> anyhow::Result<()> {
        let (clock, ids) = (self.clock.clone(), self.ids.clone());
        let environment = Environment { clock, watch: Arc::new(SystemStopwatch::start()), ids };
        Server::start(config, false, self.stores.clone(), environment).await?.stop().await;
        Ok(())
    }

    async fn rules(&self) -> Vec<Rule> {
        let app = self.stores.registry.apps().await.unwrap()[0].id;
        self.stores.rules.rules(app).await.unwrap()
    }
}

fn with(callbacks: impl IntoIterator<Item = DeclaredCallback>) -> Config {
    let mut config = config();
    config.callback.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    config.apps[0].callbacks.extend(callbacks);
    config
}

#[tokio::test]
async fn a_declared_rule_is_made_changed_retired_and_comes_back_as_the_same_rule() {
    let restarts = Restarts::new();
    restarts.start(&with([declared(URL)])).await.unwrap();
    let [made] = restarts.rules().await.try_into().unwrap();
    assert_eq!((&*made.url, made.origin, made.state), (URL, Origin::Configuration, RuleState::Enabled));

    let changed = DeclaredCallback {
        enabled: false,
        rooms: Some(["123456789012345".parse().unwrap()].into()),
        ..declared("http://127.0.0.1:2/")
    };
    restarts.start(&with([changed])).await.unwrap();
    let [changed] = restarts.rules().await.try_into().unwrap();
    assert_eq!(
        (changed.id, &*changed.url, changed.state),
        (made.id, "http://127.0.0.1:2/", RuleState::Disabled)
    );
    assert_eq!(changed.rooms.unwrap().len(), 1);

    restarts.start(&with([])).await.unwrap();
    assert_eq!(restarts.rules().await[0].state, RuleState::Retired);
    restarts.start(&with([declared(URL)])).await.unwrap();
    assert_eq!(restarts.rules().await, [made]);
}

#[tokio::test]
async fn the_rules_of_an_app_that_is_no_longer_declared_are_retired_too() {
    let restarts = Restarts::new();
    restarts.start(&with([declared(URL)])).await.unwrap();
    let mut other = config();
    other.apps[0].key = "demo#other".parse().unwrap();
    restarts.start(&other).await.unwrap();
    assert_eq!(restarts.rules().await[0].state, RuleState::Retired);
}

#[tokio::test]
async fn a_rule_that_takes_the_place_of_another_fits_where_no_more_would() {
    let restarts = Restarts::new();
    let mut first = with([declared(URL)]);
    first.callback.max_rules = 1;
    restarts.start(&first).await.unwrap();
    let mut second = with([DeclaredCallback { name: "other".parse().unwrap(), ..declared(URL) }]);
    second.callback.max_rules = 1;
    restarts.start(&second).await.unwrap();
    let states: Vec<_> = restarts.rules().await.iter().map(|rule| rule.state).collect();
    assert_eq!(states, [RuleState::Retired, RuleState::Enabled]);
}

#[tokio::test]
async fn a_rule_that_commands_made_is_taken_over_and_they_change_it_no_more() {
    let restarts = Restarts::new();
    restarts.start(&with([])).await.unwrap();
    let app = restarts.stores.registry.apps().await.unwrap()[0].id;
    let change = |change| {
        let operation = restarts.ids.operation();
        restarts.stores.rules.change_rule(operation, app, ChangeRule { change, max_rules: 4 })
    };
    let by_command = NewRule {
        name: "hook".parse().unwrap(),
        url: URL.into(),
        secret: RuleSecret::new("theirs"),
        enabled: true,
        events: None,
        rooms: None,
        origin: Origin::Command,
    };
    let made = change(RuleChange::Add(by_command)).await.unwrap();
    restarts.start(&with([declared(URL)])).await.unwrap();
    let [taken] = restarts.rules().await.try_into().unwrap();
    assert_eq!((taken.id, taken.origin), (made.id, Origin::Configuration));
    let refused = change(RuleChange::Remove(made.name.clone())).await.unwrap_err();
    assert_eq!(refused.to_string(), RuleRejection::Declared(made.name).to_string());
}

#[tokio::test]
async fn a_name_that_stands_for_an_address_nobody_may_ask_is_refused_at_the_start_that_makes_the_rule() {
    let restarts = Restarts::new();
    let mut config = with([declared("http://localhost:1/")]);
    config.callback.allow_networks.clear();
    let refused = format!("{:#}", restarts.start(&config).await.unwrap_err());
    for part in
        ["chatroom.toml:7: the callback `hook`", "`apps.callbacks.url`", "(localhost)", "allow_networks"]
    {
        assert!(refused.contains(part), "{refused}");
    }
    assert_eq!(restarts.rules().await, []);
}
