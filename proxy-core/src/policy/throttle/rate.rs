//! [`Rate`]: so many in so much time, and so many at once.

use std::time::Duration;

/// So many in so much time: requests, or bytes. Unused, it is saved up to a *burst*, which may then
/// come at once.
///
/// ```
/// use std::time::Duration;
/// use proxy_core::throttle::Rate;
///
/// let requests = Rate::new(600, Duration::from_secs(60)).with_burst(50);
/// assert_eq!(requests.burst(), Some(50));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    amount: u64,
    per: Duration,
    burst: Option<u64>,
}

/// A rate is not told apart from a slower one than this: one in ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl Rate {
    /// `amount` in each `per`, ten years at most.
    ///
    /// # Panics
    /// If it is none, or no time.
    pub fn new(amount: u64, per: Duration) -> Rate {
        assert!(amount > 0 && !per.is_zero(), "a rate is some, in some time");
        Rate { amount, per: per.min(LONGEST), burst: None }
    }

    /// `amount` in each second.
    ///
    /// # Panics
    /// If it is none.
    pub fn per_second(amount: u64) -> Rate {
        Rate::new(amount, Duration::from_secs(1))
    }

    /// So many may come at once, and at least one. Without this, of requests as many as in a second,
    /// and of bytes as many as in a tenth of one.
    pub fn with_burst(self, burst: u64) -> Rate {
        Rate { burst: Some(burst.max(1)), ..self }
    }

    /// How many.
    pub fn amount(self) -> u64 {
        self.amount
    }

    /// In how much time.
    pub fn per(self) -> Duration {
        self.per
    }

    /// How many at once, if that has been said.
    pub fn burst(self) -> Option<u64> {
        self.burst
    }

    /// How many come in a time, rounded down, and at least one.
    pub(super) fn within(self, time: Duration) -> u64 {
        let many = u128::from(self.amount).saturating_mul(time.as_nanos()) / self.per.as_nanos();
        u64::try_from(many).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_come_in_a_time() {
        let minute = Rate::new(600, Duration::from_secs(60));
        assert_eq!(minute.within(Duration::from_secs(1)), 10);
        assert_eq!(minute.within(Duration::from_millis(50)), 1);
        assert_eq!(Rate::per_second(u64::MAX).within(Duration::MAX), u64::MAX);
        assert_eq!(minute.with_burst(0).burst(), Some(1));
    }
}
