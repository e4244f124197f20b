//! [`TopTally`]: which hosts, clients and users are served most. Counted on the log thread, where
//! names may cost what they cost; the loops have no part in it.

use std::fmt;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::sketch::Sketch;
use crate::logger::{AccessRecord, Event, RequestLogger};

/// Who was served most, as far as `ProxyBuilder::metrics_top` has it counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Top {
    /// Hosts that were asked for.
    pub hosts: Ranking,
    /// Addresses that requests came from. `None` where
    /// [they are not named](crate::ProxyBuilder::metrics_clients).
    pub clients: Option<Ranking>,
    /// Users who have said who they are.
    pub users: Ranking,
}

/// Those with the most requests, and those with the most bytes. These need not be the same ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ranking {
    /// By exchanges that are over.
    pub requests: Ranked,
    /// By content bytes in both directions.
    pub bytes: Ranked,
}

/// Those who have the most of something.
///
/// There are more counters than are shown, but not as many as there may be names: a name that is new
/// may begin with what another one had. So a number is never too low.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ranked {
    /// Names and numbers, the highest in front.
    pub entries: Vec<(String, u64)>,
    /// What all others have together.
    pub other: u64,
    /// By how much a number may be too high at most.
    pub overestimate: u64,
}

/// What counts them.
pub(crate) struct TopTally {
    most: usize,
    counters: usize,
    all: Mutex<All>,
}

#[derive(Debug)]
struct All {
    hosts: Pair<Arc<str>>,
    /// `None` where they are not to be named.
    clients: Option<Pair<IpAddr>>,
    users: Pair<Arc<str>>,
}

#[derive(Debug)]
struct Pair<K> {
    requests: Sketch<K>,
    bytes: Sketch<K>,
}

/// So many counters for each name that is shown. Where ten are shown, a number is too high by an
/// eightieth of all that is counted at most; most often by nothing.
const COUNTERS: usize = 8;

/// How many counters there are at least.
const LEAST_COUNTERS: usize = 64;

/// Names that are longer count among the others: what is kept is bounded. No host can be longer that
/// can be resolved (RFC 1035 §2.3.4).
const LONGEST_NAME: usize = 255;

/// How the others are called. A name that is this very word is one of them.
pub(super) const OTHER: &str = "other";

impl TopTally {
    /// Shows `most` of each kind.
    pub(crate) fn new(most: usize) -> TopTally {
        let counters = most.saturating_mul(COUNTERS).max(LEAST_COUNTERS);
        let all = All { hosts: Pair::new(counters), clients: None, users: Pair::new(counters) };
        TopTally { most, counters, all: Mutex::new(all) }
    }

    /// Says whether clients are named. If not, what was counted of them is forgotten.
    pub(crate) fn name_clients(&self, are_named: bool) {
        let clients = &mut self.lock().clients;
        match are_named {
            true => _ = clients.get_or_insert_with(|| Pair::new(self.counters)),
            false => *clients = None,
        }
    }

    /// Notes what is over.
    fn note(&self, record: &AccessRecord<'_>) {
        if record.event != Event::Close {
            return;
        }
        let bytes = record.bytes_in.saturating_add(record.bytes_out);
        let mut all = self.lock();
        // The version is that of a request that was understood: others name no host.
        if record.version.is_some() {
            all.hosts.note(clipped(record.host), bytes, |name| name.into());
        }
        if let Some(clients) = &mut all.clients {
            clients.note(&record.client.ip().to_canonical(), bytes, |address| *address);
        }
        if let Some(user) = record.user {
            all.users.note(clipped(user), bytes, |name| name.into());
        }
    }

    /// What was counted so far.
    pub(super) fn show(&self) -> Top {
        let all = self.lock();
        Top {
            hosts: all.hosts.show(self.most),
            clients: all.clients.as_ref().map(|clients| clients.show(self.most)),
            users: all.users.show(self.most),
        }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TopTally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopTally").field("most", &self.most).finish_non_exhaustive()
    }
}

fn clipped(name: &str) -> &str {
    if name.len() > LONGEST_NAME { OTHER } else { name }
}

impl<K: Hash + Eq + Ord + Clone + ToString> Pair<K> {
    fn new(counters: usize) -> Pair<K> {
        Pair { requests: Sketch::new(counters), bytes: Sketch::new(counters) }
    }

    fn note<Q>(&mut self, key: &Q, bytes: u64, own: impl Fn(&Q) -> K)
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.requests.add(key, 1, &own);
        self.bytes.add(key, bytes, &own);
    }

    fn show(&self, most: usize) -> Ranking {
        Ranking { requests: ranked(&self.requests, most), bytes: ranked(&self.bytes, most) }
    }
}

fn ranked<K: Hash + Eq + Ord + Clone + ToString>(sketch: &Sketch<K>, most: usize) -> Ranked {
    let top = sketch.top(most);
    let overestimate = top.iter().map(|it| it.error).max().unwrap_or_default();
    let entries: Vec<(String, u64)> = top
        .into_iter()
        .map(|it| (it.key.to_string(), it.count))
        .filter(|(name, _)| name != OTHER)
        .collect();
    let shown: u64 = entries.iter().map(|(_, count)| count).sum();
    Ranked { entries, other: sketch.total().saturating_sub(shown), overestimate }
}

/// A logger whose records are counted on their way to it.
pub(crate) struct Observed {
    logger: Arc<dyn RequestLogger>,
    tally: Arc<TopTally>,
    is_off: bool,
}

impl Observed {
    pub(crate) fn new(logger: Arc<dyn RequestLogger>, tally: Arc<TopTally>) -> Observed {
        Observed { is_off: logger.is_off(), logger, tally }
    }
}

impl RequestLogger for Observed {
    fn log(&self, record: &AccessRecord<'_>) {
        self.tally.note(record);
        if !self.is_off {
            self.logger.log(record);
        }
    }

    fn flush(&self) {
        self.logger.flush();
    }

    fn lost(&self) -> u64 {
        self.logger.lost()
    }

    // `is_off` is false: records are wanted in any case.
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::Version;
    use crate::logger::NoLog;

    fn record<'a>(host: &'a str, user: Option<&'a str>, bytes_out: u64) -> AccessRecord<'a> {
        let mut record = AccessRecord::new(([192, 0, 2, 1], 5).into());
        (record.version, record.host, record.user) = (Some(Version::Http11), host, user);
        record.bytes_out = bytes_out;
        record
    }

    fn pairs(entries: &[(&str, u64)]) -> Vec<(String, u64)> {
        entries.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn hosts_clients_and_users_are_ranked_by_requests_and_by_bytes() {
        let tally = Arc::new(TopTally::new(2));
        tally.name_clients(true);
        let observed = Observed::new(Arc::new(NoLog), Arc::clone(&tally));
        assert!(!observed.is_off(), "records are made for it, also where nobody logs them");
        for _ in 0..3 {
            observed.log(&record("often.test", Some("ann"), 1));
        }
        observed.log(&record("large.test", None, 1000));
        observed.log(&record("large.test", None, 1000));
        observed.log(&record("rare.test", None, 5));
        let mut open = record("tunnel.test", None, 0);
        open.event = Event::Open;
        observed.log(&open);
        let mut malformed = record("-", None, 7);
        (malformed.version, malformed.client) = (None, ([192, 0, 2, 9], 5).into());
        observed.log(&malformed);

        let top = tally.show();
        assert_eq!(top.hosts.requests.entries, pairs(&[("often.test", 3), ("large.test", 2)]));
        assert_eq!((top.hosts.requests.other, top.hosts.requests.overestimate), (1, 0));
        assert_eq!(top.hosts.bytes.entries, pairs(&[("large.test", 2000), ("rare.test", 5)]));
        assert_eq!(top.hosts.bytes.other, 3);
        let clients = top.clients.unwrap();
        assert_eq!(clients.requests.entries, pairs(&[("192.0.2.1", 6), ("192.0.2.9", 1)]));
        assert_eq!(top.users.requests.entries, pairs(&[("ann", 3)]));
        assert_eq!(top.users.requests.other, 0);
    }

    #[test]
    fn a_name_that_is_too_long_or_is_that_of_the_others_counts_among_them() {
        let tally = Arc::new(TopTally::new(5));
        let observed = Observed::new(Arc::new(NoLog), Arc::clone(&tally));
        observed.log(&record(&"x".repeat(LONGEST_NAME + 1), None, 0));
        observed.log(&record(OTHER, None, 0));
        observed.log(&record("one.test", None, 0));
        let requests = tally.show().hosts.requests;
        assert_eq!((requests.entries, requests.other), (pairs(&[("one.test", 1)]), 2));
    }

    #[test]
    fn clients_are_named_only_where_that_is_wanted_and_forgotten_where_it_is_not() {
        let tally = Arc::new(TopTally::new(2));
        let observed = Observed::new(Arc::new(NoLog), Arc::clone(&tally));
        let named = |are_named| {
            tally.name_clients(are_named);
            observed.log(&record("one.test", None, 0));
            tally.show().clients.map(|clients| clients.requests.entries[0].1)
        };
        assert_eq!(
            [false, true, true, false, true].map(named),
            [None, Some(1), Some(2), None, Some(1)]
        );
    }

    #[test]
    fn the_logger_gets_what_it_would_have_got() {
        let (sender, records) = crossbeam_channel::unbounded();
        let logger = move |record: &AccessRecord<'_>| sender.send(record.host.to_owned()).unwrap();
        let observed = Observed::new(Arc::new(logger), Arc::new(TopTally::new(1)));
        observed.log(&record("one.test", None, 0));
        assert_eq!(records.try_recv().unwrap(), "one.test");
    }
}
