//! How often to rely on what may not be so: less and less often, the more often that went wrong.

/// After how many failures in a row no longer pause is made.
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
    fn tries(mut fails: impl FnMut(u32) -> bool) -> u32 {
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
    fn what_never_fails_is_always_tried() {
        assert_eq!(tries(|_| false), 1_000);
    }

    #[test]
    fn what_always_fails_is_tried_once_in_64_times() {
        let tried = tries(|_| true);
        assert!((15..=22).contains(&tried), "{tried}");
    }

    #[test]
    fn what_fails_seldom_is_tried_nearly_always() {
        let tried = tries(|try_| try_ % 20 == 0);
        assert!(tried > 900, "{tried}");
    }

    #[test]
    fn what_failed_for_long_and_holds_again_is_soon_tried_always() {
        let mut trust = Trust::default();
        for _ in 0..9 {
            trust.failed();
        }
        let mut times = 0;
        for _ in 0..8 {
            while !trust.is_there() {
                times += 1;
            }
            trust.held();
        }
        assert_eq!(times, 63, "one pause, and none behind it");
        assert!(trust.is_there());
    }
}
