//! Bans: clients that are not served for a while, or for good.
//!
//! ```text
//! an exchange ends ──▶ Offence::of ──▶ Table::note ──▶ Ban
//! a client comes   ──▶ Bans::keep_out ──▶ one accept, and a close
//! ```

mod ban;
mod ban_policy;
mod offence;
mod table;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

pub use ban::{Ban, BanError, Cause};
pub use ban_policy::{BanPolicy, Threshold};
pub use offence::Offence;
use table::{Entry, Table};

use super::Network;

/// The bans of a proxy, which change while it runs. Clones are the same.
///
/// There are at most 65,536 bans; of more, the one that ends first ends at once. As many clients that
/// have committed an offence are remembered, and as many that have been banned; of more, those are
/// forgotten that have done least, more or less: eight are picked at random, and the least of them goes.
///
/// Times are measured by a clock that does not jump; only what is shown is the time of day.
#[derive(Clone, Debug)]
pub struct Bans(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Whether there is anything to look for.
    may_ban: AtomicBool,
    /// Another one when somebody may be banned who was not.
    version: AtomicU64,
    turned_away: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    policy: BanPolicy,
    table: Table,
}

/// How many bans there are at most.
const MOST: usize = 65_536;

impl Default for Bans {
    /// Nobody is banned, and nobody ever is.
    fn default() -> Bans {
        let state = State { policy: BanPolicy::default(), table: Table::new(MOST) };
        Bans(Arc::new(Shared {
            may_ban: AtomicBool::new(false),
            version: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            state: Mutex::new(state),
        }))
    }
}

impl Bans {
    /// Follows another policy. Who is banned stays banned, unless that never is.
    pub(crate) fn follow(&self, policy: BanPolicy) {
        let mut state = self.lock();
        let spared: Vec<_> = state
            .table
            .iter()
            .filter(|(network, entry)| {
                entry.cause != Cause::ByHand && policy.spares(network.address())
            })
            .map(|(network, _)| network)
            .collect();
        for network in spared {
            state.table.remove(network);
        }
        state.policy = policy;
        self.note_changed(&state);
    }

    /// Bans clients for a time, whatever the policy says. A ban of the same network ends.
    pub fn ban(&self, network: Network, time: Duration) {
        let entry = Entry { until: after(time), times: 1, cause: Cause::ByHand };
        let mut state = self.lock();
        state.table.insert(network, entry);
        self.note_changed(&state);
    }

    /// Ends the ban of this network. `false` if there is none. Those for good are a matter of the
    /// [`BanPolicy`].
    pub fn lift(&self, network: Network) -> bool {
        let mut state = self.lock();
        let was_there = state.table.remove(network);
        self.note_changed(&state);
        was_there
    }

    /// Those that are in force, the one that ends first in front. Not those for good.
    pub fn list(&self) -> Vec<Ban> {
        let (now, today) = (Instant::now(), SystemTime::now());
        let mut state = self.lock();
        state.table.end(now);
        let shown = |(network, entry): (Network, Entry)| Ban {
            network,
            until: today + entry.until.saturating_duration_since(now),
            times: entry.times,
            cause: entry.cause,
        };
        let mut bans: Vec<_> = state.table.iter().map(shown).collect();
        bans.sort_by_key(|ban| ban.until);
        bans
    }

    /// Takes over bans, as an earlier run has [listed](Self::list) them: those that are not over, and
    /// not of clients that are never banned any more. None lasts longer than a year, whatever a clock has said that was wrong.
    pub fn restore(&self, bans: impl IntoIterator<Item = Ban>) {
        let today = SystemTime::now();
        let mut state = self.lock();
        for ban in bans {
            if ban.cause != Cause::ByHand && state.policy.spares(ban.network.address()) {
                continue;
            }
            if let Ok(left) = ban.until.duration_since(today) {
                let entry = Entry { until: after(left), times: ban.times, cause: ban.cause };
                state.table.restore(ban.network, entry);
            }
        }
        self.note_changed(&state);
    }

    /// Notes that a client has done something it may be banned for: what a handler has found out, and
    /// the proxy cannot know. `true` if it is banned for it now.
    pub fn report(&self, client: IpAddr, offence: Offence) -> bool {
        self.note(client, offence, Instant::now())
    }

    /// How many are in force. Not those for good.
    pub fn in_force(&self) -> usize {
        let mut state = self.lock();
        state.table.end(Instant::now());
        state.table.len()
    }

    /// How many connections have been closed because of bans.
    pub fn turned_away(&self) -> u64 {
        self.0.turned_away.load(Ordering::Relaxed)
    }

    /// Whether a client that comes is to be turned away.
    pub(crate) fn keep_out(&self, client: IpAddr) -> bool {
        let keeps_out = self.has(client);
        if keeps_out {
            self.0.turned_away.fetch_add(1, Ordering::Relaxed);
        }
        keeps_out
    }

    /// Another number than before if somebody may have been banned since.
    pub(crate) fn version(&self) -> u64 {
        self.0.version.load(Ordering::Relaxed)
    }

    /// Whether a client is banned, for a time or for good.
    pub fn has(&self, client: IpAddr) -> bool {
        if !self.0.may_ban.load(Ordering::Relaxed) {
            return false;
        }
        let state = self.lock();
        state.policy.bans_for_good(client) || state.table.has(client, Instant::now())
    }

    pub(crate) fn note(&self, client: IpAddr, offence: Offence, now: Instant) -> bool {
        // The address of all who have none, such as those who come by a Unix socket.
        if client.is_unspecified() {
            return false;
        }
        let mut state = self.lock();
        let State { policy, table } = &mut *state;
        table.end(now);
        let banned = table.note(client, offence, policy, now);
        if banned.is_some() {
            self.note_changed(&state);
        }
        drop(state);
        if let Some((network, entry)) = banned {
            let time = entry.until.saturating_duration_since(now).as_secs();
            let (word, times) = (offence.word(), entry.times);
            log::warn!("{network} is banned for {time} s, the {times}. time: {word}");
        }
        banned.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_changed(&self, state: &State) {
        let may_ban = state.table.len() > 0 || !state.policy.always.is_empty();
        self.0.may_ban.store(may_ban, Ordering::Relaxed);
        self.0.version.fetch_add(1, Ordering::Relaxed);
    }
}

/// The end of what lasts so long. What is to last for ages lasts a year: instants have an end.
fn after(time: Duration) -> Instant {
    const AGES: Duration = Duration::from_secs(365 * 24 * 3600);
    Instant::now() + time.min(AGES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn following(policy: BanPolicy) -> Bans {
        let bans = Bans::default();
        bans.follow(policy);
        bans
    }

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn bans_by_hand_come_and_go() {
        let bans = Bans::default();
        assert!(!bans.has(address("192.0.2.7")));
        bans.ban(network("192.0.2.0/24"), MINUTE);
        bans.clone().ban(network("198.51.100.0/24"), Duration::MAX);
        assert!(bans.has(address("192.0.2.7")) && bans.keep_out(address("::ffff:198.51.100.1")));
        assert_eq!(bans.turned_away(), 1);
        let listed = bans.list();
        assert_eq!(bans.in_force(), 2);
        assert_eq!(
            [listed[0].network, listed[1].network].map(|it| it.to_string()),
            ["192.0.2.0/24", "198.51.100.0/24"]
        );
        assert!(bans.lift(network("192.0.2.0/24")) && !bans.lift(network("192.0.2.0/24")));
        assert!(!bans.has(address("192.0.2.7")));
    }

    #[test]
    fn a_list_is_taken_over_but_for_what_is_over() {
        let policy = BanPolicy::default().after(Offence::Refused, Threshold::new(1, MINUTE));
        let before = following(policy);
        assert!(before.report(address("192.0.2.7"), Offence::Refused));
        before.ban(network("2001:db8::/32"), Duration::ZERO);
        before.ban(network("10.0.0.0/8"), MINUTE);
        let saved = before.list();
        assert_eq!(saved.len(), 2, "one was over at once");
        let mut saved: Vec<Ban> =
            saved.iter().map(|ban| ban.to_string().parse().unwrap()).collect();
        saved.push(Ban::by_hand(network("10.1.0.0/16"), SystemTime::UNIX_EPOCH));
        let mut sparing = BanPolicy::default();
        sparing.never = ["192.0.2.0/24", "10.0.0.0/8"].map(network).into();
        let after = following(sparing);
        after.restore(saved.clone());
        assert_eq!(after.list().len(), 1, "by hand anybody can be banned");
        assert!(after.has(address("10.1.1.1")) && !after.has(address("192.0.2.7")));
        let after = Bans::default();
        after.restore(saved);
        assert_eq!(after.list().len(), 2);
        assert!(after.has(address("192.0.2.7")) && after.has(address("10.1.1.1")));
    }

    #[test]
    fn another_policy_spares_whom_it_never_bans() {
        let policy = BanPolicy::default().after(Offence::Refused, Threshold::new(1, MINUTE));
        let bans = following(policy.clone());
        bans.report(address("192.0.2.7"), Offence::Refused);
        bans.report(address("198.51.100.7"), Offence::Refused);
        let mut other = policy;
        other.never = vec![network("192.0.2.0/24")];
        other.always = vec![network("203.0.113.0/24")];
        bans.follow(other);
        assert!(!bans.has(address("192.0.2.7")) && bans.has(address("198.51.100.7")));
        assert!(bans.has(address("203.0.113.1")));
    }
}
