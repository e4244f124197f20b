//! [`BanPolicy`]: when somebody is banned, and for how long.

use std::net::IpAddr;
use std::time::Duration;

use super::Offence;
use crate::policy::Network;

/// Who is banned: always, never, and what for. By default nobody is.
///
/// ```
/// use std::time::Duration;
/// use proxy_core::{BanPolicy, Offence, Proxy, Threshold};
///
/// let mut bans = BanPolicy::default();
/// bans.never = vec!["192.0.2.0/24".parse()?];
/// let policy = bans.after(Offence::Malformed, Threshold::new(10, Duration::from_secs(60)));
/// let proxy = Proxy::builder().listen("127.0.0.1:0").ban_policy(policy).start()?;
/// proxy.bans().ban("203.0.113.0/24".parse()?, Duration::from_secs(3600));
/// assert_eq!(proxy.bans().list().len(), 1);
/// # proxy.shutdown(Duration::ZERO);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BanPolicy {
    /// Who is banned for good.
    pub always: Vec<Network>,
    /// Who is never banned, neither for good nor for an offence: monitors, other proxies. Such
    /// clients can still be banned [by hand](super::Bans::ban).
    pub never: Vec<Network>,
    /// How long the first ban lasts. Default 10 minutes.
    pub time: Duration,
    /// Each further ban within a day after one has ended lasts twice as long as that, up to this.
    /// Default a day.
    pub longest: Duration,
    thresholds: [Option<Threshold>; Offence::ALL.len()],
}

/// How often something may be done within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    times: u32,
    within: Duration,
}

impl Default for BanPolicy {
    fn default() -> BanPolicy {
        BanPolicy {
            always: Vec::new(),
            never: Vec::new(),
            time: Duration::from_secs(600),
            longest: Duration::from_secs(24 * 3600),
            thresholds: [None; Offence::ALL.len()],
        }
    }
}

impl BanPolicy {
    /// Bans a client that commits this offence so often.
    pub fn after(mut self, offence: Offence, threshold: Threshold) -> BanPolicy {
        self.thresholds[offence as usize] = Some(threshold);
        self
    }

    /// When a client is banned for this offence, if it ever is.
    pub fn threshold(&self, offence: Offence) -> Option<Threshold> {
        self.thresholds[offence as usize]
    }

    /// The same, to be changed.
    pub fn threshold_mut(&mut self, offence: Offence) -> &mut Option<Threshold> {
        &mut self.thresholds[offence as usize]
    }

    /// Whether this client is never banned, but by hand.
    pub fn spares(&self, client: IpAddr) -> bool {
        self.never.iter().any(|network| network.contains(client))
    }

    /// Whether this client is banned for good.
    pub fn bans_for_good(&self, client: IpAddr) -> bool {
        self.always.iter().any(|network| network.contains(client)) && !self.spares(client)
    }

    /// How long the ban is that comes after so many others.
    pub(super) fn time_after(&self, before: u32) -> Duration {
        let longer = self.time.saturating_mul(1_u32.checked_shl(before).unwrap_or(u32::MAX));
        longer.min(self.longest.max(self.time))
    }
}

impl Threshold {
    /// So many times within a time: the last of them is one too many. Earlier ones are forgotten
    /// little by little, so that fewer, at the same rate, never are too many.
    ///
    /// # Panics
    /// If it is 0 times, or no time.
    pub fn new(times: u32, within: Duration) -> Threshold {
        assert!(times > 0 && !within.is_zero(), "nothing can be done 0 times, or in no time");
        Threshold { times, within }
    }

    /// How many times.
    pub fn times(self) -> u32 {
        self.times
    }

    /// Within which time.
    pub fn within(self) -> Duration {
        self.within
    }

    /// How long it takes until one is forgotten.
    pub(super) fn interval(self) -> Duration {
        (self.within / self.times).max(Duration::from_nanos(1))
    }
}
