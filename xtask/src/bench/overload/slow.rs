//! A store that does 2,000 calls a second is offered 20,000.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use super::Args;
use crate::bench::load::{self, Answer, Latencies, Pace, Plan, Ran};
use crate::bench::message::has_field;
use crate::bench::server::{Server, Setup, Store, allow_connections};
use crate::bench::world::{Membership, Size, World};
use crate::project::Project;
use crate::say::Working;

/// What the slow store does, see `xtask/slow`.
pub(super) const STORE_PER_SECOND: f64 = 2_000.0;
pub(super) const OFFERED_PER_SECOND: f64 = 20_000.0;
/// Enough for what may wait in 250 ms and what is refused at once; no more than a listener lets wait to be accepted, so
/// that they are open in an instant.
const CONNECTIONS: usize = 1_000;
/// A quarter of what the store does: a load that waits for nothing.
const LIGHT_PER_SECOND: f64 = 500.0;
/// How long is looked whether the server is itself again.
const LIGHT: Duration = Duration::from_secs(4);
/// A light call that takes longer is not what the server is without overload.
const SLOW: u64 = 100_000;

#[derive(Serialize)]
pub(super) struct Overloaded {
    pub(super) offered_per_second: f64,
    pub(super) accepted_per_second: f64,
    pub(super) accepted_p99_us: u64,
    pub(super) refused_per_second: f64,
    pub(super) refused_p99_us: u64,
    /// The most that the server held, from its start to the end of this overload.
    pub(super) peak_bytes: u64,
    pub(super) recovered_after_s: f64,
}

pub(super) fn measure(project: &Project, binary: &Path, args: &Args) -> Result<Vec<Overloaded>> {
    allow_connections(CONNECTIONS)?;
    let size = Size::of(args.members, args.rooms)?;
    let mut server = Server::start(project, binary, &Setup::of(Store::Embedded, size.members))?;
    let world = World::load("slow store", server.peer()?, size)?;
    let overloaded =
        (0..2).map(|seed| overload(&server, &world, args.seconds, seed)).collect::<Result<_>>()?;
    server.stop()?;
    Ok(overloaded)
}

fn overload(server: &Server, world: &World, seconds: u64, seed: u64) -> Result<Overloaded> {
    let _working = Working::on("overloading a slow store");
    let offered = number(OFFERED_PER_SECOND, seconds);
    let light = number(LIGHT_PER_SECOND, LIGHT.as_secs());
    let mut chosen = world.choose(offered + light, seed);
    ensure!(chosen.len() == offered + light, "{seconds} seconds need {} members", offered + light);
    let (now, then) = chosen.split_at(offered);
    let (now, then) = (world.removals(now, 1), world.removals(then, 1));
    let mut seen = Seen::new(chosen.len())?;
    let plan = Plan {
        connections: CONNECTIONS,
        pace: Pace::PerSecond(OFFERED_PER_SECOND),
        at_most: Some(Duration::from_secs(seconds)),
    };
    let ran = load::watch(world.peer.address, plan, &now, |answer| seen.note(answer, 0))?;
    seen.check()?;
    let peak_bytes = server.peak()?;
    let (accepted, refused) = (seen.accepted.count() as f64, seen.refused.count() as f64);
    let elapsed = ran.elapsed().as_secs_f64();
    let (accepted_p99_us, refused_p99_us) = (seen.accepted.quantile(0.99), seen.refused.quantile(0.99));

    let plan = Plan { connections: 64, pace: Pace::PerSecond(LIGHT_PER_SECOND), at_most: Some(LIGHT) };
    let mut last_bad = None;
    load::watch(world.peer.address, plan, &then, |answer| {
        seen.note(answer, offered);
        if answer.status != 200 || answer.micros > SLOW {
            last_bad = Some(answer.at);
        }
    })?;
    seen.check()?;
    let mut gone = seen.gone.into_iter();
    chosen.retain(|_: &Membership| gone.next().unwrap_or(false));
    world.add(&chosen)?;
    Ok(Overloaded {
        offered_per_second: ran.sent as f64 / Duration::from_secs(seconds).as_secs_f64(),
        accepted_per_second: accepted / elapsed,
        accepted_p99_us,
        refused_per_second: refused / elapsed,
        refused_p99_us,
        peak_bytes,
        recovered_after_s: recovered(&ran, last_bad).as_secs_f64(),
    })
}

/// How many calls that is.
fn number(per_second: f64, seconds: u64) -> usize {
    let calls = Duration::from_secs(seconds).mul_f64(per_second).as_secs();
    usize::try_from(calls).unwrap_or(usize::MAX)
}

/// From the end of the load to the last of its answers, or to the last answer thereafter that was not as it should be.
fn recovered(load: &Ran, last_bad: Option<Instant>) -> Duration {
    last_bad.unwrap_or(load.ended).max(load.ended).saturating_duration_since(load.last_sent)
}

struct Seen {
    accepted: Latencies,
    refused: Latencies,
    /// Who was removed.
    gone: Vec<bool>,
    /// What was neither answered nor refused as it should be.
    wrong: Option<String>,
}

impl Seen {
    fn new(calls: usize) -> Result<Self> {
        Ok(Self {
            accepted: Latencies::new()?,
            refused: Latencies::new()?,
            gone: vec![false; calls],
            wrong: None,
        })
    }

    /// Notes an answer; `before` is the number of the first call of the run.
    fn note(&mut self, answer: &Answer<'_>, before: usize) {
        match answer.status {
            200 => {
                self.accepted.record(answer.micros);
                if let Some(gone) = self.gone.get_mut(before + answer.request) {
                    *gone = true;
                }
            }
            503 if has_field(answer.head, b"retry-after") => self.refused.record(answer.micros),
            status => {
                let said = || format!("{status} {}", String::from_utf8_lossy(answer.body));
                self.wrong.get_or_insert_with(said);
            }
        }
    }

    fn check(&self) -> Result<()> {
        self.wrong.as_ref().map_or(Ok(()), |wrong| {
            Err(anyhow::anyhow!("{wrong}")).context("neither 200 nor 503 with Retry-After")
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Seen, number, recovered};
    use crate::bench::load::{Answer, Ran};

    fn answer(request: usize, status: u16, head: &str) -> Answer<'_> {
        Answer { request, status, head: head.as_bytes(), body: b"{}", micros: 5, at: Instant::now() }
    }

    #[test]
    fn answers_are_taken_apart_and_a_refusal_needs_its_header() {
        let mut seen = Seen::new(3).unwrap();
        seen.note(&answer(0, 200, ""), 0);
        seen.note(&answer(1, 503, "HTTP/1.1 503 x\r\nretry-after: 1\r\n\r\n"), 0);
        seen.note(&answer(0, 200, ""), 2);
        assert_eq!((seen.accepted.count(), seen.refused.count()), (2, 1));
        assert_eq!(seen.gone, [true, false, true]);
        seen.check().unwrap();
        seen.note(&answer(1, 503, "HTTP/1.1 503 x\r\n\r\n"), 0);
        let error = format!("{:#}", seen.check().unwrap_err());
        assert_eq!(error, "neither 200 nor 503 with Retry-After: 503 {}");
    }

    #[test]
    fn recovery_is_over_when_all_is_answered_and_nothing_is_bad_any_more() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let load = Ran { began, last_sent: at(10), ended: at(12), sent: 1 };
        assert_eq!(recovered(&load, None), Duration::from_secs(2));
        assert_eq!(recovered(&load, Some(at(13))), Duration::from_secs(3));
    }

    #[test]
    fn a_rate_makes_whole_calls() {
        assert_eq!(number(20_000.0, 15), 300_000);
    }
}
