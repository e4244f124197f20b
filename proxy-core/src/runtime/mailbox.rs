//! The [`Mailbox`] of a loop: how other threads reach it.
//!
//! Messages go down bounded channels; the loop is woken only when it sleeps, so a busy loop
//! costs its senders no system call. A loop never waits for a sender, and what comes back
//! from the worker pool has its place kept beforehand (see [`Places`]): the bounded queues
//! that face each other cannot deadlock.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crossbeam_channel::{Receiver, SendTimeoutError, Sender, TrySendError};
use mio::{Registry, Waker};

use super::calls::Calls;
use super::sockets::WAKER;

/// The receiving end, with the loop.
#[derive(Debug)]
pub(crate) struct Mailbox<M> {
    queues: Vec<Receiver<M>>,
    calls: Arc<Calls>,
    bell: Arc<Bell>,
}

/// A sending end. Each queue of a mailbox has its own bound and its own kind of sender.
#[derive(Debug)]
pub(crate) struct Outlet<M> {
    queue: Sender<M>,
    bell: Arc<Bell>,
}

/// Wakes a loop that sleeps.
#[derive(Debug)]
pub(super) struct Bell {
    waker: Waker,
    /// Set by the loop before it looks at its queues for the last time and sleeps.
    asleep: AtomicBool,
}

impl<M> Clone for Outlet<M> {
    fn clone(&self) -> Self {
        Outlet { queue: self.queue.clone(), bell: Arc::clone(&self.bell) }
    }
}

impl<M> Mailbox<M> {
    pub(crate) fn new(registry: &Registry) -> io::Result<Self> {
        let bell = Bell { waker: Waker::new(registry, WAKER)?, asleep: AtomicBool::new(false) };
        let bell = Arc::new(bell);
        let calls = Arc::new(Calls::new(Arc::clone(&bell)));
        Ok(Mailbox { queues: Vec::new(), calls, bell })
    }

    /// Those for whom there is something, but no message.
    pub(crate) fn calls(&self) -> &Arc<Calls> {
        &self.calls
    }

    /// Adds a queue that holds at most `bound` messages.
    pub(crate) fn queue(&mut self, bound: usize) -> Outlet<M> {
        let (sender, receiver) = crossbeam_channel::bounded(bound);
        self.queues.push(receiver);
        Outlet { queue: sender, bell: Arc::clone(&self.bell) }
    }

    /// How many calls have come since the last time.
    #[cfg(test)]
    pub(crate) fn calls_taken(&self) -> usize {
        std::iter::from_fn(|| self.calls.take()).count()
    }

    pub(crate) fn take(&self) -> Option<M> {
        self.queues.iter().find_map(|queue| queue.try_recv().ok())
    }

    /// To be called before the loop sleeps. `false` means that there is a message, or a call: do
    /// not.
    pub(crate) fn may_sleep(&self) -> bool {
        self.bell.asleep.store(true, Ordering::SeqCst);
        self.queues.iter().all(Receiver::is_empty) && !self.calls.any()
    }

    /// To be called when the loop is awake again.
    pub(crate) fn awake(&self) {
        // Read first: the flag's cache line is shared with every sender.
        if self.bell.asleep.load(Ordering::Relaxed) {
            self.bell.asleep.store(false, Ordering::Relaxed);
        }
    }
}

impl<M> Outlet<M> {
    /// Sends a message, or hands it back where the queue is full or the loop is gone.
    pub(crate) fn send(&self, message: M) -> Result<(), TrySendError<M>> {
        self.queue.try_send(message)?;
        self.bell.ring();
        Ok(())
    }

    /// The same, and waits until `deadline` for a place in the queue. Not for loops.
    pub(crate) fn send_by(&self, deadline: Instant, message: M) -> Result<(), SendTimeoutError<M>> {
        self.queue.send_deadline(message, deadline)?;
        self.bell.ring();
        Ok(())
    }
}

impl Bell {
    /// To be called when there is something for the loop.
    pub(super) fn ring(&self) {
        // Pairs with `may_sleep`: the message is in the queue before the flag is read, the
        // flag was set before the queue was looked at.
        std::sync::atomic::fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::SeqCst)
            && self.asleep.swap(false, Ordering::SeqCst)
            && let Err(error) = self.waker.wake()
        {
            log::error!("an event loop could not be woken: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Poll};
    use std::time::Duration;

    #[test]
    fn a_full_queue_hands_the_message_back() {
        let poll = Poll::new().unwrap();
        let mut mailbox = Mailbox::new(poll.registry()).unwrap();
        let outlet = mailbox.queue(1);
        outlet.send(1).unwrap();
        assert!(matches!(outlet.send(2), Err(TrySendError::Full(2))));
        assert_eq!(mailbox.take(), Some(1));
        outlet.send(3).unwrap();
        assert_eq!(mailbox.take(), Some(3));
        assert_eq!(mailbox.take(), None);
    }

    #[test]
    fn no_message_is_slept_over() {
        let mut poll = Poll::new().unwrap();
        let mut mailbox = Mailbox::new(poll.registry()).unwrap();
        let outlet = mailbox.queue(4);
        let sender = std::thread::spawn(move || {
            for number in 0..20_000 {
                while outlet.send(number).is_err() {
                    std::thread::yield_now();
                }
            }
        });
        let mut events = Events::with_capacity(4);
        let mut expected = 0;
        while expected < 20_000 {
            let sleep = if mailbox.may_sleep() { Duration::from_secs(20) } else { Duration::ZERO };
            poll.poll(&mut events, Some(sleep)).unwrap();
            assert!(!(sleep > Duration::ZERO && events.is_empty()), "slept over a message");
            mailbox.awake();
            while let Some(number) = mailbox.take() {
                assert_eq!(number, expected);
                expected += 1;
            }
        }
        sender.join().unwrap();
    }
}
