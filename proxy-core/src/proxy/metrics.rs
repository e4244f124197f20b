//! [`ProxyHandle::metrics`]: where the numbers of a running proxy come from.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::handle::ProxyHandle;
use super::inventory::count;
use crate::logger::LogTotals;
use crate::metrics::{Holdings, Metrics, Snapshot, Source};
use crate::runtime::WorkerPool;
use crate::runtime::mailbox::Outlet;
use crate::session::{Inventory, Message, Newest, Reception};

/// How long a loop that is held up may hold up a snapshot.
const PATIENCE: Duration = Duration::from_millis(250);

impl ProxyHandle {
    /// Its numbers, for any thread, and for longer than it runs itself.
    /// [`ProxyControl::metrics`](super::ProxyControl::metrics) gives the same.
    pub fn metrics(&self) -> Metrics {
        self.control.metrics()
    }
}

/// The parts of a proxy that are asked. Handler and connector are the embedder's, and end with the
/// proxy: nothing here keeps them alive.
pub(super) struct Running {
    /// Which threads the loops are, and how they are asked.
    pub(super) loops: Vec<(ThreadId, Outlet<Message>)>,
    pub(super) reception: Weak<Reception>,
    pub(super) newest: Weak<Newest>,
    pub(super) pool: Arc<WorkerPool>,
    pub(super) log: LogTotals,
}

impl Source for Running {
    fn tell(&self, snapshot: &mut Snapshot) {
        let pool = self.pool.stats();
        (snapshot.workers, snapshot.lanes) = (pool.threads, pool.lanes);
        snapshot.log = self.log.counts();
        let Some(newest) = self.newest.upgrade() else { return };
        snapshot.holdings = self.holdings();
        let settings = newest.get();
        snapshot.holdings.limit = settings.limits.connections;
        snapshot.log_limit = settings.limits.log_queue.saturating_mul(self.loops.len()) as u64;
        (snapshot.bans, snapshot.turned_away) =
            (settings.bans.in_force(), settings.bans.turned_away());
        snapshot.throttles = settings.throttles.states();
        // It is the embedder's code, and on his head only.
        let names = catch_unwind(AssertUnwindSafe(|| settings.connector.names()));
        snapshot.names = names.unwrap_or_else(|panic| {
            // Not dropped: any type can be thrown, also one that panics when it is.
            std::mem::forget(panic);
            log::error!("UpstreamConnector::names panicked; the metrics go without");
            None
        });
    }
}

impl Running {
    fn holdings(&self) -> Holdings {
        let own = thread::current().id();
        let is_own = self.loops.iter().any(|(thread, _)| *thread == own);
        // A loop must not wait, and would wait for itself.
        let asked: &[_] = if is_own { &[] } else { &self.loops };
        let all = count(asked.iter().map(|(_, outlet)| outlet), Instant::now() + PATIENCE);
        Holdings {
            held_up: if is_own { self.loops.len() } else { all.missing_loops },
            open: self.reception.upgrade().map_or(0, |reception| reception.seats()),
            ..of(&all)
        }
    }
}

fn of(all: &Inventory) -> Holdings {
    Holdings {
        loops: all.loops,
        idle: all.idle_clients,
        reading: all.reading_clients,
        waiting: all.waiting_clients,
        relaying: all.relaying_clients,
        tunnels: all.tunnels,
        taken_over: all.taken_over,
        leaving: all.leaving_clients,
        upstreams_busy: all.busy_upstreams,
        upstreams_idle: all.idle_upstreams,
        places: all.places,
        queued: all.waiting,
        buffers: all.buffers,
        buffered_bytes: all.buffered_bytes,
        ..Holdings::default()
    }
}
