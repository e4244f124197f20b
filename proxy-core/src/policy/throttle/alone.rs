//! Throttles without a proxy.

use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

use super::gauge::Flow;
use super::subject::Asking;
use super::throttle::{Throttle, ThrottleError};
use super::throttles::{Moment, Throttles};

impl Throttles {
    /// Throttles without a proxy: for what a handler does by itself, or another server. Those of a
    /// proxy are given to its [builder](crate::ProxyBuilder::throttles).
    ///
    /// # Errors
    /// If one of them cannot work.
    ///
    /// ```
    /// use std::time::{Duration, Instant, SystemTime};
    /// use proxy_core::throttle::{Allowance, Rate, Scope, Throttle, Throttles};
    ///
    /// let often = Allowance::Requests(Rate::per_second(2).with_burst(1));
    /// let throttles = Throttles::new([Throttle::new("often", Scope::client(), often)])?;
    /// let (client, now, today) = ([192, 0, 2, 7].into(), Instant::now(), SystemTime::now());
    /// assert_eq!(throttles.take_request(client, "", now, today), Ok(Duration::ZERO));
    /// let half = Duration::from_millis(500);
    /// assert_eq!(throttles.take_request(client, "", now, today), Err(half));
    /// # Ok::<(), proxy_core::throttle::ThrottleError>(())
    /// ```
    pub fn new(throttles: impl IntoIterator<Item = Throttle>) -> Result<Throttles, ThrottleError> {
        let none = Throttles::default();
        Throttles::begin(throttles.into_iter().collect(), &none).map_err(|(_, error)| error)
    }

    /// Counts a request of a client to a host, which may be none, and says after how long it may be
    /// carried out. How many there are at once is not looked at.
    ///
    /// # Errors
    /// If it is too much: when to ask again.
    pub fn take_request(
        &self,
        client: IpAddr,
        host: &str,
        now: Instant,
        today: SystemTime,
    ) -> Result<Duration, Duration> {
        let asking = Asking { client, host, rule: None };
        let moment = Moment { now, today };
        let admitted = self.admit_request(&asking, moment, &mut Vec::new(), |_| {});
        admitted.map_err(|over| over.retry_after)
    }

    /// Counts bytes that a client gets from a host, and says after how long more may follow: after no
    /// time, if the rates allow it.
    ///
    /// # Errors
    /// If a volume is used up: when there is more.
    pub fn take_download(
        &self,
        client: IpAddr,
        host: &str,
        bytes: u64,
        now: Instant,
        today: SystemTime,
    ) -> Result<Duration, Duration> {
        let asking = Asking { client, host, rule: None };
        let moment = Moment { now, today };
        let passed = self.passed(Flow::Down, &asking, moment, bytes, &mut 0, |_| {});
        passed.map_err(|over| over.retry_after)?;
        let at = self.now(moment).at;
        let enforced = self.running().iter().filter(|running| running.is_enforced());
        let waits = enforced.filter_map(|running| {
            let (gcra, _) = running.bytes(Flow::Down)?;
            running.change(&asking, at, |it| gcra.reserve(&mut it.value, at, 0))
        });
        Ok(waits.max().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let client = IpAddr::from([192, 0, 2, 7]);
        let (now, today) = (Instant::now(), SystemTime::UNIX_EPOCH);
        let download = |bytes| throttles.take_download(client, "", bytes, now, today);
        // A tenth of a second's worth at once.
        assert_eq!(download(100), Ok(Duration::ZERO));
        assert_eq!(download(2000), Ok(Duration::from_secs(2)));
        assert_eq!(download(900), Err(Duration::from_secs(86_400)));
    }
}
