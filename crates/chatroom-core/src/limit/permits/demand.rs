/// The length of a part of the time that is looked back on, in microseconds.
const PART: u64 = 200_000;
const PARTS: usize = 6;

/// Counts the calls of about the last second, of which some may have been refused.
#[derive(Debug, Default)]
pub(super) struct Demand {
    counts: [u32; PARTS],
    /// The newest part, by its number since the beginning of time.
    newest: u64,
}

impl Demand {
    pub(super) fn count(&mut self, now: u64) {
        self.turn(now);
        let place = self.place(0);
        if let Some(count) = self.counts.get_mut(place) {
            *count = count.saturating_add(1);
        }
    }

    /// The calls of the five last whole parts and the one that is under way.
    pub(super) fn of(&mut self, now: u64) -> u32 {
        self.turn(now);
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Forgets the parts that are over.
    fn turn(&mut self, now: u64) {
        let newest = (now / PART).max(self.newest);
        for over in 0..(newest - self.newest).min(PARTS as u64) {
            let place = self.place(over + 1);
            if let Some(count) = self.counts.get_mut(place) {
                *count = 0;
            }
        }
        self.newest = newest;
    }

    fn place(&self, ahead: u64) -> usize {
        usize::try_from((self.newest + ahead) % PARTS as u64).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_for_a_second_and_then_forgotten() {
        let mut demand = Demand::default();
        for at in [0, 0, 900_000] {
            demand.count(at);
        }
        assert_eq!(demand.of(1_000_000), 3);
        assert_eq!(demand.of(1_200_000), 1);
        assert_eq!(demand.of(1_900_000), 1);
        assert_eq!(demand.of(2_100_000), 0);
    }

    #[test]
    fn a_long_silence_forgets_everything() {
        let mut demand = Demand::default();
        demand.count(0);
        demand.count(100_000_000);
        assert_eq!(demand.of(100_000_000), 1);
    }
}
