use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use super::body::timestamp;
use crate::bench::load::Latencies;

/// What a receiver has seen.
pub(crate) struct Seen {
    posts: u64,
    /// By the number of the rule.
    by_rule: Vec<u64>,
    last: Option<Instant>,
    /// From the moment of the event to the arrival of its post.
    latency: Latencies,
    bodies: Option<Vec<Vec<u8>>>,
    connections: usize,
    most_connections: usize,
}

impl Seen {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            posts: 0,
            by_rule: Vec::new(),
            last: None,
            latency: Latencies::new()?,
            bodies: None,
            connections: 0,
            most_connections: 0,
        })
    }

    /// Nothing but the connections that are open.
    pub(super) fn anew(&self, keep_bodies: bool) -> Result<Self> {
        Ok(Self {
            bodies: keep_bodies.then(Vec::new),
            connections: self.connections,
            most_connections: self.connections,
            ..Self::new()?
        })
    }

    /// Notes a post that has arrived just now.
    pub(super) fn post(&mut self, rule: usize, body: &[u8]) {
        self.posts += 1;
        if self.by_rule.len() <= rule {
            self.by_rule.resize(rule + 1, 0);
        }
        self.by_rule[rule] += 1;
        self.last = Some(Instant::now());
        if let Some(millis) = timestamp(body) {
            self.latency.record(micros_now().saturating_sub(millis * 1_000));
        }
        if let Some(bodies) = &mut self.bodies {
            bodies.push(body.to_vec());
        }
    }

    pub(super) fn opened(&mut self) {
        self.connections += 1;
    }

    pub(super) fn closed(&mut self) {
        self.connections -= 1;
    }

    /// All that is known of connections is noted: one that was closed before another was opened does not count beside
    /// it, whichever was noticed first.
    pub(super) fn noticed_all(&mut self) {
        self.most_connections = self.most_connections.max(self.connections);
    }

    pub(crate) fn posts(&self) -> u64 {
        self.posts
    }

    /// How many posts of the rule of this number came.
    pub(crate) fn of_rule(&self, rule: usize) -> u64 {
        self.by_rule.get(rule).copied().unwrap_or(0)
    }

    /// When the last post came.
    pub(crate) fn last(&self) -> Option<Instant> {
        self.last
    }

    /// A quantile of the times from an event to its arrival, in microseconds. Events tell whole milliseconds, so it
    /// is up to one too much.
    pub(crate) fn quantile(&self, quantile: f64) -> u64 {
        self.latency.quantile(quantile)
    }

    /// The bodies that were kept, to keep.
    pub(crate) fn take_bodies(&mut self) -> Vec<Vec<u8>> {
        self.bodies.take().unwrap_or_default()
    }

    /// How many connections were open at once at most.
    pub(crate) fn most_connections(&self) -> usize {
        self.most_connections
    }
}

#[expect(clippy::disallowed_methods, reason = "it is compared with what a server's own clock said")]
fn micros_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
