//! [`Table`]: who is banned now, and who is about to be. Pure: the time is passed in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::super::bounded::Bounded;
use super::{BanPolicy, Cause, Offence};
use crate::policy::Network;

/// A ban in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) until: Instant,
    pub(super) times: u32,
    pub(super) cause: Cause,
}

#[derive(Debug)]
pub(super) struct Table {
    banned: HashMap<Network, Entry>,
    /// The same by their ends.
    ends: BTreeSet<(Instant, NetworkKey)>,
    /// How many networks there are of each family and prefix length: so many look-ups find them all.
    lengths: BTreeMap<(bool, u8), usize>,
    /// When what a client has done is forgotten, of those who have done something.
    offences: Bounded<(Network, Offence), Instant>,
    /// When the last ban of a client ended, or will, and how many there have been.
    repetitions: Bounded<Network, (Instant, u32)>,
    most: usize,
}

/// An order of networks, if only to have one.
type NetworkKey = (IpAddr, u8);

/// So long after a ban the next one counts as a repetition.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

impl Table {
    /// With room for so many bans, as many who are about to be banned, and who have been.
    pub(super) fn new(most: usize) -> Table {
        Table {
            banned: HashMap::new(),
            ends: BTreeSet::new(),
            lengths: BTreeMap::new(),
            offences: Bounded::new(most),
            repetitions: Bounded::new(most),
            most,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.banned.len()
    }

    /// Notes a ban, in the place of one of the same network. Where there are too many, the one that
    /// ends first ends now.
    pub(super) fn insert(&mut self, network: Network, entry: Entry) {
        self.remove(network);
        if self.banned.len() >= self.most
            && let Some(&(_, (address, prefix))) = self.ends.first()
        {
            self.remove(Network::around(address, prefix));
        }
        self.banned.insert(network, entry);
        self.ends.insert((entry.until, key(network)));
        *self.lengths.entry(length(network)).or_default() += 1;
    }

    /// Whether there was such a ban.
    pub(super) fn remove(&mut self, network: Network) -> bool {
        let Some(entry) = self.banned.remove(&network) else { return false };
        self.ends.remove(&(entry.until, key(network)));
        if let Some(count) = self.lengths.get_mut(&length(network)) {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&length(network));
            }
        }
        true
    }

    /// Forgets bans that are over.
    pub(super) fn end(&mut self, now: Instant) {
        while let Some(&(until, (address, prefix))) = self.ends.first()
            && until <= now
        {
            self.remove(Network::around(address, prefix));
        }
    }

    /// Whether a client is banned.
    pub(super) fn has(&self, client: IpAddr, now: Instant) -> bool {
        let client = client.to_canonical();
        self.lengths
            .keys()
            .filter(|(is_v6, _)| *is_v6 == client.is_ipv6())
            .filter_map(|(_, prefix)| self.banned.get(&Network::around(client, *prefix)))
            .any(|entry| now < entry.until)
    }

    /// Notes an offence. The ban that comes of it, if it was one too many.
    pub(super) fn note(
        &mut self,
        client: IpAddr,
        offence: Offence,
        policy: &BanPolicy,
        now: Instant,
    ) -> Option<(Network, Entry)> {
        let threshold = policy.threshold(offence)?;
        if policy.spares(client) {
            return None;
        }
        let network = Network::of_client(client);
        let interval = threshold.interval();
        let forgotten = self.offences.get(&(network, offence)).map_or(now, |then| then.max(now));
        let forgotten = forgotten + interval;
        if forgotten.saturating_duration_since(now) <= threshold.within().saturating_sub(interval) {
            self.offences.set((network, offence), forgotten);
            return None;
        }
        self.offences.remove(&(network, offence));
        let before = match self.repetitions.get(&network) {
            Some((until, times)) if now < until + REMEMBERED => times,
            _ => 0,
        };
        let until = now + policy.time_after(before);
        let times = before.saturating_add(1);
        self.repetitions.set(network, (until, times));
        let entry = Entry { until, times, cause: Cause::Offence(offence) };
        self.insert(network, entry);
        Some((network, entry))
    }

    /// Takes over a ban of an earlier run.
    pub(super) fn restore(&mut self, network: Network, entry: Entry) {
        self.repetitions.set(network, (entry.until, entry.times));
        self.insert(network, entry);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Network, Entry)> {
        self.banned.iter().map(|(network, entry)| (*network, *entry))
    }
}

fn key(network: Network) -> NetworkKey {
    (network.address(), network.prefix())
}

fn length(network: Network) -> (bool, u8) {
    (network.address().is_ipv6(), network.prefix())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::bans::Threshold;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Three malformed requests in a minute are too many.
    fn policy() -> BanPolicy {
        BanPolicy::default().after(Offence::Malformed, Threshold::new(3, seconds(60)))
    }

    fn by_hand(until: Instant) -> Entry {
        Entry { until, times: 1, cause: Cause::ByHand }
    }

    #[test]
    fn the_last_of_too_many_is_banned_and_only_for_this_offence() {
        let (mut table, start) = (Table::new(10), Instant::now());
        let client = address("192.0.2.7");
        for _ in 0..2 {
            assert_eq!(table.note(client, Offence::Malformed, &policy(), start), None);
            assert_eq!(table.note(client, Offence::Refused, &policy(), start), None);
        }
        assert_eq!(table.note(address("192.0.2.8"), Offence::Malformed, &policy(), start), None);
        let (network, entry) = table.note(client, Offence::Malformed, &policy(), start).unwrap();
        assert_eq!(network.to_string(), "192.0.2.7/32");
        assert_eq!((entry.until, entry.times), (start + seconds(600), 1));
        assert!(table.has(client, start + seconds(599)));
        assert!(!table.has(client, start + seconds(600)));
        assert!(table.has(address("::ffff:192.0.2.7"), start));
        assert!(!table.has(address("192.0.2.8"), start));
    }

    #[test]
    fn slowly_as_many_are_none() {
        let (mut table, start) = (Table::new(10), Instant::now());
        for number in 0..100 {
            let now = start + seconds(20 * number);
            let banned = table.note(address("192.0.2.7"), Offence::Malformed, &policy(), now);
            assert_eq!(banned, None, "{number}");
        }
    }

    #[test]
    fn repetition_doubles_the_time_up_to_the_longest_and_is_forgotten_in_the_end() {
        let (mut table, mut now) = (Table::new(10), Instant::now());
        let mut policy = policy();
        policy.longest = seconds(2000);
        let mut ban = |now: Instant| {
            (0..3)
                .find_map(|_| table.note(address("::1"), Offence::Malformed, &policy, now))
                .unwrap()
        };
        for expected in [600, 1200, 2000, 2000] {
            let (network, entry) = ban(now);
            assert_eq!(network.to_string(), "::/64");
            assert_eq!(entry.until - now, seconds(expected));
            now = entry.until + seconds(1);
        }
        let (_, entry) = ban(now + REMEMBERED);
        assert_eq!((entry.until - now - REMEMBERED, entry.times), (seconds(600), 1));
    }

    #[test]
    fn who_is_never_banned_is_not_even_counted() {
        let (mut table, start) = (Table::new(10), Instant::now());
        let mut policy = policy();
        policy.never = vec!["192.0.2.0/24".parse().unwrap()];
        policy.always = vec!["192.0.0.0/16".parse().unwrap()];
        for _ in 0..10 {
            assert_eq!(table.note(address("192.0.2.7"), Offence::Malformed, &policy, start), None);
        }
        assert!(!policy.bans_for_good(address("192.0.2.7")));
        assert!(policy.bans_for_good(address("192.0.1.7")));
    }

    #[test]
    fn networks_of_any_length_are_found() {
        let (mut table, start) = (Table::new(10), Instant::now());
        let until = start + seconds(10);
        for network in ["10.0.0.0/8", "192.0.2.128/25", "2001:db8::/32", "0.0.0.0/0"] {
            let network: Network = network.parse().unwrap();
            table.insert(network, by_hand(until));
        }
        assert!(table.remove("0.0.0.0/0".parse().unwrap()));
        for (client, expected) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("192.0.2.200", true),
            ("192.0.2.100", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(table.has(address(client), start), expected, "{client}");
        }
        table.end(until);
        assert_eq!((table.len(), table.ends.len(), table.lengths.len()), (0, 0, 0));
    }

    #[test]
    fn of_too_many_bans_the_one_that_ends_first_makes_room() {
        let (mut table, start) = (Table::new(3), Instant::now());
        for (number, end) in [30, 10, 20, 40].into_iter().enumerate() {
            let network = Network::around(IpAddr::from([192, 0, 2, number as u8]), 32);
            table.insert(network, by_hand(start + seconds(end)));
        }
        let has = |number| table.has(IpAddr::from([192, 0, 2, number]), start);
        assert_eq!([0, 1, 2, 3].map(has), [true, false, true, true]);
        assert_eq!((table.len(), table.ends.len()), (3, 3));
    }

    #[test]
    fn a_million_clients_need_the_room_of_those_that_are_kept() {
        let (mut table, start) = (Table::new(1000), Instant::now());
        for number in 0..1_000_000_u32 {
            let client = IpAddr::from(number.to_be_bytes());
            assert_eq!(table.note(client, Offence::Malformed, &policy(), start), None);
        }
        assert_eq!(table.offences.len(), 1000);
    }
}
