//! [`Meters`]: the counts of one throttle, for all loops.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::key::{Key, Who};
use super::table::{Cell, Evicted, Table};

/// The counts of one throttle. They are in several tables, each behind a lock of its own, so that
/// loops hardly ever meet.
#[derive(Debug)]
pub(super) struct Meters {
    tables: Box<[Mutex<Table>]>,
    hasher: RandomState,
    /// How many were forgotten that owed something.
    forgotten: AtomicU64,
}

/// How many tables there are, where there are so many entries that it matters.
const TABLES: usize = 64;

impl Meters {
    /// For at most so many entries.
    pub(super) fn new(most: usize) -> Meters {
        let hasher = RandomState::new();
        let tables = if most < TABLES * 16 { 1 } else { TABLES };
        let table = |number| Mutex::new(Table::new(most / tables, hasher.hash_one(number)));
        Meters { tables: (0..tables).map(table).collect(), hasher, forgotten: AtomicU64::new(0) }
    }

    /// Changes a count, which is 0 if there is none yet. See [`Table::change`].
    pub(super) fn change<R>(
        &self,
        who: Who<'_>,
        debt: impl Fn(Cell) -> u64,
        act: impl FnOnce(&mut Cell) -> R,
    ) -> R {
        let (mut table, hash) = self.table(who);
        let (result, evicted) = table.change(hash, who, debt, act);
        if evicted == Evicted::Owing {
            self.forgotten.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    /// Whose count it is, without a name.
    pub(super) fn nameless<'a>(&self, who: Who<'a>) -> Who<'a> {
        who.nameless(&self.hasher)
    }

    /// A count, if there is one.
    pub(super) fn get(&self, who: Who<'_>) -> Option<Cell> {
        let (table, hash) = self.table(who);
        table.get(hash, who)
    }

    /// Counts one less, and forgets who has none any more.
    pub(super) fn release(&self, who: Who<'_>) {
        let (mut table, hash) = self.table(who);
        if let Some(Cell { value, .. }) = table.get(hash, who) {
            if value > 1 {
                table.change(hash, who, |_| 0, |cell| cell.value -= 1);
            } else {
                table.remove(hash, who);
            }
        }
    }

    /// Shows each count there is. One table is locked at a time.
    pub(super) fn each(&self, mut show: impl FnMut(&Key, Cell)) {
        for table in &self.tables {
            let table = lock(table);
            table.iter().for_each(|(key, cell)| show(key, cell));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.tables.iter().map(|table| lock(table).len()).sum()
    }

    /// The bytes they occupy, but for names.
    pub(super) fn bytes(&self) -> usize {
        self.tables.iter().map(|table| lock(table).bytes()).sum()
    }

    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Relaxed)
    }

    /// The table in which the count of `who` is, and its hash there.
    fn table(&self, who: Who<'_>) -> (MutexGuard<'_, Table>, u32) {
        let hash = self.hasher.hash_one(who);
        let table = (hash >> 32) as usize % self.tables.len();
        (lock(&self.tables[table]), hash as u32)
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn client(number: u32) -> Who<'static> {
        Who::Client(IpAddr::from(number.to_be_bytes()))
    }

    #[test]
    fn each_has_its_own_count_and_names_are_found() {
        let meters = Meters::new(10_000);
        let add = |who, count| {
            meters.change(
                who,
                |_| 0,
                |cell| {
                    cell.value += count;
                    cell.value
                },
            )
        };
        assert_eq!([add(Who::All, 1), add(Who::All, 1)], [1, 2]);
        assert_eq!([add(client(1), 5), add(client(2), 7), add(client(1), 1)], [5, 7, 6]);
        assert_eq!([add(Who::Name(b"a.test"), 1), add(Who::Name(b"a.test"), 2)], [1, 3]);
        assert_eq!((meters.len(), meters.get(client(2)).unwrap().value), (4, 7));
        meters.release(Who::All);
        assert_eq!(meters.get(Who::All).unwrap().value, 1);
        meters.release(Who::All);
        meters.release(Who::All);
        assert_eq!((meters.len(), meters.get(Who::All)), (3, None));
    }

    #[test]
    fn a_million_clients_have_the_room_of_those_that_are_kept() {
        let meters = Meters::new(100_000);
        for number in 0..1_000_000 {
            meters.change(client(number), |cell| cell.value, |cell| cell.value = 1);
        }
        assert!(meters.len() <= 100_000 && meters.len() > 99_000, "{}", meters.len());
        assert_eq!(meters.forgotten(), 1_000_000 - meters.len() as u64);
        let each = meters.bytes() / meters.len();
        assert!(each < 112, "{each} bytes an entry");
    }
}
