//! [`Counters`]: all that is counted while a proxy runs.

use std::sync::Arc;
use std::time::SystemTime;

use super::meter::{LoopMeter, Meter};
use super::snapshot::{LoopWork, Snapshot};
use super::top::{Observed, TopTally};
use super::traffic::Traffic;
use crate::logger::RequestLogger;
use crate::runtime::pulse::Pulse;

/// All that is counted while a proxy runs: by its loops, where metrics are on, and on its log thread,
/// where somebody wants to know who is served most. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Counters {
    pub(super) started: SystemTime,
    loops: Option<Arc<[Arc<LoopMeter>]>>,
    top: Option<Arc<TopTally>>,
}

impl Counters {
    /// For so many loops, if they are to count; and for so many of those who are served most.
    pub(crate) fn new(loops: Option<usize>, top: usize) -> Counters {
        Counters {
            started: SystemTime::now(),
            loops: loops.map(|count| (0..count).map(|_| Arc::new(LoopMeter::new())).collect()),
            top: (top > 0).then(|| Arc::new(TopTally::new(top))),
        }
    }

    /// Whether the loops count.
    pub(super) fn are_on(&self) -> bool {
        self.loops.is_some()
    }

    /// What the loop with this number counts with, and where it tells how it works. To be called once
    /// for each: nobody else may count there.
    pub(crate) fn of_loop(&self, number: usize) -> (Meter, Option<Arc<Pulse>>) {
        let meter = self.loops.as_ref().map(|loops| Arc::clone(&loops[number]));
        let pulse = meter.as_ref().map(|meter| Arc::clone(meter.pulse()));
        (Meter::new(meter), pulse)
    }

    /// The same logger, with its records counted on their way to it where that is wanted.
    pub(crate) fn observe(&self, logger: Arc<dyn RequestLogger>) -> Arc<dyn RequestLogger> {
        match &self.top {
            Some(tally) => Arc::new(Observed::new(logger, Arc::clone(tally))),
            None => logger,
        }
    }

    /// Says whether clients are among those who are named.
    pub(crate) fn name_clients(&self, are_named: bool) {
        if let Some(tally) = &self.top {
            tally.name_clients(are_named);
        }
    }

    /// Puts what was counted so far into a snapshot. What became of the records is there already.
    pub(super) fn tell(&self, snapshot: &mut Snapshot) {
        snapshot.top = self.top.as_ref().map(|tally| tally.show());
        let Some(loops) = &self.loops else { return };
        let mut traffic = Traffic::default();
        for meter in &**loops {
            meter.add_to(&mut traffic);
            let pulse = meter.pulse();
            snapshot.loops.push(LoopWork { wakes: pulse.wakes(), busy: pulse.busy() });
        }
        let log = snapshot.log;
        let settled = log.logged + log.panicked + log.dropped;
        snapshot.log_queued = Some(traffic.records.saturating_sub(settled));
        snapshot.traffic = Some(traffic);
    }
}
