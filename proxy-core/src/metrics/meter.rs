//! [`LoopMeter`]: what one loop counts, and [`Meter`], the loop's end of it.
//!
//! Each loop has a block of its own and is the only one that writes to it; whoever wants to know adds
//! the blocks up. So to count costs a load and a store, and no loop ever waits for a cache line that
//! another one has just written.

use std::sync::Arc;
use std::time::Duration;

use super::histogram::Buckets;
use super::labels::{MethodLabel, StatusClass};
use super::traffic::Traffic;
use crate::error::Reason;
use crate::logger::AccessRecord;
use crate::runtime::count::Count;
use crate::runtime::pulse::Pulse;

/// What one loop has counted since it began.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct LoopMeter {
    requests: [[Count; StatusClass::ALL.len()]; MethodLabel::ALL.len()],
    reasons: [Count; Reason::ALL.len()],
    bytes_in: Count,
    bytes_out: Count,
    wait: Buckets,
    resolve: Buckets,
    connect: Buckets,
    first_byte: Buckets,
    duration: Buckets,
    accepted: Count,
    refused: Count,
    closed: Count,
    upstreams_opened: Count,
    upstreams_reused: Count,
    tunnels_opened: Count,
    records: Count,
    pulse: Arc<Pulse>,
}

/// How long the parts of an exchange took that took place.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Phases {
    pub(crate) wait: Option<Duration>,
    pub(crate) resolve: Option<Duration>,
    pub(crate) connect: Option<Duration>,
    pub(crate) first_byte: Option<Duration>,
    pub(crate) duration: Duration,
}

/// What became of a client that has connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Welcome {
    /// It is served.
    Accepted,
    /// It is told that it is not.
    Refused,
    /// It is closed without a word.
    Closed,
}

/// How a request came to its connection to the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It was made for it.
    Opened,
    /// It had been there before.
    Reused,
}

impl LoopMeter {
    pub(crate) fn new() -> LoopMeter {
        LoopMeter {
            requests: std::array::from_fn(|_| std::array::from_fn(|_| Count::default())),
            reasons: std::array::from_fn(|_| Count::default()),
            bytes_in: Count::default(),
            bytes_out: Count::default(),
            wait: Buckets::default(),
            resolve: Buckets::default(),
            connect: Buckets::default(),
            first_byte: Buckets::default(),
            duration: Buckets::default(),
            accepted: Count::default(),
            refused: Count::default(),
            closed: Count::default(),
            upstreams_opened: Count::default(),
            upstreams_reused: Count::default(),
            tunnels_opened: Count::default(),
            records: Count::default(),
            pulse: Arc::default(),
        }
    }

    /// Where the loop tells how it wakes and works.
    pub(crate) fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }

    /// Adds what this loop has counted to what others have.
    pub(crate) fn add_to(&self, all: &mut Traffic) {
        for (method, counts) in MethodLabel::ALL.into_iter().zip(&self.requests) {
            for (class, count) in StatusClass::ALL.into_iter().zip(counts) {
                all.requests.add(method, class, count.get());
            }
        }
        for (reason, count) in Reason::ALL.iter().zip(&self.reasons) {
            all.reasons.add(*reason, count.get());
        }
        for (sum, count) in [
            (&mut all.bytes_in, &self.bytes_in),
            (&mut all.bytes_out, &self.bytes_out),
            (&mut all.accepted, &self.accepted),
            (&mut all.refused, &self.refused),
            (&mut all.closed, &self.closed),
            (&mut all.upstreams_opened, &self.upstreams_opened),
            (&mut all.upstreams_reused, &self.upstreams_reused),
            (&mut all.tunnels_opened, &self.tunnels_opened),
            (&mut all.records, &self.records),
        ] {
            *sum += count.get();
        }
        for (sum, buckets) in [
            (&mut all.wait, &self.wait),
            (&mut all.resolve, &self.resolve),
            (&mut all.connect, &self.connect),
            (&mut all.first_byte, &self.first_byte),
            (&mut all.duration, &self.duration),
        ] {
            sum.add(buckets);
        }
    }
}

/// A loop's end of its [`LoopMeter`], or of none: where nobody wants to know, nothing is counted. There
/// is one for each, and it is not cloned.
#[derive(Debug)]
pub(crate) struct Meter(Option<Arc<LoopMeter>>);

impl Meter {
    /// The only one that counts there.
    pub(crate) fn new(meter: Option<Arc<LoopMeter>>) -> Meter {
        Meter(meter)
    }

    #[inline]
    fn count(&self, which: impl FnOnce(&LoopMeter) -> &Count, more: u64) {
        if let Some(meter) = &self.0 {
            which(meter).add(more);
        }
    }

    /// Whether anything is counted.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// An exchange, a tunnel or a refusal is over. `method` is `None` where no request was understood.
    #[inline]
    pub(crate) fn ended(
        &self,
        method: Option<&[u8]>,
        status: Option<u16>,
        reason: Option<Reason>,
        phases: &Phases,
    ) {
        let Some(meter) = &self.0 else { return };
        let method = method.map_or(MethodLabel::None, MethodLabel::of);
        meter.requests[method as usize][StatusClass::of(status) as usize].add(1);
        if let Some(reason) = reason {
            meter.reasons[reason as usize].add(1);
        }
        meter.duration.note(phases.duration);
        for (phase, buckets) in [
            (phases.wait, &meter.wait),
            (phases.resolve, &meter.resolve),
            (phases.connect, &meter.connect),
            (phases.first_byte, &meter.first_byte),
        ] {
            if let Some(time) = phase {
                buckets.note(time);
            }
        }
    }

    /// The same, by the record of it.
    pub(crate) fn ended_as(&self, record: &AccessRecord<'_>) {
        let phases = Phases {
            wait: record.wait,
            resolve: record.resolve,
            connect: record.connect,
            first_byte: record.first_byte,
            duration: record.duration,
        };
        let method = record.version.is_some().then_some(record.method.as_bytes());
        self.ended(method, record.status, record.reason, &phases);
    }

    /// Content bytes have gone by, from clients and to them.
    #[inline]
    pub(crate) fn passed(&self, bytes_in: u64, bytes_out: u64) {
        self.count(|meter| &meter.bytes_in, bytes_in);
        self.count(|meter| &meter.bytes_out, bytes_out);
    }

    /// A client has connected.
    pub(crate) fn welcomed(&self, welcome: Welcome) {
        match welcome {
            Welcome::Accepted => self.count(|meter| &meter.accepted, 1),
            Welcome::Refused => self.count(|meter| &meter.refused, 1),
            Welcome::Closed => self.count(|meter| &meter.closed, 1),
        }
    }

    /// A request has a connection to its upstream.
    #[inline]
    pub(crate) fn connected(&self, way: Way) {
        match way {
            Way::Opened => self.count(|meter| &meter.upstreams_opened, 1),
            Way::Reused => self.count(|meter| &meter.upstreams_reused, 1),
        }
    }

    /// An exchange has become a tunnel.
    pub(crate) fn tunneled(&self) {
        self.count(|meter| &meter.tunnels_opened, 1);
    }

    /// A record was made for the logger.
    #[inline]
    pub(crate) fn recorded(&self) {
        self.count(|meter| &meter.records, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summed(meters: &[Arc<LoopMeter>]) -> Traffic {
        let mut all = Traffic::default();
        meters.iter().for_each(|meter| meter.add_to(&mut all));
        all
    }

    #[test]
    fn reasons_have_their_places_by_their_order() {
        assert!(Reason::ALL.iter().enumerate().all(|(place, reason)| *reason as usize == place));
    }

    #[test]
    fn what_several_loops_count_adds_up() {
        let meters = [Arc::new(LoopMeter::new()), Arc::new(LoopMeter::new())];
        let ends = meters.clone().map(|meter| Meter::new(Some(meter)));
        for (number, end) in ends.iter().enumerate() {
            let phases = Phases {
                wait: Some(Duration::ZERO),
                duration: Duration::from_millis(3),
                ..Phases::default()
            };
            end.ended(Some(b"GET"), Some(200), None, &phases);
            end.ended(Some(b"PROPFIND"), Some(502), Some(Reason::DnsFailed), &Phases::default());
            end.passed(number as u64, 10);
            end.welcomed(Welcome::Accepted);
            end.connected(Way::Opened);
            end.recorded();
        }
        ends[1].ended(None, None, Some(Reason::ClientClosed), &Phases::default());
        ends[1].welcomed(Welcome::Closed);
        ends[0].connected(Way::Reused);
        ends[0].tunneled();

        let all = summed(&meters);
        assert_eq!(all.requests.total(), 5);
        assert_eq!(all.requests.get(MethodLabel::Get, StatusClass::Successful), 2);
        assert_eq!(all.requests.get(MethodLabel::Other, StatusClass::ServerError), 2);
        assert_eq!(all.requests.get(MethodLabel::None, StatusClass::None), 1);
        assert_eq!((all.reasons.get(Reason::DnsFailed), all.reasons.total()), (2, 3));
        assert_eq!((all.bytes_in, all.bytes_out), (1, 20));
        assert_eq!((all.wait.count(), all.duration.count(), all.connect.count()), (2, 5, 0));
        assert_eq!((all.accepted, all.refused, all.closed), (2, 0, 1));
        assert_eq!((all.upstreams_opened, all.upstreams_reused), (2, 1));
        assert_eq!((all.tunnels_opened, all.records), (1, 2));
    }

    #[test]
    fn blocks_of_different_loops_share_no_cache_line() {
        assert_eq!(align_of::<LoopMeter>(), 128);
        assert!(size_of::<LoopMeter>().is_multiple_of(128));
    }
}
