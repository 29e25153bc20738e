//! Whether a rule delivers, and its own clock.
//!
//! A rule that failed too often in a row pauses: it is probed, one delivery at a time. While it is paused or off its
//! clock stands still, so that no event grows older towards being given up and no wait passes.

use std::time::Duration;

use super::schedule::honoured;
use super::sink::DeliveryFailure;
use super::status::{Failing, RuleHealth};
use super::time::{between, later};
use crate::clock::Timestamp;

/// Failures in a row that pause a rule.
pub const FAILURES_TO_PAUSE: u32 = 20;
/// How long after the pause began the first probe is made; every failed probe doubles it.
pub const SHORTEST_PROBE_WAIT: Duration = Duration::from_secs(5);
/// The longest wait between probes.
pub const LONGEST_PROBE_WAIT: Duration = Duration::from_secs(5 * 60);

#[derive(Debug)]
pub(super) struct Health {
    on: bool,
    pause: Option<Pause>,
    failures: u32,
    last_failure: Option<Failing>,
    last_success: Option<Timestamp>,
    /// Since when the rule's clock stands still.
    stopped: Option<Timestamp>,
    /// How long it stood still before, in all.
    stood_still: Duration,
}

#[derive(Debug)]
struct Pause {
    since: Timestamp,
    wait: Duration,
    next_probe: Timestamp,
}

impl Health {
    pub(super) fn new(on: bool, now: Timestamp) -> Self {
        Self {
            on,
            pause: None,
            failures: 0,
            last_failure: None,
            last_success: None,
            stopped: (!on).then_some(now),
            stood_still: Duration::ZERO,
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    /// When the next probe may be made, if the rule is paused.
    pub(super) fn next_probe(&self) -> Option<Timestamp> {
        self.pause.as_ref().map(|pause| pause.next_probe)
    }

    /// What the rule's own clock shows.
    pub(super) fn clock(&self, now: Timestamp) -> Timestamp {
        self.stopped.unwrap_or(now).minus(self.stood_still)
    }

    /// When the rule's clock, which is running, shows this.
    pub(super) fn when(&self, clock: Timestamp) -> Timestamp {
        later(clock, self.stood_still)
    }

    /// Turns the rule on or off. One that is turned on is taken to be well.
    pub(super) fn switch(&mut self, on: bool, now: Timestamp) {
        if on && !self.on {
            self.pause = None;
            self.failures = 0;
        }
        self.on = on;
        self.run_or_stop(now);
    }

    pub(super) fn succeeded(&mut self, now: Timestamp) {
        self.failures = 0;
        self.pause = None;
        self.last_success = Some(now);
        self.run_or_stop(now);
    }

    pub(super) fn failed(&mut self, why: &DeliveryFailure, was_probe: bool, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.last_failure = Some(Failing { at: now, words: why.words.clone() });
        let asked = honoured(why.retry_after);
        match &mut self.pause {
            Some(pause) if was_probe => {
                pause.wait = pause.wait.saturating_mul(2).min(LONGEST_PROBE_WAIT);
                pause.next_probe = later(now, pause.wait.max(asked));
            }
            // It was under way when the pause began, and says nothing new.
            Some(_) => {}
            None if self.failures >= FAILURES_TO_PAUSE => {
                let wait = SHORTEST_PROBE_WAIT;
                self.pause = Some(Pause { since: now, wait, next_probe: later(now, wait.max(asked)) });
            }
            None => {}
        }
        self.run_or_stop(now);
    }

    fn run_or_stop(&mut self, now: Timestamp) {
        let runs = self.on && self.pause.is_none();
        match self.stopped {
            Some(since) if runs => {
                self.stood_still += between(since, now);
                self.stopped = None;
            }
            None if !runs => self.stopped = Some(now),
            _ => {}
        }
    }

    pub(super) fn shown(&self) -> RuleHealth {
        match &self.pause {
            _ if !self.on => RuleHealth::Off,
            Some(pause) => RuleHealth::Paused { since: pause.since, next_probe: pause.next_probe },
            None => RuleHealth::Delivering,
        }
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) fn last_failure(&self) -> Option<&Failing> {
        self.last_failure.as_ref()
    }

    pub(super) fn last_success(&self) -> Option<Timestamp> {
        self.last_success
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn paused() -> Health {
        let mut health = Health::new(true, at(0));
        for _ in 0..FAILURES_TO_PAUSE {
            assert_eq!(health.shown(), RuleHealth::Delivering);
            health.failed(&DeliveryFailure::new("no"), false, at(0));
        }
        health
    }

    fn next_probe(health: &Health) -> i64 {
        health.next_probe().unwrap().as_millis() / 1_000
    }

    #[test]
    fn twenty_failures_in_a_row_pause_a_rule_and_a_success_between_them_does_not() {
        assert_eq!(paused().shown(), RuleHealth::Paused { since: at(0), next_probe: at(5) });
        let mut health = Health::new(true, at(0));
        for _ in 0..FAILURES_TO_PAUSE - 1 {
            health.failed(&DeliveryFailure::new("no"), false, at(0));
        }
        health.succeeded(at(0));
        health.failed(&DeliveryFailure::new("no"), false, at(0));
        assert_eq!(health.shown(), RuleHealth::Delivering);
    }

    #[test]
    fn probes_are_made_after_5_s_doubling_to_5_min() {
        let mut health = paused();
        let mut waits = vec![next_probe(&health)];
        for _ in 0..8 {
            health.failed(&DeliveryFailure::new("no"), true, at(0));
            waits.push(next_probe(&health));
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        health.succeeded(at(0));
        assert_eq!(health.shown(), RuleHealth::Delivering);
    }

    #[test]
    fn a_receiver_that_names_a_time_is_not_probed_before() {
        let mut health = paused();
        let why =
            DeliveryFailure { retry_after: Some(Duration::from_secs(120)), ..DeliveryFailure::new("429") };
        health.failed(&why, true, at(0));
        assert_eq!(next_probe(&health), 120);
    }

    #[test]
    fn what_was_under_way_when_the_pause_began_does_not_put_the_probe_off() {
        let mut health = paused();
        health.failed(&DeliveryFailure::new("late"), false, at(4));
        assert_eq!(next_probe(&health), 5);
    }

    #[test]
    fn the_clock_of_a_rule_stands_still_while_it_is_paused_or_off() {
        let mut health = Health::new(true, at(0));
        assert_eq!(health.clock(at(10)), at(10));
        health.switch(false, at(10));
        assert_eq!(health.clock(at(50)), at(10));
        health.switch(true, at(60));
        assert_eq!(health.clock(at(61)), at(11));
        assert_eq!(health.when(at(11)), at(61));
        for _ in 0..FAILURES_TO_PAUSE {
            health.failed(&DeliveryFailure::new("no"), false, at(70));
        }
        assert_eq!(health.clock(at(1_000)), at(20));
        health.succeeded(at(1_000));
        assert_eq!(health.clock(at(1_001)), at(21));
    }
}
