//! [`Table`]: a count for each of at most so many, in little memory.
//!
//! Entries stand one behind the other. An index of their numbers, with open addressing, tells where:
//! four bytes a slot, of which at least a quarter is empty. So an entry costs 40 bytes and some ten
//! for the index, and what grows is copied now and then.
//!
//! Why it is not a [`Bounded`](super::super::bounded::Bounded), as the tables of bans and failed logins
//! are: that has its keys twice, in a map of the standard library and beside the values, which is twice
//! the memory; it looks for keys as they are kept, which would have names copied for each request; and it
//! makes hashes of its own, where here one hash tells the table and the slot. A request looks here, and
//! not there. Who has to go is decided in the same way.

use super::super::bounded::Picks;
use super::key::{Key, Who};

/// What is counted: when all would have come, or how many there are, or what was used and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) value: u64,
    pub(super) number: u32,
}

#[derive(Debug)]
struct Entry {
    key: Key,
    value: u64,
    number: u32,
    hash: u32,
}

#[derive(Debug)]
pub(super) struct Table {
    /// One more than the number of an entry; 0 is free. A power of two, or none at all.
    slots: Vec<u32>,
    entries: Vec<Entry>,
    most: usize,
    picks: Picks,
}

/// What had to go so that another could come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evicted {
    /// Nothing.
    Nobody,
    /// One who owed nothing: it makes no difference.
    Settled,
    /// One who owed something: it begins anew.
    Owing,
}

impl Table {
    pub(super) fn new(most: usize, seed: u64) -> Table {
        // More could not be numbered.
        let most = most.clamp(1, 1 << 31);
        Table { slots: Vec::new(), entries: Vec::new(), most, picks: Picks::new(seed) }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The bytes that it occupies, but for names.
    pub(super) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u32>() + self.entries.capacity() * size_of::<Entry>()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, Cell)> {
        self.entries
            .iter()
            .map(|entry| (&entry.key, Cell { value: entry.value, number: entry.number }))
    }

    /// Changes the count of `who`, which is 0 if there is none yet. `debt` says what one owes: where
    /// there is no room, the one of a few who owes least is forgotten.
    pub(super) fn change<R>(
        &mut self,
        hash: u32,
        who: Who<'_>,
        debt: impl Fn(Cell) -> u64,
        act: impl FnOnce(&mut Cell) -> R,
    ) -> (R, Evicted) {
        let mut evicted = Evicted::Nobody;
        let number = match self.find(hash, who) {
            Some((_, number)) => number,
            None => {
                if self.entries.len() >= self.most {
                    evicted = self.evict(debt);
                }
                self.add(hash, who.to_key())
            }
        };
        let entry = &mut self.entries[number];
        let mut cell = Cell { value: entry.value, number: entry.number };
        let result = act(&mut cell);
        (entry.value, entry.number) = (cell.value, cell.number);
        (result, evicted)
    }

    /// The count of `who`, if there is one.
    pub(super) fn get(&self, hash: u32, who: Who<'_>) -> Option<Cell> {
        let (_, number) = self.find(hash, who)?;
        let entry = &self.entries[number];
        Some(Cell { value: entry.value, number: entry.number })
    }

    pub(super) fn remove(&mut self, hash: u32, who: Who<'_>) {
        if let Some((slot, number)) = self.find(hash, who) {
            self.take_out(slot, number);
        }
    }

    fn evict(&mut self, debt: impl Fn(Cell) -> u64) -> Evicted {
        let picked = self.picks.of(self.entries.len()).map(|number| {
            let entry = &self.entries[number];
            (debt(Cell { value: entry.value, number: entry.number }), number)
        });
        let Some((owed, number)) = picked.min() else { return Evicted::Nobody };
        let entry = &self.entries[number];
        let slot = self.slot_of(entry.hash, number);
        self.take_out(slot, number);
        if owed == 0 { Evicted::Settled } else { Evicted::Owing }
    }

    /// The slot and the number of an entry.
    fn find(&self, hash: u32, who: Who<'_>) -> Option<(usize, usize)> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = hash as usize & mask;
        // A quarter is free: it comes to an end.
        while let Some(number) = (self.slots[slot] as usize).checked_sub(1) {
            let entry = &self.entries[number];
            if entry.hash == hash && entry.key.who() == who {
                return Some((slot, number));
            }
            slot = (slot + 1) & mask;
        }
        None
    }

    fn slot_of(&self, hash: u32, number: usize) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while self.slots[slot] as usize != number + 1 {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn add(&mut self, hash: u32, key: Key) -> usize {
        let number = self.entries.len();
        self.entries.push(Entry { key, value: 0, number: 0, hash });
        if self.entries.len() * 4 > self.slots.len() * 3 {
            self.slots = vec![0; (self.slots.len() * 2).max(8)];
            for number in 0..self.entries.len() {
                self.put(number);
            }
        } else {
            self.put(number);
        }
        number
    }

    /// Puts the number of an entry into the index.
    fn put(&mut self, number: usize) {
        let mask = self.slots.len() - 1;
        let mut slot = self.entries[number].hash as usize & mask;
        while self.slots[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = number as u32 + 1;
    }

    fn take_out(&mut self, slot: usize, number: usize) {
        let last = self.entries.len() - 1;
        if number != last {
            let slot_of_last = self.slot_of(self.entries[last].hash, last);
            self.slots[slot_of_last] = number as u32 + 1;
        }
        self.entries.swap_remove(number);
        self.close_gap(slot);
    }

    /// Frees a slot, and moves those behind it up that would not be found otherwise.
    fn close_gap(&mut self, mut gap: usize) {
        let mask = self.slots.len() - 1;
        let mut slot = gap;
        loop {
            slot = (slot + 1) & mask;
            let Some(number) = (self.slots[slot] as usize).checked_sub(1) else { break };
            let home = self.entries[number].hash as usize & mask;
            // Whether its home is not behind the gap, going round.
            if (slot.wrapping_sub(home) & mask) >= (slot.wrapping_sub(gap) & mask) {
                self.slots[gap] = self.slots[slot];
                gap = slot;
            }
        }
        self.slots[gap] = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;

    fn client(number: u32) -> Who<'static> {
        Who::Client(IpAddr::from(number.to_be_bytes()))
    }

    /// Spreads numbers, but not too well: some have to share a slot.
    fn hash(number: u32) -> u32 {
        number.wrapping_mul(0x9E37_79B9) >> 20
    }

    fn set(table: &mut Table, number: u32, value: u64) -> Evicted {
        table.change(hash(number), client(number), |cell| cell.value, |cell| cell.value = value).1
    }

    proptest! {
        #[test]
        fn it_is_a_table(steps in prop::collection::vec((0_u32..200, any::<bool>()), 0..600)) {
            let (mut table, mut model) = (Table::new(1000, 7), HashMap::new());
            for (step, (number, sets)) in steps.into_iter().enumerate() {
                if sets {
                    prop_assert_eq!(set(&mut table, number, step as u64), Evicted::Nobody);
                    model.insert(number, step as u64);
                } else {
                    table.remove(hash(number), client(number));
                    model.remove(&number);
                }
                prop_assert_eq!(table.len(), model.len());
                for number in 0..200 {
                    let value = table.get(hash(number), client(number)).map(|cell| cell.value);
                    prop_assert_eq!(value, model.get(&number).copied());
                }
            }
        }
    }

    #[test]
    fn who_owes_nothing_goes_first_and_who_owes_most_stays() {
        let mut table = Table::new(1000, 7);
        (0..250).for_each(|number| assert_eq!(set(&mut table, number, 1_000_000), Evicted::Nobody));
        (250..1000).for_each(|number| assert_eq!(set(&mut table, number, 0), Evicted::Nobody));
        // As many come as owe nothing: hardly anybody else has to go.
        let evicted: Vec<_> = (1000..1200).map(|number| set(&mut table, number, 1)).collect();
        assert!(evicted.iter().filter(|it| **it == Evicted::Settled).count() >= 198);
        let evicted: Vec<_> = (1200..20_000).map(|number| set(&mut table, number, 1)).collect();
        assert!(evicted.iter().filter(|it| **it == Evicted::Owing).count() > 18_000);
        assert_eq!(table.len(), 1000);
        let kept = (0..250).filter(|&it| table.get(hash(it), client(it)).is_some()).count();
        // One goes only if eight of eight that are picked owe as much.
        assert!(kept > 240, "{kept}");
    }
}
