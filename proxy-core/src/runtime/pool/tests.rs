//! Jobs wait for channels here, never for a while: no test depends on how fast the machine is.

use super::*;
use crossbeam_channel::{bounded, unbounded};
use std::any::Any;
use std::panic::resume_unwind;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Longer than any test takes that passes.
const LONG: Duration = Duration::from_secs(60);

/// Jobs that hang until the hold is dropped.
struct Hold {
    begun: (Sender<String>, Receiver<String>),
    release: Option<Sender<()>>,
    released: Receiver<()>,
}

impl Hold {
    fn new() -> Self {
        let (release, released) = bounded(0);
        Hold { begun: unbounded(), release: Some(release), released }
    }

    fn job(&self) -> impl FnOnce() + Send + 'static {
        let (begun, released) = (self.begun.0.clone(), self.released.clone());
        move || {
            begun.send(thread_name()).unwrap();
            let _ = released.recv();
        }
    }

    /// Submits a job that hangs, waits until it has begun, and tells on which thread.
    fn occupy(&self, pool: &WorkerPool, lane: Lane) -> String {
        pool.submit(lane, self.job()).unwrap();
        self.begun.1.recv_timeout(LONG).expect("a thread is free")
    }

    fn release(&mut self) {
        self.release = None;
    }
}

fn thread_name() -> String {
    thread::current().name().unwrap().to_owned()
}

/// A pool with one lane and one thread.
fn single(queue: usize) -> (WorkerPool, Lane) {
    let mut builder = WorkerPool::builder();
    let lane = builder.lane("only", queue, 1);
    (builder.build().unwrap(), lane)
}

/// Panics without the noise of the panic hook.
fn quiet_panic(payload: impl Any + Send) -> impl FnOnce() + Send {
    move || resume_unwind(Box::new(payload))
}

#[test]
fn a_full_lane_hands_the_job_back() {
    let (pool, lane) = single(2);
    let hold = Hold::new();
    hold.occupy(&pool, lane);
    pool.submit(lane, || {}).unwrap();
    pool.submit(lane, || {}).unwrap();

    let (answer, answers) = unbounded();
    let refused = pool.submit(lane, move || answer.send(42).unwrap()).unwrap_err();
    assert!(matches!(refused, SubmitError::Full(_)));
    assert_eq!(refused.to_string(), "the queue of the lane is full");
    assert_eq!(format!("{refused:?}"), "Full(..)");
    assert!(answers.is_empty());
    refused.into_inner()();
    assert_eq!(answers.recv(), Ok(42));

    let stats = &pool.stats().lanes[0];
    assert_eq!((stats.name, stats.queued, stats.queue_limit), ("only", 2, 2));
    assert_eq!((stats.running, stats.done, stats.refused), (1, 0, 1));
}

#[test]
fn a_panic_ends_with_its_job() {
    /// A panic payload that panics itself when it is dropped.
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            quiet_panic("dropped")();
        }
    }

    let (pool, lane) = single(8);
    pool.submit(lane, quiet_panic("a literal")).unwrap();
    pool.submit(lane, quiet_panic("a string".to_owned())).unwrap();
    pool.submit(lane, quiet_panic(42)).unwrap();
    pool.submit(lane, || quiet_panic(Bomb)()).unwrap();
    let (answer, answers) = unbounded();
    pool.submit(lane, move || answer.send(thread_name()).unwrap()).unwrap();
    assert_eq!(answers.recv_timeout(LONG).unwrap(), "proxy-only-0");

    assert_eq!(pool.shutdown(LONG).still_running, 0);
    let stats = &pool.stats().lanes[0];
    assert_eq!((stats.done, stats.panicked, stats.running), (1, 4, 0));
}

#[test]
fn threads_are_named_after_their_lane_and_shared_ones_serve_every_lane() {
    let mut builder = WorkerPool::builder();
    let names = builder.lane("names", 4, 1);
    let files = builder.lane("files", 4, 1);
    let pool = builder.name("test").shared(1).build().unwrap();
    assert_eq!(pool.stats().threads, 3);
    for (lane, own) in [(names, "test-names-0"), (files, "test-files-0")] {
        // Both at once need two threads: the lane's own and the shared one.
        let mut hold = Hold::new();
        let mut threads = [hold.occupy(&pool, lane), hold.occupy(&pool, lane)];
        threads.sort();
        assert_eq!(threads, [own, "test-shared-0"]);
        hold.release();
    }
}

#[test]
fn a_lane_whose_jobs_hang_does_not_stop_another() {
    let mut builder = WorkerPool::builder();
    let stuck = builder.lane("stuck", 100, 1);
    let other = builder.lane("other", 100, 1);
    let pool = builder.shared(2).build().unwrap();
    let hold = Hold::new();
    for _ in 0..3 {
        hold.occupy(&pool, stuck);
    }
    for _ in 0..100 {
        pool.submit(stuck, hold.job()).unwrap();
    }
    let (answer, answers) = unbounded();
    for n in 0..100 {
        let answer = answer.clone();
        pool.submit(other, move || answer.send(n).unwrap()).unwrap();
    }
    for n in 0..100 {
        assert_eq!(answers.recv_timeout(LONG), Ok(n));
    }
    let stats = &pool.stats().lanes[0];
    assert_eq!((stats.running, stats.queued), (3, 100));
}

#[test]
fn shutdown_runs_what_is_queued() {
    let (pool, lane) = single(100);
    let mut hold = Hold::new();
    hold.occupy(&pool, lane);
    let ran = Arc::new(AtomicU64::new(0));
    for _ in 0..100 {
        let ran = Arc::clone(&ran);
        pool.submit(lane, move || {
            ran.fetch_add(1, Relaxed);
        })
        .unwrap();
    }
    let report = thread::scope(|scope| {
        let report = scope.spawn(|| pool.shutdown(Duration::MAX));
        // The queue is full, so nothing gets in until the pool is closed.
        while !matches!(pool.submit(lane, || {}), Err(SubmitError::Closed(_))) {
            thread::yield_now();
        }
        hold.release();
        report.join().unwrap()
    });
    assert_eq!(report, PoolShutdown { finished: 101, dropped: 0, still_running: 0 });
    assert_eq!(ran.load(Relaxed), 100);
    assert_eq!(pool.shutdown(LONG), report);

    let refused = pool.submit(lane, || {}).unwrap_err();
    assert!(matches!(refused, SubmitError::Closed(_)));
    assert_eq!(refused.to_string(), "the worker pool is shut down");
}

#[test]
fn shutdown_returns_at_its_deadline_when_a_job_hangs() {
    let (pool, lane) = single(8);
    let mut hold = Hold::new();
    hold.occupy(&pool, lane);
    let (kept_by_jobs, dropped) = unbounded::<()>();
    for _ in 0..3 {
        let kept = kept_by_jobs.clone();
        pool.submit(lane, move || drop(kept)).unwrap();
    }
    drop(kept_by_jobs);

    let deadline = Duration::from_millis(20);
    let begun = Instant::now();
    let report = pool.shutdown(deadline);
    assert!(begun.elapsed() >= deadline);
    assert_eq!(report, PoolShutdown { finished: 0, dropped: 3, still_running: 1 });
    assert_eq!(dropped.try_recv(), Err(crossbeam_channel::TryRecvError::Disconnected));

    hold.release();
    let report = pool.shutdown(LONG);
    assert_eq!(report, PoolShutdown { finished: 1, dropped: 3, still_running: 0 });
    assert!(pool.threads.lock().unwrap().is_empty());
}

#[test]
fn a_queued_job_may_panic_when_it_is_dropped() {
    struct PanicsOnDrop;
    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            quiet_panic("dropped")();
        }
    }

    let (pool, lane) = single(8);
    let hold = Hold::new();
    hold.occupy(&pool, lane);
    let captured = PanicsOnDrop;
    pool.submit(lane, move || drop(captured)).unwrap();
    pool.submit(lane, || {}).unwrap();
    assert_eq!(pool.shutdown(Duration::ZERO).dropped, 2);
}

#[test]
fn a_job_may_shut_its_own_pool_down() {
    let (pool, lane) = single(8);
    let pool = Arc::new(pool);
    let (answer, answers) = unbounded();
    let held = Arc::clone(&pool);
    pool.submit(lane, move || answer.send(held.shutdown(Duration::ZERO)).unwrap()).unwrap();
    let report = answers.recv_timeout(LONG).unwrap();
    assert_eq!(report, PoolShutdown { finished: 0, dropped: 0, still_running: 1 });
    assert_eq!(pool.shutdown(LONG).finished, 1);
}

#[test]
fn dropping_the_pool_drops_what_is_queued_and_waits_for_nothing() {
    let (pool, lane) = single(8);
    let hold = Hold::new();
    hold.occupy(&pool, lane);
    let (kept, dropped) = unbounded::<()>();
    pool.submit(lane, move || drop(kept)).unwrap();
    drop(pool);
    assert!(dropped.recv_timeout(LONG).is_err());
}

#[test]
fn dropping_an_idle_pool_ends_its_threads() {
    let mut builder = WorkerPool::builder();
    builder.lane("one", 1, 2);
    builder.lane("two", 1, 2);
    let pool = builder.shared(2).build().unwrap();
    let alive = pool.alive.clone();
    drop(pool);
    assert_eq!(alive.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn a_pool_that_cannot_work_is_not_built() {
    assert!(WorkerPool::builder().shared(1).build().is_err());
    let mut builder = WorkerPool::builder();
    builder.lane("a\0b", 1, 1);
    assert!(builder.build().is_err());
}

#[test]
fn under_many_threads_the_counts_add_up() {
    const THREADS: usize = 4;
    const JOBS: u64 = 2_000;
    let mut builder = WorkerPool::builder();
    let lanes = [builder.lane("even", 8, 1), builder.lane("odd", 8, 1)];
    let pool = builder.shared(2).build().unwrap();
    let (ran, refused) = (Arc::new(AtomicU64::new(0)), AtomicU64::new(0));
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for n in 0..JOBS {
                    let ran = Arc::clone(&ran);
                    let job = move || {
                        ran.fetch_add(1, Relaxed);
                        if n % 7 == 0 {
                            quiet_panic("the seventh")();
                        }
                    };
                    if pool.submit(lanes[n as usize % 2], job).is_err() {
                        refused.fetch_add(1, Relaxed);
                    }
                }
            });
        }
    });
    pool.shutdown(LONG);
    let stats = pool.stats();
    let sum = |count: fn(&LaneStats) -> u64| stats.lanes.iter().map(count).sum::<u64>();
    assert_eq!(sum(|lane| lane.done + lane.panicked), ran.load(Relaxed));
    assert_eq!(sum(|lane| lane.refused), refused.load(Relaxed));
    assert_eq!(ran.load(Relaxed) + refused.load(Relaxed), THREADS as u64 * JOBS);
    assert_eq!(sum(|lane| lane.running + lane.dropped + lane.queued as u64), 0);
}

#[test]
fn a_shutdown_amid_submissions_loses_no_job() {
    let (pool, lane) = single(4);
    let (begun, has_begun) = bounded(1);
    let accepted = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let begun = begun.clone();
                    let job = move || {
                        let _ = begun.try_send(());
                    };
                    match pool.submit(lane, job) {
                        Ok(()) => {
                            accepted.fetch_add(1, Relaxed);
                        }
                        Err(SubmitError::Full(_)) => thread::yield_now(),
                        Err(SubmitError::Closed(_)) => break,
                    }
                }
            });
        }
        has_begun.recv_timeout(LONG).unwrap();
        pool.shutdown(Duration::ZERO);
    });
    assert_eq!(pool.shutdown(LONG).still_running, 0);
    let stats = &pool.stats().lanes[0];
    assert_eq!(stats.done + stats.dropped, accepted.load(Relaxed));
}
