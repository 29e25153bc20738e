use std::sync::Arc;

use async_trait::async_trait;
use chatroom_core::{
    Action, AppId, CallbackLeases, ChangeRule, ChatroomId, ChatroomRepository, DeadLetter, Deliveries, Facts,
    LeaseRequest, Leased, Operation, OperationId, Outcome, RoomKey, Rule, RuleId, RuleRegistry, RuleStatus,
    Seq, Settled, Settlement, Span, StorageError, TransactError,
};

use super::PlainStore;
use crate::faults::fault::Fault;

#[async_trait]
impl RuleRegistry for PlainStore {
    async fn rules(&self, app: AppId) -> Result<Vec<Rule>, StorageError> {
        let mut rules = self.held().now.facts.rules(app);
        rules.sort_by_key(|rule| (rule.created, rule.id));
        self.backwards(&mut rules);
        Ok(rules)
    }

    async fn change_rule(
        &self,
        id: OperationId,
        app: AppId,
        change: ChangeRule,
    ) -> Result<Rule, TransactError> {
        match self.transact(Operation { id, app, action: Action::ChangeRule(change) }).await? {
            Outcome::RuleChanged(rule) => Ok(*rule),
            other => panic!("a change of a rule had the outcome {other:?}"),
        }
    }
}

#[async_trait]
impl CallbackLeases for PlainStore {
    async fn lease(&self, ask: LeaseRequest) -> Result<Leased, StorageError> {
        let leased = {
            let held = self.held();
            self.telling().lease(ask, &held.now, self.moment().0)
        };
        // A store that waits for its disk: a caller may give up here.
        tokio::task::yield_now().await;
        Ok(leased)
    }

    async fn settle(&self, done: Vec<Settlement>) -> Result<Vec<Settled>, StorageError> {
        Ok(self.telling().settle(&done, self.moment().0))
    }

    async fn more(&self) {
        if self.fault == Fault::NobodyIsWoken {
            std::future::pending::<()>().await;
        }
        self.more.notified().await;
    }
}

#[async_trait]
impl Deliveries for PlainStore {
    async fn statuses(&self, app: AppId) -> Result<Vec<RuleStatus>, StorageError> {
        let mut statuses = self.telling().backlog().statuses(app);
        if self.fault == Fault::StatusIsRosy {
            for status in &mut statuses {
                (status.events_behind, status.failures_in_a_row) = (0, 0);
            }
        }
        self.backwards(&mut statuses);
        Ok(statuses)
    }

    async fn dead_letters(
        &self,
        rule: RuleId,
        after: Option<(ChatroomId, Seq)>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StorageError> {
        let mut letters: Vec<_> = self.telling().backlog().dead_letters(rule, after).cloned().collect();
        self.backwards(&mut letters);
        letters.truncate(limit);
        Ok(letters)
    }

    async fn losses(&self, limit: usize) -> Result<Vec<(Arc<Rule>, DeadLetter)>, StorageError> {
        Ok(self.telling().losses(limit))
    }

    async fn replay(&self, rule: RuleId, runs: Vec<(RoomKey, Span)>) -> Result<u64, StorageError> {
        let mut again = 0;
        for (room, span) in runs {
            let held = self.held();
            let log = held.now.logs.get(&room).and_then(|log| Some((log.first()?.seq, log.last()?.seq)));
            if let Some((first, last)) = log {
                again += self.telling().replay(rule, room, span, Span { first, last }, self.moment().0);
            }
        }
        self.more.notify_one();
        Ok(again)
    }
}
