//! A node: a clock of its own, a task that looks, and callers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::super::{Admission, LimitKey, NodeId, REFRESH, SharedLimit, Ticket};
use super::network::{Way, World};
use crate::id::AppId;
use crate::limit::Permit;

pub(super) const KEY: LimitKey = LimitKey { app: AppId(1), name: "remove_members" };

/// A process that runs until this is dropped, and then ends as by SIGKILL.
pub(super) struct Node {
    tasks: Vec<AbortHandle>,
    parts: Arc<Parts>,
}

struct Parts {
    world: Arc<World>,
    way: Way,
    limit: SharedLimit,
    slots: u32,
    /// What the clock showed in the beginning, and how many millionths it is fast.
    offset: u64,
    fast: i64,
    /// Calls a second.
    rate: AtomicU64,
    /// How long the task that looks does nothing, in milliseconds.
    stall: AtomicU64,
    /// Somebody waits for a look.
    waits: Notify,
    ended: watch::Sender<u64>,
    unknown: AtomicU64,
}

impl Node {
    pub(super) fn start(world: &Arc<World>, id: u128, slots: u32, rate: u64) -> Self {
        let parts = Arc::new(Parts {
            world: Arc::clone(world),
            way: Way::new(world),
            limit: SharedLimit::new(NodeId::new(id << 16)),
            slots,
            offset: world.below(1_000_000_000_000),
            fast: i64::try_from(world.below(1_000)).unwrap() - 500,
            rate: AtomicU64::new(rate),
            stall: AtomicU64::new(0),
            waits: Notify::new(),
            ended: watch::Sender::new(0),
            unknown: AtomicU64::new(0),
        });
        let tasks = vec![
            tokio::spawn(Arc::clone(&parts).look()).abort_handle(),
            tokio::spawn(Arc::clone(&parts).serve()).abort_handle(),
        ];
        Self { tasks, parts }
    }

    pub(super) fn press(&self, rate: u64) {
        self.parts.rate.store(rate, Ordering::SeqCst);
    }

    pub(super) fn stall(&self, millis: u64) {
        self.parts.stall.store(millis, Ordering::SeqCst);
    }

    /// How many calls could not be answered.
    pub(super) fn unknown(&self) -> u64 {
        self.parts.unknown.load(Ordering::SeqCst)
    }

    /// Ends in order.
    pub(super) async fn leave(self) {
        let (parts, until) = (&self.parts, self.parts.limit.leave(self.parts.now()));
        // No round is under way when it goes.
        self.tasks.iter().for_each(AbortHandle::abort);
        sleep(Duration::from_micros(until.saturating_sub(parts.now()))).await;
        // If it does not hear of it, others take it for dead.
        let _ = parts.limit.depart(&parts.way).await;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Parts {
    fn now(&self) -> u64 {
        let time = i64::try_from(self.world.time()).unwrap();
        self.offset + u64::try_from(time + time * self.fast / 1_000_000).unwrap()
    }

    async fn look(self: Arc<Self>) {
        loop {
            let next = Instant::now() + REFRESH;
            // One that failed is repeated like any other.
            let _ = timeout(Duration::from_secs(1), self.limit.refresh(&self.way, &|| self.now())).await;
            self.ended.send_replace(self.limit.ended());
            sleep(Duration::from_millis(self.stall.swap(0, Ordering::SeqCst))).await;
            loop {
                tokio::select! {
                    biased;
                    () = sleep_until(next) => break,
                    () = self.waits.notified() => {
                        let _ = timeout(Duration::from_secs(1), self.limit.refill(&self.way, &|| self.now())).await;
                        self.ended.send_replace(self.limit.ended());
                    }
                }
            }
        }
    }

    async fn serve(self: Arc<Self>) {
        let mut waiting = JoinSet::new();
        let mut due = 0;
        loop {
            sleep(Duration::from_millis(2)).await;
            due += 2 * self.rate.load(Ordering::SeqCst);
            while due >= 1_000 {
                due -= 1_000;
                match self.limit.admit(KEY, self.slots, self.now()) {
                    Admission::Look(ticket) => {
                        self.waits.notify_one();
                        waiting.spawn(Arc::clone(&self).wait(ticket));
                    }
                    known => self.note(known),
                }
            }
            while waiting.try_join_next().is_some() {}
        }
    }

    async fn wait(self: Arc<Self>, ticket: Ticket) {
        let mut ended = self.ended.subscribe();
        let _ = timeout(Duration::from_secs(2), ended.wait_for(|ended| *ended >= ticket.round())).await;
        self.note(self.limit.admit_again(ticket, self.now()));
    }

    fn note(&self, admission: Admission) {
        match admission {
            Admission::Known(Permit::Admitted { .. }) => {
                self.world.admitted.lock().unwrap().push(self.world.time());
            }
            Admission::Known(Permit::Exhausted { .. }) => {}
            Admission::Look(_) | Admission::Unknown => {
                self.unknown.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}
