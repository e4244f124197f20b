//! [`Places`]: how many connections there may be to one upstream, and who waits for one.
//!
//! Each connection that is planned, dialed, used or idle has a [`Place`], which goes wherever it
//! goes: dropped with it, the place is free again, so none can be lost. Whoever finds none free
//! waits with a [`Ticket`], which leaves the queue when it is dropped.
//!
//! All of it belongs to one loop: a limit for the whole proxy is divided among the loops
//! ([`share`]), so that a request takes no lock.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

use slab::Slab;

/// A task of the loop, in the words of those who wait.
type Task = u64;

/// The places of one loop, at all upstreams that have a connection.
#[derive(Debug)]
pub(crate) struct Places(Rc<RefCell<Table>>);

/// A place among the connections to one upstream; dropped, it is free again.
#[derive(Debug)]
pub(crate) struct Place {
    table: Rc<RefCell<Table>>,
    upstream: usize,
}

/// A place in the queue for a [`Place`]; dropped, it is given up.
#[derive(Debug)]
pub(crate) struct Ticket {
    table: Rc<RefCell<Table>>,
    upstream: usize,
    number: u64,
}

/// Whose turn it is: a task, and the [`Ticket`] it had when it was called. A task that has given
/// that one up, and perhaps waits with another for some other upstream, is not meant any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Called {
    pub(crate) task: Task,
    number: u64,
}

/// Who waits first for the upstream of a connection that has become idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Nobody,
    /// This one gets the connection. It waits no longer.
    Takes(Called),
    /// Somebody who needs a new connection: closing this one makes room for it.
    NeedsAnother,
}

#[derive(Debug)]
struct Table {
    most: usize,
    most_waiting: usize,
    by_key: HashMap<Rc<str>, usize>,
    upstreams: Slab<Upstream>,
    next_number: u64,
    /// Upstreams of which a place has become free while somebody waited: once for each place, and
    /// in turn, so that one whose places are free again at once keeps no other from its own.
    freed: VecDeque<usize>,
}

#[derive(Debug)]
struct Upstream {
    key: Rc<str>,
    taken: usize,
    /// By number, and so in the order in which they came.
    waiting: BTreeMap<u64, Waiter>,
}

#[derive(Clone, Copy, Debug)]
struct Waiter {
    task: Task,
    /// A connection that has been used before will do.
    takes_used: bool,
}

/// What one of `loops` loops gets of a limit of all: the same as the others or one more, and at
/// least one, so that no loop can do nothing.
pub(crate) fn share(limit: usize, number: usize, loops: usize) -> usize {
    let share = limit / loops + usize::from(number < limit % loops);
    share.max(limit.min(1))
}

impl Places {
    pub(crate) fn new(most: usize, most_waiting: usize) -> Places {
        Places(Rc::new(RefCell::new(Table {
            most,
            most_waiting,
            by_key: HashMap::new(),
            upstreams: Slab::new(),
            next_number: 0,
            freed: VecDeque::new(),
        })))
    }

    /// Sets other limits. Whoever waits has a place at once if there is one now; where there are
    /// more connections than there may be, they come to their own end.
    pub(crate) fn limit(&self, most: usize, most_waiting: usize) {
        let Table { most: old, most_waiting: old_waiting, upstreams, freed, .. } =
            &mut *self.0.borrow_mut();
        (*old, *old_waiting) = (most, most_waiting);
        for (index, upstream) in upstreams.iter() {
            let free = most.saturating_sub(upstream.taken);
            freed.extend(std::iter::repeat_n(index, free.min(upstream.waiting.len())));
        }
    }

    /// How many places are taken, at all upstreams together.
    pub(crate) fn taken(&self) -> usize {
        self.0.borrow().upstreams.iter().map(|(_, upstream)| upstream.taken).sum()
    }

    /// How many wait for one.
    pub(crate) fn waiting(&self) -> usize {
        self.0.borrow().upstreams.iter().map(|(_, upstream)| upstream.waiting.len()).sum()
    }

    /// A place for a new connection, if one is free and nobody waits for it.
    pub(crate) fn take(&self, key: &str) -> Option<Place> {
        let mut table = self.0.borrow_mut();
        let most = table.most;
        let index = table.upstream(key);
        let upstream = &mut table.upstreams[index];
        if upstream.taken >= most || !upstream.waiting.is_empty() {
            return None;
        }
        upstream.taken += 1;
        Some(Place { table: Rc::clone(&self.0), upstream: index })
    }

    /// A place in the queue for one, behind all others; `None` if it is full.
    pub(crate) fn queue(&self, key: &str, task: Task, takes_used: bool) -> Option<Ticket> {
        let mut table = self.0.borrow_mut();
        let most = table.most_waiting;
        let index = table.upstream(key);
        let number = table.next_number;
        let upstream = &mut table.upstreams[index];
        if upstream.waiting.len() >= most {
            return None;
        }
        upstream.waiting.insert(number, Waiter { task, takes_used });
        table.next_number += 1;
        Some(Ticket { table: Rc::clone(&self.0), upstream: index, number })
    }

    /// Gives a place that has become free to who has waited for it longest; upstreams take turns. To
    /// be asked until there is none, after anything that may have dropped a place.
    pub(crate) fn grant(&self) -> Option<(Called, Place)> {
        let mut table = self.0.borrow_mut();
        let Table { most, freed, upstreams, .. } = &mut *table;
        while let Some(index) = freed.pop_front() {
            if let Some(upstream) = upstreams.get_mut(index)
                && upstream.taken < *most
                && let Some((number, waiter)) = upstream.waiting.pop_first()
            {
                upstream.taken += 1;
                let called = Called { task: waiter.task, number };
                return Some((called, Place { table: Rc::clone(&self.0), upstream: index }));
            }
        }
        None
    }
}

impl Place {
    /// Who gets the connection that has this place, now that it is idle.
    pub(crate) fn next(&self) -> Next {
        let mut table = self.table.borrow_mut();
        let waiting = &mut table.upstreams[self.upstream].waiting;
        match waiting.first_key_value() {
            None => Next::Nobody,
            Some((_, waiter)) if !waiter.takes_used => Next::NeedsAnother,
            Some((&number, &Waiter { task, .. })) => {
                waiting.remove(&number);
                Next::Takes(Called { task, number })
            }
        }
    }
}

impl Ticket {
    /// Whether it is the one that was called. No two have the same number.
    pub(crate) fn is(&self, called: Called) -> bool {
        self.number == called.number
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.table.borrow_mut();
        let upstream = &mut table.upstreams[self.upstream];
        upstream.taken -= 1;
        if upstream.waiting.is_empty() {
            table.forget_if_unused(self.upstream);
        } else {
            table.freed.push_back(self.upstream);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut table = self.table.borrow_mut();
        // Whoever has been served is no longer there, and perhaps nobody is.
        if let Some(upstream) = table.upstreams.get_mut(self.upstream) {
            upstream.waiting.remove(&self.number);
            table.forget_if_unused(self.upstream);
        }
    }
}

impl Table {
    fn upstream(&mut self, key: &str) -> usize {
        if let Some(&index) = self.by_key.get(key) {
            return index;
        }
        let key: Rc<str> = key.into();
        let index = self.upstreams.insert(Upstream {
            key: Rc::clone(&key),
            taken: 0,
            waiting: BTreeMap::new(),
        });
        self.by_key.insert(key, index);
        index
    }

    fn forget_if_unused(&mut self, index: usize) {
        let upstream = &self.upstreams[index];
        if upstream.taken == 0 && upstream.waiting.is_empty() {
            let upstream = self.upstreams.remove(index);
            self.by_key.remove(&upstream.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(places: &Places) -> (usize, usize) {
        let table = places.0.borrow();
        (table.upstreams.len(), table.by_key.len())
    }

    #[test]
    fn a_limit_is_divided_among_loops() {
        for (limit, loops, expected) in [
            (8, 4, vec![2, 2, 2, 2]),
            (10, 4, vec![3, 3, 2, 2]),
            (3, 2, vec![2, 1]),
            (1, 3, vec![1, 1, 1]),
            (0, 2, vec![0, 0]),
            (usize::MAX, 1, vec![usize::MAX]),
        ] {
            let shares: Vec<_> = (0..loops).map(|number| share(limit, number, loops)).collect();
            assert_eq!(shares, expected, "{limit} for {loops}");
        }
    }

    #[test]
    fn each_upstream_has_its_own_places_and_is_forgotten_with_the_last() {
        let places = Places::new(2, 10);
        let first = places.take("a:80").unwrap();
        let second = places.take("a:80").unwrap();
        assert!(places.take("a:80").is_none());
        let other = places.take("b:80").unwrap();
        drop(first);
        let third = places.take("a:80").unwrap();
        assert_eq!(known(&places), (2, 2));
        drop((second, third, other));
        assert_eq!(known(&places), (0, 0));
    }

    #[test]
    fn another_limit_lets_in_those_who_wait_and_sends_nobody_away() {
        let places = Places::new(1, 1);
        let first = places.take("a:80").unwrap();
        let _waits = places.queue("a:80", 1, true).unwrap();
        assert!(places.queue("a:80", 2, true).is_none());
        places.limit(1, 2);
        let _waits_too = places.queue("a:80", 2, true).unwrap();
        assert!(places.grant().is_none());
        places.limit(usize::MAX, 0);
        let (called, second) = places.grant().unwrap();
        let (called_next, third) = places.grant().unwrap();
        assert_eq!((called.task, called_next.task), (1, 2));
        assert!(places.grant().is_none());
        places.limit(1, 1);
        drop((first, second));
        assert!(places.take("a:80").is_none(), "the third is still there");
        drop(third);
        assert!(places.take("a:80").is_some());
    }

    #[test]
    fn who_came_first_is_served_first_and_nobody_gets_in_between() {
        let places = Places::new(1, 10);
        let held = places.take("a:80").unwrap();
        let tickets: Vec<_> =
            (1..=3).map(|task| places.queue("a:80", task, true).unwrap()).collect();
        assert!(places.grant().is_none());
        drop(held);
        assert!(places.take("a:80").is_none(), "others have waited longer");
        let (called, place) = places.grant().unwrap();
        assert_eq!(called.task, 1);
        let meant: Vec<_> = tickets.iter().map(|ticket| ticket.is(called)).collect();
        assert_eq!(meant, [true, false, false]);
        assert!(places.grant().is_none());
        drop(place);
        let (called, place) = places.grant().unwrap();
        assert_eq!(called.task, 2);
        let Next::Takes(called) = place.next() else { panic!("somebody waits") };
        assert!(called.task == 3 && tickets[2].is(called));
        assert_eq!(place.next(), Next::Nobody);
        drop((tickets, place));
        assert_eq!(known(&places), (0, 0));
    }

    #[test]
    fn a_queue_has_an_end_and_who_leaves_makes_room() {
        let places = Places::new(1, 2);
        let held = places.take("a:80").unwrap();
        let first = places.queue("a:80", 1, true).unwrap();
        let _second = places.queue("a:80", 2, true).unwrap();
        assert!(places.queue("a:80", 3, true).is_none());
        drop(first);
        let _third = places.queue("a:80", 3, true).unwrap();
        drop(held);
        assert_eq!(places.grant().unwrap().0.task, 2, "who has left is not served");
    }

    #[test]
    fn who_needs_a_new_connection_is_not_passed_over() {
        let places = Places::new(1, 2);
        let held = places.take("a:80").unwrap();
        let _tunnel = places.queue("a:80", 1, false).unwrap();
        let _request = places.queue("a:80", 2, true).unwrap();
        assert_eq!(held.next(), Next::NeedsAnother);
        drop(held);
        assert_eq!(places.grant().unwrap().0.task, 1);
    }

    #[test]
    fn upstreams_take_turns() {
        for order in [[0, 1], [1, 0]] {
            let places = Places::new(1, 10);
            let mut held = ["a:80", "b:80"].map(|key| places.take(key));
            let _tickets = [("a:80", 1), ("a:80", 2), ("b:80", 3)]
                .map(|(key, task)| places.queue(key, task, true));
            for number in order {
                held[number] = None;
            }
            // Whoever gets a place fails with it at once.
            let mut called = [0; 2].map(|_| places.grant().unwrap().0.task);
            called.sort();
            assert_eq!(called, [1, 3]);
        }
    }

    #[test]
    fn a_place_that_nobody_comes_for_goes_to_the_next() {
        let places = Places::new(1, 2);
        let held = places.take("a:80").unwrap();
        let first = places.queue("a:80", 1, true).unwrap();
        let _second = places.queue("a:80", 2, true).unwrap();
        drop(held);
        let (_, granted) = places.grant().unwrap();
        drop((first, granted));
        assert_eq!(places.grant().unwrap().0.task, 2);
    }

    #[test]
    fn a_queue_that_everybody_has_left_is_forgotten() {
        let places = Places::new(1, 2);
        let held = places.take("a:80").unwrap();
        let ticket = places.queue("a:80", 1, true).unwrap();
        drop(held);
        drop(ticket);
        assert_eq!(known(&places), (0, 0));
        assert!(places.grant().is_none());
        assert!(places.take("a:80").is_some());
    }
}
