//! The rules that say who is told of what.

use async_trait::async_trait;
use chatroom_core::{
    Action, AppId, ChangeRule, Operation, OperationId, Outcome, Rule, RuleRegistry, StorageError,
    StorageErrorKind, TransactError,
};

use super::EmbeddedStore;

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
