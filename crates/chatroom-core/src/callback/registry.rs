//! Where rules are kept.

use async_trait::async_trait;

use super::rule::Rule;
use crate::error::{StorageError, TransactError};
use crate::id::{AppId, OperationId};
use crate::operation::ChangeRule;

/// Holds the rules of callbacks. A trait of its own: who imports the core and tells nobody need not implement it.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RuleRegistry: Send + Sync + 'static {
    /// The rules of an app, oldest first. What it tells of is durable.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot read.
    async fn rules(&self, app: AppId) -> Result<Vec<Rule>, StorageError>;

    /// Makes a change; durable on return. Answers the rule as it is now, or as it was before it was removed. A new
    /// one is told of what happens from now on.
    /// Dropping the future may or may not make the change, never half of it.
    ///
    /// # Errors
    /// [`TransactError`]: rejected, or the store failed.
    async fn change_rule(
        &self,
        operation: OperationId,
        app: AppId,
        change: ChangeRule,
    ) -> Result<Rule, TransactError>;
}
