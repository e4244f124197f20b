//! [`IdleUpstreams`]: connections that have answered and may be used again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::policy::Guarding;
use crate::runtime::sockets::SocketId;

/// The idle upstream connections of one loop, by the upstream they lead to.
///
/// The one that was used last is used next: the others grow old and can go.
#[derive(Debug)]
pub(crate) struct IdleUpstreams {
    by_key: HashMap<Box<str>, Vec<Idle>>,
    count: usize,
    most: usize,
    most_per_key: usize,
    next_sweep: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Idle {
    socket: SocketId,
    /// Whether the guard had a say when it was made.
    guarding: Guarding,
    since: Instant,
    until: Instant,
}

/// How long a connection that has outlived its time may stay until it is swept out.
const SWEEP: Duration = Duration::from_secs(1);

impl IdleUpstreams {
    pub(crate) fn new(most: usize, most_per_key: usize) -> Self {
        IdleUpstreams { by_key: HashMap::new(), count: 0, most, most_per_key, next_sweep: None }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Takes the connection to `key` that was used last, if it has been idle for at most
    /// `freshness`, and the request may use it.
    pub(crate) fn take(
        &mut self,
        key: &str,
        guarding: Guarding,
        now: Instant,
        freshness: Duration,
    ) -> Option<SocketId> {
        let idle = self.by_key.get_mut(key)?;
        let newest = *idle.last()?;
        let is_fresh = newest.until > now && now.duration_since(newest.since) <= freshness;
        if !is_fresh || !guarding.admits(newest.guarding) {
            return None;
        }
        idle.pop();
        self.count -= 1;
        Some(newest.socket)
    }

    /// Keeps a connection for `keep`. Hands it back where there is no room for it, or no time.
    pub(crate) fn put(
        &mut self,
        key: &str,
        guarding: Guarding,
        socket: SocketId,
        now: Instant,
        keep: Duration,
    ) -> Result<(), SocketId> {
        if self.count >= self.most || keep.is_zero() {
            return Err(socket);
        }
        let idle = match self.by_key.get_mut(key) {
            Some(idle) => idle,
            None => self.by_key.entry(key.into()).or_default(),
        };
        if idle.len() >= self.most_per_key {
            return Err(socket);
        }
        idle.push(Idle { socket, guarding, since: now, until: now + keep });
        self.count += 1;
        self.next_sweep.get_or_insert(now + SWEEP);
        Ok(())
    }

    /// Forgets a connection that has ended by itself.
    pub(crate) fn remove(&mut self, socket: SocketId) {
        for idle in self.by_key.values_mut() {
            if let Some(place) = idle.iter().position(|idle| idle.socket == socket) {
                idle.remove(place);
                self.count -= 1;
                return;
            }
        }
    }

    /// Gives out what has been idle for too long, and everything when `all` is asked for.
    /// Returns when to call again.
    pub(crate) fn sweep(
        &mut self,
        now: Instant,
        all: bool,
        mut close: impl FnMut(SocketId),
    ) -> Option<Duration> {
        let next = self.next_sweep?;
        if now < next && !all {
            return Some(next - now);
        }
        let mut count = 0;
        self.by_key.retain(|_, idle| {
            idle.retain(|idle| {
                let keep = idle.until > now && !all;
                if !keep {
                    close(idle.socket);
                }
                keep
            });
            count += idle.len();
            !idle.is_empty()
        });
        self.count = count;
        self.next_sweep = (count > 0).then_some(now + SWEEP);
        self.next_sweep.map(|_| SWEEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(4);

    fn socket(number: u32) -> SocketId {
        SocketId::for_test(number)
    }

    #[test]
    fn the_connection_used_last_is_used_next() {
        let (mut idle, now) = (IdleUpstreams::new(10, 10), Instant::now());
        for number in 1..=3 {
            idle.put("a:80", Guarding::Guarded, socket(number), now, LONG).unwrap();
        }
        assert_eq!(idle.take("a:80", Guarding::Guarded, now, Duration::MAX), Some(socket(3)));
        assert_eq!(idle.take("a:80", Guarding::Guarded, now, Duration::MAX), Some(socket(2)));
        assert_eq!(idle.take("b:80", Guarding::Guarded, now, Duration::MAX), None);
        assert_eq!(idle.len(), 1);
    }

    #[test]
    fn bounds_hand_the_connection_back() {
        let (mut idle, now) = (IdleUpstreams::new(3, 2), Instant::now());
        idle.put("a:80", Guarding::Guarded, socket(1), now, LONG).unwrap();
        idle.put("a:80", Guarding::Guarded, socket(2), now, LONG).unwrap();
        assert_eq!(
            idle.put("a:80", Guarding::Guarded, socket(3), now, LONG),
            Err(socket(3)),
            "per upstream"
        );
        idle.put("b:80", Guarding::Guarded, socket(4), now, LONG).unwrap();
        assert_eq!(
            idle.put("c:80", Guarding::Guarded, socket(5), now, LONG),
            Err(socket(5)),
            "in all"
        );
        idle.take("b:80", Guarding::Guarded, now, Duration::MAX).unwrap();
        let no_time = idle.put("c:80", Guarding::Guarded, socket(5), now, Duration::ZERO);
        assert_eq!(no_time, Err(socket(5)), "not even for a moment");
        idle.put("c:80", Guarding::Guarded, socket(5), now, LONG).unwrap();
    }

    #[test]
    fn old_connections_are_not_given_out_and_are_swept() {
        let (mut idle, start) = (IdleUpstreams::new(10, 10), Instant::now());
        idle.put("a:80", Guarding::Guarded, socket(1), start, LONG).unwrap();
        let later = start + Duration::from_secs(2);
        assert_eq!(
            idle.take("a:80", Guarding::Guarded, later, Duration::from_secs(1)),
            None,
            "not fresh enough"
        );
        idle.put("a:80", Guarding::Guarded, socket(2), later, LONG).unwrap();
        let mut closed = Vec::new();
        let next = idle.sweep(start + LONG, false, |socket| closed.push(socket));
        assert_eq!(closed, [socket(1)]);
        assert_eq!(next, Some(SWEEP));
        assert_eq!(
            idle.take("a:80", Guarding::Guarded, later + LONG, Duration::MAX),
            None,
            "its time is over"
        );
        idle.sweep(later, true, |socket| closed.push(socket));
        assert_eq!((closed, idle.len()), (vec![socket(1), socket(2)], 0));
        assert_eq!(idle.sweep(later, false, |_| unreachable!()), None, "nothing to wake for");
    }

    #[test]
    fn a_connection_that_ended_is_forgotten() {
        let (mut idle, now) = (IdleUpstreams::new(10, 10), Instant::now());
        idle.put("a:80", Guarding::Guarded, socket(1), now, LONG).unwrap();
        idle.put("a:80", Guarding::Guarded, socket(2), now, LONG).unwrap();
        idle.remove(socket(2));
        assert_eq!(idle.take("a:80", Guarding::Guarded, now, Duration::MAX), Some(socket(1)));
        assert_eq!(idle.len(), 0);
    }

    #[test]
    fn a_connection_that_passed_no_guard_is_for_those_who_need_none() {
        let (mut idle, now) = (IdleUpstreams::new(10, 10), Instant::now());
        idle.put("a:80", Guarding::Vouched, socket(1), now, LONG).unwrap();
        assert_eq!(idle.take("a:80", Guarding::Guarded, now, Duration::MAX), None);
        assert_eq!(idle.take("a:80", Guarding::Vouched, now, Duration::MAX), Some(socket(1)));
        idle.put("a:80", Guarding::Guarded, socket(2), now, LONG).unwrap();
        assert_eq!(idle.take("a:80", Guarding::Vouched, now, Duration::MAX), Some(socket(2)));
    }
}
