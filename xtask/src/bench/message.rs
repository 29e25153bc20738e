//! As much of an HTTP message as has to be read here: its first line, and where it ends.

use anyhow::{Context as _, Result};

/// A message of which the head has arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// Without its end.
    pub(super) first_line: &'a [u8],
    /// Where the body begins.
    pub(super) body: usize,
    /// The length of the body, if it was told.
    pub(super) length: Option<usize>,
}

/// The message that begins here; none if not all of its head has arrived.
pub(super) fn message(bytes: &[u8]) -> Result<Option<Message<'_>>> {
    let mut first_line = None;
    let mut length = None;
    for (line, end) in Lines::of(bytes) {
        match first_line {
            None => first_line = Some(line),
            Some(first_line) if line.is_empty() => {
                return Ok(Some(Message { first_line, body: end, length }));
            }
            Some(_) => {
                if let Some(value) = value_of(line, b"content-length") {
                    let value = str::from_utf8(value).ok().and_then(|value| value.trim().parse().ok());
                    length = Some(value.context("Content-Length is not a number")?);
                }
            }
        }
    }
    Ok(None)
}

/// Whether a head has a field of this name.
pub(super) fn has_field(head: &[u8], name: &[u8]) -> bool {
    Lines::of(head).skip(1).any(|(line, _)| value_of(line, name).is_some())
}

fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (found, rest) = line.split_at_checked(name.len())?;
    rest.strip_prefix(b":").filter(|_| found.eq_ignore_ascii_case(name))
}

/// The lines that are complete, each with where the next begins.
struct Lines<'a> {
    bytes: &'a [u8],
    next: usize,
}

impl<'a> Lines<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, next: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a [u8], usize);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.next..)?;
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let line = rest.get(..end)?;
        self.next += end + 1;
        Some((line.strip_suffix(b"\r").unwrap_or(line), self.next))
    }
}

#[cfg(test)]
mod tests {
    use super::{Message, has_field, message};

    const SENT: &[u8] = b"POST /r/3 HTTP/1.1\r\nHost: x\r\nContent-Length:  12\r\n\r\n{\"a\":\"b\nc\"}X";

    #[test]
    fn the_first_line_and_the_body_are_found() {
        let body = SENT.len() - 12;
        let first_line = &b"POST /r/3 HTTP/1.1"[..];
        assert_eq!(message(SENT).unwrap(), Some(Message { first_line, body, length: Some(12) }));
        let first_line = &b"GET / HTTP/1.1"[..];
        let found = message(b"GET / HTTP/1.1\n\n").unwrap();
        assert_eq!(found, Some(Message { first_line, body: 16, length: None }));
    }

    #[test]
    fn part_of_a_head_is_no_message_yet() {
        for cut in 0..SENT.len() - 12 {
            assert_eq!(message(&SENT[..cut]).unwrap(), None, "{cut}");
        }
        assert!(message(b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n").is_err());
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let head = b"HTTP/1.1 503 Busy\r\nX-Retry-After: 1\r\nRETRY-AFTER: 1\r\n\r\n";
        assert!(has_field(head, b"retry-after"));
        assert!(!has_field(head, b"retry"));
        assert!(!has_field(b"HTTP/1.1 503 Busy\r\nX-Retry-After: 1\r\n\r\n", b"retry-after"));
    }
}
