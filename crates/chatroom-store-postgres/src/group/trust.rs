//! How often to rely on what may not be so: less and less often, the more often it proved wrong.

/// After how many failures in a row the pauses grow no more.
const MOST: u32 = 6;

/// Whether something is worth trying.
#[derive(Debug, Default)]
pub(super) struct Trust {
    failures: u32,
    /// How many times it is not tried now.
    pause: u32,
}

impl Trust {
    /// Whether to try it this time.
    pub(super) fn is_there(&mut self) -> bool {
        let is_there = self.pause == 0;
        self.pause = self.pause.saturating_sub(1);
        is_there
    }

    /// It was tried, and was right.
    pub(super) fn held(&mut self) {
        self.failures = self.failures.saturating_sub(1);
    }

    /// It was tried in vain.
    pub(super) fn failed(&mut self) {
        self.failures = MOST.min(self.failures + 1);
        self.pause = (1 << self.failures) - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of 1,000 times it is tried.
    fn tries(fails: impl Fn(u32) -> bool) -> u32 {
        let mut trust = Trust::default();
        let mut tries = 0;
        for _ in 0..1_000 {
            if trust.is_there() {
                tries += 1;
                if fails(tries) { trust.failed() } else { trust.held() }
            }
        }
        tries
    }

    #[test]
    fn what_never_fails_is_always_tried_and_what_always_fails_once_in_64_times() {
        assert_eq!(tries(|_| false), 1_000);
        let tried = tries(|_| true);
        assert!((15..=22).contains(&tried), "{tried}");
    }

    #[test]
    fn what_fails_seldom_is_tried_nearly_always() {
        let tried = tries(|time| time % 20 == 0);
        assert!(tried > 900, "{tried}");
    }

    #[test]
    fn what_failed_for_long_and_holds_again_is_tried_always_behind_one_pause() {
        let mut trust = Trust::default();
        for _ in 0..9 {
            trust.failed();
        }
        let paused = (0..100).take_while(|_| !trust.is_there()).count();
        assert_eq!(paused, 63);
        for _ in 0..6 {
            trust.held();
            assert!(trust.is_there());
        }
    }
}
