//! [`Calls`]: tasks of a loop for which another thread has something.
//!
//! A call says who is meant and no more; what there is, the task finds where both can reach it.
//! So that a call is never refused, its queue has no bound of its own. Whoever calls a task must see
//! to it that it is called once until it has looked: then there are never more calls than tasks.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::mailbox::Bell;
use super::timers::TimerKey;

/// The tasks of one loop that have been called.
#[derive(Debug)]
pub(crate) struct Calls {
    keys: Mutex<VecDeque<TimerKey>>,
    /// There are some. Changed only with `keys` at hand.
    any: AtomicBool,
    bell: Arc<Bell>,
}

/// Calls one task.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    calls: Arc<Calls>,
    key: TimerKey,
}

impl Calls {
    pub(super) fn new(bell: Arc<Bell>) -> Calls {
        Calls { keys: Mutex::default(), any: AtomicBool::new(false), bell }
    }

    /// A way to call this task.
    pub(crate) fn caller(self: &Arc<Self>, key: TimerKey) -> Caller {
        Caller { calls: Arc::clone(self), key }
    }

    /// The task that was called first.
    pub(super) fn take(&self) -> Option<TimerKey> {
        // Most loops are never called: they do not touch the lock.
        if !self.any() {
            return None;
        }
        let mut keys = self.keys();
        let key = keys.pop_front();
        self.any.store(!keys.is_empty(), Ordering::SeqCst);
        key
    }

    /// Whether somebody has been called.
    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::SeqCst)
    }

    fn keys(&self) -> MutexGuard<'_, VecDeque<TimerKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Caller {
    /// Has the loop tell the task to look. Once it has ended, nobody hears it.
    pub(crate) fn call(&self) {
        let mut keys = self.calls.keys();
        keys.push_back(self.key);
        self.calls.any.store(true, Ordering::SeqCst);
        drop(keys);
        self.calls.bell.ring();
    }
}

#[cfg(test)]
mod tests {
    use mio::Poll;

    use super::super::mailbox::Mailbox;

    #[test]
    fn calls_come_in_their_order_and_are_not_slept_over() {
        let poll = Poll::new().unwrap();
        let mailbox = Mailbox::<()>::new(poll.registry()).unwrap();
        let (one, two) = (mailbox.calls().caller(1), mailbox.calls().caller(2));
        assert!(mailbox.may_sleep());
        two.call();
        one.call();
        assert!(!mailbox.may_sleep());
        let called: Vec<_> = std::iter::from_fn(|| mailbox.calls().take()).collect();
        assert_eq!(called, [2, 1]);
        assert!(mailbox.may_sleep());
    }
}
