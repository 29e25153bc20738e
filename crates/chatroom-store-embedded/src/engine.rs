//! What the lock protects: the state, and the groups that are not on the disk yet.
//!
//! An operation is decided on the state with everything applied that was decided before it, and applied at once. How
//! to take it back is kept until its group is durable. There are at most two groups: one that the writer is
//! committing, and one that fills meanwhile.

mod deliveries;
mod group;
mod recent;

use std::collections::VecDeque;
use std::sync::Arc;

use chatroom_core::{
    CursorWrite, Facts, Moment, Operation, Outcome, RoomKey, RuleId, StorageError, StorageErrorKind,
    Timestamp, TransactError, Write,
};
use chatroom_store_memory::{EventIndex, State};
use tokio::sync::oneshot;

use crate::codec::{BlobWriter, Position};
use crate::counted::Counted;
use crate::queue::{Queue, Waiting};
use crate::signal::{Fate, Signal};
pub(crate) use deliveries::Deliveries;
pub(crate) use group::Group;

/// The most records that a group reads, and the most that it writes (invariant 6).
const RECORDS: usize = 2_000;

pub(crate) struct Engine {
    pub(crate) state: State,
    pub(crate) index: EventIndex<Position>,
    pub(crate) deliveries: Deliveries,
    /// Fills.
    pending: Group,
    /// Is being committed.
    flying: Option<Group>,
    queue: Queue,
    pub(crate) phase: Phase,
    /// Whether the writer waits to be woken.
    pub(crate) writer_asleep: bool,
    /// When the last group did not fit on the disk.
    pub(crate) full: Option<Timestamp>,
    /// How often groups were taken back: what was read of the state before may never have been.
    pub(crate) rollbacks: u64,
    /// Dissolved rooms without events: perhaps nothing of them is needed any more.
    pub(crate) forgettable: VecDeque<RoomKey>,
    /// Bytes of groups that no snapshot covers.
    pub(crate) uncovered: u64,
    /// No group below this one is kept.
    pub(crate) first_kept: u64,
}

/// Whether the store works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    /// It finishes what was begun.
    Closing,
    Closed,
    /// Nobody knows what is on the disk: nothing more is written or read (invariant 4).
    Failed(Arc<str>),
}

/// An answer, and what must be durable before it is given.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) answer: Result<Outcome, TransactError>,
    pub(crate) seen: Option<Arc<Signal>>,
}

impl Engine {
    /// The next group is `next`.
    pub(crate) fn new(state: State, index: EventIndex<Position>, next: u64, queue: usize) -> Self {
        Self {
            state,
            index,
            deliveries: Deliveries::default(),
            pending: Group::new(next),
            flying: None,
            queue: Queue::new(queue),
            phase: Phase::Open,
            writer_asleep: false,
            full: None,
            rollbacks: 0,
            forgettable: VecDeque::new(),
            uncovered: 0,
            first_kept: 0,
        }
    }

    /// What must be durable before anything may be told that was read just now.
    pub(crate) fn seen(&self) -> Option<Arc<Signal>> {
        if self.pending.is_empty() { self.flying.as_ref() } else { Some(&self.pending) }
            .map(|group| group.signal.clone())
    }

    /// The first group that is not durable.
    pub(crate) fn first_volatile(&self) -> u64 {
        self.flying.as_ref().map_or(self.pending.number, |group| group.number)
    }

    /// The newest group that holds something.
    pub(crate) fn last_group(&self) -> u64 {
        if self.pending.is_empty() { self.pending.number.saturating_sub(1) } else { self.pending.number }
    }

    /// Makes writes that no operation decided. Answers whether the group has room for them.
    pub(crate) fn write(&mut self, writes: &[Write], moment: Moment) -> bool {
        let group = &mut self.pending;
        if group.sealed || group.writes + writes.len() > RECORDS {
            return false;
        }
        group.write(writes, moment, &mut self.state);
        true
    }

    /// Decides the operation now, if nobody waits before it and the group has room; else it is to wait.
    pub(crate) fn submit(&mut self, operation: &Operation, moment: Moment) -> Option<Decided> {
        if !self.queue.is_empty() { None } else { self.decide(operation, moment) }
    }

    /// Lets the operation wait. Answers what it will be told through, `None` standing for "too many wait".
    pub(crate) fn enqueue(&mut self, operation: Operation) -> oneshot::Receiver<Option<Decided>> {
        let (caller, answer) = oneshot::channel();
        if let Some(gone) = self.queue.push(Waiting { operation, caller }) {
            // Whoever does not wait any more need not be told.
            drop(gone.caller.send(None));
        }
        answer
    }

    /// Decides up to `limit` of those that wait. Answers whether it stopped because of `limit`.
    pub(crate) fn admit(&mut self, limit: usize, moment: impl Fn() -> Moment) -> bool {
        for _ in 0..limit {
            if self.pending.sealed {
                return false;
            }
            let Some(waiting) = self.queue.pop() else { return false };
            match self.decide(&waiting.operation, moment()) {
                // Whoever went away in this instant is not told; the operation is decided and will be committed.
                Some(decided) => drop(waiting.caller.send(Some(decided))),
                None => self.queue.unpop(waiting),
            }
        }
        true
    }

    /// Decides the operation and applies it. `None` if the group has no room for it.
    fn decide(&mut self, operation: &Operation, moment: Moment) -> Option<Decided> {
        if self.pending.sealed {
            return None;
        }
        let facts = Counted::new(&self.state);
        let decision = match operation.decide(&facts, moment) {
            Ok(decision) => decision,
            Err(undecided) => return Some(Decided { answer: Err(undecided.into()), seen: self.seen() }),
        };
        let reads = facts.reads();
        if decision.records() == 0 {
            return Some(Decided { answer: Ok(decision.outcome), seen: self.seen() });
        }
        let group = &mut self.pending;
        let fits = group.writes + decision.records() <= RECORDS && group.reads + reads <= RECORDS;
        if !fits && !group.is_empty() {
            group.sealed = true;
            return None;
        }
        let outcome = match group.add(decision, moment, reads, &mut self.state, &mut self.index) {
            Ok(outcome) => outcome,
            Err(unencodable) => {
                let error = StorageError::caused_by(
                    StorageErrorKind::Unavailable,
                    "the change cannot be written",
                    unencodable,
                );
                return Some(Decided { answer: Err(error.into()), seen: None });
            }
        };
        group.sealed = group.writes >= RECORDS || group.reads >= RECORDS;
        Some(Decided { answer: Ok(outcome), seen: Some(group.signal.clone()) })
    }

    /// Whether there is something to commit.
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty() || self.deliveries.is_due()
    }

    /// What tells when there is room in a group again, if the one that fills has none.
    pub(crate) fn full_group(&self) -> Option<Arc<Signal>> {
        let group = &self.pending;
        (group.sealed || group.writes + deliveries::AT_ONCE > RECORDS).then(|| group.signal.clone())
    }

    /// Puts what became of a room's deliveries into the group that fills, or what has no place there into one after
    /// it. Answers what tells when the room's cursor is durable.
    pub(crate) fn write_deliveries(
        &mut self,
        rule: RuleId,
        room: &RoomKey,
        writes: Vec<CursorWrite>,
        moment: Moment,
    ) -> Arc<Signal> {
        self.deliveries.keep(writes);
        self.pending.deliveries(self.deliveries.take_cursor(rule, *room), moment);
        self.pending.signal.clone()
    }

    /// Whether operations wait for a place.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Takes the pending group to be committed; another begins to fill.
    pub(crate) fn launch(&mut self, moment: Moment) -> (u64, Timestamp, BlobWriter) {
        let next = Group::new(self.pending.number + 1);
        let mut group = std::mem::replace(&mut self.pending, next);
        if self.deliveries.is_due() {
            let room = RECORDS.saturating_sub(group.writes);
            group.deliveries(self.deliveries.take(room), moment);
        }
        let blob = std::mem::replace(&mut group.blob, BlobWriter::new());
        let launched = (group.number, group.newest, blob);
        self.flying = Some(group);
        launched
    }

    /// The group that was launched is durable. Answers it, to be told and dropped without the lock, and whether there
    /// may be more to lease than before.
    pub(crate) fn landed(&mut self, blob: &[u8], now: Timestamp) -> Option<(Group, bool)> {
        let mut group = self.flying.take()?;
        for room in &group.dissolved_logs {
            self.index.remove(room);
        }
        self.uncovered = self.uncovered.saturating_add(blob.len() as u64);
        self.full = None;
        let noted = std::mem::take(&mut group.noted);
        if !noted.is_empty() {
            self.deliveries.recent.push(group.number, blob);
        }
        let more = self.deliveries.landed(noted, now);
        Some((group, more))
    }

    /// Takes back everything that is not durable, newest first. Answers whom to tell.
    pub(crate) fn roll_back(&mut self) -> Vec<Arc<Signal>> {
        let mut signals = Vec::with_capacity(2);
        let number = self.first_volatile();
        let pending = std::mem::replace(&mut self.pending, Group::new(number));
        for mut group in [Some(pending), self.flying.take()].into_iter().flatten() {
            signals.push(group.signal.clone());
            self.forgettable.extend(std::mem::take(&mut group.dissolved_logs));
            let unwritten = group.take_back(&mut self.state, &mut self.index);
            self.deliveries.give_back(unwritten);
        }
        self.rollbacks += 1;
        signals
    }

    /// Nothing is written or read from now on. Answers whom to tell: those of the group that was launched, and those
    /// of which nothing was written.
    pub(crate) fn fail(&mut self, why: Arc<str>) -> (Option<Arc<Signal>>, Arc<Signal>) {
        self.phase = Phase::Failed(why);
        let number = self.first_volatile();
        let pending = std::mem::replace(&mut self.pending, Group::new(number));
        while let Some(waiting) = self.queue.pop() {
            let decided = Decided { answer: Err(self.refusal().into()), seen: None };
            drop(waiting.caller.send(Some(decided)));
        }
        (self.flying.take().map(|group| group.signal), pending.signal)
    }

    /// Why the store does not read: [`Self::phase`] in words.
    pub(crate) fn refusal(&self) -> StorageError {
        let why = match &self.phase {
            Phase::Failed(why) => why,
            Phase::Open | Phase::Closing | Phase::Closed => "it is closed",
        };
        StorageError::new(StorageErrorKind::Unavailable, why)
    }

    /// How many memberships are held.
    pub(crate) fn memberships(&self) -> u64 {
        self.state.capacity().used
    }
}

/// What to answer when what was seen came to this.
pub(crate) fn settle(answer: Result<Outcome, TransactError>, fate: Fate) -> Result<Outcome, TransactError> {
    let (kind, message) = match (fate, &answer) {
        (Fate::Durable, _) => return answer,
        (Fate::Unknown, Ok(_)) => {
            (StorageErrorKind::OutcomeUnknown, "the commit may or may not be on the disk")
        }
        (Fate::Unknown, Err(_)) => {
            (StorageErrorKind::Unavailable, "the commit before may or may not be on the disk")
        }
        (Fate::Undone, _) => (StorageErrorKind::Unavailable, "the commit was taken back"),
    };
    Err(StorageError::new(kind, message).into())
}
