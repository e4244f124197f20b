//! [`Throttles`]: all throttles of a proxy, and what they say.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::gauge::{Flow, Gauge};
use super::gcra::nanos;
use super::running::{Held, Place, Running};
use super::subject::Asking;
use super::table::Cell;
use super::throttle::{Excess, Scope, Throttle, ThrottleError};
use crate::error::Reason;

/// The throttles of a proxy, with their counts. Clones are the same.
#[derive(Clone, Debug)]
pub struct Throttles {
    // Here, and not behind the pointer: they are asked with each request.
    connections: bool,
    requests: bool,
    up: bool,
    down: bool,
    all: Arc<All>,
}

#[derive(Debug)]
struct All {
    /// Times are counted from here; the same ones after a reload.
    origin: Instant,
    running: Vec<Running>,
}

/// How a throttle does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ThrottleState {
    /// Its name.
    pub name: Arc<str>,
    /// How often something was too much, be it only reported. Bytes that wait are not counted.
    pub over: u64,
    /// How many counts it keeps.
    pub entries: usize,
    /// How many counts had to go that owed something, since there were too many.
    pub forgotten: u64,
    /// How much memory they occupy, in bytes, but for the names of hosts, users and rules.
    pub bytes: usize,
}

/// When something happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Instant,
    pub(crate) today: SystemTime,
}

/// The same, as counts have it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) at: u64,
    pub(super) today: SystemTime,
}

/// Something is too much.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    pub(crate) name: Arc<str>,
    pub(crate) reason: Reason,
    pub(crate) retry_after: Duration,
    pub(crate) is_dropped: bool,
}

/// How many bytes may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// So many, at once.
    Read(u64),
    /// As many as there is credit for now, after so long.
    Wait(Duration),
}

/// A connection that ends makes room for another; when, nobody knows.
const SOON: Duration = Duration::from_secs(1);

impl Default for Throttles {
    /// None.
    fn default() -> Throttles {
        Throttles::of(Instant::now(), Vec::new())
    }
}

impl Throttles {
    /// How each of them does, in the order in which they were given.
    pub fn states(&self) -> Vec<ThrottleState> {
        self.all.running.iter().map(Running::state).collect()
    }

    /// Throttles that begin, with the counts of those before them that had their names.
    pub(crate) fn begin(
        throttles: Vec<Throttle>,
        before: &Throttles,
    ) -> Result<Throttles, (Arc<str>, ThrottleError)> {
        for (number, throttle) in throttles.iter().enumerate() {
            let fail = |error| (Arc::clone(&throttle.name), error);
            throttle.check().map_err(fail)?;
            if throttles[..number].iter().any(|other| other.name == throttle.name) {
                return Err(fail(ThrottleError::Twice));
            }
        }
        let begin = |throttle: Throttle| {
            let all = &before.all.running;
            let same = all.iter().find(|running| running.throttle.name == throttle.name);
            Running::begin(throttle, same)
        };
        let running = throttles.into_iter().map(begin).collect();
        Ok(Throttles::of(before.all.origin, running))
    }

    fn of(origin: Instant, running: Vec<Running>) -> Throttles {
        let any = |is: fn(&Running) -> bool| running.iter().any(is);
        Throttles {
            connections: any(|it| {
                matches!(it.gauge, Gauge::Connections(_)) && it.throttle.scope.is_known_at_once()
            }),
            requests: any(|it| match it.gauge {
                Gauge::Connections(_) => !it.throttle.scope.is_known_at_once(),
                Gauge::Requests(_) | Gauge::Volume(_) => true,
                // So that it is known by which rule it has passed, whatever others say later.
                Gauge::Bytes { .. } => it.throttle.scope == Scope::Rule,
            }),
            up: any(|it| it.bytes(Flow::Up).is_some() || matches!(it.gauge, Gauge::Volume(_))),
            down: any(|it| it.bytes(Flow::Down).is_some() || matches!(it.gauge, Gauge::Volume(_))),
            all: Arc::new(All { origin, running }),
        }
    }

    pub(super) fn running(&self) -> &[Running] {
        &self.all.running
    }

    /// Whether requests have to be admitted.
    pub(crate) fn count_requests(&self) -> bool {
        self.requests
    }

    /// Whether bytes in this direction are counted.
    #[inline]
    pub(crate) fn count(&self, flow: Flow) -> bool {
        match flow {
            Flow::Up => self.up,
            Flow::Down => self.down,
        }
    }

    /// A client has connected. What it holds now goes to `held`; `report` hears of what is too much
    /// and only reported.
    pub(crate) fn admit_connection(
        &self,
        asking: &Asking<'_>,
        held: &mut Vec<Held>,
        mut report: impl FnMut(&Arc<str>),
    ) -> Result<(), Over> {
        if !self.connections {
            return Ok(());
        }
        for running in &self.all.running {
            if running.throttle.scope.is_known_at_once() {
                self.take_place(running, asking, held, &mut report)?;
            }
        }
        Ok(())
    }

    /// A request is to be carried out: after how long it may. An error says why it may not; nothing
    /// is counted then.
    pub(crate) fn admit_request(
        &self,
        asking: &Asking<'_>,
        moment: Moment,
        held: &mut Vec<Held>,
        mut report: impl FnMut(&Arc<str>),
    ) -> Result<Duration, Over> {
        let now = self.now(moment);
        let before = held.len();
        let mut wait = Duration::ZERO;
        for (number, running) in self.all.running.iter().enumerate() {
            let admitted = match &running.gauge {
                Gauge::Requests(gcra) => {
                    running.take_request(asking, gcra, now.at).or_else(|after| {
                        running.note_over();
                        over(running, Reason::RateLimited, after, &mut report)
                    })
                }
                Gauge::Volume(volume) => running
                    .look_at_volume(asking, volume, now)
                    .map(|()| Duration::ZERO)
                    .or_else(|after| {
                        running.note_over();
                        over(running, Reason::QuotaExceeded, after, &mut report)
                    }),
                Gauge::Connections(_) if !running.throttle.scope.is_known_at_once() => {
                    self.take_place(running, asking, held, &mut report).map(|()| Duration::ZERO)
                }
                Gauge::Connections(_) | Gauge::Bytes { .. } => Ok(Duration::ZERO),
            };
            match admitted {
                Ok(own) => wait = wait.max(own),
                Err(over) => {
                    held.truncate(before);
                    for running in &self.all.running[..number] {
                        if let Gauge::Requests(gcra) = &running.gauge {
                            running.change(asking, now.at, |it| gcra.give_back(&mut it.value, 1));
                        }
                    }
                    return Err(over);
                }
            }
        }
        Ok(wait)
    }

    pub(super) fn take_place(
        &self,
        running: &Running,
        asking: &Asking<'_>,
        held: &mut Vec<Held>,
        report: &mut impl FnMut(&Arc<str>),
    ) -> Result<(), Over> {
        let Gauge::Connections(most) = running.gauge else { return Ok(()) };
        match running.take_place(asking, most) {
            Place::Nobodys => {}
            Place::Taken(one) => held.push(one),
            Place::Over(one) => {
                held.extend(one);
                over(running, Reason::ConnectionsLimited, SOON, report)?;
            }
        }
        Ok(())
    }

    /// How many bytes may be read now. `credit` are those that have been waited for; where more have
    /// to be, they are there in advance; but no more than are `wanted`.
    pub(crate) fn leave(
        &self,
        flow: Flow,
        asking: &Asking<'_>,
        moment: Moment,
        wanted: u64,
        credit: &mut u64,
    ) -> Leave {
        let at = self.now(moment).at;
        let rates = || {
            let enforced = self.all.running.iter().filter(|running| running.is_enforced());
            enforced.filter_map(|running| Some((running, running.bytes(flow)?)))
        };
        let (mut available, mut portion) = (u64::MAX, wanted.max(1));
        for (running, (gcra, own)) in rates() {
            available = available.min(running.available(asking, gcra, at));
            portion = portion.min(own);
        }
        if *credit > 0 || available >= portion {
            return Leave::Read(credit.saturating_add(available));
        }
        // In advance: so those who wait for the same bytes come one after the other, each just once.
        let mut wait = Duration::ZERO;
        for (running, (gcra, _)) in rates() {
            let reserve = |it: &mut Cell| gcra.reserve(&mut it.value, at, portion);
            wait = wait.max(running.change(asking, at, reserve).unwrap_or_default());
        }
        *credit = portion;
        if wait.is_zero() { Leave::Read(portion) } else { Leave::Wait(wait) }
    }

    /// Bytes have been passed on, of which those are paid for that there is credit for. An error says
    /// that no more may follow.
    pub(crate) fn passed(
        &self,
        flow: Flow,
        asking: &Asking<'_>,
        moment: Moment,
        bytes: u64,
        credit: &mut u64,
        mut report: impl FnMut(&Arc<str>),
    ) -> Result<(), Over> {
        let now = self.now(moment);
        let paid = bytes.min(*credit);
        *credit -= paid;
        let mut result = Ok(());
        for running in &self.all.running {
            if let Some((gcra, _)) = running.bytes(flow) {
                if !running.is_enforced() {
                    let patience = Duration::ZERO;
                    let take = |it: &mut Cell| gcra.take(&mut it.value, now.at, bytes, patience);
                    if let Some(Err(_)) = running.change(asking, now.at, take) {
                        report(&running.throttle.name);
                    }
                } else if bytes > paid {
                    let owed = bytes - paid;
                    running.change(asking, now.at, |it| {
                        gcra.reserve(&mut it.value, now.at, owed);
                    });
                }
            } else if let Gauge::Volume(volume) = &running.gauge
                && !running.use_volume(asking, volume, bytes, now)
            {
                let rest = volume.rest(now.today);
                let ends = over(running, Reason::QuotaExceeded, rest, &mut report);
                result = result.and(ends.map(drop));
            }
        }
        result
    }

    /// Gives back what was waited for and is not needed any more.
    pub(crate) fn give_back(&self, flow: Flow, asking: &Asking<'_>, moment: Moment, credit: u64) {
        let at = self.now(moment).at;
        for running in self.all.running.iter().filter(|running| running.is_enforced()) {
            if let Some((gcra, _)) = running.bytes(flow) {
                running.change(asking, at, |it| gcra.give_back(&mut it.value, credit));
            }
        }
    }

    pub(super) fn now(&self, moment: Moment) -> Now {
        let since = moment.now.saturating_duration_since(self.all.origin);
        Now { at: nanos(since), today: moment.today }
    }
}

/// Something is too much: tells so, or only reports it.
fn over(
    running: &Running,
    reason: Reason,
    retry_after: Duration,
    report: &mut impl FnMut(&Arc<str>),
) -> Result<Duration, Over> {
    let name = &running.throttle.name;
    if !running.is_enforced() {
        report(name);
        return Ok(Duration::ZERO);
    }
    let is_dropped = running.throttle.over == Excess::Drop;
    Err(Over { name: Arc::clone(name), reason, retry_after, is_dropped })
}

#[cfg(test)]
mod tests;
