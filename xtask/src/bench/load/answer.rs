//! As much of an answer as a load generator has to read: its status, and where it ends.

use anyhow::{Context as _, Result};

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
    let mut rest = bytes;
    let mut status = None;
    let mut length = None;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = rest.split_at(end);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        rest = after.split_first().map_or(after, |(_, after)| after);
        if line.is_empty() {
            let body = bytes.len() - rest.len();
            let length: usize = length.context("an answer without Content-Length")?;
            return Ok(Some(Head { status: status.context("no status")?, body, end: body + length }));
        }
        if status.is_none() {
            status = Some(status_of(line).context("an answer that is not HTTP/1.1")?);
        } else if let Some(value) = value_of(line, b"content-length:") {
            length = Some(value.trim().parse().context("Content-Length is not a number")?);
        }
    }
    Ok(None)
}

fn status_of(line: &[u8]) -> Option<u16> {
    let digits = line.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    str::from_utf8(digits).ok()?.parse().ok()
}

fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let (found, value) = line.split_at_checked(name.len())?;
    if !found.eq_ignore_ascii_case(name) {
        return None;
    }
    str::from_utf8(value).ok()
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
        assert!(head(b"HTTP/1.0 200 OK\r\n\r\n").is_err());
        assert!(head(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n").is_err());
    }
}
