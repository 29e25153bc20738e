use super::count;

/// The middle of several rounds and how far apart they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        Self { least: at(0), median: f64::midpoint(at(last / 2), at(last.div_ceil(2))), most: at(last) }
    }

    /// `0.61 (0.58 to 0.64)`
    pub(crate) fn ratio(self) -> String {
        format!("{:.2} ({:.2} to {:.2})", self.median, self.least, self.most)
    }

    /// `21,300 (20,900 to 22,000)`
    pub(crate) fn rate(self) -> String {
        format!("{} ({} to {})", count(self.median), count(self.least), count(self.most))
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Spread { least: 1.0, median: 2.0, most: 3.0 });
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]), Spread { least: 1.0, median: 2.5, most: 4.0 });
    }

    #[test]
    fn a_spread_is_told_with_its_ends() {
        assert_eq!(Spread::of([0.5, 0.611, 0.7]).ratio(), "0.61 (0.50 to 0.70)");
        assert_eq!(Spread::of([20_900.0, 21_300.4]).rate(), "21,100 (20,900 to 21,300)");
    }
}
