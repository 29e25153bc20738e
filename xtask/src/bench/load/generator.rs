use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use mio::{Events, Poll, Token};

use super::alarm::Alarm;
use super::connection::{Answered, Connection};
use super::{Answer, Pace, Plan, Ran};
use crate::bench::requests::Requests;

/// A server that says nothing for so long has stopped.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(
    address: SocketAddr,
    plan: Plan,
    requests: &Requests,
    each: impl FnMut(&Answer<'_>),
) -> Result<Ran> {
    let poll = Poll::new()?;
    let alarm = Alarm::new(poll.registry(), Token(usize::MAX - 1))?;
    let connections = plan.connections.min(requests.len());
    let open = (0..connections)
        .map(|index| Connection::open(address, poll.registry(), Token(index)))
        .collect::<Result<Vec<_>>>()?;
    let interval = match plan.pace {
        Pace::Closed => None,
        Pace::PerSecond(rate) => Some(Duration::try_from_secs_f64(1.0 / rate).context("not a rate")?),
    };
    let began = Instant::now();
    let generator = Generator {
        requests,
        idle: (0..open.len()).collect(),
        open,
        began,
        last_sent: began,
        interval,
        at_most: plan.at_most,
        next: 0,
        last: requests.len(),
        answered: 0,
        each,
    };
    generator.until_all_are_answered(poll, &alarm)
}

struct Generator<'a, F> {
    requests: &'a Requests,
    open: Vec<Connection>,
    /// Connections without a call, the longest idle first.
    idle: VecDeque<usize>,
    began: Instant,
    last_sent: Instant,
    /// Between two arrivals of an open loop.
    interval: Option<Duration>,
    at_most: Option<Duration>,
    /// The request that is sent next.
    next: usize,
    /// The request that is not sent any more, nor any behind it.
    last: usize,
    answered: usize,
    each: F,
}

impl<F: FnMut(&Answer<'_>)> Generator<'_, F> {
    fn until_all_are_answered(mut self, mut poll: Poll, alarm: &Alarm) -> Result<Ran> {
        let mut events = Events::with_capacity(1024);
        self.began = Instant::now();
        self.send_what_is_due()?;
        while self.answered < self.last {
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
                self.last
            );
            for event in &events {
                if event.token().0 < self.open.len() {
                    self.go_on(event.token().0, event.is_writable())?;
                }
            }
            self.send_what_is_due()?;
        }
        let Self { began, last_sent, next: sent, .. } = self;
        Ok(Ran { began, last_sent, ended: Instant::now(), sent })
    }

    /// How long until a call is due for which there is a connection; none if only an answer brings the next call.
    fn until_next(&self) -> Option<Duration> {
        let waits = self.next < self.last && !self.idle.is_empty();
        waits.then(|| self.due().map(|due| due.saturating_duration_since(Instant::now()))).flatten()
    }

    /// When the next call arrives, in an open loop.
    fn due(&self) -> Option<Instant> {
        let calls = u32::try_from(self.next).unwrap_or(u32::MAX);
        self.interval.map(|interval| self.began + interval * calls)
    }

    fn send_what_is_due(&mut self) -> Result<()> {
        while let Some(&free) = self.idle.front()
            && self.next < self.last
            && let Some(request) = self.requests.get(self.next)
        {
            let now = Instant::now();
            if self.at_most.is_some_and(|most| now.duration_since(self.began) >= most) {
                self.last = self.next;
                break;
            }
            let since = self.due().unwrap_or(now);
            if since > now {
                break;
            }
            self.idle.pop_front();
            if let Some(connection) = self.open.get_mut(free) {
                connection.ask(self.next, since, request)?;
            }
            self.last_sent = now;
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
            let Answered { index: request, since, status, head, body } = answer;
            let at = Instant::now();
            let micros = u64::try_from(at.duration_since(since).as_micros()).unwrap_or(u64::MAX);
            self.answered += 1;
            (self.each)(&Answer { request, status, head, body, micros, at });
            self.idle.push_back(index);
            self.send_what_is_due()?;
        }
        Ok(())
    }
}
