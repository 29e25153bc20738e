//! Deliveries a second, to a loop that posts the same bodies to the same receiver over as many connections.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use super::{Bench, CONNECTIONS, PATIENCE, Results, rule};
use crate::bench::build;
use crate::bench::load::Pace;
use crate::bench::receiver::{Manner, Receiver};
use crate::bench::report::{Bound, Spread, ratio};
use crate::bench::round::Subject;
use crate::say::Progress;

/// How many connections the server has to one receiver.
const AT_ONCE: usize = 8;

#[derive(Serialize)]
pub(super) struct Round {
    per_second: f64,
    /// Of the loop that only posts.
    bare_per_second: f64,
    ratio: f64,
}

pub(super) fn measure(bench: &Bench<'_>, results: &mut Results) -> Result<()> {
    let poster = build::helper(bench.project, "xtask-poster")?;
    let receiver = Receiver::start(Manner::Answer)?;
    let (mut server, subject) = bench.subject("delivery", vec![rule("healthy", receiver.url(0))])?;
    let removals = bench.args.removals;
    receiver.begin_anew(true)?;
    deliver(&subject, &receiver, removals, 0)?;
    let bodies = receiver.seen(|seen| seen.take_bodies());
    let dir = tempfile::tempdir()?;
    let bodies = Bodies::write(dir.path(), &bodies)?;
    bodies.post(&poster, &receiver)?;
    let progress = Progress::of("deliveries and a loop that posts", bench.args.rounds);
    let mut rounds = Vec::new();
    for seed in 1..=bench.args.rounds as u64 {
        let (per_second, bare_per_second) = if seed % 2 == 0 {
            let per_second = deliver(&subject, &receiver, removals, seed)?;
            (per_second, bodies.post(&poster, &receiver)?)
        } else {
            let bare_per_second = bodies.post(&poster, &receiver)?;
            (deliver(&subject, &receiver, removals, seed)?, bare_per_second)
        };
        rounds.push(Round { per_second, bare_per_second, ratio: per_second / bare_per_second });
        progress.add(1);
    }
    drop(progress);
    server.stop()?;
    let of = |value: fn(&Round) -> f64| Spread::of(rounds.iter().map(value));
    results.row("deliveries a second", of(|round| round.per_second).rate());
    results.row("of a loop that only posts", of(|round| round.bare_per_second).rate());
    results.row("deliveries to the loop", of(|round| round.ratio).ratio());
    let median = of(|round| round.ratio).median;
    results.goals.add("deliveries to a loop that only posts", median, Bound::AtLeast(0.5, None), ratio);
    results.rounds.extend(rounds.into_iter().map(super::Round::Delivery));
    Ok(())
}

/// Lets events gather behind a receiver that does not answer, and measures how fast they come when it does.
fn deliver(subject: &Subject, receiver: &Receiver, removals: usize, seed: u64) -> Result<f64> {
    receiver.behave(Manner::Hold)?;
    let before = receiver.seen(|seen| seen.posts());
    subject.round(CONNECTIONS, Pace::Closed, removals, seed)?;
    let came = receiver.seen(|seen| seen.posts()) - before;
    let began = Instant::now();
    receiver.behave(Manner::Answer)?;
    receiver.wait_for(before + removals as u64, PATIENCE)?;
    let last = receiver.seen(|seen| seen.last()).context("nothing came")?;
    Ok(per_second(removals.saturating_sub(usize::try_from(came)?), last.duration_since(began)))
}

fn per_second(posts: usize, time: Duration) -> f64 {
    posts as f64 / time.as_secs_f64()
}

/// The bodies that were delivered, in a file for the loop.
struct Bodies {
    file: PathBuf,
    count: usize,
}

impl Bodies {
    fn write(dir: &Path, bodies: &[Vec<u8>]) -> Result<Self> {
        let file = dir.join("bodies");
        fs::write(&file, bodies.join(&b'\n'))?;
        Ok(Self { file, count: bodies.len() })
    }

    /// Posts all of them, and says how many a second.
    fn post(&self, poster: &Path, receiver: &Receiver) -> Result<f64> {
        receiver.behave(Manner::Answer)?;
        let mut command = Command::new(poster);
        let output = command.arg(receiver.url(1)).arg(AT_ONCE.to_string()).arg(&self.file).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the loop that posts failed ({}): {said}", output.status);
        let micros = String::from_utf8_lossy(&output.stdout).trim().parse()?;
        Ok(per_second(self.count, Duration::from_micros(micros)))
    }
}
