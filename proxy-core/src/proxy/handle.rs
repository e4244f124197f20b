//! [`ProxyHandle`]: a running proxy.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::build::{BuildError, Proxy, Threads};
use super::control::ProxyControl;
use super::entrance::Entrance;
use crate::limits::LONGEST;
use crate::logger::{LogCounts, LogOverflow, LogThread};
use crate::metrics::Counters;
use crate::policy::Bans;
use crate::policy::throttle::Throttles;
use crate::runtime::WorkerPool;
use crate::runtime::event_loop::EventLoop;
use crate::runtime::mailbox::Outlet;
use crate::session::{
    Drain, Engine, Env, Lanes, ListenerId, LoopDoor, Message, Newest, Owner, Reception, Settings,
    Tally, Work,
};

/// A running proxy.
///
/// Dropped, it stops at once: what is under way is cut, the threads end, the ports are free
/// again.
pub struct ProxyHandle {
    pub(super) settings: Arc<Settings>,
    pub(super) newest: Arc<Newest>,
    pub(super) reception: Arc<Reception>,
    /// In the order that handlers know them by.
    pub(super) entrances: Vec<Entrance>,
    /// How many listeners there have ever been.
    pub(super) listeners: usize,
    pub(super) loops: Vec<RunningLoop>,
    pub(super) log: LogThread,
    pub(super) log_overflow: LogOverflow,
    pub(super) threads: Threads,
    pub(super) shares_addresses: bool,
    pub(super) has_default_connector: bool,
    pub(super) counters: Counters,
    pub(super) pool: Arc<WorkerPool>,
    pub(super) control: ProxyControl,
}

/// A loop, and the ways to tell it something. There is one for each thing to be told: a loop that
/// has not got to a reload yet can still be told to stop.
pub(super) struct RunningLoop {
    pub(super) reload: Outlet<Message>,
    drain: Outlet<Message>,
    pub(super) thread: JoinHandle<()>,
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
/// How many may ask a loop at once what it holds.
const QUESTIONS: usize = 8;
/// How much may be said to a loop of listeners before it listens: each acceptor says one thing at a
/// time, and waits a moment for room.
const LISTENERS: usize = 16;
/// How long the logger may take for the last records.
const GRACE: Duration = Duration::from_secs(5);

impl ProxyHandle {
    pub(super) fn start(proxy: Proxy) -> Result<ProxyHandle, BuildError> {
        let Proxy {
            listeners,
            settings,
            logger,
            log_overflow,
            threads,
            shares_addresses,
            has_default_connector,
            names_clients,
        } = proxy;
        let settings = Arc::new(settings);
        let newest = Arc::new(Newest::new(Arc::clone(&settings)));
        let limits = &settings.limits;
        let lanes = lanes(threads.workers, limits.lane_queue)?;
        let counters =
            Counters::new(threads.metrics.then_some(threads.event_loops), threads.metrics_top);
        counters.name_clients(names_clients);
        let log = LogThread::start(counters.observe(logger), limits.log_queue)?
            .with_overflow(log_overflow);
        let reception = Arc::new(Reception::new(Vec::new(), Arc::clone(&newest)));
        let (pool, totals) = (Arc::clone(&lanes.pool), log.totals());
        // To begin with it knows no loop, like the handle.
        let control = |questions, reception: &Arc<Reception>| {
            let (newest, pool) = (Arc::clone(&newest), Arc::clone(&pool));
            let (reception, totals) = (Arc::clone(reception), totals.clone());
            ProxyControl::new(questions, reception, newest, pool, totals, counters.clone())
        };
        let mut handle = ProxyHandle {
            control: control(Vec::new(), &reception),
            settings: Arc::clone(&settings),
            reception,
            newest: Arc::clone(&newest),
            entrances: Vec::new(),
            listeners: listeners.len(),
            loops: Vec::new(),
            log,
            threads,
            log_overflow,
            shares_addresses,
            has_default_connector,
            counters: counters.clone(),
            pool: Arc::clone(&pool),
        };
        let (mut doors, mut questions) = (Vec::new(), Vec::new());
        for number in 0..threads.event_loops {
            let log = handle.log.sender();
            let mut event_loop = EventLoop::<Owner, Message>::new(limits.buffer_bytes)?;
            let (meter, pulse) = handle.counters.of_loop(number);
            if let Some(pulse) = pulse {
                event_loop.tell_pulse(pulse);
            }
            let mailbox = event_loop.mailbox();
            // In the order they are taken: what waits for results has waited longest, and
            // connections that were accepted before a reload or a shutdown are served before it
            // begins.
            let results = mailbox.queue(limits.lane_queue.saturating_mul(Work::ALL.len()));
            doors.push(LoopDoor::new(mailbox.queue(limits.loop_inbox), mailbox.queue(LISTENERS)));
            let (reload, drain) = (mailbox.queue(1), mailbox.queue(1));
            let count = mailbox.queue(QUESTIONS);
            let calls = Arc::clone(mailbox.calls());
            let (newest, lanes) = (Arc::clone(&newest), lanes.clone());
            // Made where it is used: what the sessions of a loop share never leaves its thread.
            let thread = spawn(format!("proxy-loop-{number}"), move || {
                let among = (number, threads.event_loops);
                let env = Env::new(newest, lanes, (results, calls), log, among).counting(meter);
                event_loop.run(Engine::new(env));
            })?;
            questions.push((thread.thread().id(), count));
            handle.loops.push(RunningLoop { reload, drain, thread });
        }
        let reception = Reception::new(doors, Arc::clone(&newest));
        handle.reception = Arc::new(reception.held_back_by(handle.log.backlog()));
        handle.control = control(questions, &handle.reception);
        for (number, bound) in listeners.into_iter().enumerate() {
            let id = ListenerId(number);
            handle.entrances.push(Entrance::prepare(bound, id, &handle.reception)?);
        }
        handle.entrances.iter_mut().for_each(Entrance::open);
        Ok(handle)
    }

    /// The same proxy for other threads, to be looked at and to have connections closed.
    pub fn control(&self) -> ProxyControl {
        self.control.clone()
    }

    /// Where it listens, in the order the listeners were added.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.settings.own_addresses
    }

    /// Who is banned. Bans outlast reloads, which bring another policy.
    pub fn bans(&self) -> &Bans {
        &self.settings.bans
    }

    /// How its throttles do, and what was used of quotas. After a reload these are others.
    pub fn throttles(&self) -> &Throttles {
        &self.settings.throttles
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
    /// has not, and ends all threads. Idle connections are closed at once, but for those that
    /// are new: a client that has just connected has half a second for its first request, unless
    /// the deadline is shorter. What becomes of clients that wait to be accepted is their
    /// listener's [`Parting`](crate::Parting). When it returns, all records are with the logger
    /// and the ports are free.
    pub fn shutdown(self, deadline: Duration) -> ShutdownReport {
        self.shutdown_tunnels(deadline, deadline)
    }

    /// The same, with another deadline for tunnels: they know no end of their own.
    pub fn shutdown_tunnels(mut self, deadline: Duration, tunnels: Duration) -> ShutdownReport {
        self.stop(deadline, tunnels)
    }

    fn stop(&mut self, deadline: Duration, tunnels: Duration) -> ShutdownReport {
        self.control.note_end();
        for entrance in &mut self.entrances {
            entrance.shut(deadline.max(tunnels));
        }
        self.entrances.clear();
        let now = Instant::now();
        let (deadline, tunnels) = (deadline.min(LONGEST), tunnels.min(LONGEST));
        let tally = Arc::new(Tally::default());
        for event_loop in &self.loops {
            let drain = Drain {
                exchanges_until: now + deadline,
                tunnels_until: now + tunnels,
                tally: Arc::clone(&tally),
            };
            // It fails only where the loop has ended.
            drop(event_loop.drain.send(Message::Drain(drain)));
        }
        for event_loop in self.loops.drain(..) {
            join(event_loop.thread);
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

pub(super) fn spawn(
    name: String,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name).spawn(run)
}

pub(super) fn join(thread: JoinHandle<()>) {
    let name = thread.thread().name().unwrap_or("a thread").to_owned();
    if thread.join().is_err() {
        log::error!("{name} has panicked");
    }
}
