//! How deliveries are doing, and how to tell something again.

use std::sync::Arc;

use async_trait::async_trait;

use super::cursor::{DeadLetter, Span};
use super::rule::{Rule, RuleId};
use super::status::RuleStatus;
use crate::error::StorageError;
use crate::event::Seq;
use crate::id::{AppId, ChatroomId};
use crate::model::RoomKey;

/// Shows and repairs deliveries: for those who run the server.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Deliveries: Send + Sync + 'static {
    /// How the rules of an app are doing, the oldest rule first.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot read; so for all below.
    async fn statuses(&self, app: AppId) -> Result<Vec<RuleStatus>, StorageError>;

    /// Up to `limit` dead letters of a rule, by room and then in order, from behind the one that begins with this
    /// event of this room.
    async fn dead_letters(
        &self,
        rule: RuleId,
        after: Option<(ChatroomId, Seq)>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StorageError>;

    /// Up to `limit` runs of events, of all rules, that retention took before they were delivered.
    async fn losses(&self, limit: usize) -> Result<Vec<(Arc<Rule>, DeadLetter)>, StorageError>;

    /// Tells a rule runs of events again, each before its room goes on; dead letters in them are there no more.
    /// What is not told yet is not told twice, and what is no longer kept is passed over. Durable on return. Answers
    /// how many events will be told again. A run may be asked for twice.
    async fn replay(&self, rule: RuleId, runs: Vec<(RoomKey, Span)>) -> Result<u64, StorageError>;
}
