//! [`Histogram`]: how many times took how long.

use std::time::Duration;

use crate::runtime::count::Count;

/// Upper bounds of the buckets: in microseconds, and in seconds as Prometheus is told them. From a
/// tenth of a millisecond, since a proxy on the same machine as its clients and upstreams needs less
/// than that, to the five minutes after which most give up waiting.
const BOUNDS: [(u64, &str); 20] = [
    (100, "0.0001"),
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (5_000_000, "5"),
    (10_000_000, "10"),
    (30_000_000, "30"),
    (60_000_000, "60"),
    (120_000_000, "120"),
    (300_000_000, "300"),
];

/// One more than there are bounds: what took longer than the last of them.
const BUCKETS: usize = BOUNDS.len() + 1;

/// What a loop counts times in.
#[derive(Debug)]
pub(super) struct Buckets {
    counts: [Count; BUCKETS],
    /// Microseconds: in nanoseconds the sum of ten thousand long tunnels would come full circle
    /// within a month.
    sum: Count,
}

impl Default for Buckets {
    fn default() -> Buckets {
        Buckets { counts: std::array::from_fn(|_| Count::default()), sum: Count::default() }
    }
}

impl Buckets {
    /// Notes a time, rounded up to a microsecond, so that no bucket gets one that is too long for it.
    #[inline]
    pub(super) fn note(&self, time: Duration) {
        let micros = micros(time);
        // Most times are short: those at the front are looked at first.
        let bucket = BOUNDS.iter().position(|(bound, _)| micros <= *bound);
        self.counts[bucket.unwrap_or(BOUNDS.len())].add(1);
        self.sum.add(micros);
    }
}

fn micros(time: Duration) -> u64 {
    let nanos = u64::from(time.subsec_nanos());
    time.as_secs().saturating_mul(1_000_000).saturating_add(nanos.div_ceil(1_000))
}

/// How many times took how long, by fixed bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BUCKETS],
    sum: u64,
}

impl Default for Histogram {
    /// Nothing was counted.
    fn default() -> Histogram {
        Histogram { counts: [0; BUCKETS], sum: 0 }
    }
}

impl Histogram {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long they took together. Each is rounded up to a microsecond.
    pub fn sum(&self) -> Duration {
        Duration::from_micros(self.sum)
    }

    /// Upper bounds, and how many took no longer than that: each includes those before it. Those that
    /// took longer than the last are only in [`count`](Self::count).
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        self.cumulative().map(|((micros, _), count)| (Duration::from_micros(micros), count))
    }

    /// The same, with the bounds as Prometheus is told them.
    pub(super) fn named_buckets(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.cumulative().map(|((_, seconds), count)| (seconds, count))
    }

    fn cumulative(&self) -> impl Iterator<Item = ((u64, &'static str), u64)> {
        let bounds: &'static [(u64, &str)] = &BOUNDS;
        bounds.iter().zip(&self.counts).scan(0, |so_far, (bound, count)| {
            *so_far += count;
            Some((*bound, *so_far))
        })
    }

    /// Adds what another loop has counted.
    pub(super) fn add(&mut self, buckets: &Buckets) {
        for (all, one) in self.counts.iter_mut().zip(&buckets.counts) {
            *all += one.get();
        }
        self.sum += buckets.sum.get();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: &[Duration]) -> Histogram {
        let (buckets, mut histogram) = (Buckets::default(), Histogram::default());
        times.iter().for_each(|time| buckets.note(*time));
        histogram.add(&buckets);
        histogram
    }

    #[test]
    fn bounds_rise_and_their_texts_say_the_same() {
        assert!(BOUNDS.is_sorted_by(|(one, _), (next, _)| one < next));
        for (micros, seconds) in BOUNDS {
            let seconds: f64 = seconds.parse().unwrap();
            assert_eq!((seconds * 1e6).round() as u64, micros);
        }
    }

    #[test]
    fn a_time_counts_from_the_first_bucket_it_is_not_too_long_for() {
        let (ns, us) = (Duration::from_nanos, Duration::from_micros);
        for (time, first) in [
            (Duration::ZERO, us(100)),
            (us(100), us(100)),
            (us(100) + ns(1), us(250)),
            (us(300_000_000), us(300_000_000)),
        ] {
            for (bound, count) in of(&[time]).buckets() {
                assert_eq!(count, u64::from(bound >= first), "{time:?} up to {bound:?}");
            }
        }
        let longest = of(&[us(300_000_000) + ns(1), Duration::MAX]);
        assert_eq!(longest.buckets().map(|(_, count)| count).max(), Some(0));
        assert_eq!(longest.count(), 2);
    }

    #[test]
    fn counts_and_sums_of_several_loops_add_up() {
        let (one, other) = (Buckets::default(), Buckets::default());
        one.note(Duration::from_micros(50));
        one.note(Duration::from_secs(2));
        other.note(Duration::from_nanos(1));
        let mut both = Histogram::default();
        both.add(&one);
        both.add(&other);
        assert_eq!((both.count(), both.sum()), (3, Duration::from_micros(2_000_051)));
        assert_eq!(both.named_buckets().next(), Some(("0.0001", 2)));
        assert_eq!(both.named_buckets().last(), Some(("300", 3)));
    }
}
