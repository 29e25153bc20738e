//! `callback test`: one sample event, posted past the log. Sequences, cursors and the state of the rule stay as they
//! are.

use std::time::Duration;

use bytes::Bytes;
use chatroom_callback::sample_event;
use chatroom_core::RuleName;

use super::AppCallbacks;
use crate::admin::{AdminError, Attempt, CallbackReply};

/// How much of a body is shown.
const SHOWN: usize = 512;

impl AppCallbacks<'_> {
    /// Whether or not the rule is enabled: who makes one disabled wants to try it first.
    pub(super) async fn test(&self, name: &RuleName) -> Result<CallbackReply, AdminError> {
        let rule = self.find(name).await?;
        let id = self.callbacks.ids.operation().event(0);
        let event = sample_event(&rule, id, self.callbacks.clock.now());
        let event = event.ok_or_else(|| AdminError::failed("the sample event could not be made"))?;
        let attempt = match self.callbacks.sink.exchange(&rule, &event).await {
            Ok(reply) => Attempt::Answered {
                status: reply.status,
                not_taken: (!reply.is_success()).then(|| reply.failure().words.to_string()),
                took: whole_millis(reply.took),
                beginning: text(&reply.beginning),
                more: reply.beginning.len() > SHOWN,
            },
            Err(failure) => Attempt::Failed(failure.words.to_string()),
        };
        Ok(CallbackReply::Tried { event: id.to_string(), attempt })
    }
}

fn whole_millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

fn text(beginning: &Bytes) -> String {
    String::from_utf8_lossy(&beginning[..beginning.len().min(SHOWN)]).into_owned()
}
