//! What groups of removals rely on, and less and less often, the more often it proved wrong.

use super::Trouble;
use super::commit::Way;
use super::look::Rooms;

/// After how many failures in a row the pauses grow no more.
const MOST: u32 = 6;

/// What is relied on, as far as it proved right lately.
#[derive(Debug, Default)]
pub(super) struct Trusts {
    /// Rooms are as this process knows them.
    known: Trust,
    /// Who is to go is a member, and nobody comes between a look and its write.
    presumed: Trust,
}

/// Whether something is worth trying.
#[derive(Debug, Default)]
struct Trust {
    failures: u32,
    /// How many times it is not tried now.
    pause: u32,
}

impl Trusts {
    /// How a group goes about it; `removals` says whether it is nothing else.
    pub(super) fn first_way(&mut self, removals: bool) -> Way {
        if !removals || !self.presumed.is_there() {
            Way::Lock
        } else if self.known.is_there() {
            Way::Compare(Rooms::Known)
        } else {
            Way::Compare(Rooms::Asked)
        }
    }

    /// The group is done.
    pub(super) fn held(&mut self, way: Way) {
        if way == Way::Compare(Rooms::Known) {
            self.known.held();
        }
        if way != Way::Lock {
            self.presumed.held();
        }
    }

    /// The way behind one that came to nothing. Whoever came between a look and its write may do so again: he waits for
    /// locks.
    pub(super) fn next_way(&mut self, way: Way, trouble: &Trouble) -> Way {
        match (way, trouble) {
            (Way::Compare(Rooms::Known), Trouble::Moved) => {
                self.known.failed();
                return Way::Compare(Rooms::Asked);
            }
            (Way::Compare(_), Trouble::Moved | Trouble::Presumed) => self.presumed.failed(),
            _ => {}
        }
        Way::Lock
    }
}

impl Trust {
    /// Whether to try it this time.
    fn is_there(&mut self) -> bool {
        let is_there = self.pause == 0;
        self.pause = self.pause.saturating_sub(1);
        is_there
    }

    /// It was tried, and was right.
    fn held(&mut self) {
        self.failures = self.failures.saturating_sub(1);
    }

    /// It was tried in vain.
    fn failed(&mut self) {
        self.failures = MOST.min(self.failures + 1);
        self.pause = (1 << self.failures) - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Way = Way::Compare(Rooms::Known);
    const ASKED: Way = Way::Compare(Rooms::Asked);

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

    #[test]
    fn a_group_that_relied_on_what_moved_asks_and_then_locks() {
        let mut trusts = Trusts::default();
        assert_eq!(trusts.first_way(false), Way::Lock);
        assert_eq!(trusts.first_way(true), KNOWN);
        assert_eq!(trusts.next_way(KNOWN, &Trouble::Moved), ASKED);
        assert_eq!(trusts.next_way(ASKED, &Trouble::Moved), Way::Lock);
        assert_eq!(trusts.first_way(true), Way::Lock, "and so does the next");
        assert_eq!(trusts.first_way(true), ASKED, "and the one behind that asks");
        assert_eq!(trusts.first_way(true), KNOWN);
    }

    #[test]
    fn a_group_that_presumed_wrongly_locks_and_what_is_known_is_still_relied_on() {
        let mut trusts = Trusts::default();
        assert_eq!(trusts.next_way(KNOWN, &Trouble::Presumed), Way::Lock);
        assert_eq!(trusts.first_way(true), Way::Lock);
        assert_eq!(trusts.first_way(true), KNOWN);
    }
}
