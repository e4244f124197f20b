//! [`Bounded`]: a table that never has more than so many entries; and [`Picks`], by which it is decided
//! which of them goes.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

/// A table of at most so many entries. Where another one would be too many, the least of a few that
/// are picked at random makes room for it: who fills the table drives out mostly what is worth least,
/// and nobody can choose what.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    places: HashMap<K, usize>,
    entries: Vec<(K, V)>,
    most: usize,
    picks: Picks,
}

/// Picks at random, so that nobody can choose what has to go.
#[derive(Debug)]
pub(super) struct Picks(u64);

/// How many are picked, of which the least goes.
const PICKED: usize = 8;

impl Picks {
    /// The seed must be nobody's to know.
    pub(super) fn new(seed: u64) -> Picks {
        Picks(seed | 1)
    }

    /// A few places of so many.
    pub(super) fn of(&mut self, len: usize) -> impl Iterator<Item = usize> {
        (0..PICKED).map(move |_| {
            // Marsaglia's xorshift: never 0, and good enough to pick.
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 32) as usize % len
        })
    }
}

impl<K: Copy + Eq + Hash, V: Clone + Ord> Bounded<K, V> {
    pub(super) fn new(most: usize) -> Bounded<K, V> {
        Bounded {
            places: HashMap::new(),
            entries: Vec::new(),
            most: most.max(1),
            picks: Picks::new(RandomState::new().hash_one(most)),
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.places.get(key).map(|&place| self.entries[place].1.clone())
    }

    /// Puts an entry in the place of the one with this key, if there is one.
    pub(super) fn set(&mut self, key: K, value: V) {
        if let Some(&place) = self.places.get(&key) {
            self.entries[place].1 = value;
            return;
        }
        if self.entries.len() >= self.most {
            self.remove_one();
        }
        self.places.insert(key, self.entries.len());
        self.entries.push((key, value));
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some(place) = self.places.remove(key) {
            self.entries.swap_remove(place);
            if let Some((moved, _)) = self.entries.get(place) {
                self.places.insert(*moved, place);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn remove_one(&mut self) {
        let picked = self.picks.of(self.entries.len());
        let least = picked.min_by(|&one, &other| self.entries[one].1.cmp(&self.entries[other].1));
        if let Some(key) = least.map(|place| self.entries[place].0) {
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_table() {
        let mut table = Bounded::new(3);
        (1..=3).for_each(|key| table.set(key, key * 10));
        table.set(2, 25);
        table.remove(&1);
        table.remove(&1);
        assert_eq!(
            (table.len(), table.get(&1), table.get(&2), table.get(&3)),
            (2, None, Some(25), Some(30))
        );
    }

    #[test]
    fn what_is_worth_most_stays_when_it_is_flooded() {
        let mut table = Bounded::new(1000);
        (0..250).for_each(|key| table.set(key, 1_000_000));
        (250..20_000).for_each(|key| table.set(key, key));
        assert_eq!(table.len(), 1000);
        let kept = (0..250).filter(|key| table.get(key).is_some()).count();
        // One goes only if eight of eight that are picked are worth as much.
        assert!(kept > 240, "{kept}");
        assert!(table.entries.iter().all(|(key, value)| table.get(key) == Some(*value)));
    }
}
