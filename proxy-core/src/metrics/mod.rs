//! Metrics (L3): what a proxy has done and holds, as numbers.
//!
//! ```text
//!  loop 0: Meter ──▶ LoopMeter ─────┐
//!  loop 1: Meter ──▶ LoopMeter ─────┼──▶ Metrics::snapshot ──▶ Snapshot ──▶ prometheus
//!  log thread: Observed ──▶ TopTally ┤
//!  whatever else there is: Source ───┘
//! ```
//!
//! The loops count as they go: each in a block of its own, without a lock and without waiting for
//! another one. Everything else is asked for when somebody wants to know: connections by what they do,
//! queues, bans, throttles, the process. [`ProxyHandle::metrics`](crate::ProxyHandle::metrics), or that of a
//! [`ProxyControl`](crate::ProxyControl::metrics), gives a handle that any thread may keep and ask.
//! `docs/metrics.md` has each metric and its meaning.
//!
//! Names that clients make up are in no label, but those of the few who are served most, and only
//! where [that is asked for](crate::ProxyBuilder::metrics_top): a sketch of bounded size keeps them.
//!
//! What it is not: a history. Each number is that of now; whoever reads it now and then has one.

mod counters;
mod exposition;
mod families;
mod histogram;
mod labels;
mod meter;
mod process;
mod sketch;
mod snapshot;
mod text;
mod top;
mod traffic;

use std::fmt;
use std::sync::Arc;

pub(crate) use counters::Counters;
pub use families::{FAMILIES, Family, FamilyKind};
pub use histogram::Histogram;
pub use labels::{MethodLabel, StatusClass};
#[cfg(any(test, fuzzing))]
pub(crate) use meter::LoopMeter;
pub(crate) use meter::{Meter, Phases, Way, Welcome};
pub use process::Process;
pub use snapshot::{Holdings, LoopWork, Snapshot};
pub use top::{Ranked, Ranking, Top};
pub use traffic::{ReasonCounts, RequestCounts, Traffic};

/// The numbers of a proxy, for any thread. Clones are the same.
///
/// They outlive the proxy: after its end they say what it has done, and that it holds nothing.
///
/// ```
/// use proxy_core::Proxy;
///
/// let proxy = Proxy::builder().listen("127.0.0.1:0").start()?;
/// let metrics = proxy.metrics();
///
/// let now = metrics.snapshot();
/// let traffic = now.traffic.as_ref().expect("metrics are on, unless they are turned off");
/// assert_eq!((traffic.requests.total(), now.holdings.open), (0, 0));
///
/// assert!(metrics.prometheus().contains("\nproxy_connections_open 0\n"));
/// # Ok::<(), proxy_core::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    counters: Counters,
    source: Box<dyn Source>,
}

/// Whoever knows what is not counted here.
pub(crate) trait Source: Send + Sync {
    /// Puts what is known at this moment into a snapshot.
    fn tell(&self, snapshot: &mut Snapshot);
}

impl Metrics {
    pub(crate) fn new(counters: Counters, source: impl Source + 'static) -> Metrics {
        Metrics(Arc::new(Inner { counters, source: Box::new(source) }))
    }

    /// All numbers as they are now.
    ///
    /// Asks each event loop what it holds, and waits for them: that is over in well under a
    /// millisecond, and takes a quarter of a second at most, where a handler holds one up. That one is
    /// [told of](Holdings::held_up). On an event loop of the very proxy, in one of its handlers, nobody
    /// is waited for, and all are said to be held up; [defer](crate::Exchange::defer) the question.
    pub fn snapshot(&self) -> Snapshot {
        let Inner { counters, source } = &*self.0;
        let mut snapshot = Snapshot::new(counters.started);
        source.tell(&mut snapshot);
        counters.tell(&mut snapshot);
        snapshot
    }

    /// Whether the event loops count what they do: [`metrics`](crate::ProxyBuilder::metrics) are on.
    pub fn are_on(&self) -> bool {
        self.0.counters.are_on()
    }

    /// [All numbers](Self::snapshot) as a text for Prometheus: [`Snapshot::prometheus`]. Its media type is
    /// `text/plain; version=0.0.4`.
    pub fn prometheus(&self) -> String {
        self.snapshot().prometheus()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("counters", &self.0.counters).finish_non_exhaustive()
    }
}
