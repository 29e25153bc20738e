//! Durations and sizes as people write them: a whole number and a unit, `30s`, `64KiB`.

use std::time::Duration;

const DURATIONS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
const SIZES: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// Reads a duration: a whole number and one of `ms`, `s`, `m`, `h`, `d`, with nothing between or around them.
/// `None` if it is anything else or does not fit 64 bits of milliseconds.
pub fn duration(text: &str) -> Option<Duration> {
    number_and_unit(text, &DURATIONS).map(Duration::from_millis)
}

/// Reads a size in bytes: a whole number and one of `B`, `KiB`, `MiB`, `GiB`, `TiB`.
/// `None` if it is anything else or does not fit 64 bits.
pub fn size(text: &str) -> Option<u64> {
    number_and_unit(text, &SIZES)
}

/// Writes a duration in the largest unit that needs no fraction. What is below a millisecond is left out.
pub fn show_duration(duration: Duration) -> String {
    show(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), &DURATIONS, "0s")
}

/// Writes a size in the largest unit that needs no fraction.
pub fn show_size(bytes: u64) -> String {
    show(bytes, &SIZES, "0B")
}

fn number_and_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn show(amount: u64, units: &[(&str, u64)], zero: &str) -> String {
    units
        .iter()
        .find(|(_, factor)| amount >= *factor && amount.is_multiple_of(*factor))
        .map_or_else(|| zero.to_owned(), |(name, factor)| format!("{}{name}", amount / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        for (text, ms) in [
            ("0s", 0),
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(duration(text), Some(Duration::from_millis(ms)), "{text}");
            assert_eq!(show_duration(Duration::from_millis(ms)), text);
        }
        assert_eq!(show_duration(Duration::from_millis(90_000)), "90s");
    }

    #[test]
    fn a_size_is_a_whole_number_and_a_unit() {
        for (text, bytes) in
            [("0B", 0), ("100B", 100), ("16KiB", 16_384), ("1MiB", 1 << 20), ("3GiB", 3 << 30)]
        {
            assert_eq!(size(text), Some(bytes), "{text}");
            assert_eq!(show_size(bytes), text);
        }
        assert_eq!(show_size(1025), "1025B");
    }

    #[test]
    fn what_is_not_exactly_a_number_and_a_unit_is_neither() {
        for bad in [
            "",
            "s",
            "10",
            "-1s",
            "+1s",
            "1.5s",
            "1 s",
            " 1s",
            "1s ",
            "1S",
            "1w",
            "1m30s",
            "99999999999999999999s",
        ] {
            assert_eq!(duration(bad), None, "{bad:?}");
        }
        for bad in ["", "KiB", "10", "1kb", "1KB", "1.5MiB", "1 MiB", "18446744073709551615KiB"] {
            assert_eq!(size(bad), None, "{bad:?}");
        }
    }
}
