//! [`WorkerPoolBuilder`]: how many lanes, how long, how many threads.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use super::WorkerPool;
use super::lane::{self, Lane, LaneQueue};

/// Describes a [`WorkerPool`]: made by [`WorkerPool::builder`].
#[derive(Clone, Debug)]
pub struct WorkerPoolBuilder {
    name: String,
    lanes: Vec<LanePlan>,
    shared: usize,
}

#[derive(Clone, Debug)]
struct LanePlan {
    name: &'static str,
    queue: usize,
    reserved: usize,
}

impl WorkerPoolBuilder {
    pub(super) fn new() -> Self {
        WorkerPoolBuilder { name: "proxy".to_owned(), lanes: Vec::new(), shared: 0 }
    }

    /// What the names of all threads begin with: `{name}-{lane}-{n}` and `{name}-shared-{n}`,
    /// counted from 0. Default `proxy`. Linux shows the first 15 bytes.
    pub fn name(&mut self, name: impl Into<String>) -> &mut Self {
        self.name = name.into();
        self
    }

    /// Adds a lane: a queue of at most `queue` waiting jobs, and `reserved` threads that serve
    /// nothing else. Both are at least 1: a lane without a thread of its own could be starved.
    pub fn lane(&mut self, name: &'static str, queue: usize, reserved: usize) -> Lane {
        self.lanes.push(LanePlan { name, queue: queue.max(1), reserved: reserved.max(1) });
        Lane(self.lanes.len() - 1)
    }

    /// How many threads serve all lanes, on top of the reserved ones. Default 0.
    pub fn shared(&mut self, threads: usize) -> &mut Self {
        self.shared = threads;
        self
    }

    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// If there is no lane, if a name holds a NUL byte, or if the system refuses a thread.
    /// Threads that were already started end again.
    pub fn build(&self) -> io::Result<WorkerPool> {
        if self.lanes.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a worker pool needs a lane"));
        }
        let nul = |name: &str| name.contains('\0');
        if nul(&self.name) || self.lanes.iter().any(|lane| nul(lane.name)) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a thread name cannot hold a NUL byte",
            ));
        }

        let lanes: Vec<_> =
            self.lanes.iter().map(|plan| Arc::new(LaneQueue::new(plan.name, plan.queue))).collect();
        let (token, alive) = crossbeam_channel::bounded(1);
        // From here on a pool: should a thread fail to start, its drop ends the others.
        let mut pool = WorkerPool {
            lanes: lanes.clone(),
            threads: Mutex::default(),
            thread_count: 0,
            alive,
            ended_before_shutdown: OnceLock::new(),
        };
        for (plan, lane) in self.lanes.iter().zip(&lanes) {
            for n in 0..plan.reserved {
                let lane = Arc::clone(lane);
                pool.spawn(format!("{}-{}-{n}", self.name, plan.name), token.clone(), move || {
                    lane.serve()
                })?;
            }
        }
        for n in 0..self.shared {
            let lanes = lanes.clone();
            pool.spawn(format!("{}-shared-{n}", self.name), token.clone(), move || {
                lane::serve_all(&lanes)
            })?;
        }
        Ok(pool)
    }
}
