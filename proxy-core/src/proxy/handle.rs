//! [`ProxyHandle`]: a running proxy.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::acceptor::{LoopDoor, Reception, blocking};
use super::builder::{BuildError, Proxy};
use crate::limits::LONGEST;
use crate::logger::{LogCounts, LogThread};
use crate::net::Wake;
use crate::runtime::WorkerPool;
use crate::runtime::event_loop::EventLoop;
use crate::runtime::mailbox::Outlet;
use crate::session::{Drain, Engine, Env, Lanes, Message, Owner, Tally, Work};

/// A running proxy.
///
/// Dropped, it stops at once: what is under way is cut, the threads end, the ports are free
/// again.
pub struct ProxyHandle {
    addresses: Vec<SocketAddr>,
    reception: Arc<Reception>,
    wakes: Vec<Wake>,
    acceptors: Vec<JoinHandle<()>>,
    controls: Vec<Outlet<Message>>,
    loops: Vec<JoinHandle<()>>,
    pool: Arc<WorkerPool>,
    log: LogThread,
}

/// What became of the connections that were open when a shutdown began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Connections that came to their own end, idle ones among them.
    pub drained: usize,
    /// Connections that were cut when the time was over.
    pub cut: usize,
    /// What became of all records since the start. What a logger that hangs has not got through
    /// is in none of its counts.
    pub log: LogCounts,
}

/// How long a job that hangs (a look-up, most often) may hold up a shutdown.
const MOMENT: Duration = Duration::from_millis(100);
/// How long the logger may take for the last records.
const GRACE: Duration = Duration::from_secs(5);

impl ProxyHandle {
    pub(super) fn start(proxy: Proxy) -> Result<ProxyHandle, BuildError> {
        let Proxy { listeners, clients, settings, logger, event_loops, workers } = proxy;
        let settings = Arc::new(settings);
        let limits = &settings.limits;
        let lanes = lanes(workers, limits.lane_queue)?;
        let log = LogThread::start(logger, limits.log_queue)?;
        let mut handle = ProxyHandle {
            addresses: settings.own_addresses.clone(),
            reception: Arc::new(Reception::new(Vec::new(), clients.clone(), limits)),
            wakes: Vec::new(),
            acceptors: Vec::new(),
            controls: Vec::new(),
            loops: Vec::new(),
            pool: Arc::clone(&lanes.pool),
            log,
        };
        let mut doors = Vec::new();
        for number in 0..event_loops {
            let log = handle.log.sender();
            let mut event_loop = EventLoop::<Owner, Message>::new(limits.buffer_bytes)?;
            let mailbox = event_loop.mailbox();
            // In the order they are taken: what waits for results has waited longest, and
            // connections that were accepted before a shutdown are served before it begins.
            let results = mailbox.queue(limits.lane_queue.saturating_mul(Work::ALL.len()));
            doors.push(LoopDoor::new(mailbox.queue(limits.loop_inbox)));
            handle.controls.push(mailbox.queue(1));
            let (settings, lanes) = (Arc::clone(&settings), lanes.clone());
            // Made where it is used: what the sessions of a loop share never leaves its thread.
            let thread = spawn(format!("proxy-loop-{number}"), move || {
                let env = Env::new(settings, lanes, results, log, (number, event_loops));
                event_loop.run(Engine::new(env));
            })?;
            handle.loops.push(thread);
        }
        handle.reception = Arc::new(Reception::new(doors, clients, limits));
        for (number, listener) in listeners.into_iter().enumerate() {
            let (accept, wake) = blocking(listener.open()?)?;
            let reception = Arc::clone(&handle.reception);
            // The listener lives as long as its thread: with both the port is free again.
            let thread = spawn(format!("proxy-accept-{number}"), move || {
                reception.run(accept, number);
                drop(listener);
            })?;
            handle.wakes.push(wake);
            handle.acceptors.push(thread);
        }
        Ok(handle)
    }

    /// Where it listens, in the order the listeners were added.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Statistics of the worker pool.
    pub fn worker_stats(&self) -> crate::runtime::PoolStats {
        self.pool.stats()
    }

    /// What became of the access records so far; those that wait are in none of the counts.
    pub fn log_counts(&self) -> LogCounts {
        self.log.counts()
    }

    /// Stops accepting, lets what is under way come to its end within `deadline`, cuts what
    /// has not, and ends all threads. Idle connections are closed at once. When it returns,
    /// all records are with the logger and the ports are free.
    pub fn shutdown(self, deadline: Duration) -> ShutdownReport {
        self.shutdown_tunnels(deadline, deadline)
    }

    /// The same, with another deadline for tunnels: they know no end of their own.
    pub fn shutdown_tunnels(mut self, deadline: Duration, tunnels: Duration) -> ShutdownReport {
        self.stop(deadline, tunnels)
    }

    fn stop(&mut self, deadline: Duration, tunnels: Duration) -> ShutdownReport {
        self.reception.close();
        for wake in &self.wakes {
            wake();
        }
        for acceptor in self.acceptors.drain(..) {
            join(acceptor);
        }
        let now = Instant::now();
        let (deadline, tunnels) = (deadline.min(LONGEST), tunnels.min(LONGEST));
        let tally = Arc::new(Tally::default());
        for control in self.controls.drain(..) {
            let drain = Drain {
                exchanges_until: now + deadline,
                tunnels_until: now + tunnels,
                tally: Arc::clone(&tally),
            };
            // It fails only where the loop has ended.
            drop(control.send(Message::Drain(drain)));
        }
        for event_loop in self.loops.drain(..) {
            join(event_loop);
        }
        // Nobody waits for queued jobs any more; threads without a job need a moment to end.
        self.pool.shutdown(Duration::ZERO);
        self.pool.shutdown(MOMENT);
        let log = self.log.shutdown(GRACE);
        let (open, cut) = (tally.open.load(Ordering::Relaxed), tally.cut.load(Ordering::Relaxed));
        ShutdownReport { drained: open.saturating_sub(cut), cut, log }
    }
}

impl Drop for ProxyHandle {
    fn drop(&mut self) {
        self.stop(Duration::ZERO, Duration::ZERO);
    }
}

fn lanes(workers: usize, queue: usize) -> io::Result<Lanes> {
    let mut builder = WorkerPool::builder();
    builder.name("proxy").shared(workers - Work::ALL.len());
    let lanes = Work::ALL.map(|(_, name)| builder.lane(name, queue, 1));
    Ok(Lanes { pool: Arc::new(builder.build()?), lanes })
}

fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name).spawn(run)
}

fn join(thread: JoinHandle<()>) {
    let name = thread.thread().name().unwrap_or("a thread").to_owned();
    if thread.join().is_err() {
        log::error!("{name} has panicked");
    }
}
