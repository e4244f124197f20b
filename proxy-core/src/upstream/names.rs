//! [`Names`]: what names were resolved to, and the look-ups under way.
//!
//! ```text
//!             ask                 resolved                time is over, or no room
//!   unknown ───────▶ being asked ──────────▶ known ─────────────────▶ unknown
//!                      ▲     │ the resolver panicked                    ▲
//!                  ask └──┐  └──────────────────────────────────────────┘
//!                      further askers wait here, without a thread
//! ```
//!
//! The table is locked for a moment at a time, never while a name is looked up: an event loop
//! can ask it what is [`known`](Names::known).

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{NameStats, Resolve};
use crate::limits::{Limits, Timeouts};

/// What came of a look-up: addresses in the order in which they are to be tried, or why there
/// are none.
pub(super) type Answer = Result<Arc<[SocketAddr]>, Failure>;

/// Why a name has no addresses. An [`io::Error`] cannot be cloned, and many are to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    kind: io::ErrorKind,
    text: Arc<str>,
}

/// The names that were looked up, for a while, and those that are being looked up.
pub(super) struct Names {
    resolver: Arc<dyn Resolve>,
    most: usize,
    ttl: Duration,
    failure_ttl: Duration,
    table: Mutex<Table>,
    /// How often a name was known, and what came of it where it was not.
    hits: AtomicU64,
    found: AtomicU64,
    failed: AtomicU64,
}

type Table = HashMap<Box<str>, Entry>;

enum Entry {
    /// Being looked up; these wait for what comes of it.
    Asked(Vec<Waiter>),
    Known {
        answer: Answer,
        until: Instant,
    },
}

type Waiter = Box<dyn FnOnce(&Answer) + Send>;

/// What asking for a name came to.
enum Joined {
    /// The waiter can be told.
    Known(Answer, Waiter),
    /// The waiter is told by whoever asked first.
    Waits,
    /// Nobody had asked: the look-up is the caller's.
    First,
}

/// How many addresses of one name are tried, and so kept.
const ADDRESSES: usize = 16;

/// No name is longer (RFC 1035 §2.3.4, written with dots). So longer ones cost no look-up, and
/// what the table holds is bounded.
const LONGEST: usize = 254;

impl Names {
    pub(super) fn new(resolver: Arc<dyn Resolve>, limits: &Limits, timeouts: &Timeouts) -> Names {
        Names {
            resolver,
            most: limits.names,
            ttl: timeouts.name_ttl,
            failure_ttl: timeouts.name_failure_ttl,
            table: Mutex::default(),
            hits: AtomicU64::new(0),
            found: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// What it holds and has done.
    pub(super) fn stats(&self) -> NameStats {
        let table = self.table();
        let known = table.values().filter(|entry| matches!(entry, Entry::Known { .. })).count();
        NameStats {
            known,
            limit: self.most,
            under_way: table.len() - known,
            hits: self.hits.load(Relaxed),
            found: self.found.load(Relaxed),
            failed: self.failed.load(Relaxed),
        }
    }

    pub(super) fn resolver(&self) -> &Arc<dyn Resolve> {
        &self.resolver
    }

    /// What is known of a name at this time.
    pub(super) fn known(&self, name: &str, now: Instant) -> Option<Answer> {
        if name.len() > LONGEST {
            return Some(Err(Failure::too_long()));
        }
        match self.table().get(name) {
            Some(Entry::Known { answer, until }) if *until > now => {
                self.hits.fetch_add(1, Relaxed);
                Some(answer.clone())
            }
            _ => None,
        }
    }

    /// Has `waiter` told what a name leads to. Blocks for the time of a look-up if there must
    /// be one, but not if one is under way: `waiter` is called by that other thread then. It is
    /// dropped without having been called if the resolver panics.
    pub(super) fn ask(
        &self,
        name: &str,
        clock: impl Fn() -> Instant,
        waiter: impl FnOnce(&Answer) + Send + 'static,
    ) {
        // What another thread has found out since the loop looked is known by now.
        match self.join(name, clock(), Box::new(waiter)) {
            Joined::Known(answer, waiter) => waiter(&answer),
            Joined::Waits => {}
            Joined::First => {
                let look_up = LookUp { names: self, name, ended: false };
                let answer = look_up.run();
                for waiter in look_up.end(&answer, clock()) {
                    waiter(&answer);
                }
            }
        }
    }

    fn join(&self, name: &str, now: Instant, waiter: Waiter) -> Joined {
        if name.len() > LONGEST {
            return Joined::Known(Err(Failure::too_long()), waiter);
        }
        let mut table = self.table();
        match table.get_mut(name) {
            Some(Entry::Known { answer, until }) if *until > now => {
                Joined::Known(answer.clone(), waiter)
            }
            Some(Entry::Asked(waiters)) => {
                waiters.push(waiter);
                Joined::Waits
            }
            Some(Entry::Known { .. }) | None => {
                table.insert(name.into(), Entry::Asked(vec![waiter]));
                Joined::First
            }
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A look-up under way. It leaves the table when it ends, however it does.
struct LookUp<'a> {
    names: &'a Names,
    name: &'a str,
    ended: bool,
}

impl LookUp<'_> {
    fn run(&self) -> Answer {
        match self.names.resolver.resolve(self.name) {
            Ok(addresses) if addresses.is_empty() => {
                Err(Failure::new(io::ErrorKind::NotFound, "the name has no addresses"))
            }
            Ok(addresses) => Ok(interleaved(addresses).into()),
            Err(error) => Err(Failure::new(error.kind(), &error.to_string())),
        }
    }

    /// Makes the answer known, and gives out those that have waited for it.
    fn end(mut self, answer: &Answer, now: Instant) -> Vec<Waiter> {
        self.ended = true;
        let count = if answer.is_ok() { &self.names.found } else { &self.names.failed };
        count.fetch_add(1, Relaxed);
        let Names { most, ttl, failure_ttl, .. } = *self.names;
        let mut table = self.names.table();
        let waiters = take_waiters(&mut table, self.name);
        let ttl = if answer.is_ok() { ttl } else { failure_ttl };
        // A time too far away for the clock is as good as none: ask again.
        let until = now.checked_add(ttl).unwrap_or(now);
        if most > 0 && until > now {
            make_room(&mut table, most, now);
            table.insert(self.name.into(), Entry::Known { answer: answer.clone(), until });
        }
        waiters
    }
}

impl Drop for LookUp<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // The resolver has panicked. Being dropped tells those who wait; that is code of
            // their own, and does not run under the lock.
            let waiters = take_waiters(&mut self.names.table(), self.name);
            drop(waiters);
        }
    }
}

fn take_waiters(table: &mut Table, name: &str) -> Vec<Waiter> {
    match table.remove(name) {
        Some(Entry::Asked(waiters)) => waiters,
        Some(Entry::Known { .. }) | None => Vec::new(),
    }
}

/// Forgets what is out of date, if the table is full, and then what would be forgotten next:
/// failures before answers, so that a flood of nonsense does not wash away what is of use.
fn make_room(table: &mut Table, most: usize, now: Instant) {
    if table.len() >= most {
        table.retain(|_, entry| !matches!(entry, Entry::Known { until, .. } if *until <= now));
    }
    while table.len() >= most {
        let next = table.iter().filter_map(|(name, entry)| match entry {
            Entry::Known { until, .. } => Some((*until, name)),
            Entry::Asked(_) => None,
        });
        let Some(name) = next.min().map(|(_, name)| name.clone()) else { return };
        table.remove(&name);
    }
}

/// Lets the address families take turns, the resolver's first choice first (RFC 8305 §4): if
/// one family does not work here, the second attempt is with the other.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|a| a.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut mixed: Vec<SocketAddr> = Vec::new();
    while mixed.len() < ADDRESSES {
        let before = mixed.len();
        mixed.extend(first.next());
        mixed.extend(second.next());
        if mixed.len() == before {
            break;
        }
    }
    mixed
}

impl Failure {
    fn new(kind: io::ErrorKind, text: &str) -> Failure {
        Failure { kind, text: text.into() }
    }

    fn too_long() -> Failure {
        Failure::new(io::ErrorKind::InvalidInput, "the name is too long")
    }

    pub(super) fn to_error(&self) -> io::Error {
        io::Error::new(self.kind, &*self.text)
    }
}

#[cfg(test)]
mod tests;
