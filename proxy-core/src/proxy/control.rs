//! [`ProxyControl`]: a running proxy, seen and steered from anywhere.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crossbeam_channel::TrySendError;

use super::inventory::count;
use super::metrics::Running;
use crate::limits::LONGEST;
use crate::logger::{LogCounts, LogTotals};
use crate::metrics::{Counters, Metrics};
use crate::policy::Bans;
use crate::policy::throttle::Throttles;
use crate::runtime::mailbox::Outlet;
use crate::runtime::{PoolStats, WorkerPool};
use crate::session::{
    ConnectionId, ConnectionStatus, Inventory, Listing, Message, Newest, Reception,
};

/// What there is to be seen of a running proxy, and its connections to be closed: for any number of
/// threads, beside the [`ProxyHandle`](super::ProxyHandle), which alone can stop it.
///
/// Whatever asks the event loops waits for them, for a while at most: not for an event loop of the
/// same proxy, so not in its handler's methods. Nothing is counted or kept while nobody asks.
///
/// It outlives its proxy, and has nothing to tell then. Until it is dropped, it keeps the settings that
/// the proxy had last; so a handler that keeps the one of its own proxy is never dropped.
///
/// ```
/// use proxy_core::Proxy;
///
/// let proxy = Proxy::builder().listen("127.0.0.1:0").start()?;
/// let control = proxy.control();
/// let client = std::net::TcpStream::connect(proxy.local_addrs()[0]).unwrap();
///
/// # while control.connections(100).total == 0 {}
/// let list = control.connections(100);
/// assert_eq!(list.connections[0].client, client.local_addr().unwrap());
/// assert_eq!(list.connections[0].state.word(), "idle");
/// assert!(control.close_connection(list.connections[0].id));
/// assert!(control.metrics().prometheus().contains("\nproxy_connections_accepted_total 1\n"));
///
/// proxy.shutdown(std::time::Duration::from_secs(1));
/// assert!(control.is_draining());
/// # Ok::<(), proxy_core::BuildError>(())
/// ```
#[derive(Clone)]
pub struct ProxyControl {
    shared: Arc<Shared>,
}

struct Shared {
    /// How the loops are asked.
    loops: Vec<Outlet<Message>>,
    reception: Arc<Reception>,
    newest: Arc<Newest>,
    pool: Arc<WorkerPool>,
    log: LogTotals,
    metrics: Metrics,
    /// It comes to its end, or has.
    is_ending: AtomicBool,
}

/// Client connections of a proxy; see [`ProxyControl::connections`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ConnectionList {
    /// Those that are told of, in no order.
    pub connections: Vec<ConnectionStatus>,
    /// How many there were in all.
    pub total: usize,
    /// Event loops that have not answered, or not with all they have: a handler holds them up. What
    /// they have not told is missing.
    pub missing_loops: usize,
}

/// How long the loops are waited for.
const PATIENCE: Duration = Duration::from_secs(2);

impl ProxyControl {
    pub(super) fn new(
        loops: Vec<(ThreadId, Outlet<Message>)>,
        reception: Arc<Reception>,
        newest: Arc<Newest>,
        pool: Arc<WorkerPool>,
        log: LogTotals,
        counters: Counters,
    ) -> ProxyControl {
        let outlets = loops.iter().map(|(_, outlet)| outlet.clone()).collect();
        let source = Running {
            loops,
            reception: Arc::downgrade(&reception),
            newest: Arc::downgrade(&newest),
            pool: Arc::clone(&pool),
            log: log.clone(),
        };
        let metrics = Metrics::new(counters, source);
        let is_ending = AtomicBool::new(false);
        let shared = Shared { loops: outlets, reception, newest, pool, log, metrics, is_ending };
        ProxyControl { shared: Arc::new(shared) }
    }

    /// The client connections there are, `most` of them at most, and how many there are in all.
    ///
    /// Each event loop tells of its own, some hundred between two events, so that nobody waits long
    /// for it. The list is of no one instant: a connection in it may have ended meanwhile, and one
    /// that has just come may be missing; none is there twice. Waits for 2 s at most.
    pub fn connections(&self, most: usize) -> ConnectionList {
        let until = Instant::now() + PATIENCE;
        let loops = &self.shared.loops;
        let (answer, answers) = crossbeam_channel::bounded(loops.len());
        let mut owing: Vec<bool> = loops
            .iter()
            .map(|outlet| {
                let listing = Listing { from: 0, most, answer: answer.clone() };
                is_owing(outlet.send(Message::List(listing)))
            })
            .collect();
        // Only the loops can answer now: if they all have, or have ended, nobody is waited for.
        drop(answer);
        let mut totals = vec![0; loops.len()];
        let mut list = ConnectionList::default();
        while let Ok(listed) = answers.recv_deadline(until) {
            let number = listed.number;
            totals[number] = listed.open;
            let left = most - list.connections.len();
            list.connections.extend(listed.connections.into_iter().take(left));
            let left = most - list.connections.len();
            owing[number] = match listed.next.filter(|_| left > 0) {
                Some(from) => {
                    let listing = Listing { from, most: left, answer: listed.answer };
                    is_owing(loops[number].send(Message::List(listing)))
                }
                None => false,
            };
        }
        list.total = totals.into_iter().sum();
        list.missing_loops = owing.into_iter().filter(|&owing| owing).count();
        list
    }

    /// Closes a client connection, whatever it does: a request that is under way, or a tunnel, is
    /// cut, and logged with [`Reason::ClosedByOperator`](crate::Reason::ClosedByOperator). `false` if
    /// there is no such connection any more, if blocking code has [taken it
    /// over](crate::Action::TakeOver), or if its event loop has not answered within 2 s; which may
    /// still close it later.
    pub fn close_connection(&self, id: ConnectionId) -> bool {
        let Some(outlet) = self.shared.loops.get(id.number) else { return false };
        let (answer, answers) = crossbeam_channel::bounded(1);
        let asked = outlet.send(Message::Close(id.key, answer));
        asked.is_ok() && answers.recv_timeout(PATIENCE).unwrap_or(false)
    }

    /// What it holds: see [`ProxyHandle::inventory`](super::ProxyHandle::inventory).
    pub fn inventory(&self, patience: Duration) -> Inventory {
        let until = Instant::now() + patience.min(LONGEST);
        let mut all = count(self.shared.loops.iter(), until);
        all.seats = self.shared.reception.seats();
        all
    }

    /// Where it listens, in the order the listeners were added; nowhere when it comes to its end.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        match self.is_draining() {
            true => Vec::new(),
            false => self.shared.newest.get().own_addresses.clone(),
        }
    }

    /// Who is banned: see [`ProxyHandle::bans`](super::ProxyHandle::bans).
    pub fn bans(&self) -> Bans {
        self.shared.newest.get().bans.clone()
    }

    /// How its throttles do: see [`ProxyHandle::throttles`](super::ProxyHandle::throttles). Those of
    /// now; after a reload, ask again.
    pub fn throttles(&self) -> Throttles {
        self.shared.newest.get().throttles.clone()
    }

    /// Statistics of the worker pool.
    pub fn worker_stats(&self) -> PoolStats {
        self.shared.pool.stats()
    }

    /// What became of the access records so far; those that wait are in none of the counts.
    pub fn log_counts(&self) -> LogCounts {
        self.shared.log.counts()
    }

    /// Its numbers: see [`ProxyHandle::metrics`](super::ProxyHandle::metrics). Unlike this, what it gives
    /// keeps nothing of the settings.
    pub fn metrics(&self) -> Metrics {
        self.shared.metrics.clone()
    }

    /// Whether it comes to its end, or has come to it: it takes no new clients.
    pub fn is_draining(&self) -> bool {
        self.shared.is_ending.load(Ordering::Acquire)
    }

    /// It comes to its end from now on.
    pub(super) fn note_end(&self) {
        self.shared.is_ending.store(true, Ordering::Release);
    }
}

impl fmt::Debug for ProxyControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyControl")
            .field("local_addrs", &self.local_addrs())
            .field("is_draining", &self.is_draining())
            .finish_non_exhaustive()
    }
}

/// Whether a loop owes an answer: one that has ended does not.
fn is_owing<M>(asked: Result<(), TrySendError<M>>) -> bool {
    !matches!(asked, Err(TrySendError::Disconnected(_)))
}
