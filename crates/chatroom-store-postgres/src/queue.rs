//! Operations that wait for a group.
//!
//! What changes the same thing stands in one lane, and a lane is in one group at a time: a room that everybody wants
//! fills the next group while the last one commits, instead of locking two groups against each other. Apps take turns,
//! so one that asks without end delays itself.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatroom_core::{
    Action, AppId, ChatroomId, Operation, Outcome, StorageError, StorageErrorKind, Sweep, TransactError,
};
use foldhash::{HashMap, HashSet};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::deadline::Deadline;
use crate::error::unavailable;

/// Records that a group reads or writes at most (invariant 6), about.
const RECORDS: usize = 2_000;
/// Operations of a group, at most.
const OPERATIONS: usize = 400;
/// Whoever has less time left comes into no group. A group has as much time as the least patient of its callers, and
/// one whose time ends at its commit leaves all of them without an answer.
const LEAST: Duration = Duration::from_millis(250);

/// What an operation's caller is told.
pub(crate) type Answer = Result<Outcome, TransactError>;

/// An operation that waits, or is in a group.
pub(crate) struct Waiting {
    pub(crate) operation: Operation,
    pub(crate) deadline: Deadline,
    pub(crate) caller: oneshot::Sender<Answer>,
    /// Where the caller waits, if it is on a runtime.
    pub(crate) runtime: Option<Handle>,
    stage: Arc<Stage>,
}

/// How far an operation is.
#[derive(Debug, Default)]
pub(crate) struct Stage(AtomicU8);

const QUEUED: u8 = 0;
const TAKEN: u8 = 1;
const ABANDONED: u8 = 2;
/// The group is over. Whoever gives up now may not have its answer yet.
const ANSWERED: u8 = 3;

/// Who changes the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Lane {
    Room(AppId, ChatroomId),
    NewRooms(AppId),
    Users(AppId),
    /// Apps and rules: one after the other.
    Registry,
    Sweep(Sweep),
}

/// A group, as it is taken.
pub(crate) struct Group {
    pub(crate) members: Vec<Waiting>,
    lanes: HashSet<Lane>,
}

#[derive(Default)]
struct Held {
    lanes: HashMap<Lane, VecDeque<Waiting>>,
    /// Lanes with somebody in them that no group holds, by app.
    ready: HashMap<AppId, VecDeque<Lane>>,
    /// Apps with ready lanes; the first is next.
    turns: VecDeque<AppId>,
    busy: HashSet<Lane>,
    /// How many operations of an app are in a group although their callers gave up. What the app asks for then is
    /// decided behind them.
    abandoned: HashMap<AppId, usize>,
    length: usize,
    closed: bool,
}

pub(crate) struct Queue {
    held: Mutex<Held>,
    wake: Notify,
    limit: usize,
}

/// What a caller holds while it waits.
pub(crate) struct Ticket<'q> {
    queue: &'q Queue,
    app: AppId,
    stage: Arc<Stage>,
    pub(crate) answer: oneshot::Receiver<Answer>,
    settled: bool,
}

impl Lane {
    fn of(operation: &Operation) -> Self {
        let app = operation.app;
        match &operation.action {
            Action::RemoveMembers(action) => Self::Room(app, action.room),
            Action::AddMembers(action) => Self::Room(app, action.room),
            Action::DissolveRoom(action) => Self::Room(app, action.room),
            Action::CreateRoom(_) => Self::NewRooms(app),
            Action::RegisterUsers(_) | Action::DeleteUser(_) => Self::Users(app),
            Action::ChangeApp(_) | Action::ChangeRule(_) => Self::Registry,
            Action::Sweep(Sweep::Room(room)) => Self::Room(room.app, room.id),
            Action::Sweep(sweep) => Self::Sweep(*sweep),
        }
    }
}

/// How many records an operation reads or writes, about.
fn weight(operation: &Operation) -> usize {
    let batch = |names: usize| 3 + 2 * names;
    match &operation.action {
        Action::RemoveMembers(action) => batch(action.members.names().len()),
        Action::AddMembers(action) => batch(action.members.names().len()),
        Action::CreateRoom(action) => 3 + batch(action.members.names().len()),
        Action::RegisterUsers(action) => batch(action.users.len()),
        Action::DissolveRoom(_) | Action::DeleteUser(_) => 4,
        Action::ChangeApp(_) | Action::ChangeRule(_) | Action::Sweep(_) => RECORDS,
    }
}

impl Queue {
    pub(crate) fn new(limit: usize) -> Self {
        Self { held: Mutex::default(), wake: Notify::new(), limit: limit.max(1) }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets an operation wait.
    ///
    /// # Errors
    /// The queue is full or closed.
    pub(crate) fn push(&self, operation: Operation, deadline: Deadline) -> Result<Ticket<'_>, StorageError> {
        let (caller, answer) = oneshot::channel();
        let stage = Arc::new(Stage::default());
        let (app, runtime) = (operation.app, Handle::try_current().ok());
        let ticket = Ticket { queue: self, app, stage: stage.clone(), answer, settled: false };
        let mut held = self.held();
        if held.closed {
            return Err(unavailable("the store is closed"));
        }
        if held.length >= self.limit {
            let message = "too many operations wait for the database";
            return Err(StorageError::new(StorageErrorKind::Overloaded, message));
        }
        let lane = Lane::of(&operation);
        held.length += 1;
        let beside = held.lanes.entry(lane).or_default();
        beside.push_back(Waiting { operation, deadline, caller, runtime, stage });
        // A lane with others in it is ready, or comes back with them.
        if beside.len() == 1 {
            held.make_ready(lane, app);
        }
        drop(held);
        self.wake.notify_one();
        Ok(ticket)
    }

    /// The next group, as soon as somebody waits; `None` once the queue is closed and nobody waits but behind a group
    /// that is under way.
    pub(crate) async fn take(&self) -> Option<Group> {
        loop {
            let woken = self.wake.notified();
            {
                let mut held = self.held();
                let group = held.take();
                if !group.members.is_empty() {
                    let more = !held.turns.is_empty();
                    drop(held);
                    if more {
                        self.wake.notify_one();
                    }
                    return Some(group);
                }
                if held.closed {
                    return None;
                }
            }
            woken.await;
        }
    }

    /// Lets the next ones have what the group held. Its callers' answers are on their way.
    pub(crate) fn release(&self, lanes: Lanes) {
        let mut held = self.held();
        for (app, stage) in &lanes.stages {
            if stage.0.swap(ANSWERED, Ordering::SeqCst) == ABANDONED
                && let Some(count) = held.abandoned.get_mut(app)
            {
                *count -= 1;
                if *count == 0 {
                    held.abandoned.remove(app);
                }
            }
        }
        for lane in lanes.lanes {
            held.busy.remove(&lane);
            let app = held.lanes.get(&lane).and_then(VecDeque::front).map(|waiting| waiting.operation.app);
            if let Some(app) = app {
                held.make_ready(lane, app);
            }
        }
        drop(held);
        self.wake.notify_one();
    }

    /// Takes no more operations.
    pub(crate) fn close(&self) {
        self.held().closed = true;
        self.wake.notify_waiters();
        self.wake.notify_one();
    }
}

/// What a group holds.
pub(crate) struct Lanes {
    lanes: HashSet<Lane>,
    stages: Vec<(AppId, Arc<Stage>)>,
}

impl Group {
    /// What it holds, to be [released](Queue::release) when all of it is answered.
    pub(crate) fn lanes(&self) -> Lanes {
        let stages = self.members.iter().map(|member| (member.operation.app, member.stage.clone()));
        Lanes { lanes: self.lanes.clone(), stages: stages.collect() }
    }
}

impl Held {
    fn make_ready(&mut self, lane: Lane, app: AppId) {
        if self.busy.contains(&lane) {
            return;
        }
        let ready = self.ready.entry(app).or_default();
        if ready.is_empty() {
            self.turns.push_back(app);
        }
        debug_assert!(
            !ready.contains(&lane),
            "a lane is ready once: when somebody comes into it, or a group lets it go"
        );
        ready.push_back(lane);
    }

    fn take(&mut self) -> Group {
        let mut group = Group { members: Vec::new(), lanes: HashSet::default() };
        let mut records = 0;
        let mut passed_over = Vec::new();
        let now = Instant::now();
        while let Some(app) = self.turns.pop_front() {
            if self.abandoned.contains_key(&app) {
                passed_over.push(app);
                continue;
            }
            let Some(ready) = self.ready.get_mut(&app) else { continue };
            let Some(lane) = ready.pop_front() else {
                self.ready.remove(&app);
                continue;
            };
            if !ready.is_empty() {
                self.turns.push_back(app);
            } else {
                self.ready.remove(&app);
            }
            let full = self.take_from(lane, now, &mut group, &mut records);
            if full {
                break;
            }
        }
        for app in passed_over {
            self.turns.push_back(app);
        }
        group
    }

    /// What did not fit is the first of the next group. Else what is as large as a group would be overtaken by smaller
    /// ones without end, and cut each of their groups short.
    fn put_back(&mut self, lane: Lane, app: AppId) {
        self.ready.entry(app).or_default().push_front(lane);
        self.turns.retain(|other| *other != app);
        self.turns.push_front(app);
    }

    /// Takes the first of a lane into the group. The lane is the group's from then on, and comes back with whoever is
    /// left in it. Whether the group is full.
    fn take_from(&mut self, lane: Lane, now: Instant, group: &mut Group, records: &mut usize) -> bool {
        if self.busy.contains(&lane) {
            return false;
        }
        let Some(queue) = self.lanes.get_mut(&lane) else { return false };
        let mut full = false;
        while let Some(first) = queue.front() {
            let is_late = first.deadline.is_within(LEAST, now);
            if is_late || first.caller.is_closed() {
                self.length -= 1;
                if let Some(first) = queue.pop_front() {
                    // Who gave up is not told.
                    drop(first.caller.send(Err(unavailable("no place in a group was free in time").into())));
                }
                continue;
            }
            let more = weight(&first.operation);
            full =
                !group.members.is_empty() && (*records + more > RECORDS || group.members.len() >= OPERATIONS);
            if full {
                break;
            }
            *records += more;
            self.length -= 1;
            if let Some(first) = queue.pop_front() {
                first.stage.0.store(TAKEN, Ordering::SeqCst);
                group.members.push(first);
            }
            group.lanes.insert(lane);
        }
        let left = queue.front().map(|waiting| waiting.operation.app);
        if queue.is_empty() {
            self.lanes.remove(&lane);
        }
        if group.lanes.contains(&lane) {
            self.busy.insert(lane);
        } else if let Some(app) = left {
            self.put_back(lane, app);
        }
        full
    }
}

impl Ticket<'_> {
    /// The answer has come.
    pub(crate) fn settle(mut self) {
        self.settled = true;
    }
}

impl Drop for Ticket<'_> {
    /// Who gives up while his operation is in a group is waited for by the app's next ones.
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let mut held = self.queue.held();
        if self.stage.0.compare_exchange(TAKEN, ABANDONED, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            *held.abandoned.entry(self.app).or_default() += 1;
        }
    }
}

impl Ticket<'_> {
    /// Gives up waiting. What is not in a group by then never will be; whether it is.
    pub(crate) fn give_up(&mut self) -> bool {
        self.answer.close();
        let _held = self.queue.held();
        self.stage.0.load(Ordering::SeqCst) != QUEUED
    }
}
