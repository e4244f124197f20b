//! [`Pseudonyms`]: numbers in the place of what is not to be told, for a day.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Makes a number of a value, the same one for as long as a day of UTC lasts and this exists. Then
/// another random key takes the place of the one they are made with. Keys are never written
/// anywhere.
#[derive(Default)]
pub(super) struct Pseudonyms(Mutex<Option<Key>>);

/// What the pseudonyms of a day are made with.
struct Key {
    day: u64,
    random: RandomState,
}

impl Pseudonyms {
    pub(super) fn of(&self, value: impl Hash, now: SystemTime) -> u64 {
        let mut key = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let day = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400;
        let key = match key.take() {
            // Records of several loops are not in order: some of yesterday may come late.
            Some(current) if day == current.day || day + 1 == current.day => key.insert(current),
            _ => key.insert(Key { day, random: RandomState::new() }),
        };
        key.random.hash_one(value)
    }
}
