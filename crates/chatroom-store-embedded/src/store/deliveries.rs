//! How deliveries are doing, and how to tell something again.

use std::sync::Arc;

use async_trait::async_trait;
use chatroom_core::{
    AppId, ChatroomId, DeadLetter, Deliveries, RoomKey, Rule, RuleId, RuleStatus, Seq, Span, StorageError,
    StorageErrorKind,
};

use super::EmbeddedStore;
use crate::engine::Phase;
use crate::signal::{Fate, Signal};

#[async_trait]
impl Deliveries for EmbeddedStore {
    async fn statuses(&self, app: AppId) -> Result<Vec<RuleStatus>, StorageError> {
        self.read(|engine| engine.deliveries.backlog.statuses(app)).await
    }

    async fn dead_letters(
        &self,
        rule: RuleId,
        after: Option<(ChatroomId, Seq)>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StorageError> {
        self.read(|engine| engine.deliveries.backlog.dead_letters(rule, after).take(limit).cloned().collect())
            .await
    }

    async fn losses(&self, limit: usize) -> Result<Vec<(Arc<Rule>, DeadLetter)>, StorageError> {
        let copy = |(rule, letter): (&Arc<Rule>, &DeadLetter)| (rule.clone(), letter.clone());
        self.read(|engine| engine.deliveries.backlog.losses().take(limit).map(copy).collect()).await
    }

    async fn replay(&self, rule: RuleId, runs: Vec<(RoomKey, Span)>) -> Result<u64, StorageError> {
        let (mut again, mut last) = (0, None);
        for (room, span) in runs {
            loop {
                match self.replay_run(rule, &room, span)? {
                    Replay::Noted(events, signal) => {
                        again += events;
                        last = signal.or(last);
                        break;
                    }
                    Replay::NoRoom(signal) => drop(signal.wait().await),
                }
            }
        }
        let fate = match last {
            None => Fate::Durable,
            Some(signal) => signal.wait().await,
        };
        self.shared.more.notify_one();
        match fate {
            Fate::Durable => Ok(again),
            Fate::Undone => {
                Err(StorageError::new(StorageErrorKind::Unavailable, "the commit was taken back"))
            }
            Fate::Unknown => {
                let message = "the commit may or may not be on the disk";
                Err(StorageError::new(StorageErrorKind::OutcomeUnknown, message))
            }
        }
    }
}

/// What became of a run.
enum Replay {
    /// So many events are told again, when this tells that it is durable.
    Noted(u64, Option<Arc<Signal>>),
    /// The group is full; another begins when this tells what became of it.
    NoRoom(Arc<Signal>),
}

impl EmbeddedStore {
    fn replay_run(&self, rule: RuleId, room: &RoomKey, span: Span) -> Result<Replay, StorageError> {
        let mut engine = self.shared.engine();
        if engine.phase != Phase::Open {
            return Err(engine.refusal());
        }
        if let Some(full) = engine.full_group() {
            self.shared.wake_writer(engine);
            return Ok(Replay::NoRoom(full));
        }
        let volatile = engine.first_volatile();
        let log = engine.index.kept_while(room, |position| position.group < volatile);
        let Some(log) = log else { return Ok(Replay::Noted(0, None)) };
        let moment = self.shared.moment();
        let (events, writes) = engine.deliveries.backlog.replay(rule, room, span, log, moment.0);
        let signal = (!writes.is_empty()).then(|| engine.write_deliveries(rule, room, writes, moment));
        self.shared.wake_writer(engine);
        Ok(Replay::Noted(events, signal))
    }
}
