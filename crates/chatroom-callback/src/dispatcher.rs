//! The loop: lease, deliver, settle.

mod room;

use std::sync::Arc;
use std::time::Duration;

use chatroom_core::{
    CallbackLeases, CallbackSink, Clock, LEASE, LeaseRequest, RetrySchedule, Settled, Settlement,
    StorageError, Timestamp,
};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The first and the longest wait after a store failed.
const REST: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// How much is done at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How many rooms are delivered at once, over all rules.
    pub rooms: usize,
    /// How many events of a room are leased at once. With 8 rooms of a rule, and events that list at most 1,000
    /// members, this bounds what a slow receiver holds in memory.
    pub events: usize,
    /// How long an attempt may take. Shorter than [`LEASE`].
    pub attempt: Duration,
    /// When failed events are tried again.
    pub schedule: RetrySchedule,
}

impl Default for Pace {
    /// 1,024 rooms, 16 events of each, attempts of 10 seconds.
    fn default() -> Self {
        Self {
            rooms: 1_024,
            events: 16,
            attempt: Duration::from_secs(10),
            schedule: RetrySchedule::default(),
        }
    }
}

/// Delivers what a store has to deliver: different rooms in parallel, the events of a room one after the other.
///
/// Leases end by themselves, so a dispatcher may be dropped at any time: what was under way is delivered again.
pub struct Dispatcher {
    leases: Arc<dyn CallbackLeases>,
    shared: Arc<Shared>,
    pace: Pace,
}

/// What every delivery needs.
struct Shared {
    sink: Arc<dyn CallbackSink>,
    clock: Arc<dyn Clock>,
    /// A number from 0 to 1.
    chance: fn() -> f64,
    attempt: Duration,
    schedule: RetrySchedule,
}

/// What the loop remembers.
#[derive(Default)]
struct Loop {
    /// Each says what became of a lease, and when that ends.
    running: JoinSet<(Settlement, Instant)>,
    /// What is to be settled.
    done: Vec<(Settlement, Instant)>,
    /// Whether there may be more to lease than was found.
    more: bool,
    /// When there will be.
    next: Option<Instant>,
    /// Until when the store is left alone because it failed, and how long the next rest is.
    rest: Option<(Instant, Duration)>,
}

impl Dispatcher {
    /// Delivers what `leases` has to `sink`. `clock` is the store's.
    #[must_use]
    pub fn new(
        leases: Arc<dyn CallbackLeases>,
        sink: Arc<dyn CallbackSink>,
        clock: Arc<dyn Clock>,
        pace: Pace,
    ) -> Self {
        let Pace { attempt, schedule, .. } = pace;
        let shared = Shared { sink, clock, chance: rand::random, attempt, schedule };
        Self { leases, shared: Arc::new(shared), pace }
    }

    /// Spreads waits by these numbers from 0 to 1, instead of by random ones.
    #[must_use]
    pub fn with_chance(self, chance: fn() -> f64) -> Self {
        let Shared { sink, clock, attempt, schedule, .. } = &*self.shared;
        let (sink, clock) = (Arc::clone(sink), Arc::clone(clock));
        Self {
            shared: Arc::new(Shared { sink, clock, chance, attempt: *attempt, schedule: *schedule }),
            ..self
        }
    }

    /// Delivers until `stop` is cancelled; then begins nothing more, waits for attempts that are under way (each ends
    /// within [`Pace::attempt`]), and settles. Failures of the store are logged and waited out.
    pub async fn run(self, stop: CancellationToken) {
        let mut at = Loop { more: true, ..Loop::default() };
        loop {
            let rests = at.rest.is_some_and(|(until, _)| Instant::now() < until);
            if !rests {
                self.settle(&mut at).await;
            }
            let stopping = stop.is_cancelled();
            if stopping && at.running.is_empty() {
                return;
            }
            if !rests && at.more && !stopping && at.running.len() < self.pace.rooms {
                self.lease(&mut at, &stop).await;
            }
            let wake = [at.next, at.rest.map(|(until, _)| until)].into_iter().flatten().min();
            tokio::select! {
                Some(ended) = at.running.join_next() => at.ended(ended),
                () = stop.cancelled(), if !stopping => {}
                () = self.leases.more(), if !stopping && !at.more => at.more = true,
                () = tokio::time::sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {
                    at.more = true;
                    at.next = None;
                }
            }
        }
    }

    async fn lease(&self, at: &mut Loop, stop: &CancellationToken) {
        let ask = LeaseRequest { leases: self.pace.rooms - at.running.len(), events: self.pace.events };
        // A lease began at the latest now, whatever clock the store goes by.
        let asked = Instant::now();
        match self.leases.lease(ask).await {
            Ok(leased) => {
                at.more = false;
                at.rest = None;
                at.next = leased.next.map(|next| asked + wait(self.shared.clock.now(), next));
                for lease in leased.leases.into_iter().filter(|lease| !lease.events.is_empty()) {
                    let (shared, stop, ends) = (Arc::clone(&self.shared), stop.clone(), asked + LEASE);
                    at.running.spawn(async move { (shared.deliver(lease, ends, &stop).await, ends) });
                }
            }
            Err(error) => at.failed(&error, "lease"),
        }
    }

    async fn settle(&self, at: &mut Loop) {
        let now = Instant::now();
        at.done.retain(|(_, ends)| *ends > now);
        if at.done.is_empty() {
            return;
        }
        let settlements: Vec<_> = at.done.iter().map(|(settlement, _)| settlement.clone()).collect();
        match self.leases.settle(settlements).await {
            Ok(settled) => {
                let lost = settled.iter().filter(|settled| **settled == Settled::Lost).count();
                if lost > 0 {
                    tracing::debug!(lost, "{lost} leases had ended: their events may arrive twice");
                }
                at.done.clear();
                at.rest = None;
                at.more = true;
            }
            Err(error) => at.failed(&error, "settle"),
        }
    }
}

impl Loop {
    fn ended(&mut self, first: Result<(Settlement, Instant), JoinError>) {
        let mut next = Some(first);
        while let Some(ended) = next {
            match ended {
                Ok(done) => self.done.push(done),
                Err(error) => tracing::error!(%error, "a delivery ended badly: its lease ends by itself"),
            }
            next = self.running.try_join_next();
        }
    }

    fn failed(&mut self, error: &StorageError, what: &'static str) {
        let (first, longest) = REST;
        let rest = self.rest.map_or(first, |(_, last)| (last * 2).min(longest));
        tracing::warn!(%error, "cannot {what} callbacks: the store is left alone for {rest:?}");
        self.rest = Some((Instant::now() + rest, rest));
    }
}

/// From now to then; at least a millisecond, so that a store that is a little ahead is not asked without end.
fn wait(now: Timestamp, then: Timestamp) -> Duration {
    let millis = then.as_millis().saturating_sub(now.as_millis()).max(1);
    Duration::from_millis(u64::try_from(millis).unwrap_or(1))
}
