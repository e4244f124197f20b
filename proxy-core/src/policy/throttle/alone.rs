//! Throttles without a proxy.

use std::time::{Duration, Instant, SystemTime};

use super::gauge::Flow;
use super::running::Held;
use super::subject::Asking;
use super::throttle::{Throttle, ThrottleError};
use super::throttles::{Moment, Throttles};

/// Places among those that there may be at once. Dropped, they are free again.
#[derive(Debug)]
pub struct Places(#[expect(dead_code, reason = "it is there to be dropped")] Vec<Held>);

impl Throttles {
    /// Throttles without a proxy: for what a handler does by itself, or another server. Those of a
    /// proxy are given to its [builder](crate::ProxyBuilder::throttles).
    ///
    /// # Errors
    /// If one of them cannot work.
    ///
    /// ```
    /// use std::time::{Duration, Instant, SystemTime};
    /// use proxy_core::throttle::{Allowance, Asking, Rate, Scope, Throttle, Throttles};
    ///
    /// let often = Allowance::Requests(Rate::per_second(2).with_burst(1));
    /// let throttles = Throttles::new([Throttle::new("often", Scope::client(), often)])?;
    /// let asking = Asking::client([192, 0, 2, 7].into());
    /// let (now, today) = (Instant::now(), SystemTime::now());
    /// assert_eq!(throttles.take_request(&asking, now, today), Ok(Duration::ZERO));
    /// let half = Duration::from_millis(500);
    /// assert_eq!(throttles.take_request(&asking, now, today), Err(half));
    /// # Ok::<(), proxy_core::throttle::ThrottleError>(())
    /// ```
    pub fn new(throttles: impl IntoIterator<Item = Throttle>) -> Result<Throttles, ThrottleError> {
        let none = Throttles::default();
        Throttles::begin(throttles.into_iter().collect(), &none).map_err(|(_, error)| error)
    }

    /// Counts a request, and says after how long it may be carried out. How many there are at once is
    /// [another matter](Self::take_places).
    ///
    /// # Errors
    /// If it is too much: when to ask again.
    pub fn take_request(
        &self,
        asking: &Asking<'_>,
        now: Instant,
        today: SystemTime,
    ) -> Result<Duration, Duration> {
        let moment = Moment { now, today };
        let admitted = self.admit_request(asking, moment, &mut Vec::new(), |_| {});
        admitted.map_err(|over| over.retry_after)
    }

    /// Counts one more of those that there may be at once, until the places are dropped.
    ///
    /// # Errors
    /// If there are too many: when to ask again.
    pub fn take_places(&self, asking: &Asking<'_>) -> Result<Places, Duration> {
        let mut held = Vec::new();
        for running in self.running() {
            let taken = self.take_place(running, asking, &mut held, &mut |_| {});
            taken.map_err(|over| over.retry_after)?;
        }
        Ok(Places(held))
    }

    /// Counts bytes that somebody gets, and says after how long more may follow: after no time, if the
    /// rates allow it.
    ///
    /// # Errors
    /// If a volume is used up: when there is more.
    pub fn take_download(
        &self,
        asking: &Asking<'_>,
        bytes: u64,
        now: Instant,
        today: SystemTime,
    ) -> Result<Duration, Duration> {
        let moment = Moment { now, today };
        let passed = self.passed(Flow::Down, asking, moment, bytes, &mut 0, |_| {});
        passed.map_err(|over| over.retry_after)?;
        let at = self.now(moment).at;
        let enforced = self.running().iter().filter(|running| running.is_enforced());
        let waits = enforced.filter_map(|running| {
            let (gcra, _) = running.bytes(Flow::Down)?;
            running.change(asking, at, |it| gcra.reserve(&mut it.value, at, 0))
        });
        Ok(waits.max().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::User;
    use crate::policy::throttle::{Allowance, Rate, Scope, Volume};

    #[test]
    fn bytes_are_counted_and_to_be_waited_for() {
        let rate = Allowance::Download(Rate::per_second(1000));
        let volume = Allowance::Volume(Volume::daily(3000));
        let throttles = Throttles::new([
            Throttle::new("rate", Scope::client(), rate),
            Throttle::new("volume", Scope::All, volume),
        ])
        .unwrap();
        let asking = Asking::client([192, 0, 2, 7].into());
        let (now, today) = (Instant::now(), SystemTime::UNIX_EPOCH);
        let download = |bytes| throttles.take_download(&asking, bytes, now, today);
        // A tenth of a second's worth at once.
        assert_eq!(download(100), Ok(Duration::ZERO));
        assert_eq!(download(2000), Ok(Duration::from_secs(2)));
        assert_eq!(download(900), Err(Duration::from_secs(86_400)));
    }

    #[test]
    fn places_are_free_again_when_they_are_dropped() {
        let one = |name, scope| Throttle::new(name, scope, Allowance::Connections(1));
        let throttles =
            Throttles::new([one("host", Scope::Host), one("user", Scope::User)]).unwrap();
        let asking = Asking::client([192, 0, 2, 7].into());
        let (ann, bob) = (User::new("ann"), User::new("bob"));
        let take = |host, user| throttles.take_places(&asking.to(host).by(user));
        let first = take("a.test", &ann).unwrap();
        assert!(take("A.test", &bob).is_err() && take("b.test", &ann).is_err());
        // Who was refused by the second throttle has left no place of the first one taken.
        let second = take("b.test", &bob).unwrap();
        drop((first, second));
        assert!(take("a.test", &ann).is_ok());
        assert!(throttles.states().iter().all(|state| state.entries == 0));
    }
}
