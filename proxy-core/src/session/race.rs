//! [`Race`]: which address of an upstream is tried next, and when (RFC 8305 §5).
//!
//! ```text
//!           0 ms      250 ms     500 ms
//!   first   ├──────────────────────────────────── … ─ its time is over
//!   second            ├─────✕ refused
//!   third                   ├──────────✔ connected: the others are given up
//! ```
//!
//! An address that does not answer is not waited for: after a short while the next one is tried
//! beside it, and the first that answers wins. An address that fails makes room for the next one
//! at once. Each attempt has its time, and so have all of them together.
//!
//! Nothing here knows sockets or reads a clock: `A` names an attempt, times are passed in.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::error::Reason;
use crate::limits::Timeouts;

/// Attempts under way, and addresses not yet tried.
#[derive(Debug)]
pub(super) struct Race<A> {
    untried: std::vec::IntoIter<SocketAddr>,
    attempts: Vec<Attempt<A>>,
    stagger: Duration,
    patience: Duration,
    /// When the next address is tried, if there is one.
    next_at: Instant,
    /// When everything is over.
    until: Instant,
    last_failure: Reason,
}

#[derive(Debug)]
struct Attempt<A> {
    name: A,
    until: Instant,
}

/// What to do now. Ask again after having done it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<A> {
    /// Try this address: it has either [`begun`](Race::begun) or [`failed`](Race::failed).
    Try(SocketAddr),
    /// This attempt has had its time: end it.
    GiveUp(A),
    /// Nothing, until an attempt comes to something, or this time.
    Wait(Instant),
    /// There is nothing more to try. No attempt is left.
    Lost(Reason),
}

/// All addresses together get so many times what one of them gets. The attempts run beside each
/// other, so it is enough for all; it bounds what a long list and a long stagger come to.
const ALL_TOGETHER: u32 = 2;

impl<A: Copy + PartialEq> Race<A> {
    pub(super) fn new(addresses: Vec<SocketAddr>, timeouts: &Timeouts, now: Instant) -> Race<A> {
        Race {
            untried: addresses.into_iter(),
            attempts: Vec::new(),
            stagger: timeouts.connect_stagger,
            patience: timeouts.connect,
            next_at: now,
            until: after(now, timeouts.connect.saturating_mul(ALL_TOGETHER)),
            last_failure: Reason::ConnectFailed,
        }
    }

    /// What is to be done at this time.
    pub(super) fn next(&mut self, now: Instant) -> Next<A> {
        let is_over = now >= self.until;
        if let Some(place) = self.attempts.iter().position(|a| is_over || a.until <= now) {
            self.last_failure = Reason::ConnectTimeout;
            return Next::GiveUp(self.attempts.swap_remove(place).name);
        }
        if is_over {
            return Next::Lost(Reason::ConnectTimeout);
        }
        if (self.attempts.is_empty() || self.next_at <= now)
            && let Some(address) = self.untried.next()
        {
            return Next::Try(address);
        }
        let Some(first_end) = self.attempts.iter().map(|attempt| attempt.until).min() else {
            return Next::Lost(self.last_failure);
        };
        let more = !self.untried.as_slice().is_empty();
        let next = if more { self.next_at.min(first_end) } else { first_end };
        Next::Wait(next.min(self.until))
    }

    /// The address that was to be tried is being tried.
    pub(super) fn begun(&mut self, name: A, now: Instant) {
        self.attempts.push(Attempt { name, until: after(now, self.patience) });
        self.next_at = after(now, self.stagger);
    }

    /// The address that was to be tried could not be.
    pub(super) fn not_begun(&mut self, reason: Reason, now: Instant) {
        self.last_failure = reason;
        self.next_at = now;
    }

    /// An attempt has failed.
    pub(super) fn failed(&mut self, name: A, reason: Reason, now: Instant) {
        self.take(name);
        self.not_begun(reason, now);
    }

    /// An attempt has succeeded, and that is the end. Gives out the others, which are to be
    /// ended.
    pub(super) fn won(&mut self, name: A) -> impl Iterator<Item = A> {
        self.take(name);
        self.end()
    }

    /// Gives out the attempts under way, which are to be ended.
    pub(super) fn end(&mut self) -> impl Iterator<Item = A> {
        self.attempts.drain(..).map(|attempt| attempt.name)
    }

    /// The attempts under way.
    pub(super) fn attempts(&self) -> impl Iterator<Item = A> {
        self.attempts.iter().map(|attempt| attempt.name)
    }

    fn take(&mut self, name: A) {
        self.attempts.retain(|attempt| attempt.name != name);
    }
}

/// A time too far away for the clock is as good as a year.
fn after(now: Instant, duration: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    now.checked_add(duration).unwrap_or_else(|| now + YEAR)
}

#[cfg(test)]
mod tests;
