//! [`Timers`]: a coarse wheel of deadlines.
//!
//! A task has one [`Timer`], which is moved far more often than it fires: each request moves
//! it several times. So moving a deadline back costs two stores: the wheel holds at most one
//! current entry for a timer, and when that comes up too early it is put in again where the
//! deadline stands by then. Bringing a deadline forward leaves an entry behind, which serves again
//! as soon as it can: a timer that is moved to and fro must not fill the wheel.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// What a timer fires for, in the words of the protocol.
pub(crate) type TimerKey = u64;

/// A point in time, counted in ticks from the start of the wheel.
type Tick = u64;

/// How coarse the wheel is.
const TICK_MILLIS: u64 = 16;
/// One turn of the wheel is 65 s: most deadlines are nearer. Farther ones wait for their turn.
const SLOTS: u64 = 4096;
const WORDS: usize = (SLOTS / 64) as usize;

/// The deadline of one task, and where the wheel has its entry.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    // Never the first tick: `None` needs no room of its own.
    deadline: Option<NonZeroU64>,
    queued: Option<NonZeroU64>,
    /// The last of the entries that were left behind; later than `queued`.
    behind: Option<NonZeroU64>,
}

/// An entry of the wheel that has come up; see [`Timers::fires`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    pub(crate) key: TimerKey,
    tick: Tick,
}

/// The deadlines of one loop.
#[derive(Debug)]
pub(crate) struct Timers {
    origin: Instant,
    /// The last time that was asked about, and its tick: nearly always the next is the same.
    last: Cell<(Instant, Tick)>,
    /// All entries for ticks up to this one have come up.
    done: Tick,
    slots: Vec<Vec<Due>>,
    /// A bit for each slot that holds entries.
    occupied: [u64; WORDS],
}

impl Timers {
    pub(crate) fn new(now: Instant) -> Self {
        Timers {
            origin: now,
            last: Cell::new((now, 0)),
            done: 0,
            slots: (0..SLOTS).map(|_| Vec::new()).collect(),
            occupied: [0; WORDS],
        }
    }

    /// Sets the deadline of `timer`, whatever it was, to `after` from now, at the earliest.
    pub(crate) fn arm(&mut self, timer: &mut Timer, key: TimerKey, now: Instant, after: Duration) {
        // Rounded up twice, for the part of a tick that has passed and for the part asked for.
        let deadline = self.tick(now) + ticks(after) + 2;
        timer.deadline = NonZeroU64::new(deadline);
        if timer.queued.is_none_or(|queued| queued.get() > deadline) {
            timer.behind = timer.queued.take().max(timer.behind);
            self.enqueue(timer, key, deadline);
        }
    }

    /// Sees to it that an entry comes up at `deadline`, or earlier.
    fn enqueue(&mut self, timer: &mut Timer, key: TimerKey, deadline: Tick) {
        let serves = |behind: &mut NonZeroU64| (self.done + 1..=deadline).contains(&behind.get());
        timer.queued = timer.behind.take_if(serves);
        if timer.queued.is_none() {
            timer.queued = NonZeroU64::new(deadline);
            self.put(Due { key, tick: deadline });
        }
    }

    /// How many entries there are, those that were left behind among them.
    pub(crate) fn len(&self) -> usize {
        self.slots.iter().map(Vec::len).sum()
    }

    /// How long the loop may sleep: until the next entry, or for ever.
    pub(crate) fn sleep(&self, now: Instant) -> Option<Duration> {
        let next = self.next_occupied()?;
        let at = self.origin + Duration::from_millis(next * TICK_MILLIS);
        Some(at.saturating_duration_since(now))
    }

    /// Moves on to `now` and adds the entries that have come up to `due`.
    pub(crate) fn advance(&mut self, now: Instant, due: &mut Vec<Due>) {
        let now = self.tick(now);
        while let Some(next) = self.next_occupied().filter(|&next| next <= now) {
            self.done = next;
            let slot = (next % SLOTS) as usize;
            self.occupied[slot / 64] &= !(1 << (slot % 64));
            let mut entries = std::mem::take(&mut self.slots[slot]);
            for entry in entries.drain(..) {
                if entry.tick <= next {
                    due.push(entry);
                } else {
                    self.put(entry);
                }
            }
            if self.slots[slot].is_empty() {
                // Keeps its memory for the next turn.
                self.slots[slot] = entries;
            }
        }
        self.done = self.done.max(now);
    }

    /// Whether the deadline of `timer` has passed, now that its entry has come up.
    pub(crate) fn fires(&mut self, timer: &mut Timer, due: Due) -> bool {
        if timer.queued.map(NonZeroU64::get) != Some(due.tick) {
            // An older entry, left behind when the deadline was brought forward.
            timer.behind.take_if(|behind| behind.get() <= due.tick);
            return false;
        }
        timer.queued = None;
        match timer.deadline {
            None => false, // it has fired
            Some(deadline) if deadline.get() > self.done => {
                self.enqueue(timer, due.key, deadline.get());
                false
            }
            Some(_) => {
                timer.deadline = None;
                true
            }
        }
    }

    fn put(&mut self, entry: Due) {
        // Beyond one turn an entry waits in the farthest slot and is put in again from there.
        let slot = (entry.tick.clamp(self.done + 1, self.done + SLOTS - 1) % SLOTS) as usize;
        self.occupied[slot / 64] |= 1 << (slot % 64);
        self.slots[slot].push(entry);
    }

    /// The tick of the next slot that holds entries.
    fn next_occupied(&self) -> Option<Tick> {
        let start = self.done + 1;
        let first = (start % SLOTS) as usize;
        // The word of the first slot is looked at twice: its upper bits first, its lower last.
        for step in 0..=WORDS {
            let word = (first / 64 + step) % WORDS;
            let mut bits = self.occupied[word];
            if step == 0 {
                bits &= u64::MAX << (first % 64);
            } else if step == WORDS {
                bits &= !(u64::MAX << (first % 64));
            }
            if bits != 0 {
                let slot = word as u64 * 64 + u64::from(bits.trailing_zeros());
                return Some(start + (slot + SLOTS - start % SLOTS) % SLOTS);
            }
        }
        None
    }

    fn tick(&self, now: Instant) -> Tick {
        let (last, tick) = self.last.get();
        if now == last {
            return tick;
        }
        let tick = ticks(now.saturating_duration_since(self.origin));
        self.last.set((now, tick));
        tick
    }
}

fn ticks(duration: Duration) -> Tick {
    (duration.as_secs() * 1000 + u64::from(duration.subsec_millis())) / TICK_MILLIS
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(TICK_MILLIS);

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Runs the wheel with a virtual clock and tells when `timer` fired.
    fn fired_after(
        timers: &mut Timers,
        timer: &mut Timer,
        start: Instant,
        limit: Duration,
    ) -> Option<Duration> {
        let mut now = start;
        let mut due = Vec::new();
        while let Some(sleep) = timers.sleep(now) {
            now += sleep;
            if now - start > limit {
                return None;
            }
            timers.advance(now, &mut due);
            for entry in due.drain(..) {
                if timers.fires(timer, entry) {
                    return Some(now - start);
                }
            }
        }
        None
    }

    #[test]
    fn fires_late_by_a_little_and_never_early() {
        let start = Instant::now();
        for after in [
            Duration::ZERO,
            Duration::from_millis(1),
            Duration::from_millis(250),
            secs(30),
            secs(60),
            secs(65),
            secs(66),
            secs(3600),
        ] {
            let (mut timers, mut timer) = (Timers::new(start), Timer::default());
            timers.arm(&mut timer, 1, start, after);
            let fired = fired_after(&mut timers, &mut timer, start, after * 2 + secs(1)).unwrap();
            assert!(fired >= after, "{after:?} fired after {fired:?}");
            assert!(fired <= after + 2 * TICK, "{after:?} fired after {fired:?}");
        }
    }

    #[test]
    fn a_deadline_moved_back_fires_once_at_its_last_place() {
        let start = Instant::now();
        let (mut timers, mut timer) = (Timers::new(start), Timer::default());
        for step in 0..100 {
            timers.arm(&mut timer, 1, start + secs(step), secs(60));
        }
        let entries: usize = timers.slots.iter().map(Vec::len).sum();
        assert_eq!(entries, 1, "moving back puts nothing in the wheel");
        let fired = fired_after(&mut timers, &mut timer, start, secs(1000)).unwrap();
        assert!(fired >= secs(159) && fired < secs(160));
        assert_eq!(fired_after(&mut timers, &mut timer, start + fired, secs(1000)), None);
    }

    #[test]
    fn a_deadline_brought_forward_fires_at_the_earlier_time_and_only_then() {
        let start = Instant::now();
        let (mut timers, mut timer) = (Timers::new(start), Timer::default());
        timers.arm(&mut timer, 1, start, secs(60));
        timers.arm(&mut timer, 1, start, secs(2));
        let fired = fired_after(&mut timers, &mut timer, start, secs(1000)).unwrap();
        assert!(fired >= secs(2) && fired < secs(3));
        assert_eq!(fired_after(&mut timers, &mut timer, start + fired, secs(1000)), None);
    }

    #[test]
    fn a_deadline_that_is_moved_to_and_fro_does_not_fill_the_wheel() {
        let start = Instant::now();
        let (mut timers, mut timer) = (Timers::new(start), Timer::default());
        let mut now = start;
        for _ in 0..1000 {
            // As a tunnel does that waits for a throttle again and again.
            timers.arm(&mut timer, 1, now, secs(3600));
            timers.arm(&mut timer, 1, now, Duration::from_millis(200));
            now += fired_after(&mut timers, &mut timer, now, secs(1)).unwrap();
            assert!(timers.len() <= 1, "{} entries", timers.len());
        }
        timers.arm(&mut timer, 1, now, secs(7200));
        let fired = fired_after(&mut timers, &mut timer, now, secs(8000)).unwrap();
        assert!(fired >= secs(7200) && fired < secs(7201), "{fired:?}");
        assert_eq!(timers.len(), 0);
    }

    #[test]
    fn whatever_becomes_of_a_deadline_it_fires_once_and_in_time() {
        let start = Instant::now();
        let (mut timers, mut timer) = (Timers::new(start), Timer::default());
        let (mut now, mut due, mut deadline) = (start, Vec::new(), None);
        let mut seed = 1_u64;
        for step in 0..20_000 {
            // Numbers made up by chance, the same each time.
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let chance = seed >> 33;
            let time = Duration::from_millis([1, 20, 300, 5000, 90_000][chance as usize % 5]);
            if chance & 64 == 0 {
                timers.arm(&mut timer, 1, now, time);
                deadline = Some(now + time);
            } else {
                now += time / 3;
            }
            timers.advance(now, &mut due);
            for entry in due.drain(..) {
                if timers.fires(&mut timer, entry) {
                    let wanted: Instant = deadline.take().expect("it fires once");
                    assert!(now >= wanted, "step {step}: too early");
                }
            }
            let is_late = deadline.is_some_and(|deadline| now > deadline + 4 * TICK);
            assert!(!is_late, "step {step}: it has not fired");
            assert!(timers.len() <= 8, "step {step}: {} entries", timers.len());
        }
    }

    #[test]
    fn many_timers_come_up_in_order() {
        let start = Instant::now();
        let mut timers = Timers::new(start);
        let mut all: Vec<Timer> = (0..1000).map(|_| Timer::default()).collect();
        for (key, timer) in all.iter_mut().enumerate() {
            timers.arm(
                timer,
                key as u64,
                start,
                Duration::from_millis((key as u64 * 7919) % 100_000),
            );
        }
        let (mut now, mut last, mut count, mut due) = (start, Duration::ZERO, 0, Vec::new());
        while let Some(sleep) = timers.sleep(now) {
            now += sleep;
            timers.advance(now, &mut due);
            for entry in std::mem::take(&mut due) {
                if timers.fires(&mut all[entry.key as usize], entry) {
                    let after = Duration::from_millis((entry.key * 7919) % 100_000);
                    assert!(after + 3 * TICK >= last, "out of order");
                    last = last.max(after);
                    count += 1;
                }
            }
        }
        assert_eq!(count, 1000);
    }
}
