//! Times as people read and write them: RFC 3339, in UTC when they are printed.

use chatroom_core::Timestamp;
use jiff::SignedDuration;

/// Reads a moment.
///
/// # Errors
/// A sentence for the person who typed it.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let read = text.parse::<jiff::Timestamp>().or(Err(
        "write a time with its offset from UTC, such as `2026-11-26T10:00:00Z` or `2026-11-26T18:00:00+08:00`",
    ))?;
    Ok(Timestamp::from_millis(read.as_millisecond()))
}

/// A moment, in whole seconds; its milliseconds, if no calendar has it.
pub(super) fn shown(millis: i64) -> String {
    let read = jiff::Timestamp::from_second(millis.div_euclid(1_000));
    read.map_or_else(|_| format!("{millis}ms"), |moment| moment.to_string())
}

/// How much time lies between two moments, in whole seconds: `76h 3m 12s`.
pub(super) fn between(from: i64, to: i64) -> String {
    let seconds = to.saturating_sub(from).max(0) / 1_000;
    format!("{:#}", SignedDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_with_its_offset_and_shown_in_utc() {
        for text in ["2024-10-21T08:04:56.834Z", "2024-10-21T16:04:56.834+08:00", "2024-10-21 08:04:56.834Z"]
        {
            let read = moment(text).unwrap();
            assert_eq!(read.as_millis(), 1_729_497_896_834, "{text}");
            assert_eq!(shown(read.as_millis()), "2024-10-21T08:04:56Z");
        }
        for bad in ["", "yesterday", "2024-10-21", "2024-10-21T08:04:56", "1729497896834"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_lies_between_is_told_in_hours_minutes_and_seconds() {
        assert_eq!(between(0, 273_792_999), "76h 3m 12s");
        assert_eq!(between(0, 60_000), "1m");
        assert_eq!(between(5, 3), "0s");
    }
}
