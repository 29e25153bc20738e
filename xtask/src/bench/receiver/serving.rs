//! The thread of a receiver.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use anyhow::Result;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use super::connection::{Connection, Read};
use super::{Manner, Told, lock};

const LISTENER: Token = Token(0);
pub(super) const WAKER: Token = Token(1);
const FIRST_CONNECTION: usize = 2;

struct Serving<'a> {
    poll: Poll,
    listener: TcpListener,
    told: &'a Told,
    connections: HashMap<Token, Connection>,
    next: usize,
    /// Connections that wait for an answer, the longest first.
    waiting: VecDeque<Token>,
    /// When the next answer may be given, if they are given at a rate.
    free: Instant,
}

/// Serves until it is told to stop.
pub(super) fn serve(poll: Poll, mut listener: TcpListener, told: &Told) -> Result<()> {
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let (connections, waiting) = (HashMap::new(), VecDeque::new());
    let (next, free) = (FIRST_CONNECTION, Instant::now());
    let mut serving = Serving { poll, listener, told, connections, next, waiting, free };
    let mut events = Events::with_capacity(1_024);
    while !lock(told).stop {
        let timeout = serving.answer_what_is_due();
        match serving.poll.poll(&mut events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            match event.token() {
                LISTENER => serving.accept()?,
                WAKER => {}
                connection => serving.read(connection)?,
            }
        }
        lock(told).seen.noticed_all();
    }
    Ok(())
}

impl Serving<'_> {
    fn accept(&mut self) -> Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // One that has gone already.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error.into()),
            };
            let mut shared = lock(self.told);
            if shared.manner == Manner::Refuse {
                continue;
            }
            shared.seen.opened();
            drop(shared);
            stream.set_nodelay(true)?;
            let token = Token(self.next);
            self.next += 1;
            self.poll.registry().register(&mut stream, token, Interest::READABLE)?;
            self.connections.insert(token, Connection::new(stream));
        }
    }

    fn read(&mut self, token: Token) -> Result<()> {
        let Some(connection) = self.connections.get_mut(&token) else { return Ok(()) };
        let manner = match connection.read()? {
            Read::Part => return Ok(()),
            Read::Closed => {
                self.close(token);
                return Ok(());
            }
            Read::Post(rule, body) => {
                let mut shared = lock(self.told);
                shared.seen.post(rule, body);
                shared.manner
            }
        };
        match manner {
            Manner::Answer => self.answer(token),
            Manner::Hold | Manner::PerSecond(_) => self.waiting.push_back(token),
            Manner::Refuse => self.close(token),
        }
        Ok(())
    }

    /// Answers those who wait, as far as the manner allows. Says how long until the next may be answered.
    fn answer_what_is_due(&mut self) -> Option<Duration> {
        let manner = lock(self.told).manner;
        while !self.waiting.is_empty() {
            if let Manner::Hold = manner {
                return None;
            }
            if let Manner::PerSecond(rate) = manner {
                let now = Instant::now();
                if self.free > now {
                    return Some(self.free - now);
                }
                let interval = Duration::try_from_secs_f64(1.0 / rate).unwrap_or_default();
                // A poll wakes late: what was missed by that is made good, but not more.
                self.free =
                    self.free.max(now.checked_sub(Duration::from_millis(5)).unwrap_or(now)) + interval;
            }
            let Some(token) = self.waiting.pop_front() else { break };
            if manner == Manner::Refuse { self.close(token) } else { self.answer(token) }
        }
        None
    }

    fn answer(&mut self, token: Token) {
        if self.connections.get_mut(&token).is_some_and(|connection| !connection.answer()) {
            self.close(token);
        }
    }

    fn close(&mut self, token: Token) {
        if self.connections.remove(&token).is_some() {
            self.waiting.retain(|waiting| *waiting != token);
            lock(self.told).seen.closed();
        }
    }
}
