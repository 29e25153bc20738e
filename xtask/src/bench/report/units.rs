//! Numbers as people read them.

pub(crate) const MIB: f64 = 1_048_576.0;
pub(crate) const GIB: f64 = 1_024.0 * MIB;

/// A number with commas, without a fraction.
pub(crate) fn count(number: f64) -> String {
    let text = format!("{number:.0}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Microseconds as milliseconds.
pub(crate) fn millis(micros: f64) -> String {
    format!("{:.2} ms", micros / 1_000.0)
}

/// Bytes as whole mebibytes.
pub(crate) fn mib(bytes: f64) -> String {
    format!("{} MiB", count(bytes / MIB))
}

/// A few bytes.
pub(crate) fn bytes(bytes: f64) -> String {
    format!("{} bytes", count(bytes))
}

/// Seconds to the hundredth.
pub(crate) fn seconds(seconds: f64) -> String {
    format!("{seconds:.2} s")
}

/// A ratio to the hundredth.
pub(crate) fn ratio(ratio: f64) -> String {
    format!("{ratio:.2}")
}

/// By how much something grew, as a part of what it was.
pub(crate) fn percent(part: f64) -> String {
    format!("{:+.1} %", part * 100.0)
}

#[cfg(test)]
mod tests {
    use super::{GIB, bytes, count, mib, millis, percent, ratio, seconds};

    #[test]
    fn numbers_have_commas() {
        assert_eq!([1.0, 999.6, 123_456.0, 1e7].map(count), ["1", "1,000", "123,456", "10,000,000"]);
        assert_eq!([-123.0, -1_234.0].map(count), ["-123", "-1,234"]);
    }

    #[test]
    fn quantities_have_their_units() {
        assert_eq!(
            [millis(1_234.0), mib(1.5 * GIB), bytes(1_234.0)],
            ["1.23 ms", "1,536 MiB", "1,234 bytes"]
        );
        assert_eq!([seconds(1.0), ratio(0.987), percent(0.05)], ["1.00 s", "0.99", "+5.0 %"]);
    }
}
