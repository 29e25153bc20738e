//! Apps, and the rules that say who is told of their events.

use async_trait::async_trait;
use chatroom_core::{
    Action, App, AppChange, AppId, AppRegistry, ChangeRule, Operation, OperationId, Outcome, Rule,
    RuleRegistry, StorageError, StorageErrorKind, TransactError,
};

use super::PostgresStore;
use crate::numbers;
use crate::rows;

const APPS: &str = "\
    SELECT app, org, name, client_id, secret, generation, signing_key, origin, state, created FROM apps \
    WHERE state <> 3";
const RULES: &str = "\
    SELECT r.app, r.id, r.name, r.url, r.secret, r.outgoing_secret, r.outgoing_until, r.state, r.events, r.rooms, \
        r.origin, r.created, a.org, a.name AS app_name \
    FROM rules r JOIN apps a ON a.app = r.app AND a.state <> 3 WHERE r.app = $1 ORDER BY r.created, r.id";

#[async_trait]
impl AppRegistry for PostgresStore {
    async fn apps(&self) -> Result<Vec<App>, StorageError> {
        let found = self.query(APPS, &[]).await?;
        let mut apps = found.iter().map(rows::app).collect::<Result<Vec<_>, _>>()?;
        apps.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(apps)
    }

    async fn change(&self, id: OperationId, app: AppId, change: AppChange) -> Result<App, TransactError> {
        match self.run(Operation { id, app, action: Action::ChangeApp(change) }).await? {
            Outcome::AppChanged(app) => {
                self.shared.registry.change();
                Ok(*app)
            }
            other => Err(unexpected("an app", &other)),
        }
    }
}

#[async_trait]
impl RuleRegistry for PostgresStore {
    async fn rules(&self, app: AppId) -> Result<Vec<Rule>, StorageError> {
        self.query(RULES, &[&numbers::app(app)]).await?.iter().map(rows::rule).collect()
    }

    async fn change_rule(
        &self,
        id: OperationId,
        app: AppId,
        change: ChangeRule,
    ) -> Result<Rule, TransactError> {
        match self.run(Operation { id, app, action: Action::ChangeRule(change) }).await? {
            Outcome::RuleChanged(rule) => {
                self.shared.registry.change();
                Ok(*rule)
            }
            other => Err(unexpected("a rule", &other)),
        }
    }
}

fn unexpected(what: &str, outcome: &Outcome) -> TransactError {
    let message = format!("a change of {what} had the outcome {outcome:?}");
    StorageError::new(StorageErrorKind::OutcomeUnknown, message).into()
}
