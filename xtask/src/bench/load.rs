//! The load generator: one thread that waits for all connections. It shares the cores with the server that it
//! measures, so it does as little for a call as it can: two system calls, and the head of the answer.

mod alarm;
mod answer;
mod connection;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use hdrhistogram::Histogram;
use mio::{Events, Poll, Token};

use self::alarm::Alarm;
use self::connection::{Answered, Connection};
use super::requests::Requests;

/// A server that says nothing for so long has stopped.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest latency that is told apart, in microseconds.
const LONGEST: u64 = 60_000_000;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// A closed loop: each connection calls again when it is answered.
    Closed,
    /// An open loop: calls arrive at this rate whether or not those before them are answered, and wait for a free
    /// connection. Their latency counts from their arrival, so a server that stops for a second is charged for
    /// every call that came in that second (no coordinated omission).
    PerSecond(f64),
}

/// What a run measured.
pub(crate) struct Measured {
    /// From the first call to the last answer.
    pub(crate) elapsed: Duration,
    calls: usize,
    /// In microseconds.
    latency: Histogram<u64>,
}

impl Measured {
    pub(crate) fn per_second(&self) -> f64 {
        self.calls as f64 / self.elapsed.as_secs_f64()
    }

    /// A quantile of the latency, in microseconds.
    pub(crate) fn quantile(&self, quantile: f64) -> u64 {
        self.latency.value_at_quantile(quantile)
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
    each: impl FnMut(usize, &[u8]),
) -> Result<Measured> {
    let poll = Poll::new()?;
    let alarm = Alarm::new(poll.registry(), Token(usize::MAX - 1))?;
    let connections = connections.min(requests.len());
    let open = (0..connections)
        .map(|index| Connection::open(address, poll.registry(), Token(index)))
        .collect::<Result<Vec<_>>>()?;
    let interval = match pace {
        Pace::Closed => None,
        Pace::PerSecond(rate) => Some(Duration::try_from_secs_f64(1.0 / rate).context("not a rate")?),
    };
    let run = Run {
        requests,
        idle: (0..open.len()).collect(),
        open,
        began: Instant::now(),
        interval,
        next: 0,
        answered: 0,
        refused: None,
        latency: Histogram::new_with_max(LONGEST, 3)?,
        each,
    };
    run.until_all_are_answered(poll, &alarm)
}

struct Run<'a, F> {
    requests: &'a Requests,
    open: Vec<Connection>,
    /// Connections without a call, the longest idle first.
    idle: VecDeque<usize>,
    began: Instant,
    /// Between two arrivals of an open loop.
    interval: Option<Duration>,
    /// The request that is sent next.
    next: usize,
    answered: usize,
    /// How many answers were not 200, and what the first of them said.
    refused: Option<(usize, String)>,
    latency: Histogram<u64>,
    each: F,
}

impl<F: FnMut(usize, &[u8])> Run<'_, F> {
    fn until_all_are_answered(mut self, mut poll: Poll, alarm: &Alarm) -> Result<Measured> {
        let mut events = Events::with_capacity(1024);
        self.began = Instant::now();
        self.send_what_is_due()?;
        while self.answered < self.requests.len() {
            let timeout = match self.until_next() {
                Some(after) => alarm.set(after)?.unwrap_or(PATIENCE),
                None => PATIENCE,
            };
            match poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                polled => polled?,
            }
            ensure!(
                !events.is_empty() || timeout < PATIENCE,
                "no answer for {PATIENCE:?}; {} of {} calls are answered",
                self.answered,
                self.requests.len()
            );
            for event in &events {
                if event.token().0 < self.open.len() {
                    self.go_on(event.token().0, event.is_writable())?;
                }
            }
            self.send_what_is_due()?;
        }
        let elapsed = self.began.elapsed();
        if let Some((calls, first)) = self.refused {
            bail!(
                "the run is invalid: {calls} of {} calls failed, the first with {first}",
                self.requests.len()
            );
        }
        Ok(Measured { elapsed, calls: self.answered, latency: self.latency })
    }

    /// How long until a call is due for which there is a connection; none if only an answer brings the next call.
    fn until_next(&self) -> Option<Duration> {
        let waits = self.next < self.requests.len() && !self.idle.is_empty();
        waits.then(|| self.due().map(|due| due.saturating_duration_since(Instant::now()))).flatten()
    }

    /// When the next call arrives, in an open loop.
    fn due(&self) -> Option<Instant> {
        let calls = u32::try_from(self.next).unwrap_or(u32::MAX);
        self.interval.map(|interval| self.began + interval * calls)
    }

    fn send_what_is_due(&mut self) -> Result<()> {
        while let Some(&free) = self.idle.front()
            && let Some(request) = self.requests.get(self.next)
        {
            let now = Instant::now();
            let since = self.due().unwrap_or(now);
            if since > now {
                break;
            }
            self.idle.pop_front();
            if let Some(connection) = self.open.get_mut(free) {
                connection.ask(self.next, since, request)?;
            }
            self.next += 1;
        }
        Ok(())
    }

    fn go_on(&mut self, index: usize, writable: bool) -> Result<()> {
        let Some(connection) = self.open.get_mut(index) else { return Ok(()) };
        if writable && let Some(request) = connection.in_flight().and_then(|index| self.requests.get(index)) {
            connection.write(request)?;
        }
        if let Some(answer) = connection.read()? {
            let Answered { index: request, since, status, body } = answer;
            let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(LONGEST);
            self.latency.saturating_record(micros);
            self.answered += 1;
            if status == 200 {
                (self.each)(request, body);
            } else {
                let said = || format!("{status} {}", String::from_utf8_lossy(body));
                self.refused.get_or_insert_with(|| (0, said())).0 += 1;
            }
            self.idle.push_back(index);
            self.send_what_is_due()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
