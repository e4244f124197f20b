//! [`Pulse`]: how often a loop wakes, and how long it works then.
//!
//! A loop reads the clock once, when it wakes. How long it has worked can be told only by a second
//! reading, before it sleeps. At rest that costs nothing that anybody waits for; under load it would
//! be a reading for every few requests. So a loop that wakes in quick succession is timed once in a
//! while, and what is found then counts for the turns that were not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::count::Count;

/// What others read. It shares its cache lines with nothing that another loop writes.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Pulse {
    wakes: Count,
    busy_nanos: Count,
}

/// The loop's end of it.
#[derive(Debug)]
pub(crate) struct Pacemaker {
    pulse: Arc<Pulse>,
    woke: Instant,
    /// The last turn and the sleep behind it took so long that another reading is nothing.
    is_calm: bool,
    /// Turns since the last one that was timed, in quick succession.
    untimed: u32,
}

/// When the work of a turn ended, and how many turns it stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rest {
    began: Instant,
    turns: u32,
}

/// Of turns in quick succession, one in so many is timed.
const TIMED: u32 = 16;

/// A turn that begins so long after the one before is not in quick succession.
const CALM: Duration = Duration::from_micros(200);

impl Pulse {
    /// How often the loop has woken.
    pub(crate) fn wakes(&self) -> u64 {
        self.wakes.get()
    }

    /// How long it has worked, all in all; estimated from samples.
    pub(crate) fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy_nanos.get())
    }
}

impl Pacemaker {
    pub(crate) fn new(pulse: Arc<Pulse>, now: Instant) -> Pacemaker {
        Pacemaker { pulse, woke: now, is_calm: true, untimed: 0 }
    }

    /// The loop is about to sleep. `clock` is read if this turn is to be timed.
    pub(crate) fn rests(&mut self, clock: impl FnOnce() -> Instant) -> Option<Rest> {
        self.untimed += 1;
        let turns = match (self.is_calm, self.untimed) {
            (true, _) => 1,
            (false, TIMED..) => self.untimed,
            (false, _) => return None,
        };
        self.untimed = 0;
        Some(Rest { began: clock(), turns })
    }

    /// It is awake again.
    pub(crate) fn wakes(&mut self, rest: Option<Rest>, now: Instant) {
        self.pulse.wakes.add(1);
        if let Some(Rest { began, turns }) = rest {
            let worked = began.saturating_duration_since(self.woke).as_nanos() as u64;
            self.pulse.busy_nanos.add(worked * u64::from(turns));
        }
        self.is_calm = now.saturating_duration_since(self.woke) >= CALM;
        self.woke = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has a loop wake, work and sleep in a rhythm, and gives what is told of it.
    fn told(turns: u64, work: Duration, sleep: Duration) -> (u64, Duration, u64) {
        let pulse = Arc::new(Pulse::default());
        let (mut now, mut readings) = (Instant::now(), 0);
        let mut pacemaker = Pacemaker::new(Arc::clone(&pulse), now);
        for _ in 0..turns {
            now += work;
            let rest = pacemaker.rests(|| {
                readings += 1;
                now
            });
            now += sleep;
            pacemaker.wakes(rest, now);
        }
        (pulse.wakes(), pulse.busy(), readings)
    }

    #[test]
    fn a_calm_loop_is_timed_each_time() {
        let (work, sleep) = (Duration::from_micros(300), Duration::from_millis(5));
        assert_eq!(told(1000, work, sleep), (1000, work * 1000, 1000));
    }

    #[test]
    fn a_busy_one_is_timed_now_and_then_and_that_stands_for_the_others() {
        let (work, sleep) = (Duration::from_micros(20), Duration::from_micros(5));
        let (wakes, busy, readings) = told(16_001, work, sleep);
        assert_eq!(wakes, 16_001);
        // The first turn is calm by definition, and then it is one in sixteen.
        assert_eq!(readings, 1001);
        assert_eq!(busy, work * 16_001);
    }

    #[test]
    fn a_loop_that_never_sleeps_is_busy_all_the_time() {
        let work = Duration::from_millis(1);
        let (_, busy, readings) = told(50, work, Duration::ZERO);
        assert_eq!((busy, readings), (work * 50, 50));
    }
}
