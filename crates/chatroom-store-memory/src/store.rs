//! A store whose data ends with the process.

mod callbacks;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chatroom_core::{
    Action, App, AppChange, AppId, AppRegistry, Backlog, ChatroomId, ChatroomRepository, Clock, Decision,
    Event, Facts, Happened, Key, MembersRequest, MembersSlice, Operation, OperationId, Outcome, Record,
    RoomKey, RoomView, Seq, StorageError, StorageErrorKind, Sweep, Ticker, Timestamp, TransactError, User,
    UserId, Username, Write,
};

use tokio::sync::Notify;

use crate::lost::report_lost;
use crate::pieces::Pieces;
use crate::{EventIndex, State};

/// How many dissolved rooms each change looks at: more than it dissolves, as a rule.
const ROOMS_AT_ONCE: usize = 4;

/// How long events are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// No event older than this is kept.
    pub keep: Duration,
    /// No more bytes of events than this are kept, about.
    pub keep_bytes: u64,
}

impl Default for Retention {
    /// Seven days, and 1 GiB.
    fn default() -> Self {
        Self { keep: Duration::from_secs(7 * 24 * 60 * 60), keep_bytes: 1 << 30 }
    }
}

/// Everything in memory behind one lock. An operation is decided and applied under it, so a future that is dropped
/// has done all or nothing.
pub struct MemoryStore {
    held: Mutex<Held>,
    clock: Arc<dyn Clock>,
    ticker: Ticker,
    retention: Retention,
    /// Told when there is more to deliver.
    more: Notify,
}

struct Held {
    state: State,
    backlog: Backlog,
    events: EventIndex<Event>,
    /// All kept events, oldest first: whose, when, how large.
    kept: Pieces<(RoomKey, Timestamp, u64)>,
    kept_bytes: u64,
    /// Rooms that were dissolved and of which something may be left.
    dissolved: VecDeque<RoomKey>,
}

impl MemoryStore {
    /// Nothing yet. Additions beyond `max_memberships` are refused.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, max_memberships: Option<u64>, retention: Retention) -> Self {
        let state = State::new(max_memberships);
        let held = Held {
            state,
            backlog: Backlog::default(),
            events: EventIndex::default(),
            kept: Pieces::default(),
            kept_bytes: 0,
            dissolved: VecDeque::new(),
        };
        let ticker = Ticker::starting_at(Timestamp::default());
        Self { held: Mutex::new(held), clock, ticker, retention, more: Notify::new() }
    }

    /// Nothing under the lock panics half-way through a change, so a poisoned lock is a lock.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Answers the outcome, and whether there may be more to deliver than before.
    fn apply(&mut self, decision: Decision, now: Timestamp) -> (Outcome, bool) {
        let mut more = false;
        for write in &decision.writes {
            drop(self.state.apply(write));
            match write {
                Write::Delete(Key::Room(room)) => {
                    self.events.remove(room);
                    self.backlog.forget_room(room);
                }
                Write::Put(Record::Room(room)) if room.dissolved.is_some() => {
                    self.dissolved.push_back(room.key);
                }
                Write::Put(Record::Rule(rule)) => {
                    self.backlog.put_rule((**rule).clone(), now);
                    more = true;
                }
                Write::Delete(Key::Rule(_, rule)) => self.backlog.remove_rule(*rule),
                _ => {}
            }
        }
        for event in decision.events {
            drop(self.state.append(&event));
            more |= self.backlog.appended(&Happened::of(&event));
            let bytes = size_of_event(&event);
            self.kept.push_back((event.room, event.at, bytes));
            self.kept_bytes += bytes;
            self.events.push(event.room, event.seq, event);
        }
        (decision.outcome, more)
    }

    fn trim(&mut self, now: Timestamp, retention: Retention) {
        let oldest = now.minus(retention.keep);
        let mut lost = Vec::new();
        while let Some((room, at, bytes)) = self.kept.front().copied() {
            if at >= oldest && self.kept_bytes <= retention.keep_bytes {
                break;
            }
            self.kept.pop_front();
            self.kept_bytes -= bytes;
            let first = self.events.after(&room, Seq(0), 1).next().map(|(seq, _)| seq);
            self.events.trim(&room, |event| Some(event.seq) == first);
            if let Some(first) = first.filter(|_| self.backlog.has_rules(room.app)) {
                lost.extend(self.backlog.trimmed(&room, first, now));
            }
        }
        report_lost(&self.backlog, &lost);
    }

    /// Forgets dissolved rooms of which nothing is left. Looks at a few, and at others the next time.
    fn forget(&mut self) {
        for _ in 0..ROOMS_AT_ONCE.min(self.dissolved.len()) {
            let Some(room) = self.dissolved.pop_front() else { return };
            // Its log is asked first: most that wait wait for that.
            let is_needed = self.events.kept(&room).is_some()
                || self.backlog.holds(&room)
                || !self.state.members(&room, 1).is_empty();
            if is_needed {
                self.dissolved.push_back(room);
            } else {
                drop(self.state.apply(&Write::Delete(Key::Room(room))));
            }
        }
    }
}

/// About how many bytes an event takes.
fn size_of_event(event: &Event) -> u64 {
    let names = match &event.kind {
        chatroom_core::EventKind::Joined { members } | chatroom_core::EventKind::Left { members, .. } => {
            members.len() as u64
        }
        _ => 0,
    };
    size_of::<Event>() as u64 + names * size_of::<Username>() as u64
}

#[async_trait]
impl ChatroomRepository for MemoryStore {
    async fn transact(&self, operation: Operation) -> Result<Outcome, TransactError> {
        let mut held = self.held();
        let moment = self.ticker.tick(&*self.clock);
        let decision = operation.decide(&held.state, moment)?;
        let (outcome, more) = held.apply(decision, moment.0);
        held.trim(moment.0, self.retention);
        held.forget();
        drop(held);
        if more {
            self.more.notify_one();
        }
        Ok(outcome)
    }

    async fn user(&self, app: AppId, name: &Username) -> Result<Option<User>, StorageError> {
        Ok(self.held().state.find_user(app, name))
    }

    async fn users(
        &self,
        app: AppId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<User>, StorageError> {
        Ok(self.held().state.list_users(app, after, limit))
    }

    async fn room(&self, key: &RoomKey) -> Result<Option<RoomView>, StorageError> {
        Ok(self.held().state.find_room(key))
    }

    async fn rooms(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RoomView>, StorageError> {
        Ok(self.held().state.list_rooms(app, after, skip, limit))
    }

    async fn members(
        &self,
        key: &RoomKey,
        request: MembersRequest,
    ) -> Result<Option<MembersSlice>, StorageError> {
        Ok(self.held().state.list_members(key, request))
    }

    async fn sweeps(&self, limit: usize) -> Result<Vec<Sweep>, StorageError> {
        Ok(self.held().state.list_sweeps(limit))
    }
}

#[async_trait]
impl AppRegistry for MemoryStore {
    async fn apps(&self) -> Result<Vec<App>, StorageError> {
        Ok(self.held().state.live_apps())
    }

    async fn change(&self, id: OperationId, app: AppId, change: AppChange) -> Result<App, TransactError> {
        let operation = Operation { id, app, action: Action::ChangeApp(change) };
        match self.transact(operation).await? {
            Outcome::AppChanged(app) => Ok(*app),
            other => {
                let message = format!("a change of an app had the outcome {other:?}");
                Err(StorageError::new(StorageErrorKind::OutcomeUnknown, message).into())
            }
        }
    }
}

#[cfg(test)]
mod tests;
