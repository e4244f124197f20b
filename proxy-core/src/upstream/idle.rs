//! [`IdleUpstreams`]: connections that have answered and may be used again.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use slab::Slab;

use super::places::Place;
use crate::policy::Guarding;
use crate::runtime::sockets::SocketId;

/// The idle upstream connections of one loop, by the upstream they lead to.
///
/// The one that was used last is used next: the others grow old and can go. Those of one
/// upstream are a list through the entries, so that one that ends is found at once: a flood of
/// them costs no more for each than a single one does.
#[derive(Debug)]
pub(crate) struct IdleUpstreams {
    entries: Slab<Entry>,
    lists: Slab<List>,
    by_key: HashMap<Rc<str>, usize>,
    /// The list that was asked for last: most often the next one is the same, and to compare its key
    /// costs less than to hash it.
    last: Option<usize>,
    most: usize,
    most_per_key: usize,
    next_sweep: Option<Instant>,
}

/// A connection that is kept, with all that belongs to it.
#[derive(Debug)]
pub(crate) struct Idle {
    pub(crate) socket: SocketId,
    /// Whether the guard had a say when it was made.
    pub(crate) guarding: Guarding,
    /// Its place among the connections to its upstream, where these are limited.
    pub(crate) place: Option<Place>,
}

/// Names an idle connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdleId(u32);

#[derive(Debug)]
struct Entry {
    idle: Idle,
    since: Instant,
    until: Instant,
    list: usize,
    older: Option<IdleId>,
    newer: Option<IdleId>,
}

/// The connections to one upstream.
#[derive(Debug)]
struct List {
    key: Rc<str>,
    oldest: Option<IdleId>,
    newest: Option<IdleId>,
    count: usize,
}

/// How long a connection that has outlived its time may stay until it is swept out.
const SWEEP: Duration = Duration::from_secs(1);

impl IdleUpstreams {
    pub(crate) fn new(most: usize, most_per_key: usize) -> Self {
        IdleUpstreams {
            entries: Slab::new(),
            lists: Slab::new(),
            by_key: HashMap::new(),
            last: None,
            most,
            most_per_key,
            next_sweep: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes the connection to `key` that was used last, if it has been idle for at most
    /// `freshness`, and the request may use it.
    pub(crate) fn take(
        &mut self,
        key: &str,
        guarding: Guarding,
        now: Instant,
        freshness: Duration,
    ) -> Option<Idle> {
        let list = self.find(key)?;
        let newest = self.lists[list].newest?;
        let entry = self.entry(newest);
        let is_fresh = entry.until > now && now.duration_since(entry.since) <= freshness;
        if !is_fresh || !guarding.admits(entry.idle.guarding) {
            return None;
        }
        Some(self.unlink(newest))
    }

    /// Takes the connection to `key` that has been idle longest: it is to make room for another.
    pub(crate) fn evict(&mut self, key: &str) -> Option<Idle> {
        let list = self.find(key)?;
        let oldest = self.lists[list].oldest?;
        Some(self.unlink(oldest))
    }

    /// Keeps a connection for `keep`. Hands it back where there is no room for it, or no time.
    pub(crate) fn put(
        &mut self,
        key: &str,
        idle: Idle,
        now: Instant,
        keep: Duration,
    ) -> Result<IdleId, Idle> {
        let has_room = self.entries.len() < self.most && self.most_per_key > 0;
        if !has_room || keep.is_zero() {
            return Err(idle);
        }
        let list = self.find(key).unwrap_or_else(|| {
            let key: Rc<str> = key.into();
            let empty = List { key: Rc::clone(&key), oldest: None, newest: None, count: 0 };
            let list = self.lists.insert(empty);
            self.by_key.insert(key, list);
            list
        });
        let List { oldest, newest, count, .. } = &mut self.lists[list];
        if *count >= self.most_per_key {
            return Err(idle);
        }
        *count += 1;
        let older = *newest;
        let entry = Entry { idle, since: now, until: now + keep, list, older, newer: None };
        // A loop has fewer sockets than that.
        let id = IdleId(self.entries.insert(entry) as u32);
        *newest = Some(id);
        match older {
            Some(older) => self.entry(older).newer = Some(id),
            None => *oldest = Some(id),
        }
        self.next_sweep.get_or_insert(now + SWEEP);
        Ok(id)
    }

    /// Takes out a connection that has ended by itself.
    pub(crate) fn remove(&mut self, id: IdleId) -> Idle {
        self.unlink(id)
    }

    /// Gives out what has been idle for too long, and everything when `all` is asked for.
    /// Returns when to call again.
    pub(crate) fn sweep(
        &mut self,
        now: Instant,
        all: bool,
        mut close: impl FnMut(SocketId),
    ) -> Option<Duration> {
        let next = self.next_sweep?;
        if now < next && !all {
            return Some(next - now);
        }
        let old = |(_, entry): &(usize, &Entry)| entry.until <= now || all;
        let old: Vec<usize> = self.entries.iter().filter(old).map(|(index, _)| index).collect();
        for index in old {
            close(self.unlink(IdleId(index as u32)).socket);
        }
        let lists = &mut self.lists;
        self.by_key.retain(|_, &mut list| {
            let used = lists[list].count > 0;
            if !used {
                lists.remove(list);
            }
            used
        });
        self.last = None;
        self.next_sweep = (!self.entries.is_empty()).then_some(now + SWEEP);
        self.next_sweep.map(|_| SWEEP)
    }

    /// The list of this upstream, if there is one.
    fn find(&mut self, key: &str) -> Option<usize> {
        if let Some(last) = self.last
            && *self.lists[last].key == *key
        {
            return Some(last);
        }
        self.last = self.by_key.get(key).copied();
        self.last
    }

    fn entry(&mut self, id: IdleId) -> &mut Entry {
        &mut self.entries[id.0 as usize]
    }

    fn unlink(&mut self, id: IdleId) -> Idle {
        let Entry { idle, list, older, newer, .. } = self.entries.remove(id.0 as usize);
        match older {
            Some(older) => self.entry(older).newer = newer,
            None => self.lists[list].oldest = newer,
        }
        match newer {
            Some(newer) => self.entry(newer).older = older,
            None => self.lists[list].newest = older,
        }
        self.lists[list].count -= 1;
        idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(4);

    fn socket(number: u32) -> SocketId {
        SocketId::for_test(number)
    }

    fn idle(number: u32) -> Idle {
        Idle { socket: socket(number), guarding: Guarding::Guarded, place: None }
    }

    fn taken(idle: Option<Idle>) -> Option<SocketId> {
        idle.map(|idle| idle.socket)
    }

    #[test]
    fn the_connection_used_last_is_used_next() {
        let (mut all, now) = (IdleUpstreams::new(10, 10), Instant::now());
        for number in 1..=3 {
            all.put("a:80", idle(number), now, LONG).unwrap();
        }
        assert_eq!(taken(all.take("a:80", Guarding::Guarded, now, Duration::MAX)), Some(socket(3)));
        assert_eq!(taken(all.take("a:80", Guarding::Guarded, now, Duration::MAX)), Some(socket(2)));
        assert_eq!(taken(all.take("b:80", Guarding::Guarded, now, Duration::MAX)), None);
        assert_eq!(all.len(), 1);
    }

    #[test]
    fn the_connection_used_first_makes_room() {
        let (mut all, now) = (IdleUpstreams::new(10, 10), Instant::now());
        for number in 1..=3 {
            all.put("a:80", idle(number), now, LONG).unwrap();
        }
        assert_eq!(taken(all.evict("a:80")), Some(socket(1)));
        assert_eq!(taken(all.take("a:80", Guarding::Guarded, now, Duration::MAX)), Some(socket(3)));
        assert_eq!(taken(all.evict("a:80")), Some(socket(2)));
        assert_eq!(taken(all.evict("a:80")), None);
        assert_eq!(taken(all.evict("b:80")), None);
    }

    #[test]
    fn bounds_hand_the_connection_back() {
        let (mut all, now) = (IdleUpstreams::new(3, 2), Instant::now());
        let mut put = |key, number, keep| {
            all.put(key, idle(number), now, keep).map_err(|idle| idle.socket).err()
        };
        assert_eq!(put("a:80", 1, LONG), None);
        assert_eq!(put("a:80", 2, LONG), None);
        assert_eq!(put("a:80", 3, LONG), Some(socket(3)), "per upstream");
        assert_eq!(put("b:80", 4, LONG), None);
        assert_eq!(put("c:80", 5, LONG), Some(socket(5)), "in all");
        all.take("b:80", Guarding::Guarded, now, Duration::MAX).unwrap();
        let no_time = all.put("c:80", idle(5), now, Duration::ZERO);
        assert_eq!(no_time.unwrap_err().socket, socket(5), "not even for a moment");
        all.put("c:80", idle(5), now, LONG).unwrap();
    }

    #[test]
    fn old_connections_are_not_given_out_and_are_swept() {
        let (mut all, start) = (IdleUpstreams::new(10, 10), Instant::now());
        all.put("a:80", idle(1), start, LONG).unwrap();
        let later = start + Duration::from_secs(2);
        assert_eq!(
            taken(all.take("a:80", Guarding::Guarded, later, Duration::from_secs(1))),
            None,
            "not fresh"
        );
        all.put("a:80", idle(2), later, LONG).unwrap();
        let mut closed = Vec::new();
        let next = all.sweep(start + LONG, false, |socket| closed.push(socket));
        assert_eq!(closed, [socket(1)]);
        assert_eq!(next, Some(SWEEP));
        assert_eq!(
            taken(all.take("a:80", Guarding::Guarded, later + LONG, Duration::MAX)),
            None,
            "its time is over"
        );
        all.sweep(later, true, |socket| closed.push(socket));
        assert_eq!((closed, all.len()), (vec![socket(1), socket(2)], 0));
        assert_eq!((all.by_key.len(), all.lists.len()), (0, 0), "nothing is left of the upstream");
        assert_eq!(all.sweep(later, false, |_| unreachable!()), None, "nothing to wake for");
    }

    #[test]
    fn a_connection_that_ended_is_forgotten_wherever_it_stands() {
        for ended in 0..3 {
            let (mut all, now) = (IdleUpstreams::new(10, 10), Instant::now());
            let ids: Vec<_> =
                (0..3).map(|number| all.put("a:80", idle(number), now, LONG).unwrap()).collect();
            assert_eq!(all.remove(ids[ended as usize]).socket, socket(ended));
            for number in (0..3).rev().filter(|&number| number != ended) {
                assert_eq!(
                    taken(all.take("a:80", Guarding::Guarded, now, Duration::MAX)),
                    Some(socket(number))
                );
            }
            assert_eq!(taken(all.take("a:80", Guarding::Guarded, now, Duration::MAX)), None);
            assert_eq!(all.len(), 0);
        }
    }

    #[test]
    fn an_upstream_of_which_nothing_is_kept_is_not_remembered() {
        let now = Instant::now();
        for (most, most_per_key) in [(10, 0), (0, 10)] {
            let mut all = IdleUpstreams::new(most, most_per_key);
            assert!(all.put("a:80", idle(1), now, LONG).is_err());
            assert!(all.by_key.is_empty() && all.lists.is_empty(), "{most} {most_per_key}");
        }
    }

    #[test]
    fn a_connection_that_passed_no_guard_is_for_those_who_need_none() {
        let (mut all, now) = (IdleUpstreams::new(10, 10), Instant::now());
        let take = |all: &mut IdleUpstreams, guarding| {
            taken(all.take("a:80", guarding, now, Duration::MAX))
        };
        let vouched = Idle { guarding: Guarding::Vouched, ..idle(1) };
        all.put("a:80", vouched, now, LONG).unwrap();
        assert_eq!(take(&mut all, Guarding::Guarded), None);
        assert_eq!(take(&mut all, Guarding::Vouched), Some(socket(1)));
        all.put("a:80", idle(2), now, LONG).unwrap();
        assert_eq!(take(&mut all, Guarding::Vouched), Some(socket(2)));
    }
}
