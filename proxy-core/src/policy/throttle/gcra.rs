//! [`Gcra`]: a rate, kept with one number for each who has it.
//!
//! The generic cell rate algorithm (ITU-T I.371). The number is when all that was taken would have
//! come if it had come evenly: the *theoretical arrival time*. It may be ahead of now by what may
//! come at once, and whoever is further ahead has to wait.
//!
//! ```text
//!          now            now + burst
//!  ─────────┼──────────────────┼───────▶ time
//!             ▲ taken: some more may come at once
//!                                  ▲ reserved: to be waited for
//! ```
//!
//! Times are nanoseconds since some moment, by a clock that never goes back.

use std::time::Duration;

use super::Rate;

/// How a rate is kept. Rounds so that never more comes than may.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gcra {
    amount: u64,
    /// Nanoseconds.
    per: u64,
    burst: u64,
    /// How far ahead one may be.
    tolerance: u64,
}

impl Gcra {
    pub(super) fn new(rate: Rate, burst: u64) -> Gcra {
        let per = nanos(rate.per()).max(1);
        let gcra = Gcra { amount: rate.amount(), per, burst, tolerance: 0 };
        Gcra { tolerance: gcra.cost(burst), ..gcra }
    }

    /// Takes `count`, if they may come within `patience`: then says when. An error is how long it
    /// takes until that may be asked again; nothing is taken then.
    pub(super) fn take(
        &self,
        arrival: &mut u64,
        now: u64,
        count: u64,
        patience: Duration,
    ) -> Result<Duration, Duration> {
        let next = (*arrival).max(now).saturating_add(self.cost(count));
        let wait = next.saturating_sub(now.saturating_add(self.tolerance));
        let too_long = wait.saturating_sub(nanos(patience));
        if too_long > 0 {
            return Err(Duration::from_nanos(too_long));
        }
        *arrival = next;
        Ok(Duration::from_nanos(wait))
    }

    /// Takes `count` in any case, and says how long to wait for them.
    pub(super) fn reserve(&self, arrival: &mut u64, now: u64, count: u64) -> Duration {
        *arrival = (*arrival).max(now).saturating_add(self.cost(count));
        Duration::from_nanos(arrival.saturating_sub(now.saturating_add(self.tolerance)))
    }

    /// How many may come at once.
    pub(super) fn available(&self, arrival: u64, now: u64) -> u64 {
        let ahead = self.tolerance.saturating_sub(arrival.saturating_sub(now));
        let count = u128::from(ahead) * u128::from(self.amount) / u128::from(self.per);
        u64::try_from(count).unwrap_or(u64::MAX).min(self.burst)
    }

    /// Gives `count` back that were taken and did not come.
    pub(super) fn give_back(&self, arrival: &mut u64, count: u64) {
        // Rounded the other way: never more than was taken.
        let worth = u128::from(count) * u128::from(self.per) / u128::from(self.amount);
        *arrival = arrival.saturating_sub(u64::try_from(worth).unwrap_or(u64::MAX));
    }

    /// The time that so many are worth.
    fn cost(&self, count: u64) -> u64 {
        let nanos = (u128::from(count) * u128::from(self.per)).div_ceil(u128::from(self.amount));
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }
}

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn ten_a_second() -> Gcra {
        Gcra::new(Rate::per_second(10), 3)
    }

    #[test]
    fn a_burst_comes_at_once_and_then_one_at_a_time() {
        let (gcra, mut arrival, start) = (ten_a_second(), 0, 50 * SECOND);
        let mut take = |now| gcra.take(&mut arrival, now, 1, Duration::ZERO);
        let tenth = Duration::from_millis(100);
        assert_eq!([take(start), take(start), take(start)], [Ok(Duration::ZERO); 3]);
        assert_eq!(take(start), Err(tenth));
        assert_eq!(take(start + SECOND / 20), Err(tenth / 2));
        assert_eq!(take(start + SECOND / 10), Ok(Duration::ZERO));
        assert_eq!(take(start + SECOND / 10), Err(tenth));
        assert_eq!(take(start + 100 * SECOND), Ok(Duration::ZERO));
    }

    #[test]
    fn who_has_patience_is_told_when_it_is_his_turn() {
        let (gcra, mut arrival) = (ten_a_second(), 0);
        let patience = Duration::from_millis(250);
        let mut take = |now| gcra.take(&mut arrival, now, 1, patience).map(|it| it.as_millis());
        let taken: Vec<_> = (0..5).map(|_| take(0)).collect();
        assert_eq!(taken, [Ok(0), Ok(0), Ok(0), Ok(100), Ok(200)]);
        assert_eq!(take(0), Err(Duration::from_millis(50)));
        assert_eq!(take(SECOND / 20), Ok(250));
    }

    #[test]
    fn what_is_reserved_is_paid_for_later() {
        let (gcra, mut arrival) = (ten_a_second(), 0);
        assert_eq!(gcra.available(arrival, SECOND), 3);
        assert_eq!(gcra.reserve(&mut arrival, SECOND, 13), Duration::from_secs(1));
        assert_eq!(gcra.available(arrival, 2 * SECOND), 0);
        assert_eq!(gcra.available(arrival, 2 * SECOND + SECOND / 10), 1);
        gcra.give_back(&mut arrival, 10);
        assert_eq!(gcra.available(arrival, 2 * SECOND), 3);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let (gcra, mut arrival) = (ten_a_second(), 0);
        for _ in 0..3 {
            gcra.take(&mut arrival, 10 * SECOND, 1, Duration::ZERO).unwrap();
        }
        let wait = gcra.take(&mut arrival, 9 * SECOND, 1, Duration::ZERO).unwrap_err();
        assert_eq!(wait, Duration::from_millis(1100));
        // Nor does one that jumps ahead save up more than a burst.
        assert_eq!(gcra.available(arrival, u64::MAX), 3);
    }

    #[test]
    fn no_number_is_too_large() {
        for rate in [
            Rate::per_second(u64::MAX),
            Rate::new(1, Duration::MAX),
            Rate::new(u64::MAX, Duration::from_nanos(1)),
        ] {
            for burst in [1, u64::MAX] {
                let (gcra, mut arrival) = (Gcra::new(rate, burst), 0);
                for now in [0, SECOND, u64::MAX] {
                    let _ = gcra.take(&mut arrival, now, u64::MAX, Duration::MAX);
                    gcra.reserve(&mut arrival, now, u64::MAX);
                    assert!(gcra.available(arrival, now) <= burst);
                    gcra.give_back(&mut arrival, u64::MAX);
                }
            }
        }
    }

    proptest! {
        /// From any moment to any later one, no more comes than the burst and what the rate brings.
        #[test]
        fn never_more_than_the_burst_and_the_rate(
            amount in 1_u64..5_000_000_000,
            millis in 1_u64..100_000,
            burst in 1_u64..1_000_000,
            steps in prop::collection::vec((0_u64..2_000_000_000, 1_u64..100_000, 0_u8..3), 1..80),
        ) {
            let rate = Rate::new(amount, Duration::from_millis(millis));
            let gcra = Gcra::new(rate, burst);
            let (mut arrival, mut now) = (0, 0);
            // When they came, and how many.
            let mut came: Vec<(u64, u64)> = Vec::new();
            for (pause, count, how) in steps {
                now += pause;
                let count = count.min(burst);
                match how {
                    0 => {
                        if let Ok(wait) = gcra.take(&mut arrival, now, count, Duration::ZERO) {
                            prop_assert!(wait.is_zero());
                            came.push((now, count));
                        }
                    }
                    1 => {
                        let count = gcra.available(arrival, now).min(count);
                        prop_assert!(gcra.reserve(&mut arrival, now, count).is_zero());
                        came.push((now, count));
                    }
                    _ => {
                        let wait = gcra.reserve(&mut arrival, now, count);
                        now += nanos(wait);
                        came.push((now, count));
                    }
                }
            }
            for (first, (start, _)) in came.iter().enumerate() {
                let mut sum: u128 = 0;
                for (end, count) in &came[first..] {
                    sum += u128::from(*count);
                    let brought = u128::from(end - start) * u128::from(amount)
                        / (u128::from(millis) * 1_000_000);
                    prop_assert!(sum <= u128::from(burst) + brought + 1, "{sum} > {burst} + {brought}");
                }
            }
        }

        /// And whoever asks for it all the time gets all of it.
        #[test]
        fn no_less_than_the_rate(amount in 1_u64..1_000_000, burst in 1_u64..1000) {
            let gcra = Gcra::new(Rate::per_second(amount), burst);
            let (mut arrival, mut now, mut came) = (0, 0, 0_u64);
            for _ in 0..1000 {
                now += nanos(gcra.reserve(&mut arrival, now, 1));
                came += 1;
            }
            let brought = u128::from(now) * u128::from(amount) / u128::from(SECOND);
            // Each is rounded up by less than a nanosecond.
            let lost = 1000 * u128::from(amount) / u128::from(SECOND) + 1;
            prop_assert!(u128::from(came) + lost >= u128::from(burst.min(1000)) + brought);
        }
    }
}
