//! [`Sketch`]: who is counted most often, in bounded memory, however many there are.
//!
//! The space-saving algorithm (Metwally, Agrawal, El Abbadi, *Efficient Computation of Frequent and
//! Top-k Elements in Data Streams*, ICDT 2005). There are so many counters. Who has none, when all are
//! taken, takes over the lowest one, and its count: that is how much too high the new one may be.
//!
//! With `N` counted in all and `m` counters, a count is never too low, and at most `N / m` too high;
//! and whoever has more than `N / m` has a counter. A flood of names that come once only passes through
//! the lowest counters.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Counters for those who are counted most often.
#[derive(Debug)]
pub(super) struct Sketch<K> {
    most: usize,
    entries: Vec<Entry<K>>,
    numbers: HashMap<K, usize>,
    /// The numbers of the entries as a binary heap, the lowest count in front.
    heap: Vec<usize>,
    total: u64,
}

#[derive(Debug)]
struct Entry<K> {
    key: K,
    count: u64,
    /// How much of the count may be somebody else's.
    error: u64,
    /// Where it is in the heap.
    place: usize,
}

/// One who is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counted<K> {
    pub(super) key: K,
    pub(super) count: u64,
    pub(super) error: u64,
}

impl<K: Hash + Eq + Ord + Clone> Sketch<K> {
    /// With so many counters, at least one.
    pub(super) fn new(most: usize) -> Sketch<K> {
        Sketch {
            most: most.max(1),
            entries: Vec::new(),
            numbers: HashMap::new(),
            heap: Vec::new(),
            total: 0,
        }
    }

    /// Counts `more` for `key`, which `own` makes a copy of, if it is new.
    pub(super) fn add<Q>(&mut self, key: &Q, more: u64, own: impl FnOnce(&Q) -> K)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if more == 0 {
            return; // nobody is to lose a counter for that
        }
        self.total += more;
        if let Some(&number) = self.numbers.get(key) {
            self.entries[number].count += more;
            self.sink(self.entries[number].place);
        } else if self.entries.len() < self.most {
            let (number, key) = (self.entries.len(), own(key));
            self.numbers.insert(key.clone(), number);
            self.entries.push(Entry { key, count: more, error: 0, place: number });
            self.heap.push(number);
            self.rise(number);
        } else {
            self.take_over(own(key), more);
        }
    }

    /// What was counted in all.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Those with the highest counts, `most` of them, the highest in front.
    pub(super) fn top(&self, most: usize) -> Vec<Counted<K>> {
        let mut all: Vec<&Entry<K>> = self.entries.iter().collect();
        all.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key.cmp(&b.key)));
        let counted = |entry: &Entry<K>| Counted {
            key: entry.key.clone(),
            count: entry.count,
            error: entry.error,
        };
        all.into_iter().take(most).map(counted).collect()
    }

    /// Gives the lowest counter, with what it has counted, to somebody else.
    fn take_over(&mut self, key: K, more: u64) {
        let number = self.heap[0];
        let entry = &mut self.entries[number];
        self.numbers.remove(&entry.key);
        entry.key = key.clone();
        entry.error = entry.count;
        entry.count += more;
        self.numbers.insert(key, number);
        self.sink(0);
    }

    fn count_at(&self, place: usize) -> u64 {
        self.entries[self.heap[place]].count
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        self.entries[self.heap[a]].place = a;
        self.entries[self.heap[b]].place = b;
    }

    /// The count at this place may be lower than those in front of it.
    fn rise(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.count_at(parent) <= self.count_at(place) {
                return;
            }
            self.swap(parent, place);
            place = parent;
        }
    }

    /// The count at this place may be higher than those behind it.
    fn sink(&mut self, mut place: usize) {
        loop {
            let children = [2 * place + 1, 2 * place + 2];
            let lowest = children
                .into_iter()
                .filter(|&child| child < self.heap.len())
                .min_by_key(|&child| self.count_at(child));
            match lowest {
                Some(child) if self.count_at(child) < self.count_at(place) => {
                    self.swap(place, child);
                    place = child;
                }
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn add(sketch: &mut Sketch<String>, key: &str, more: u64) {
        sketch.add(key, more, str::to_owned);
    }

    #[test]
    fn as_long_as_there_are_counters_all_is_exact() {
        let mut sketch = Sketch::new(3);
        for (key, more) in [("a", 1), ("b", 5), ("c", 2), ("a", 3), ("none", 0)] {
            add(&mut sketch, key, more);
        }
        let top: Vec<_> =
            sketch.top(9).into_iter().map(|it| (it.key, it.count, it.error)).collect();
        assert_eq!(top, [("b".into(), 5, 0), ("a".into(), 4, 0), ("c".into(), 2, 0)]);
        assert_eq!((sketch.top(1).len(), sketch.total()), (1, 11));
    }

    #[test]
    fn who_comes_later_takes_over_the_lowest_counter() {
        let mut sketch = Sketch::new(2);
        for (key, more) in [("a", 10), ("b", 3), ("c", 1)] {
            add(&mut sketch, key, more);
        }
        let c = Counted { key: "c".to_owned(), count: 4, error: 3 };
        assert_eq!(sketch.top(2)[1], c);
        add(&mut sketch, "b", 1);
        assert_eq!(sketch.top(2)[1], Counted { key: "b".to_owned(), count: 5, error: 4 });
    }

    #[test]
    fn a_flood_of_names_that_come_once_leaves_those_alone_that_come_often() {
        let mut sketch = Sketch::new(10);
        for number in 0..10_000 {
            add(&mut sketch, &format!("once-{number}"), 1);
            if number % 4 == 0 {
                add(&mut sketch, "often", 1);
            }
        }
        let first = &sketch.top(1)[0];
        assert_eq!(first.key, "often");
        assert!((2500..=2500 + 1250).contains(&first.count), "{first:?}");
        assert!(sketch.entries.len() == 10 && sketch.numbers.len() == 10);
    }

    proptest! {
        #[test]
        fn counts_are_never_too_low_and_too_high_by_so_much_at_most(
            most in 1_usize..12,
            stream in prop::collection::vec((0_u8..40, 0_u64..50), 0..400),
        ) {
            let (mut sketch, mut exact) = (Sketch::new(most), HashMap::<String, u64>::new());
            for (key, more) in stream {
                let key = key.to_string();
                add(&mut sketch, &key, more);
                *exact.entry(key).or_default() += more;
            }
            let total: u64 = exact.values().sum();
            let bound = total / most as u64;
            let all = sketch.top(usize::MAX);
            prop_assert!(all.len() <= most);
            prop_assert_eq!(sketch.total(), total);
            prop_assert_eq!(all.iter().map(|it| it.count).sum::<u64>(), total);
            prop_assert!(all.is_sorted_by(|a, b| a.count >= b.count));
            for it in &all {
                let truth = exact[&it.key];
                prop_assert!(it.count >= truth && it.count - it.error <= truth, "{it:?} {truth}");
                prop_assert!(it.error <= bound, "{it:?} of {total}");
            }
            for (key, truth) in exact {
                prop_assert!(truth <= bound || all.iter().any(|it| it.key == key), "{key} {truth}");
            }
        }
    }
}
