//! [`WorkerPool`]: a fixed number of threads that carry whatever may block.
//!
//! Event loops never wait, so what waits for anything but a socket (a name server, a disk, an
//! embedder's slow decision) is a job for the pool. Every kind of job has a lane:
//!
//! ```text
//!                  bounded queues             threads
//!   submit(names, …) ─▶ ▭▭▭▭▭▭ ──┬──────────▶ proxy-names-0      reserved for the lane
//!                                └────┐
//!                                     ├─────▶ proxy-shared-0 …   take from every lane
//!                                ┌────┘
//!   submit(files, …) ─▶ ▭▭▭▭▭▭ ──┴──────────▶ proxy-files-0      reserved for the lane
//! ```
//!
//! A lane whose jobs all hang can take its own threads and the shared ones, never those that
//! are reserved for another lane: no kind of job starves another.
//!
//! What the pool is not: a scheduler. Jobs have no priorities, no results and no way to be
//! cancelled; a job that must tell something takes the sending end of a channel with it.

mod builder;
mod lane;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

pub use builder::WorkerPoolBuilder;
pub use lane::{Lane, LaneStats, SubmitError};

use lane::LaneQueue;

/// A fixed number of threads that run jobs from bounded queues.
///
/// [`submit`](WorkerPool::submit) never blocks and never queues without bound: a full lane
/// hands the job back. A job that panics is counted and logged, and neither its thread nor the
/// pool takes harm (where panics unwind: with `panic = "abort"` the process ends). Share the
/// pool behind an [`Arc`]; every method takes `&self`.
///
/// Dropping the pool is [`shutdown`](WorkerPool::shutdown) with no time left: queued jobs are
/// dropped, running ones go on in threads nobody waits for.
///
/// ```
/// use proxy_core::WorkerPool;
/// use std::time::Duration;
///
/// let mut builder = WorkerPool::builder();
/// let files = builder.lane("files", 64, 1);
/// let pool = builder.shared(2).build()?;
///
/// let (answer, answers) = std::sync::mpsc::channel();
/// pool.submit(files, move || answer.send(6 * 7).expect("the receiver waits below"))?;
/// assert_eq!(answers.recv(), Ok(42));
///
/// let report = pool.shutdown(Duration::from_secs(5));
/// assert_eq!((report.dropped, report.still_running), (0, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct WorkerPool {
    lanes: Vec<Arc<LaneQueue>>,
    /// Those that have not been joined yet.
    threads: Mutex<Vec<JoinHandle<()>>>,
    thread_count: usize,
    /// Carries nothing: it is disconnected as soon as the last thread has ended. A join cannot
    /// be given a deadline, waiting for this can.
    alive: Receiver<Infallible>,
    /// How many jobs had ended when the pool was first told to shut down.
    ended_before_shutdown: OnceLock<u64>,
}

/// What a [`WorkerPool`] is doing, and has done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// The lanes, in the order in which they were made.
    pub lanes: Vec<LaneStats>,
    /// How many threads the pool was built with, reserved and shared.
    pub threads: usize,
}

/// What became of the jobs a [`WorkerPool`] had when it was shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolShutdown {
    /// Jobs that ended, well or by a panic, after the shutdown had begun.
    pub finished: u64,
    /// Queued jobs that were dropped without having run.
    pub dropped: u64,
    /// Jobs still running at the deadline. Their threads are no longer waited for.
    pub still_running: u64,
}

impl WorkerPool {
    /// Starts describing a pool.
    pub fn builder() -> WorkerPoolBuilder {
        WorkerPoolBuilder::new()
    }

    /// Queues a job. Never blocks.
    ///
    /// # Errors
    ///
    /// Hands the job back when the lane's queue is full, and once the pool is shut down. The
    /// job has not run then, and can be run, queued again or dropped.
    ///
    /// # Panics
    ///
    /// If `lane` was made for a pool with more lanes than this one has.
    pub fn submit<F>(&self, lane: Lane, job: F) -> Result<(), SubmitError<F>>
    where
        F: FnOnce() + Send + 'static,
    {
        self.lanes[lane.0].submit(job)
    }

    /// A snapshot. Lanes are read one after the other, so numbers of different lanes may be a
    /// few jobs apart in time.
    pub fn stats(&self) -> PoolStats {
        PoolStats {
            lanes: self.lanes.iter().map(|lane| lane.stats()).collect(),
            threads: self.thread_count,
        }
    }

    /// Takes no more jobs, lets the queued ones run until the deadline is over, drops those
    /// that have not begun by then, and joins the threads that have ended. Returns as soon as
    /// all jobs are done, and never waits beyond the deadline: a thread whose job hangs is left
    /// behind, and ends when its job does.
    ///
    /// Can be called again, with the same or a longer deadline, to wait for jobs that were
    /// still running; the report counts from the first call. When calls overlap, the shortest
    /// deadline decides about the queued jobs. A job may call it too: it counts itself as still
    /// running, so the call takes the whole deadline.
    pub fn shutdown(&self, deadline: Duration) -> PoolShutdown {
        let until = Instant::now().checked_add(deadline);
        let ended_before = *self.ended_before_shutdown.get_or_init(|| self.ended());
        for lane in &self.lanes {
            lane.close();
        }
        let waited = match until {
            Some(until) => self.alive.recv_deadline(until),
            // Too far away for the clock: for ever.
            None => self.alive.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        for lane in &self.lanes {
            lane.drop_queued();
        }
        self.join(|thread| waited == Err(RecvTimeoutError::Disconnected) || thread.is_finished());

        // Closed lanes accept nothing, so every job is in exactly one of these numbers.
        let ended = self.ended();
        let dropped = self.lanes.iter().map(|lane| lane.dropped()).sum();
        let accepted: u64 = self.lanes.iter().map(|lane| lane.accepted()).sum();
        PoolShutdown {
            finished: ended - ended_before,
            dropped,
            still_running: accepted - ended - dropped,
        }
    }

    /// Jobs that have run to their end, or panicked.
    fn ended(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.ended()).sum()
    }

    /// Joins the threads that have ended and keeps the others for another call.
    fn join(&self, has_ended: impl Fn(&JoinHandle<()>) -> bool) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let (ended, running): (Vec<_>, _) = threads.drain(..).partition(has_ended);
        *threads = running;
        for thread in ended {
            // Jobs cannot panic a thread; if something else did, it has been shown already.
            let _ = thread.join();
        }
    }

    /// Starts one more thread. `token` is dropped when it ends.
    fn spawn(
        &mut self,
        name: String,
        token: Sender<Infallible>,
        work: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let thread = thread::Builder::new().name(name).spawn(move || {
            let _token = token;
            work();
        })?;
        self.threads.get_mut().unwrap_or_else(PoisonError::into_inner).push(thread);
        self.thread_count += 1;
        Ok(())
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        self.shutdown(Duration::ZERO);
    }
}

impl fmt::Debug for WorkerPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WorkerPool").field(&self.stats()).finish()
    }
}
