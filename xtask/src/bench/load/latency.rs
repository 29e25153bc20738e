use anyhow::Result;
use hdrhistogram::Histogram;

/// The longest latency that is told apart, in microseconds.
const LONGEST: u64 = 60_000_000;

/// Latencies in microseconds, to three digits.
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(Histogram::new_with_max(LONGEST, 3)?))
    }

    pub(crate) fn record(&mut self, micros: u64) {
        self.0.saturating_record(micros);
    }

    /// Takes those of another run too.
    pub(crate) fn add(&mut self, others: &Self) -> Result<()> {
        Ok(self.0.add(&others.0)?)
    }

    /// A quantile in microseconds; 0 if nothing was recorded.
    pub(crate) fn quantile(&self, quantile: f64) -> u64 {
        self.0.value_at_quantile(quantile)
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Latencies};

    #[test]
    fn quantiles_are_right_to_three_digits() {
        let mut latencies = Latencies::new().unwrap();
        assert_eq!(latencies.quantile(0.99), 0);
        for micros in 1..=1_000 {
            latencies.record(micros);
        }
        assert_eq!([0.5, 0.99, 1.0].map(|quantile| latencies.quantile(quantile)), [500, 990, 1_000]);
        latencies.record(u64::MAX);
        let longest = latencies.quantile(1.0);
        assert!(longest.abs_diff(LONGEST) < LONGEST / 1_000, "{longest}");
        assert_eq!(latencies.count(), 1_001);
    }

    #[test]
    fn quantiles_of_several_runs_are_those_of_all_their_calls() {
        let mut all = Latencies::new().unwrap();
        for micros in [[100; 98], [900; 98]] {
            let mut one = Latencies::new().unwrap();
            micros.into_iter().for_each(|micros| one.record(micros));
            all.add(&one).unwrap();
        }
        assert_eq!((all.count(), all.quantile(0.5), all.quantile(0.51)), (196, 100, 900));
    }
}
