//! Makes small stores, and restarts them.

use std::sync::Arc;

use async_trait::async_trait;
use chatroom_core::{Key, Record, Write};

use super::fault::Fault;
use super::store::{Held, PlainStore};
use super::telling::Telling;
use crate::{DeliveryHarness, DurableHarness, Harness, Setup};

/// Makes stores with this fault.
pub(super) struct Plain(Fault);

impl Plain {
    pub(super) fn sound() -> Self {
        Self(Fault::Nothing)
    }

    pub(super) fn with(fault: Fault) -> Self {
        Self(fault)
    }
}

#[async_trait]
impl Harness for Plain {
    type Store = PlainStore;

    async fn open(&self, setup: Setup) -> Arc<PlainStore> {
        let mut held = Held::default();
        if let (Some(limit), false) = (setup.max_memberships, self.0 == Fault::Boundless) {
            held.now.facts = held.now.facts.with_capacity(limit);
        }
        Arc::new(PlainStore::over(held, Telling::new(self.0), self.0, setup))
    }
}

#[async_trait]
impl DeliveryHarness for Plain {
    async fn retain(&self, store: &PlainStore) {
        store.retain();
    }
}

#[async_trait]
impl DurableHarness for Plain {
    async fn restart(&self, store: Arc<PlainStore>, setup: Setup) -> Arc<PlainStore> {
        let store = Arc::into_inner(store).expect("nobody else holds a store that is restarted");
        let (mut held, telling) = store.into_parts();
        match self.0 {
            Fault::RestartLosesACommit => held.now = held.before.clone(),
            Fault::RestartLosesAnEvent => held.now.logs = held.before.logs.clone(),
            Fault::RestartForgetsDeletions => {
                for user in held.users.clone().into_values() {
                    held.write(Write::Put(Record::User(user)));
                }
            }
            Fault::RestartForgetsSweeps => {
                for sweep in held.now.facts.sweeps().to_vec() {
                    held.write(Write::Delete(Key::Sweep(sweep)));
                }
            }
            Fault::RestartForgetsRules => {
                for rule in telling.rules() {
                    held.write(Write::Delete(Key::Rule(rule.app, rule.id)));
                }
            }
            _ => {}
        }
        let telling = telling.restarted(&held.now, setup.clock.now());
        Arc::new(PlainStore::over(held, telling, self.0, setup))
    }
}
