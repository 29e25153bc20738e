//! As much of a callback's body as is measured: when its event happened.

/// The event's time in milliseconds, if the body tells it.
pub(super) fn timestamp(body: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"\"timestamp\":";
    // It stands near the end, and what stands before may be long.
    let at = body.windows(NAME.len()).rposition(|part| part == NAME)?;
    let rest = body.get(at + NAME.len()..)?;
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    str::from_utf8(rest.get(..end)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn the_time_of_an_event_is_read_from_its_body() {
        assert_eq!(
            timestamp(br#"{"id":"1","member_count":4,"timestamp":1729497896834}"#),
            Some(1_729_497_896_834)
        );
        assert_eq!(timestamp(br#"{"timestamp":12,"payload":{"type":"KICK"}}"#), Some(12));
        for without in [&br#"{"timestamp":"12"}"#[..], br#"{"time":12}"#, b"", br#"{"timestamp":12"#] {
            assert_eq!(timestamp(without), None);
        }
    }
}
