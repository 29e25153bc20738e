//! Counts tests from what a test runner prints.

use std::fmt;
use std::ops::AddAssign;

/// How many tests passed, failed and were not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

/// Who prints the summary. Each is read for its own only: nextest shows the output of a test that failed, and
/// that ends with a summary of libtest's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    /// `cargo nextest run`
    Nextest,
    /// `cargo test`
    Libtest,
    /// `clients/run`
    Clients,
}

impl Tally {
    /// Reads the runner's summary line; any other line is `None`.
    pub(crate) fn parse(runner: Runner, line: &str) -> Option<Self> {
        let plain = without_colours(line);
        let line = plain.trim();
        match runner {
            Runner::Nextest => Self::of_nextest(line.strip_prefix("Summary [")?.split_once(']')?.1),
            Runner::Libtest => {
                Some(Self::of_libtest(line.strip_prefix("test result: ")?.split_once(". ")?.1))
            }
            Runner::Clients => Self::of_clients(line),
        }
    }

    /// `2 passed, 0 failed`
    fn of_clients(line: &str) -> Option<Self> {
        let (passed, failed) = line.split_once(", ")?;
        let passed = passed.strip_suffix(" passed")?.parse().ok()?;
        let failed = failed.strip_suffix(" failed")?.parse().ok()?;
        Some(Self { passed, failed, skipped: 0 })
    }

    /// `5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s`
    fn of_libtest(counts: &str) -> Self {
        let count = |word| counts.split("; ").find_map(|part| numbered(part, word)).unwrap_or(0);
        Self { passed: count("passed"), failed: count("failed"), skipped: count("ignored") }
    }

    /// `3 tests run: 1 passed (1 slow), 1 failed, 1 timed out, 2 skipped`, or `2/3 tests run: …` after a
    /// cancelled run. Whatever ran or should have run and did not pass is a failure, whatever it is called.
    fn of_nextest(summary: &str) -> Option<Self> {
        let (run, counts) = summary.split_once(" run: ")?;
        let run = run.split_whitespace().next()?;
        let run: u64 = run.rsplit('/').next()?.parse().ok()?;
        let count = |word| counts.split(", ").find_map(|part| numbered(part, word)).unwrap_or(0);
        let passed = count("passed");
        Some(Self { passed, failed: run.saturating_sub(passed), skipped: count("skipped") })
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The number in `12 passed` or `12 passed (1 slow)`, if the word is the one asked for.
fn numbered(part: &str, word: &str) -> Option<u64> {
    let mut words = part.split_whitespace();
    let number = words.next()?.parse().ok()?;
    (words.next()? == word).then_some(number)
}

fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // `ESC [ … letter`
            let _ = chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{Runner, Tally};

    fn tally(passed: u64, failed: u64, skipped: u64) -> Option<Tally> {
        Some(Tally { passed, failed, skipped })
    }

    #[test]
    fn the_summary_of_cargo_test_is_read() {
        let line = "test result: FAILED. 5 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s";
        assert_eq!(Tally::parse(Runner::Libtest, line), tally(5, 2, 1));
    }

    #[test]
    fn the_summary_of_nextest_is_read_with_colours() {
        let line = "\u{1b}[32;1m     Summary\u{1b}[0m [   1.006s] \u{1b}[1m4\u{1b}[0m tests run: \u{1b}[1m4\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m (1 slow), \u{1b}[1m1\u{1b}[0m \u{1b}[33;1mskipped\u{1b}[0m";
        assert_eq!(Tally::parse(Runner::Nextest, line), tally(4, 0, 1));
    }

    #[test]
    fn a_test_that_timed_out_or_was_never_run_is_a_failure() {
        let line =
            "     Summary [   1.006s] 6/7 tests run: 3 passed (1 leaky), 2 failed, 1 timed out, 0 skipped";
        assert_eq!(Tally::parse(Runner::Nextest, line), tally(3, 4, 0));
    }

    #[test]
    fn the_last_line_of_the_third_party_clients_is_read() {
        assert_eq!(Tally::parse(Runner::Clients, "2 passed, 1 failed"), tally(2, 1, 0));
    }

    #[test]
    fn other_lines_are_not_summaries() {
        for line in ["", "PASS [ 0.004s] chatroom-core x", "running 5 tests", "Summary of it", "a, b"] {
            for runner in [Runner::Nextest, Runner::Libtest, Runner::Clients] {
                assert_eq!(Tally::parse(runner, line), None, "{line}");
            }
        }
    }

    #[test]
    fn a_failed_test_that_nextest_shows_is_not_counted_twice() {
        let line = "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s";
        assert_eq!(Tally::parse(Runner::Nextest, line), None);
    }
}
