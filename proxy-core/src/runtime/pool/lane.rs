//! [`LaneQueue`]: the queue of one kind of job, how its jobs are run, and its counts.

use std::any::Any;
use std::fmt;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crossbeam_channel::{Receiver, Select, Sender};
use thiserror::Error;

/// Names a lane of the [`WorkerPool`](super::WorkerPool) whose builder gave it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lane(pub(super) usize);

/// What one lane is doing, and has done. Every accepted job is queued, running, done, panicked
/// or dropped; `running` is what the other numbers leave over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LaneStats {
    /// The name it was given.
    pub name: &'static str,
    /// Jobs that wait for a thread.
    pub queued: usize,
    /// How many may wait.
    pub queue_limit: usize,
    /// Jobs a thread has begun.
    pub running: u64,
    /// Jobs that ran to their end.
    pub done: u64,
    /// Jobs that panicked.
    pub panicked: u64,
    /// Jobs that were dropped by a shutdown before they had begun.
    pub dropped: u64,
    /// Jobs handed back because the queue was full.
    pub refused: u64,
}

/// Why a job was not taken. The job is handed back: it has not run.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
pub enum SubmitError<F> {
    /// As many jobs wait in the lane as may wait.
    #[error("the queue of the lane is full")]
    Full(F),
    /// The pool has been shut down.
    #[error("the worker pool is shut down")]
    Closed(F),
}

impl<F> SubmitError<F> {
    /// The job.
    pub fn into_inner(self) -> F {
        match self {
            SubmitError::Full(job) | SubmitError::Closed(job) => job,
        }
    }
}

// By hand, for closures have no `Debug`.
impl<F> fmt::Debug for SubmitError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SubmitError::Full(_) => "Full(..)",
            SubmitError::Closed(_) => "Closed(..)",
        })
    }
}

type Job = Box<dyn FnOnce() + Send>;

pub(super) struct LaneQueue {
    name: &'static str,
    limit: usize,
    /// `None` once the lane is closed: its threads run what is queued, and end.
    entrance: Mutex<Option<Sender<Job>>>,
    queue: Receiver<Job>,
    accepted: AtomicU64,
    refused: AtomicU64,
    done: AtomicU64,
    panicked: AtomicU64,
    dropped: AtomicU64,
}

impl LaneQueue {
    pub(super) fn new(name: &'static str, limit: usize) -> Self {
        let (entrance, queue) = crossbeam_channel::bounded(limit);
        LaneQueue {
            name,
            limit,
            entrance: Mutex::new(Some(entrance)),
            queue,
            accepted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            done: AtomicU64::new(0),
            panicked: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    pub(super) fn submit<F: FnOnce() + Send + 'static>(
        &self,
        job: F,
    ) -> Result<(), SubmitError<F>> {
        let entrance = self.entrance();
        let Some(sender) = entrance.as_ref() else { return Err(SubmitError::Closed(job)) };
        // Asked beforehand, for a job once boxed could not be handed back as what it was.
        if sender.is_full() {
            self.refused.fetch_add(1, Relaxed);
            return Err(SubmitError::Full(job));
        }
        sender
            .try_send(Box::new(job))
            .expect("who sends holds the lock, so the place is still free");
        self.accepted.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Runs the jobs of this lane until it is closed and empty.
    pub(super) fn serve(&self) {
        for job in &self.queue {
            self.run(job);
        }
    }

    /// Runs one job. A panic ends here.
    fn run(&self, job: Job) {
        // Whatever a panic leaves half done belongs to the job, or is behind a lock of its own
        // that knows about poison: the pool shares nothing with its jobs.
        match panic::catch_unwind(AssertUnwindSafe(job)) {
            Ok(()) => {
                self.done.fetch_add(1, Relaxed);
            }
            Err(payload) => {
                self.panicked.fetch_add(1, Relaxed);
                let (thread, said) = (thread::current(), message(payload));
                let thread = thread.name().unwrap_or("an unnamed thread");
                log::error!("a job of the lane {} panicked on {thread}: {said}", self.name);
            }
        }
    }

    /// Takes no more jobs.
    pub(super) fn close(&self) {
        *self.entrance() = None;
    }

    /// Drops what is queued. The lane is closed, so nothing comes after it.
    pub(super) fn drop_queued(&self) {
        while let Ok(job) = self.queue.try_recv() {
            // A job's captures may panic when they are dropped; that is not the caller's affair.
            if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(|| drop(job))) {
                let said = message(payload);
                log::error!("a dropped job of the lane {} panicked: {said}", self.name);
            }
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn stats(&self) -> LaneStats {
        // With the entrance held nothing comes in; jobs that move on meanwhile count as running.
        let _entrance = self.entrance();
        let (done, panicked, dropped) =
            (self.done.load(Relaxed), self.panicked.load(Relaxed), self.dropped());
        let queued = self.queue.len();
        let elsewhere = done + panicked + dropped + queued as u64;
        LaneStats {
            name: self.name,
            queued,
            queue_limit: self.limit,
            running: self.accepted().saturating_sub(elsewhere),
            done,
            panicked,
            dropped,
            refused: self.refused.load(Relaxed),
        }
    }

    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Relaxed)
    }

    /// Jobs that have run to their end, or panicked.
    pub(super) fn ended(&self) -> u64 {
        self.done.load(Relaxed) + self.panicked.load(Relaxed)
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    fn entrance(&self) -> MutexGuard<'_, Option<Sender<Job>>> {
        self.entrance.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the jobs of all lanes until all are closed and empty. Where several lanes have a job,
/// each is as likely to be served as the others.
pub(super) fn serve_all(lanes: &[Arc<LaneQueue>]) {
    let mut select = Select::new();
    for lane in lanes {
        select.recv(&lane.queue);
    }
    let mut open = lanes.len();
    while open > 0 {
        let ready = select.select();
        let index = ready.index();
        match ready.recv(&lanes[index].queue) {
            Ok(job) => lanes[index].run(job),
            Err(_) => {
                select.remove(index);
                open -= 1;
            }
        }
    }
}

/// What a panic said. Called also when nobody logs it, for a payload must not just be dropped.
fn message(payload: Box<dyn Any + Send>) -> String {
    if let Some(message) = payload.downcast_ref::<&str>() {
        return (*message).to_owned();
    }
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => {
            // Any type can be thrown, also one that panics again when it is dropped.
            mem::forget(payload);
            "(no message)".to_owned()
        }
    }
}
