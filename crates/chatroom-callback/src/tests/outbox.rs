//! A store that holds its events and its backlog in memory, and nothing else.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chatroom_core::{
    Backlog, CallbackLeases, Clock, Event, Happened, LeaseRequest, Leased, RoomKey, Rule, RuleId, RuleStatus,
    Seq, Settled, Settlement, StorageError, StorageErrorKind, Timestamp,
};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::kicked;

pub(super) struct Outbox {
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
    more: Notify,
    /// Told after every settlement, to one who waits.
    pub(super) settled: Notify,
    /// Settlements of leases that had ended.
    pub(super) lost: AtomicU32,
    /// How many calls fail from now on.
    pub(super) failing: AtomicU32,
}

#[derive(Default)]
struct Held {
    backlog: Backlog,
    logs: BTreeMap<RoomKey, Vec<Event>>,
}

impl Outbox {
    pub(super) fn new(clock: Arc<dyn Clock>, rules: impl IntoIterator<Item = Rule>) -> Arc<Self> {
        let mut held = Held::default();
        for rule in rules {
            held.backlog.put_rule(rule, clock.now());
        }
        Arc::new(Self {
            clock,
            held: Mutex::new(held),
            more: Notify::new(),
            settled: Notify::new(),
            lost: AtomicU32::new(0),
            failing: AtomicU32::new(0),
        })
    }

    /// Writes the next event of a room.
    pub(super) fn append(&self, number: u64) -> Event {
        let at = self.clock.now();
        let mut held = self.held.lock().unwrap();
        let log = held.logs.entry(kicked(number, 1, at).room).or_default();
        let event = kicked(number, u64::try_from(log.len()).unwrap() + 1, at);
        log.push(event.clone());
        if held.backlog.appended(&Happened::of(&event)) {
            self.more.notify_one();
        }
        event
    }

    /// Wakes who waits for more, as the clock does that is moved by hand.
    pub(super) fn wake(&self) {
        self.more.notify_one();
    }

    pub(super) fn status(&self, id: u128) -> RuleStatus {
        self.held.lock().unwrap().backlog.status(RuleId(id)).unwrap()
    }

    pub(super) fn dead_letters(&self, id: u128) -> Vec<Seq> {
        let held = self.held.lock().unwrap();
        held.backlog.dead_letters(RuleId(id), None).map(|letter| letter.span.first).collect()
    }

    fn fail(&self) -> Result<(), StorageError> {
        let less = |left: u32| left.checked_sub(1);
        match self.failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) {
            Ok(_) => Err(StorageError::new(StorageErrorKind::Unavailable, "planted")),
            Err(_) => Ok(()),
        }
    }
}

#[async_trait]
impl CallbackLeases for Outbox {
    async fn lease(&self, ask: LeaseRequest) -> Result<Leased, StorageError> {
        self.fail()?;
        let mut held = self.held.lock().unwrap();
        let claims = held.backlog.lease(self.clock.now(), ask.leases);
        let leases = claims.into_iter().map(|claim| {
            let log = held.logs.get(&claim.id.room).unwrap();
            let span = claim.span;
            let events = log.iter().filter(|event| span.first <= event.seq && event.seq <= span.last);
            let events = events.take(ask.events).cloned().collect();
            claim.with(events)
        });
        let leases = leases.collect();
        Ok(Leased { leases, next: held.backlog.next() })
    }

    async fn settle(&self, done: Vec<Settlement>) -> Result<Vec<Settled>, StorageError> {
        self.fail()?;
        let mut held = self.held.lock().unwrap();
        let (settled, _) = held.backlog.settle(self.clock.now(), &done);
        let lost = settled.iter().filter(|settled| **settled == Settled::Lost).count();
        self.lost.fetch_add(u32::try_from(lost).unwrap(), Ordering::SeqCst);
        self.settled.notify_one();
        Ok(settled)
    }

    async fn more(&self) {
        self.more.notified().await;
    }
}

/// The clock of the runtime, which tests can pause.
pub(super) struct RuntimeClock(Instant);

impl RuntimeClock {
    pub(super) fn starting_now() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for RuntimeClock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.0.elapsed().as_millis()).unwrap();
        chatroom_core::test_util::HandFacts::NOW.plus_millis(passed)
    }
}
