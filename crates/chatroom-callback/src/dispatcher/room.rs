//! One lease: the next events of one room, one after the other.

use std::time::Duration;

use chatroom_core::{DeliveryFailure, Event, Lease, Progress, Settlement, Timestamp, Verdict};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;

impl Shared {
    /// Delivers in order until an event fails, the lease could end, or there are no more.
    pub(super) async fn deliver(&self, lease: Lease, ends: Instant, stop: &CancellationToken) -> Settlement {
        let mut done = Settlement { lease: lease.id, through: None, taken: 0, then: Progress::Go };
        let mut failures = lease.failures;
        let mut attempts = 0_u32;
        for event in &lease.events {
            if lease.rule.wants(event) {
                if self.is_over(&lease, attempts, ends, stop) {
                    break;
                }
                attempts += 1;
                match self.sink.deliver(&lease.rule, event, failures.saturating_add(1)).await {
                    Ok(_) => done.taken += 1,
                    Err(why) => {
                        done.then = self.after(why, event, &lease, failures.saturating_add(1));
                        break;
                    }
                }
            }
            done.through = Some(event.seq);
            failures = 0;
        }
        done
    }

    /// Whether no further attempt is begun: a probe is one, a lease must not end under one, and who stops begins
    /// none. The first is made in any case, so that something becomes of every lease.
    fn is_over(&self, lease: &Lease, attempts: u32, ends: Instant, stop: &CancellationToken) -> bool {
        let late = || Instant::now() + self.attempt > ends;
        stop.is_cancelled() || (attempts > 0 && (lease.probe || late()))
    }

    /// What becomes of an event that failed.
    fn after(&self, why: DeliveryFailure, event: &Event, lease: &Lease, failures: u32) -> Progress {
        // What was delivered before it in this lease was not what failed before.
        let failing_for = if lease.events.first().is_some_and(|first| first.seq == event.seq) {
            lease.failing_for
        } else {
            Duration::ZERO
        };
        let verdict = self.schedule.after_failure(failures, failing_for, why.retry_after, (self.chance)());
        let (rule, room, seq) = (&lease.rule, event.room.id, event.seq.0);
        let app = &rule.app_key;
        let name = rule.name.as_str();
        match verdict {
            Verdict::Retry(wait) => {
                tracing::debug!(%app, rule = name, %room, seq, failures, "event {seq} of room {room}: {why}");
                Progress::Retry { at: later(self.clock.now(), wait), why }
            }
            // No event is given up on the word of a probe: that says something about the rule.
            Verdict::GiveUp if lease.probe => Progress::Retry { at: self.clock.now(), why },
            Verdict::GiveUp => {
                tracing::warn!(
                    %app, rule = name, %room, seq, failures,
                    "event {seq} of room {room} is given up and a dead letter now: {why}"
                );
                Progress::Bury { seq: event.seq, why }
            }
        }
    }
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.plus_millis(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
}
