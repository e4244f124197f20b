//! [`Running`]: a throttle at work, with its counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Mode;
use super::gauge::{Flow, Gauge};
use super::gcra::Gcra;
use super::key::Key;
use super::meters::Meters;
use super::subject::Asking;
use super::table::Cell;
use super::throttle::{Excess, Throttle};
use super::throttles::{Now, ThrottleState};
use super::volume::{Used, Volume};

/// A throttle at work.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) throttle: Throttle,
    pub(super) gauge: Gauge,
    pub(super) meters: Arc<Meters>,
    over: AtomicU64,
}

/// One of those that may be there at once; dropped, there is one less.
#[derive(Debug)]
pub(crate) struct Held {
    meters: Arc<Meters>,
    key: Key,
}

/// What became of one more.
#[derive(Debug)]
pub(super) enum Place {
    /// There is room for it.
    Taken(Held),
    /// There is none. Where that is only reported, it is there all the same.
    Over(Option<Held>),
    /// It is not counted.
    Nobodys,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.meters.release(self.key.who());
    }
}

impl Running {
    /// A throttle that begins, with the counts of the one before it that had its name, if they count
    /// the same.
    pub(super) fn begin(throttle: Throttle, before: Option<&Running>) -> Running {
        let gauge = Gauge::new(&throttle.allowance);
        let is_same = |before: &&Running| {
            before.gauge.is_like(&gauge)
                && before.throttle.scope == throttle.scope
                && before.throttle.entries == throttle.entries
        };
        // Connections are counted while they are there: no more than there are of these.
        let entries = match gauge {
            Gauge::Connections(_) => usize::MAX,
            _ => throttle.entries,
        };
        let meters = match before.filter(is_same) {
            Some(before) => Arc::clone(&before.meters),
            None => Arc::new(Meters::new(entries)),
        };
        Running { throttle, gauge, meters, over: AtomicU64::new(0) }
    }

    pub(super) fn is_enforced(&self) -> bool {
        self.throttle.mode != Mode::Report
    }

    /// Takes note that something was too much.
    pub(super) fn note_over(&self) {
        self.over.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes a place among those that may be there at once.
    pub(super) fn take_place(&self, asking: &Asking<'_>, most: u64) -> Place {
        let taken = self.throttle.with(asking, |who| {
            let who = self.meters.nameless(who);
            let (is_room, is_taken) = self.meters.change(
                who,
                |_| 0,
                |cell| {
                    // Those who are only reported about are counted all the same.
                    let is_room = cell.value < most;
                    let is_taken = is_room || !self.is_enforced();
                    cell.value += u64::from(is_taken);
                    (is_room, is_taken)
                },
            );
            let held =
                is_taken.then(|| Held { meters: Arc::clone(&self.meters), key: who.to_key() });
            match held {
                Some(held) if is_room => Place::Taken(held),
                held => {
                    self.note_over();
                    Place::Over(held)
                }
            }
        });
        taken.unwrap_or(Place::Nobodys)
    }

    /// Takes one request. An error is when to ask again.
    pub(super) fn take_request(
        &self,
        asking: &Asking<'_>,
        gcra: &Gcra,
        now: u64,
    ) -> Result<Duration, Duration> {
        let patience = match self.throttle.over {
            Excess::Delay(most) => most,
            Excess::Refuse | Excess::Drop => Duration::ZERO,
        };
        let take = |cell: &mut Cell| gcra.take(&mut cell.value, now, 1, patience);
        self.change(asking, now, take).unwrap_or(Ok(Duration::ZERO))
    }

    /// How much of the volume is left. An error is when there is more.
    pub(super) fn look_at_volume(
        &self,
        asking: &Asking<'_>,
        volume: &Volume,
        now: Now,
    ) -> Result<(), Duration> {
        let number = volume.number(now.today);
        let cell = self.throttle.with(asking, |who| self.meters.get(who)).flatten();
        let mut used = cell.map_or(Used::default(), Cell::used);
        used.turn_to(number);
        if used.bytes < volume.bytes() { Ok(()) } else { Err(volume.rest(now.today)) }
    }

    /// Counts bytes of a volume. `false` if it is used up.
    pub(super) fn use_volume(
        &self,
        asking: &Asking<'_>,
        volume: &Volume,
        bytes: u64,
        now: Now,
    ) -> bool {
        let number = volume.number(now.today);
        let debt = |cell: Cell| if cell.used().number < number { 0 } else { cell.value };
        let bytes = self.throttle.with(asking, |who| {
            self.meters.change(who, debt, |cell| {
                let mut used = cell.used();
                used.turn_to(number);
                used.bytes = used.bytes.saturating_add(bytes);
                cell.set_used(used);
                used.bytes
            })
        });
        bytes.is_none_or(|bytes| bytes < volume.bytes())
    }

    /// How a rate of bytes in this direction is kept, if that is what it is.
    pub(super) fn bytes(&self, flow: Flow) -> Option<(&Gcra, u64)> {
        match &self.gauge {
            Gauge::Bytes { direction, gcra, portion } if *direction == flow => {
                Some((gcra, *portion))
            }
            _ => None,
        }
    }

    /// Changes the count of a rate. `None` if it is nobody's.
    pub(super) fn change<R>(
        &self,
        asking: &Asking<'_>,
        now: u64,
        act: impl FnOnce(&mut Cell) -> R,
    ) -> Option<R> {
        let debt = |cell: Cell| cell.value.saturating_sub(now);
        self.throttle.with(asking, |who| self.meters.change(who, debt, act))
    }

    /// How many bytes may come at once, at most.
    pub(super) fn available(&self, asking: &Asking<'_>, gcra: &Gcra, now: u64) -> u64 {
        let cell = self.throttle.with(asking, |who| self.meters.get(who));
        match cell {
            None => u64::MAX,
            Some(cell) => gcra.available(cell.unwrap_or_default().value, now),
        }
    }

    pub(super) fn state(&self) -> ThrottleState {
        ThrottleState {
            name: Arc::clone(&self.throttle.name),
            over: self.over.load(Ordering::Relaxed),
            entries: self.meters.len(),
            forgotten: self.meters.forgotten(),
            bytes: self.meters.bytes(),
        }
    }
}
