//! As much of an answer as a load generator has to read: its status, and where it ends.

use anyhow::{Context as _, Result};

use crate::bench::message::message;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Where the body begins.
    pub(super) body: usize,
    /// Where the answer ends.
    pub(super) end: usize,
}

/// The head of what has arrived; none if not all of it has. An answer without a length is an error: none of the
/// servers here makes one.
pub(super) fn head(bytes: &[u8]) -> Result<Option<Head>> {
    let Some(message) = message(bytes)? else { return Ok(None) };
    let status = status_of(message.first_line).context("an answer that is not HTTP/1.1")?;
    let length = message.length.context("an answer without Content-Length")?;
    Ok(Some(Head { status, body: message.body, end: message.body + length }))
}

fn status_of(line: &[u8]) -> Option<u16> {
    let digits = line.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Head, head};

    const ANSWER: &[u8] =
        b"HTTP/1.1 429 Too Many Requests\r\ndate: x\r\nContent-Length:  12\r\n\r\n{\"a\":\"b\nc\"}X";

    #[test]
    fn status_and_end_are_found() {
        let found = head(ANSWER).unwrap();
        assert_eq!(found, Some(Head { status: 429, body: ANSWER.len() - 12, end: ANSWER.len() }));
    }

    #[test]
    fn part_of_a_head_is_not_an_answer_yet() {
        for cut in 0..ANSWER.len() - 12 {
            assert_eq!(head(&ANSWER[..cut]).unwrap(), None, "{cut}");
        }
    }

    #[test]
    fn an_answer_that_cannot_be_measured_is_an_error() {
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(head(b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n").is_err());
        assert!(head(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n").is_err());
    }
}
