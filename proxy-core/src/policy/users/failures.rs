//! [`LoginFailures`]: who has guessed, how often, and how long they have to wait for it.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::bounded::Bounded;
use crate::policy::Network;

/// How often somebody may be wrong about a password.
///
/// One failure after the other is forgotten, one in each [`interval`](field@Self::interval). What counts is
/// how many are not, of a client (at IPv6: of its /64 network) and of a user, from wherever.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoginPolicy {
    /// So many are answered at once; from the next on a failure is answered after 1 s, 2 s, 4 s and
    /// so on. Default 3: people mistype.
    pub free: u32,
    /// The longest of these waits. Default 16 s: clients are patient for longer.
    pub longest_wait: Duration,
    /// A client with so many is refused, whatever it sends. Default 30: many people can be behind
    /// one address.
    pub per_client: u32,
    /// No new login of a user with so many is tried, whoever sends it. Those that are remembered from
    /// a client go on from there: others cannot keep a user out altogether. Default 30.
    pub per_user: u32,
    /// How long it takes until one is forgotten. Default a minute: so somebody who is refused has one
    /// guess in a minute.
    pub interval: Duration,
}

impl Default for LoginPolicy {
    fn default() -> LoginPolicy {
        LoginPolicy {
            free: 3,
            longest_wait: Duration::from_secs(16),
            per_client: 30,
            per_user: 30,
            interval: Duration::from_secs(60),
        }
    }
}

/// Who has been wrong about a password of late. Clones are the same; give one to the handlers before
/// and after a [reload](crate::ProxyHandle::reload), so that nothing is forgotten there.
///
/// There are at most 65,536 clients and as many users in it. For another one, the one of eight picked
/// at random goes whose failures are forgotten first. So whoever has many addresses drives out those
/// with few failures, and one with many only if all of the eight have as many.
#[derive(Clone, Debug)]
pub struct LoginFailures(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// When the last failure of each is forgotten.
    clients: Bounded<Network, Instant>,
    users: Bounded<u64, Instant>,
    /// Users are kept by their hashes: names are as long as whoever guesses them likes.
    hasher: RandomState,
}

/// How many clients, and how many users, are remembered.
const MOST: usize = 65_536;

impl Default for LoginFailures {
    fn default() -> LoginFailures {
        LoginFailures(Arc::new(Mutex::new(State::new(MOST))))
    }
}

impl LoginFailures {
    /// Forgets what a client has done.
    pub fn forgive_client(&self, client: IpAddr) {
        self.lock().clients.remove(&Network::of_client(client));
    }

    /// Forgets what has been tried with a user.
    pub fn forgive_user(&self, user: &str) {
        let mut state = self.lock();
        let key = state.hasher.hash_one(user);
        state.users.remove(&key);
    }

    /// Whether a client has been wrong too often: then, when it is heard again.
    /// [`AuthHandler`](crate::AuthHandler) asks this with each request.
    pub fn refuse_client(
        &self,
        client: IpAddr,
        policy: &LoginPolicy,
        now: Instant,
    ) -> Option<Duration> {
        let until = self.lock().clients.get(&Network::of_client(client));
        policy.refuse(policy.per_client, until, now)
    }

    /// Whether somebody has been wrong too often about a user: then, when the next password is looked
    /// at.
    pub fn refuse_user(&self, user: &str, policy: &LoginPolicy, now: Instant) -> Option<Duration> {
        let state = self.lock();
        policy.refuse(policy.per_user, state.users.get(&state.hasher.hash_one(user)), now)
    }

    /// A client was wrong about a user, or sent what could not even be read. How long it has to wait
    /// for its answer. [`AuthHandler`](crate::AuthHandler) notes what it finds by itself.
    pub fn note(
        &self,
        client: IpAddr,
        user: Option<&str>,
        policy: &LoginPolicy,
        now: Instant,
    ) -> Duration {
        self.lock().note(Network::of_client(client), user, policy, now)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(most: usize) -> State {
        State { clients: Bounded::new(most), users: Bounded::new(most), hasher: RandomState::new() }
    }

    fn note(
        &mut self,
        client: Network,
        user: Option<&str>,
        policy: &LoginPolicy,
        now: Instant,
    ) -> Duration {
        let of_client = policy.one_more(self.clients.get(&client), now);
        self.clients.set(client, of_client);
        let mut count = policy.count(Some(of_client), now);
        if let Some(user) = user {
            let user = self.hasher.hash_one(user);
            let of_user = policy.one_more(self.users.get(&user), now);
            self.users.set(user, of_user);
            count = count.max(policy.count(Some(of_user), now));
        }
        policy.wait(count)
    }
}

impl LoginPolicy {
    /// How many are not forgotten, if the last is at this time.
    fn count(&self, until: Option<Instant>, now: Instant) -> u32 {
        let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let count = left.as_nanos().div_ceil(self.interval().as_nanos());
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// How long it takes until there are fewer than `most`, if there are not.
    fn refuse(&self, most: u32, until: Option<Instant>, now: Instant) -> Option<Duration> {
        if self.count(until, now) < most {
            return None;
        }
        let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        Some(left.saturating_sub(self.interval() * most.saturating_sub(1)))
    }

    /// When the last is forgotten, after one more. More than would be refused need not be counted.
    fn one_more(&self, until: Option<Instant>, now: Instant) -> Instant {
        let most = self.per_client.max(self.per_user).clamp(1, 10_000);
        let until = until.map_or(now, |until| until.max(now)) + self.interval();
        until.min(now + self.interval() * most)
    }

    fn wait(&self, count: u32) -> Duration {
        match count.checked_sub(self.free) {
            None | Some(0) => Duration::ZERO,
            Some(over) => Duration::from_secs(1 << (over - 1).min(20)).min(self.longest_wait),
        }
    }

    /// One that is no time at all, or ages, is none.
    fn interval(&self) -> Duration {
        self.interval.clamp(Duration::from_millis(1), Duration::from_secs(24 * 3600))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u32) -> Network {
        Network::of_client(IpAddr::from(number.to_be_bytes()))
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn waits_grow_up_to_the_longest() {
        let (mut state, policy, now) = (State::new(10), LoginPolicy::default(), Instant::now());
        for expected in [0, 0, 0, 1, 2, 4, 8, 16, 16] {
            let wait = state.note(client(1), Some("ann"), &policy, now);
            assert_eq!(wait, seconds(expected));
        }
        // The user's failures count wherever they come from, and the client's whoever it tries.
        assert_eq!(state.note(client(2), Some("ann"), &policy, now), seconds(16));
        assert_eq!(state.note(client(1), Some("bob"), &policy, now), seconds(16));
        assert_eq!(state.note(client(2), Some("bob"), &policy, now), Duration::ZERO);
        assert_eq!(state.note(client(1), None, &policy, now), seconds(16));
    }

    #[test]
    fn too_many_are_refused_until_one_is_forgotten() {
        let (failures, now) = (LoginFailures::default(), Instant::now());
        let policy = LoginPolicy { per_client: 5, per_user: 8, ..LoginPolicy::default() };
        let [one, two] = ["192.0.2.1", "192.0.2.2"].map(|it| it.parse::<IpAddr>().unwrap());
        let guess = |client, times| {
            (0..times).for_each(|_| {
                failures.note(client, Some("ann"), &policy, now);
            })
        };
        guess(one, 4);
        assert_eq!(failures.refuse_client(one, &policy, now), None);
        guess(one, 1);
        // Until the first of the five is forgotten.
        assert_eq!(failures.refuse_client(one, &policy, now), Some(seconds(60)));
        let then = now + seconds(59);
        assert_eq!(failures.refuse_client(one, &policy, then), Some(seconds(1)));
        assert_eq!(failures.refuse_client(one, &policy, now + seconds(60)), None);
        assert_eq!(failures.refuse_user("ann", &policy, now), None);
        guess(two, 3);
        assert_eq!(failures.refuse_client(two, &policy, now), None);
        assert_eq!(failures.refuse_user("ann", &policy, now), Some(seconds(60)));
        assert_eq!(failures.refuse_user("bob", &policy, now), None);
        // Everything is over in time, however often it was tried meanwhile.
        guess(one, 1000);
        let later = now + seconds(60 * 8);
        assert_eq!(failures.refuse_client(one, &policy, later), None);
        assert_eq!(failures.refuse_user("ann", &policy, later), None);
        guess(one, 5);
        failures.forgive_client(one);
        failures.forgive_user("ann");
        assert_eq!(failures.refuse_client(one, &policy, now), None);
        assert_eq!(failures.refuse_user("ann", &policy, now), None);
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let (failures, now) = (LoginFailures::default(), Instant::now());
        let policy = LoginPolicy { per_client: 2, ..LoginPolicy::default() };
        for address in ["2001:db8::1", "2001:db8::ffff:1"] {
            failures.note(address.parse().unwrap(), None, &policy, now);
        }
        let refuse = |address: &str| failures.refuse_client(address.parse().unwrap(), &policy, now);
        assert!(refuse("2001:db8::2").is_some() && refuse("2001:db8:0:1::1").is_none());
    }

    #[test]
    fn many_addresses_do_not_drive_out_the_one_that_guesses() {
        let (mut state, policy, now) = (State::new(1000), LoginPolicy::default(), Instant::now());
        (0..20).for_each(|_| {
            state.note(client(0), None, &policy, now);
        });
        for number in 1..1_000_000 {
            state.note(client(number), None, &policy, now);
        }
        let until = state.clients.get(&client(0));
        assert_eq!((state.clients.len(), policy.count(until, now)), (1000, 20));
    }

    #[test]
    fn a_policy_of_extremes_does_not_overflow() {
        let now = Instant::now();
        for extreme in [Duration::ZERO, Duration::MAX] {
            let mut state = State::new(10);
            let policy = LoginPolicy {
                free: 0,
                longest_wait: extreme,
                per_client: u32::MAX,
                per_user: 0,
                interval: extreme,
            };
            (0..100).for_each(|_| {
                state.note(client(1), Some("ann"), &policy, now);
            });
            let until = state.clients.get(&client(1));
            assert_eq!(policy.refuse(policy.per_client, until, now), None);
            assert!(policy.refuse(policy.per_user, until, now).is_some());
        }
    }
}
