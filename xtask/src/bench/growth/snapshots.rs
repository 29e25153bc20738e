//! Removals while a snapshot is written, to removals while none is. Nothing asks the server for one: removals go on
//! until it has written some by itself, and its directory says when.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::bench::load::{self, Pace, Plan, Refused};
use crate::bench::round::Subject;
use crate::say::Working;

/// The file is there from the first part of a snapshot to its last.
const UNFINISHED: &str = "snapshot.unfinished";
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// How much of a snapshot has to be seen.
const ENOUGH: Duration = Duration::from_secs(1);
/// How many rounds are waited for that.
const MOST: u64 = 40;

/// Removals a second.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Snapshots {
    pub(super) seconds: f64,
    pub(super) per_second_during: f64,
    pub(super) per_second_beside: f64,
}

impl Snapshots {
    pub(super) fn ratio(self) -> f64 {
        self.per_second_during / self.per_second_beside
    }
}

/// Removes members in a closed loop until snapshots were written for a second in all. `None` if none was.
pub(super) fn measure(
    data: &Path,
    subject: &Subject,
    connections: usize,
    removals: usize,
) -> Result<Option<Snapshots>> {
    let _working = Working::on(format!("{}: waiting for snapshots", subject.name));
    let mut all = Tally::default();
    for seed in 0..MOST {
        all.add(round(data, subject, connections, removals, seed)?);
        if all.during.time >= ENOUGH {
            break;
        }
    }
    Ok((all.during.calls > 0).then(|| Snapshots {
        seconds: all.during.time.as_secs_f64(),
        per_second_during: all.during.per_second(),
        per_second_beside: all.beside.per_second(),
    }))
}

fn round(data: &Path, subject: &Subject, connections: usize, removals: usize, seed: u64) -> Result<Tally> {
    let world = &subject.world;
    let chosen = world.choose(removals, seed);
    let requests = world.removals(&chosen, 1);
    let plan = Plan { connections, pace: Pace::Closed, at_most: None };
    let over = AtomicBool::new(false);
    let (mut answers, mut refused) = (Vec::with_capacity(requests.len()), Refused::default());
    let began = Instant::now();
    let (ran, written) = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&data.join(UNFINISHED), &over));
        let ran = load::watch(world.peer.address, plan, &requests, |answer| {
            refused.is_good(answer);
            answers.push(answer.at);
        });
        over.store(true, Ordering::Relaxed);
        (ran, watcher.join().unwrap_or_default())
    });
    refused.none_of(ran?.sent)?;
    world.add(&chosen)?;
    Ok(Tally::of(began, &answers, &written))
}

/// When the file was there.
fn watch(path: &Path, over: &AtomicBool) -> Vec<(Instant, Instant)> {
    let mut times = Vec::new();
    let mut since = None;
    while !over.load(Ordering::Relaxed) {
        let now = Instant::now();
        if path.exists() {
            since.get_or_insert(now);
        } else if let Some(since) = since.take() {
            times.push((since, now));
        }
        thread::sleep(LOOK_AGAIN);
    }
    times.extend(since.map(|since| (since, Instant::now())));
    times
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Rate {
    calls: usize,
    time: Duration,
}

impl Rate {
    fn per_second(self) -> f64 {
        self.calls as f64 / self.time.as_secs_f64()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Tally {
    during: Rate,
    beside: Rate,
}

impl Tally {
    /// Divides the answers, which are in their order, by whether they came in one of these times.
    fn of(began: Instant, answers: &[Instant], times: &[(Instant, Instant)]) -> Self {
        let Some(&last) = answers.last() else { return Self::default() };
        let mut during = Rate::default();
        for &(from, to) in times {
            during.calls += answers.iter().filter(|at| (from..to).contains(at)).count();
            during.time += to.min(last).saturating_duration_since(from.max(began));
        }
        let time = last.duration_since(began).saturating_sub(during.time);
        Self { during, beside: Rate { calls: answers.len() - during.calls, time } }
    }

    fn add(&mut self, other: Self) {
        for (sum, more) in [(&mut self.during, other.during), (&mut self.beside, other.beside)] {
            sum.calls += more.calls;
            sum.time += more.time;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Rate, Tally};

    #[test]
    fn answers_are_divided_by_when_a_snapshot_was_written() {
        let began = Instant::now();
        let at = |millis| began + Duration::from_millis(millis);
        let rate = |calls, millis| Rate { calls, time: Duration::from_millis(millis) };
        let answers: Vec<_> = (1..=10).map(|n| at(n * 10)).collect();
        let none = Tally::of(began, &answers, &[]);
        assert_eq!(none, Tally { during: rate(0, 0), beside: rate(10, 100) });
        // One in the middle, and one that is still written when the round is over.
        let some = Tally::of(began, &answers, &[(at(15), at(45)), (at(95), at(200))]);
        assert_eq!(some, Tally { during: rate(3 + 1, 30 + 5), beside: rate(6, 65) });
        assert_eq!(Tally::of(began, &[], &[(at(1), at(2))]), Tally::default());
        let mut sum = none;
        sum.add(some);
        assert_eq!(sum, Tally { during: rate(4, 35), beside: rate(16, 165) });
        assert!((sum.beside.per_second() - 16.0 / 0.165).abs() < 1e-9);
    }
}
