//! [`RecentLogins`]: what has been found true of late, so that it need not be asked again.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::bounded::Bounded;
use super::User;
use crate::policy::Network;

/// Logins that were accepted a short while ago, each from one client. At most so many: of more, the
/// one of eight picked at random goes that is the oldest.
///
/// No password is kept, but a keyed hash of 128 bits of what the client sends, with a key that nobody
/// gets to see and that ends with the process. A hash that is found by its first half is compared by
/// its second one in constant time.
pub(crate) struct RecentLogins {
    accepted: Bounded<u64, Accepted>,
    time: Duration,
    hashers: [RandomState; 2],
}

/// A login from a client, as a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LoginKey {
    place: u64,
    proof: u64,
}

#[derive(Clone, Debug)]
struct Accepted {
    until: Instant,
    proof: u64,
    user: Arc<User>,
}

impl RecentLogins {
    /// At most so many, each for so long.
    pub(crate) fn new(most: usize, time: Duration) -> RecentLogins {
        let hashers = [RandomState::new(), RandomState::new()];
        RecentLogins { accepted: Bounded::new(most), time, hashers }
    }

    /// The hash of what a client sends.
    pub(crate) fn key(&self, client: IpAddr, sent: &[u8]) -> LoginKey {
        let client = Network::of_client(client);
        let [place, proof] = [0, 1].map(|half| self.hashers[half].hash_one((client, sent)));
        LoginKey { place, proof }
    }

    /// Who it is, if that is known.
    pub(crate) fn get(&self, key: LoginKey, now: Instant) -> Option<Arc<User>> {
        let accepted = self.accepted.get(&key.place)?;
        let is_it = accepted.proof ^ key.proof == 0;
        (is_it && now < accepted.until).then_some(accepted.user)
    }

    /// Remembers who it is.
    pub(crate) fn insert(&mut self, key: LoginKey, user: Arc<User>, now: Instant) {
        if !self.time.is_zero() {
            let until = now + self.time.min(Duration::from_secs(24 * 3600));
            self.accepted.set(key.place, Accepted { until, proof: key.proof, user });
        }
    }
}

/// By age: that is all that is of interest.
impl Ord for Accepted {
    fn cmp(&self, other: &Accepted) -> Ordering {
        self.until.cmp(&other.until)
    }
}

impl PartialOrd for Accepted {
    fn partial_cmp(&self, other: &Accepted) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Accepted {
    fn eq(&self, other: &Accepted) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Accepted {}

impl fmt::Debug for RecentLogins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecentLogins").field("time", &self.time).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> Arc<User> {
        Arc::new(User::new("ann"))
    }

    #[test]
    fn a_login_is_remembered_for_a_while_from_the_same_client_only() {
        let now = Instant::now();
        let mut recent = RecentLogins::new(10, Duration::from_secs(60));
        let [one, two] = ["192.0.2.1", "192.0.2.2"].map(|it| it.parse::<IpAddr>().unwrap());
        let key = recent.key(one, b"Basic YTpi");
        assert_eq!(recent.get(key, now), None);
        recent.insert(key, ann(), now);
        let same = recent.key("::ffff:192.0.2.1".parse().unwrap(), b"Basic YTpi");
        assert_eq!(recent.get(same, now + Duration::from_secs(59)), Some(ann()));
        assert_eq!(recent.get(key, now + Duration::from_secs(60)), None);
        assert_eq!(recent.get(recent.key(two, b"Basic YTpi"), now), None);
        assert_eq!(recent.get(recent.key(one, b"Basic YTpj"), now), None);
    }

    #[test]
    fn both_halves_of_the_hash_count() {
        let now = Instant::now();
        let mut recent = RecentLogins::new(10, Duration::from_secs(60));
        let key = LoginKey { place: 1, proof: 2 };
        recent.insert(key, ann(), now);
        assert!(recent.get(key, now).is_some());
        assert_eq!(recent.get(LoginKey { proof: 3, ..key }, now), None);
        assert_eq!(recent.get(LoginKey { place: 3, ..key }, now), None);
    }

    #[test]
    fn there_are_never_too_many_and_none_if_none_are_wanted() {
        let now = Instant::now();
        let client = "192.0.2.1".parse().unwrap();
        let mut recent = RecentLogins::new(100, Duration::from_secs(60));
        for number in 0..10_000_u32 {
            recent.insert(recent.key(client, &number.to_be_bytes()), ann(), now);
        }
        assert_eq!(recent.accepted.len(), 100);
        let mut none = RecentLogins::new(100, Duration::ZERO);
        none.insert(none.key(client, b"x"), ann(), now);
        assert_eq!(none.accepted.len(), 0);
    }
}
