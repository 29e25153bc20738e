//! What is to be delivered, and the rules that say to whom.

use std::sync::Arc;

use async_trait::async_trait;
use chatroom_core::{
    Action, AppId, CallbackLeases, ChangeRule, ChatroomId, DeadLetter, Deliveries, LeaseRequest, Leased,
    Operation, OperationId, Outcome, RoomKey, Rule, RuleId, RuleRegistry, RuleStatus, Seq, Settled,
    Settlement, Span, StorageError, StorageErrorKind, TransactError,
};

use super::EmbeddedStore;

#[async_trait]
impl CallbackLeases for EmbeddedStore {
    async fn lease(&self, _: LeaseRequest) -> Result<Leased, StorageError> {
        Ok(Leased::default())
    }

    async fn settle(&self, done: Vec<Settlement>) -> Result<Vec<Settled>, StorageError> {
        Ok(done.iter().map(|_| Settled::Lost).collect())
    }

    async fn more(&self) {
        std::future::pending().await
    }
}

#[async_trait]
impl Deliveries for EmbeddedStore {
    async fn statuses(&self, _: AppId) -> Result<Vec<RuleStatus>, StorageError> {
        Ok(Vec::new())
    }

    async fn dead_letters(
        &self,
        _: RuleId,
        _: Option<(ChatroomId, Seq)>,
        _: usize,
    ) -> Result<Vec<DeadLetter>, StorageError> {
        Ok(Vec::new())
    }

    async fn losses(&self, _: usize) -> Result<Vec<(Arc<Rule>, DeadLetter)>, StorageError> {
        Ok(Vec::new())
    }

    async fn replay(&self, _: RuleId, _: Vec<(RoomKey, Span)>) -> Result<u64, StorageError> {
        Ok(0)
    }
}

#[async_trait]
impl RuleRegistry for EmbeddedStore {
    async fn rules(&self, app: AppId) -> Result<Vec<Rule>, StorageError> {
        self.read(|engine| engine.state.list_rules(app)).await
    }

    async fn change_rule(
        &self,
        id: OperationId,
        app: AppId,
        change: ChangeRule,
    ) -> Result<Rule, TransactError> {
        match self.run(Operation { id, app, action: Action::ChangeRule(change) }).await? {
            Outcome::RuleChanged(rule) => Ok(*rule),
            other => {
                let message = format!("a change of a rule had the outcome {other:?}");
                Err(StorageError::new(StorageErrorKind::OutcomeUnknown, message).into())
            }
        }
    }
}
