//! One keep-alive connection of a client that posts.

use std::io::{self, Read as _, Write as _};

use anyhow::{Context as _, Result};
use mio::net::TcpStream;

use crate::bench::message::message;

/// Room for a callback of an ordinary size; a longer one makes it grow.
const USUAL: usize = 2 * 1024;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

pub(super) struct Connection {
    pub(super) stream: TcpStream,
    bytes: Vec<u8>,
    filled: usize,
}

/// What there was to read.
pub(super) enum Read<'a> {
    /// Not all of a post.
    Part,
    /// A post: the number in its path, and its body.
    Post(usize, &'a [u8]),
    /// The end.
    Closed,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, bytes: vec![0; USUAL], filled: 0 }
    }

    /// Reads what has arrived. The client waits for an answer before it posts again, so nothing comes behind a post.
    pub(super) fn read(&mut self) -> Result<Read<'_>> {
        loop {
            if self.filled == self.bytes.len() {
                self.bytes.resize(self.bytes.len() * 4, 0);
            }
            match self.stream.read(self.bytes.get_mut(self.filled..).unwrap_or_default()) {
                Ok(0) => return Ok(Read::Closed),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Read::Part),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A client that gave up.
                Err(_) => return Ok(Read::Closed),
            }
            let arrived = self.bytes.get(..self.filled).unwrap_or_default();
            let Some(message) = message(arrived)? else { continue };
            let end = message.body + message.length.context("a post without Content-Length")?;
            if end <= self.filled {
                let rule = number(message.first_line).context("a post to a path without a number")?;
                let body = message.body..end;
                self.filled = 0;
                return Ok(Read::Post(rule, self.bytes.get(body).unwrap_or_default()));
            }
        }
    }

    /// Answers the post. Whether it could: a client that has gone cannot be answered.
    pub(super) fn answer(&mut self) -> bool {
        matches!(self.stream.write(ANSWER), Ok(written) if written == ANSWER.len())
    }
}

/// The number that the path consists of.
fn number(first_line: &[u8]) -> Option<usize> {
    let rest = first_line.strip_prefix(b"POST /")?;
    let end = rest.iter().position(|byte| *byte == b' ')?;
    str::from_utf8(rest.get(..end)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn the_rule_is_named_by_the_path() {
        assert_eq!(number(b"POST /17 HTTP/1.1"), Some(17));
        for other in [&b"GET /17 HTTP/1.1"[..], b"POST /x HTTP/1.1", b"POST /17", b""] {
            assert_eq!(number(other), None);
        }
    }
}
