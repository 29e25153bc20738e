//! Events, what is to be delivered of them, and the rules that say to whom.

use std::sync::Arc;

use async_trait::async_trait;
use chatroom_core::{
    Action, AppId, CallbackLeases, CallbackOutbox, ChangeRule, ChatroomId, ChatroomRepository, Counters,
    DeadLetter, Deliveries, Event, Facts, LeaseRequest, Leased, Operation, OperationId, Outcome, RoomKey,
    Rule, RuleId, RuleRegistry, RuleStatus, Seq, Settled, Settlement, Span, StorageError, StorageErrorKind,
    Timestamp, TransactError,
};

use super::MemoryStore;

impl MemoryStore {
    /// Of deliveries, whose time does not go back.
    fn time(&self) -> Timestamp {
        self.ticker.tick(&*self.clock).0
    }
}

#[async_trait]
impl CallbackOutbox for MemoryStore {
    async fn events(&self, room: &RoomKey, after: Seq, limit: usize) -> Result<Vec<Event>, StorageError> {
        Ok(self.held().events.after(room, after, limit).map(|(_, event)| event.clone()).collect())
    }

    async fn counters(&self, room: &RoomKey) -> Result<Option<Counters>, StorageError> {
        Ok(self.held().state.room(room).map(|fact| fact.counters))
    }

    async fn streams(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        limit: usize,
    ) -> Result<Vec<(ChatroomId, Counters)>, StorageError> {
        Ok(self.held().state.list_streams(app, after, limit))
    }
}

#[async_trait]
impl CallbackLeases for MemoryStore {
    async fn lease(&self, ask: LeaseRequest) -> Result<Leased, StorageError> {
        let mut held = self.held();
        let claims = held.backlog.lease(self.time(), ask.leases);
        let leases = claims.into_iter().map(|claim| {
            let before = Seq(claim.span.first.0.saturating_sub(1));
            let events = held.events.after(&claim.id.room, before, ask.events);
            let events = events.take_while(|(seq, _)| *seq <= claim.span.last);
            let events = events.map(|(_, event)| event.clone()).collect();
            claim.with(events)
        });
        let leases = leases.collect();
        Ok(Leased { leases, next: held.backlog.next() })
    }

    async fn settle(&self, done: Vec<Settlement>) -> Result<Vec<Settled>, StorageError> {
        let mut held = self.held();
        let (settled, _) = held.backlog.settle(self.time(), &done);
        Ok(settled)
    }

    async fn more(&self) {
        self.more.notified().await;
    }
}

#[async_trait]
impl Deliveries for MemoryStore {
    async fn statuses(&self, app: AppId) -> Result<Vec<RuleStatus>, StorageError> {
        Ok(self.held().backlog.statuses(app))
    }

    async fn dead_letters(
        &self,
        rule: RuleId,
        after: Option<(ChatroomId, Seq)>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StorageError> {
        let mut held = self.held();
        drop(held.backlog.tidy(self.retention.keep, self.time()));
        Ok(held.backlog.dead_letters(rule, after).take(limit).cloned().collect())
    }

    async fn losses(&self, limit: usize) -> Result<Vec<(Arc<Rule>, DeadLetter)>, StorageError> {
        let held = self.held();
        Ok(held.backlog.losses().take(limit).map(|(rule, letter)| (rule.clone(), letter.clone())).collect())
    }

    async fn replay(&self, rule: RuleId, runs: Vec<(RoomKey, Span)>) -> Result<u64, StorageError> {
        let mut again = 0;
        for (room, span) in runs {
            let mut held = self.held();
            if let Some(log) = held.events.kept(&room) {
                again += held.backlog.replay(rule, &room, span, log, self.time()).0;
            }
        }
        self.more.notify_one();
        Ok(again)
    }
}

#[async_trait]
impl RuleRegistry for MemoryStore {
    async fn rules(&self, app: AppId) -> Result<Vec<Rule>, StorageError> {
        Ok(self.held().state.list_rules(app))
    }

    async fn change_rule(
        &self,
        id: OperationId,
        app: AppId,
        change: ChangeRule,
    ) -> Result<Rule, TransactError> {
        match self.transact(Operation { id, app, action: Action::ChangeRule(change) }).await? {
            Outcome::RuleChanged(rule) => Ok(*rule),
            other => {
                let message = format!("a change of a rule had the outcome {other:?}");
                Err(StorageError::new(StorageErrorKind::OutcomeUnknown, message).into())
            }
        }
    }
}
