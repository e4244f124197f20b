//! [`median`] and [`Estimate`]: statistics that an outlier does not move.

/// The middle of some values; the mean of the two middle ones where their number is even.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        even if even % 2 == 0 => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
        _ => Some(sorted[middle]),
    }
}

/// A median and an interval that contains the true one.
#[derive(Debug, PartialEq)]
pub(crate) struct Estimate {
    /// The median of the values.
    pub(crate) median: f64,
    /// The lower end of the interval.
    pub(crate) low: f64,
    /// The upper end of the interval.
    pub(crate) high: f64,
}

impl Estimate {
    /// The median and its 95 % interval from order statistics, which assumes nothing about the
    /// distribution: the true median lies outside of the k-th smallest and the k-th largest
    /// value only if fewer than k values fell on one side of it, and each falls there like a
    /// coin. With fewer than six values no k reaches 95 %; the interval is then all of them
    /// (94 % for five).
    pub(crate) fn of(values: &[f64]) -> Option<Estimate> {
        let median = median(values)?;
        let sorted = sorted(values);
        let outside = values_outside(sorted.len());
        Some(Estimate { median, low: sorted[outside], high: sorted[sorted.len() - 1 - outside] })
    }
}

/// How many values at either end may be left outside of the interval: the largest number for
/// which both tails of the binomial distribution together stay within 5 %.
fn values_outside(count: usize) -> usize {
    let mut outside = 0;
    let mut ways = 1.0; // to choose `candidate` of `count`
    let mut tail = 0.0;
    for candidate in 0..count / 2 {
        tail += ways / 2f64.powf(count as f64);
        if 2.0 * tail > 0.05 {
            break;
        }
        outside = candidate;
        ways *= (count - candidate) as f64 / (candidate + 1) as f64;
    }
    outside
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}
