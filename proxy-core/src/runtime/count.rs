//! [`Count`]: a number that one thread counts and others read.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number that only ever grows. One thread adds to it, any number of them read it.
///
/// To add is a load and a store, not an atomic read-modify-write: that costs a locked bus cycle,
/// and there is nobody to race with. A second thread that adds would lose counts, so those who own
/// counts see to it that there is one.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(more), Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
