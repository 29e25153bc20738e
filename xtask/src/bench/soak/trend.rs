//! Whether something grows.

/// Samples of each end that are taken together.
const END: usize = 6;

/// By how much the last samples are above the first, as a part of the first. NaN without samples.
pub(super) fn growth(samples: &[f64]) -> f64 {
    let end = END.min(samples.len() / 2).max(1).min(samples.len());
    mean(&samples[samples.len() - end..]) / mean(&samples[..end]) - 1.0
}

fn mean(samples: &[f64]) -> f64 {
    samples.iter().sum::<f64>() / samples.len() as f64
}

/// How steeply points rise: the slope of the line with the least squares. NaN without two different places.
pub(super) fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let (sum_x, sum_y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let (mut above, mut below) = (0.0, 0.0);
    for (x, y) in points {
        above += (x - mean_x) * (y - mean_y);
        below += (x - mean_x) * (x - mean_x);
    }
    above / below
}

#[cfg(test)]
mod tests {
    use super::{growth, slope};

    fn about(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn growth_is_from_the_first_samples_to_the_last() {
        let steady: Vec<_> = (0..40).map(|n| if n % 2 == 0 { 99.0 } else { 101.0 }).collect();
        assert!(about(growth(&steady), 0.0));
        let rising: Vec<_> = (0..40).map(|n| if n < 6 { 100.0 } else { 105.0 }).collect();
        assert!(about(growth(&rising), 0.05));
        assert!(about(growth(&[100.0, 7.0, 110.0]), 0.1), "few samples are enough");
        assert!(about(growth(&[100.0]), 0.0) && growth(&[]).is_nan());
    }

    #[test]
    fn the_slope_of_a_leak_is_found_among_noise() {
        let noise = |n: i32| f64::from((n * 7919) % 5 - 2);
        let leaking: Vec<_> =
            (0..200).map(|n| (f64::from(n), 500.0 + 3.0 * f64::from(n) + noise(n))).collect();
        assert!((slope(&leaking) - 3.0).abs() < 0.01, "{}", slope(&leaking));
        let steady: Vec<_> = (0..200).map(|n| (f64::from(n), 500.0 + noise(n))).collect();
        assert!(slope(&steady).abs() < 0.01, "{}", slope(&steady));
        assert!(about(slope(&[(1.0, 5.0), (3.0, 1.0)]), -2.0) && slope(&[(1.0, 5.0)]).is_nan());
    }
}
