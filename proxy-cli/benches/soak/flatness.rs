//! [`Course`]: whether what was measured again and again stayed where it was.

/// What was measured, in the order of time.
pub(crate) struct Course {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) values: Vec<f64>,
    /// How much more it may be late in the run than early: a part of what it was early, and so
    /// much besides.
    pub(crate) share: f64,
    pub(crate) more: f64,
}

/// Early and late in a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Trend {
    /// The median of the second fifth: the first is for warming up.
    pub(crate) early: f64,
    /// The median of the last fifth.
    pub(crate) late: f64,
    pub(crate) peak: f64,
}

/// Fewer values have no fifths worth a median.
pub(crate) const FEWEST: usize = 15;

impl Course {
    /// Early and late, or `None` if there are too few values to tell.
    pub(crate) fn trend(&self) -> Option<Trend> {
        if self.values.len() < FEWEST {
            return None;
        }
        let fifth = self.values.len() / 5;
        Some(Trend {
            early: median(&self.values[fifth..2 * fifth]),
            late: median(&self.values[self.values.len() - fifth..]),
            peak: self.values.iter().copied().fold(0.0, f64::max),
        })
    }

    /// Up to where it counts as flat.
    pub(crate) fn bound(&self, trend: &Trend) -> f64 {
        trend.early * (1.0 + self.share) + self.more
    }

    /// What is wrong with it.
    pub(crate) fn finding(&self) -> Option<String> {
        let Course { name, unit, .. } = self;
        let Some(trend) = self.trend() else {
            let count = self.values.len();
            return Some(format!("{name}: measured {count} times only, {FEWEST} are needed"));
        };
        let bound = self.bound(&trend);
        (trend.late > bound).then(|| {
            format!(
                "{name} grew: {:.1}{unit} in the second fifth, {:.1}{unit} in the last, where \
                 {bound:.1}{unit} would be flat",
                trend.early, trend.late
            )
        })
    }
}

/// The middle of some values: one that stands out does not move it.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
