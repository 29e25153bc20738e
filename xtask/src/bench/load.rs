//! The load generator: one thread that waits for all connections. It shares the cores with the server that it
//! measures, so it does as little for a call as it can: two system calls, and the head of the answer.

mod alarm;
mod answer;
mod connection;
mod generator;
mod latency;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

pub(crate) use self::latency::Latencies;
use super::requests::Requests;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// A closed loop: each connection calls again when it is answered.
    Closed,
    /// An open loop: calls arrive at this rate whether or not those before them are answered, and wait for a free
    /// connection. Their latency counts from their arrival, so a server that stops for a second is charged for
    /// every call that came in that second (no coordinated omission).
    PerSecond(f64),
}

/// How requests are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) connections: usize,
    pub(crate) pace: Pace,
    /// After so long nothing more is sent; what is sent by then is still answered.
    pub(crate) at_most: Option<Duration>,
}

/// An answer, as it came.
pub(crate) struct Answer<'a> {
    /// The index of its request.
    pub(crate) request: usize,
    pub(crate) status: u16,
    /// Its head, as it was sent.
    pub(crate) head: &'a [u8],
    pub(crate) body: &'a [u8],
    /// From the arrival of its call to the last of its bytes, in microseconds.
    pub(crate) micros: u64,
    /// When it was complete.
    pub(crate) at: Instant,
}

/// What became of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ran {
    pub(crate) began: Instant,
    /// When the last call was sent.
    pub(crate) last_sent: Instant,
    /// When the last answer was complete.
    pub(crate) ended: Instant,
    /// How many requests were sent: all, unless the time was over before.
    pub(crate) sent: usize,
}

impl Ran {
    /// From the first call to the last answer.
    pub(crate) fn elapsed(&self) -> Duration {
        self.ended.duration_since(self.began)
    }
}

/// Sends requests, each once and in order, and gives each answer to `each`, whatever its status.
///
/// # Errors
///
/// A connection that breaks, an answer that is not HTTP, or a minute without an answer.
pub(crate) fn watch(
    address: SocketAddr,
    plan: Plan,
    requests: &Requests,
    each: impl FnMut(&Answer<'_>),
) -> Result<Ran> {
    generator::run(address, plan, requests, each)
}

/// What a run measured in which every answer is good.
pub(crate) struct Measured {
    /// From the first call to the last answer.
    pub(crate) elapsed: Duration,
    pub(crate) latency: Latencies,
}

impl Measured {
    pub(crate) fn per_second(&self) -> f64 {
        self.latency.count() as f64 / self.elapsed.as_secs_f64()
    }

    /// A quantile of the latency, in microseconds.
    pub(crate) fn quantile(&self, quantile: f64) -> u64 {
        self.latency.quantile(quantile)
    }
}

/// Sends all requests, each once and in order, and gives the body of each answer to `each`.
///
/// # Errors
///
/// An answer that is not 200 makes the whole run invalid, and so does a connection that breaks.
pub(crate) fn run(
    address: SocketAddr,
    connections: usize,
    pace: Pace,
    requests: &Requests,
    mut each: impl FnMut(usize, &[u8]),
) -> Result<Measured> {
    let mut latency = Latencies::new()?;
    let mut refused = Refused::default();
    let ran = watch(address, Plan { connections, pace, at_most: None }, requests, |answer| {
        latency.record(answer.micros);
        if refused.is_good(answer) {
            each(answer.request, answer.body);
        }
    })?;
    refused.none_of(ran.sent)?;
    Ok(Measured { elapsed: ran.elapsed(), latency })
}

/// Answers that make a run invalid.
#[derive(Default)]
pub(crate) struct Refused {
    count: usize,
    /// What the first of them said.
    first: String,
}

impl Refused {
    /// Whether an answer is 200. One that is not is noted.
    pub(crate) fn is_good(&mut self, answer: &Answer<'_>) -> bool {
        if answer.status == 200 {
            return true;
        }
        if self.count == 0 {
            self.first = format!("{} {}", answer.status, String::from_utf8_lossy(answer.body));
        }
        self.count += 1;
        false
    }

    /// Fails if there was one among so many calls.
    pub(crate) fn none_of(&self, calls: usize) -> Result<()> {
        let Self { count, first } = self;
        if *count > 0 {
            bail!("the run is invalid: {count} of {calls} calls failed, the first with {first}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
