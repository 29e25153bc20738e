//! One keep-alive connection with at most one call in flight.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::answer::head;

/// Room for an answer of an ordinary size; a longer one makes it grow.
const USUAL: usize = 4 * 1024;

/// The call that is in flight.
struct Asked {
    index: usize,
    /// The moment from which its latency counts.
    since: Instant,
    /// How much of it is written.
    written: usize,
}

pub(super) struct Connection {
    stream: TcpStream,
    asked: Option<Asked>,
    answer: Vec<u8>,
    filled: usize,
}

/// An answer that is complete. It borrows from the connection.
pub(super) struct Answered<'a> {
    pub(super) index: usize,
    pub(super) since: Instant,
    pub(super) status: u16,
    pub(super) head: &'a [u8],
    pub(super) body: &'a [u8],
}

impl Connection {
    pub(super) fn open(address: SocketAddr, registry: &Registry, token: Token) -> Result<Self> {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { stream, asked: None, answer: vec![0; USUAL], filled: 0 })
    }

    /// Sends a request, or as much of it as the system takes now.
    pub(super) fn ask(&mut self, index: usize, since: Instant, request: &[u8]) -> Result<()> {
        self.asked = Some(Asked { index, since, written: 0 });
        self.filled = 0;
        self.write(request)
    }

    /// The request that is sent and not answered, or only sent in part.
    pub(super) fn in_flight(&self) -> Option<usize> {
        self.asked.as_ref().map(|asked| asked.index)
    }

    /// Goes on with writing.
    pub(super) fn write(&mut self, request: &[u8]) -> Result<()> {
        let Some(asked) = &mut self.asked else { return Ok(()) };
        while let Some(rest) = request.get(asked.written..)
            && !rest.is_empty()
        {
            match self.stream.write(rest) {
                Ok(written) => asked.written += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("a call could not be sent"),
            }
        }
        Ok(())
    }

    /// Reads what has arrived; gives the answer if it is complete. The connection is then free.
    pub(super) fn read(&mut self) -> Result<Option<Answered<'_>>> {
        loop {
            if self.filled == self.answer.len() {
                self.answer.resize(self.answer.len() * 4, 0);
            }
            match self.stream.read(self.answer.get_mut(self.filled..).unwrap_or_default()) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("an answer could not be read"),
            }
            let arrived = self.answer.get(..self.filled).unwrap_or_default();
            // Nothing more comes before the next call, so an answer that is complete need not be read to the
            // end of the stream.
            if let Some(head) = head(arrived)?
                && head.end <= self.filled
            {
                ensure!(head.end == self.filled, "more bytes than the answer has");
                let Asked { index, since, .. } = self.asked.take().context("an answer to nothing")?;
                let answer = self.answer.get(..head.end).unwrap_or_default();
                let (text, body) = answer.split_at(head.body);
                return Ok(Some(Answered { index, since, status: head.status, head: text, body }));
            }
        }
    }
}
