//! [`Gauge`]: how the count of an [`Allowance`] is kept.

use std::time::Duration;

use super::gcra::Gcra;
use super::rate::Rate;
use super::table::Cell;
use super::throttle::Allowance;
use super::volume::{Number, Used, Volume};

/// How the count of an allowance is kept.
#[derive(Clone, Debug)]
pub(super) enum Gauge {
    Connections(u64),
    Requests(Gcra),
    Bytes {
        direction: Flow,
        gcra: Gcra,
        /// What is taken at once by those who have to wait.
        portion: u64,
    },
    Volume(Volume),
}

/// A direction in which bytes flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// From the client to the upstream.
    Up,
    /// From the upstream to the client.
    Down,
}

/// Of bytes, so many may come at once, if nothing else is said: enough for a timer that is late.
const BURST: Duration = Duration::from_millis(100);
/// Who has to wait is given as much as comes in this time: seldom enough to be cheap, and often enough
/// to look even.
const PORTION: Duration = Duration::from_millis(50);
/// But not more than that.
const MOST: u64 = 63 * 1024;

impl Gauge {
    pub(super) fn new(allowance: &Allowance) -> Gauge {
        let bytes = |direction, rate: Rate| Gauge::Bytes {
            direction,
            gcra: Gcra::new(rate, rate.burst().unwrap_or_else(|| rate.within(BURST))),
            portion: rate.within(PORTION).min(MOST),
        };
        match *allowance {
            Allowance::Connections(most) => Gauge::Connections(most),
            Allowance::Requests(rate) => {
                let second = || rate.within(Duration::from_secs(1));
                Gauge::Requests(Gcra::new(rate, rate.burst().unwrap_or_else(second)))
            }
            Allowance::Upload(rate) => bytes(Flow::Up, rate),
            Allowance::Download(rate) => bytes(Flow::Down, rate),
            Allowance::Volume(ref volume) => Gauge::Volume(volume.clone()),
        }
    }

    /// Whether counts of the one are of use for the other.
    pub(super) fn is_like(&self, other: &Gauge) -> bool {
        match (self, other) {
            (Gauge::Connections(_), Gauge::Connections(_)) => true,
            (Gauge::Requests(_), Gauge::Requests(_)) => true,
            (Gauge::Bytes { direction: one, .. }, Gauge::Bytes { direction: other, .. }) => {
                one == other
            }
            (Gauge::Volume(one), Gauge::Volume(other)) => one.period() == other.period(),
            _ => false,
        }
    }
}

impl Cell {
    pub(super) fn used(self) -> Used {
        Used { bytes: self.value, number: Number(self.number) }
    }

    pub(super) fn set_used(&mut self, used: Used) {
        (self.value, self.number) = (used.bytes, used.number.0);
    }
}
