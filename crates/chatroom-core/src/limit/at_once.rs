//! How many calls the store has at once: as many as it answers in time.
//!
//! A store that does not keep up answers each call as late as there are calls before it. So a call that would wait for
//! too long is better refused at once: it learns it early, and the others are answered in time.
//!
//! The bound follows what the store does. By Little's law, calls that take `t` beside `n` others would take the time
//! that is allowed beside `n × allowed / t`. So late answers bring the bound down to that, and prompt ones beside many
//! let it grow, one by one, which doubles it in the time of one call. A late answer takes a sixteenth at most: where
//! the store is late, there are many, and one alone may be late for a reason of its own.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How long a call may take in the store, in microseconds, before there are too many.
const ALLOWED: u64 = 150_000;
/// The bound at the start, and the least that it comes to. A store that does a few thousand a second answers so many
/// in the time that is allowed.
const LEAST: usize = 256;
/// The most.
const MOST: usize = 1 << 16;
/// So many of one app are admitted although there are too many in all: one app's load is not everybody's.
const OF_ONE_APP: usize = 8;

/// The calls that the store has now, of all apps.
#[derive(Debug)]
pub struct AtOnce {
    inside: AtomicUsize,
    bound: AtomicUsize,
}

/// The calls of one app that the store has now.
#[derive(Debug, Default)]
pub struct OfOneApp(AtomicUsize);

/// A call that was admitted. The store has it until this is [done](Self::done) or dropped.
#[derive(Debug)]
#[must_use]
pub struct Inside<'a> {
    all: &'a AtOnce,
    own: &'a OfOneApp,
}

impl Default for AtOnce {
    fn default() -> Self {
        Self { inside: AtomicUsize::new(0), bound: AtomicUsize::new(LEAST) }
    }
}

impl AtOnce {
    /// Lets a call of this app in, unless the store has too many.
    pub fn enter<'a>(&'a self, own: &'a OfOneApp) -> Option<Inside<'a>> {
        let before = self.inside.fetch_add(1, Ordering::Relaxed);
        let of_app = own.0.fetch_add(1, Ordering::Relaxed);
        let inside = Inside { all: self, own };
        // What is dropped here leaves again.
        (before < self.bound.load(Ordering::Relaxed) || of_app < OF_ONE_APP).then_some(inside)
    }
}

impl Inside<'_> {
    /// The store has answered, after so many microseconds.
    pub fn done(self, took: u64) {
        let inside = self.all.inside.load(Ordering::Relaxed);
        let bound = self.all.bound.load(Ordering::Relaxed);
        let next = if took > ALLOWED {
            let in_time = inside as u64 * ALLOWED / took;
            let in_time = usize::try_from(in_time).unwrap_or(usize::MAX);
            bound.min(in_time.max(bound - bound / 16)).max(LEAST)
        } else if took < ALLOWED / 2 && inside >= bound / 2 {
            bound.saturating_add(1).min(MOST)
        } else {
            return;
        };
        // Whoever is overtaken here has its say with the next call.
        self.all.bound.store(next, Ordering::Relaxed);
    }

    /// The caller has gone away, after so many microseconds and before an answer.
    pub fn given_up(self, took: u64) {
        if took > ALLOWED {
            self.done(took);
        }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.all.inside.fetch_sub(1, Ordering::Relaxed);
        self.own.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Fills a store that does one call after the other, each in so many microseconds, for a second. Answers how long
    /// the slowest call took that entered in the last half, and how many are inside at the end.
    fn overload(all: &AtOnce, each: u64) -> (u64, usize) {
        let own = OfOneApp::default();
        let mut waiting = VecDeque::new();
        let mut slowest = 0;
        for now in (0..1_000_000).step_by(usize::try_from(each).unwrap()) {
            while let Some(inside) = all.enter(&own) {
                waiting.push_back((inside, now));
            }
            let (inside, since) = waiting.pop_front().unwrap();
            let took = now + each - since;
            inside.done(took);
            if since >= 500_000 {
                slowest = slowest.max(took);
            }
        }
        (slowest, waiting.len())
    }

    #[test]
    fn a_store_that_does_not_keep_up_has_no_more_than_it_answers_in_time() {
        let (slowest, waiting) = overload(&AtOnce::default(), 500);
        assert!((100_000..=ALLOWED * 11 / 10).contains(&slowest), "{slowest}");
        assert!(waiting <= 330, "{waiting}");
    }

    #[test]
    fn a_store_that_is_fast_may_have_many_and_one_that_becomes_slow_may_not() {
        let all = AtOnce::default();
        let (_, waiting) = overload(&all, 20);
        assert!(waiting > 3_000, "{waiting}");
        let own = OfOneApp::default();
        let many: Vec<_> = std::iter::from_fn(|| all.enter(&own)).collect();
        assert!(many.len() > 3_000, "{}", many.len());
        for late in many {
            late.done(2_000_000);
        }
        let few = std::iter::from_fn(|| all.enter(&own)).collect::<Vec<_>>().len();
        assert!((LEAST..1_000).contains(&few), "{few}");
    }

    #[test]
    fn one_late_answer_among_prompt_ones_costs_little() {
        let all = AtOnce::default();
        overload(&all, 20);
        let own = OfOneApp::default();
        let many: Vec<_> = std::iter::from_fn(|| all.enter(&own)).collect();
        let before = many.len();
        many.into_iter().next().unwrap().done(20_000_000);
        let after = std::iter::from_fn(|| all.enter(&own)).collect::<Vec<_>>().len();
        assert!((before * 9 / 10..before).contains(&after), "{before}, then {after}");
    }

    #[test]
    fn callers_that_go_away_late_are_late_answers_and_those_that_go_early_are_none() {
        let all = AtOnce::default();
        overload(&all, 20);
        let own = OfOneApp::default();
        let fill = || std::iter::from_fn(|| all.enter(&own)).collect::<Vec<_>>();
        let many = fill().len();
        fill().into_iter().for_each(|gone| gone.given_up(1_000));
        assert_eq!(fill().len(), many);
        fill().into_iter().for_each(|gone| gone.given_up(1_000_000));
        assert!(fill().len() < many / 2, "{} of {many}", fill().len());
    }

    #[test]
    fn an_app_with_few_calls_is_let_in_when_others_have_filled_the_store() {
        let all = AtOnce::default();
        let (greedy, modest) = (OfOneApp::default(), OfOneApp::default());
        let full: Vec<_> = std::iter::from_fn(|| all.enter(&greedy)).collect();
        assert_eq!(full.len(), LEAST);
        let few: Vec<_> = std::iter::from_fn(|| all.enter(&modest)).collect();
        assert_eq!(few.len(), OF_ONE_APP);
        drop(full);
        assert!(all.enter(&greedy).is_some());
    }

    #[test]
    fn who_is_refused_or_goes_away_leaves_nothing_behind() {
        let (all, own) = (AtOnce::default(), OfOneApp::default());
        for _ in 0..3 {
            let full: Vec<_> = std::iter::from_fn(|| all.enter(&own)).collect();
            assert_eq!(full.len(), LEAST);
        }
        assert_eq!(all.inside.load(Ordering::Relaxed), 0);
    }
}
