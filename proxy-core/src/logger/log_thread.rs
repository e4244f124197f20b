//! [`LogThread`]: the log thread, and the [`LogSender`] each loop has to it.
//!
//! Every record that is pushed ends in exactly one of three counts: logged, lost in a panic of
//! the logger, or dropped. It is a [`Parcel`] that sees to it: when one is dropped, on whatever
//! way, the records still in it are counted as dropped.

mod backlog;
#[cfg(any(test, fuzzing))]
mod collected;

use std::convert::Infallible;
use std::io;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};

use super::RequestLogger;
use super::batch::Batch;
use super::record::AccessRecord;
pub(crate) use backlog::Backlog;
pub use backlog::LogOverflow;
use backlog::Waiting;
#[cfg(any(test, fuzzing))]
pub(crate) use collected::{Collected, collected};

/// A full batch: enough records that waking the log thread costs each of them next to nothing.
const BATCH: usize = 256;
/// Batches on their way to the logger, of all loops. A batch that finds no place stays with its
/// loop and grows.
const HANDED_OVER: usize = 64;
/// Emptied batches that wait to be filled again, per loop.
const EMPTIED: usize = 16;
/// Batches after which the logger is flushed although more are waiting.
const FLUSH_AFTER: u32 = 16;
/// Bytes of text a waiting record may have on average. Targets may be a hundred times longer, so
/// a bound on records alone would be none on memory.
const TEXT_PER_RECORD: u64 = 512;
/// How long a loop that ends waits for a place for its last records, where none is to be lost.
const LAST_WAIT: Duration = Duration::from_secs(5);
/// How often dropped records are told of.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What became of the records that were given to a log. Together they are all of them, but for
/// those that still wait: all but the last, which tells of some of them again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogCounts {
    /// The logger has taken them.
    pub logged: u64,
    /// The logger panicked over them.
    pub panicked: u64,
    /// Too many were waiting, or the log had been shut down.
    pub dropped: u64,
    /// Of those that were logged, so many have not got to where they were to go, as far as the
    /// logger [has told](RequestLogger::lost). Of several places, each counts.
    pub lost: u64,
}

/// The log thread, and the way to it.
#[derive(Debug)]
pub(crate) struct LogThread {
    queue: Sender<Message>,
    totals: Arc<Totals>,
    is_off: Arc<AtomicBool>,
    limit: u64,
    overflow: LogOverflow,
    /// Those of all senders, where the log can hold up the proxy.
    waiting: Mutex<Vec<Waiting>>,
    thread: Option<JoinHandle<()>>,
    /// Carries nothing: it is disconnected when the thread ends.
    alive: Receiver<Infallible>,
}

/// What became of the records of a log, at any time.
#[derive(Clone, Debug)]
pub(crate) struct LogTotals(Arc<Totals>);

impl LogTotals {
    pub(crate) fn counts(&self) -> LogCounts {
        self.0.counts()
    }
}

enum Message {
    Records(Parcel),
    /// Log what comes behind this with another logger.
    Replace(Arc<dyn RequestLogger>),
    Stop,
}

impl LogThread {
    /// Starts the log thread. Each sender may have `limit` records waiting, at least one.
    pub(crate) fn start(logger: Arc<dyn RequestLogger>, limit: usize) -> io::Result<Self> {
        let (queue, parcels) = crossbeam_channel::bounded(HANDED_OVER);
        let (token, alive) = crossbeam_channel::bounded(1);
        let totals = Arc::new(Totals::default());
        let is_off = Arc::new(AtomicBool::new(logger.is_off()));
        let worker = Worker::new(logger, Arc::clone(&totals));
        let thread = thread::Builder::new().name("proxy-log".to_owned()).spawn(move || {
            let _token: Sender<Infallible> = token;
            worker.run(parcels);
        })?;
        let limit = limit.max(1) as u64;
        let overflow = LogOverflow::Drop;
        let waiting = Mutex::default();
        Ok(LogThread {
            queue,
            totals,
            is_off,
            limit,
            overflow,
            waiting,
            thread: Some(thread),
            alive,
        })
    }

    /// What becomes of records that come when too many wait, of senders made from now on.
    pub(crate) fn with_overflow(self, overflow: LogOverflow) -> Self {
        LogThread { overflow, ..self }
    }

    /// A way to the log for one more loop.
    pub(crate) fn sender(&self) -> LogSender {
        let (give_back, emptied) = crossbeam_channel::bounded(EMPTIED);
        let account = Account {
            settled: AtomicU64::new(0),
            settled_text: AtomicU64::new(0),
            totals: Arc::clone(&self.totals),
            give_back,
        };
        let account = Arc::new(account);
        let pushed = Arc::new(Pushed::default());
        if self.overflow == LogOverflow::Block {
            let waiting = Waiting::new(Arc::clone(&account), Arc::clone(&pushed), self.limit);
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(waiting);
        }
        LogSender {
            batch: Batch::default(),
            queue: self.queue.clone(),
            emptied,
            account,
            is_off: Arc::clone(&self.is_off),
            limit: self.limit,
            overflow: self.overflow,
            pushed,
        }
    }

    /// How far behind the log is, for those who let clients in. It knows the senders there are.
    pub(crate) fn backlog(&self) -> Backlog {
        Backlog::of(self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    pub(crate) fn counts(&self) -> LogCounts {
        self.totals.counts()
    }

    /// The same for somebody else, for as long as they like.
    pub(crate) fn totals(&self) -> LogTotals {
        LogTotals(Arc::clone(&self.totals))
    }

    /// Has everything that is handed over from now on logged by `logger`. `false` if the present
    /// one is so slow that there was no way to say so within `deadline`.
    pub(crate) fn replace(&self, logger: Arc<dyn RequestLogger>, deadline: Duration) -> bool {
        let is_off = logger.is_off();
        let is_replaced = self.queue.send_timeout(Message::Replace(logger), deadline).is_ok();
        if is_replaced {
            self.is_off.store(is_off, Relaxed);
        }
        is_replaced
    }

    /// Has everything logged that was handed over before, flushes the logger and joins the
    /// thread. A logger that takes longer than the deadline is left behind with what it has. What
    /// is pushed later is dropped and counted.
    pub(crate) fn shutdown(&mut self, deadline: Duration) -> LogCounts {
        self.shutdown_after(None, deadline)
    }

    /// The same, with a last parcel for which the log thread makes a place within the deadline.
    pub(super) fn shutdown_after(&mut self, rest: Option<Parcel>, deadline: Duration) -> LogCounts {
        let Some(thread) = self.thread.take() else { return self.counts() };
        let last = rest.map(Message::Records).into_iter().chain([Message::Stop]);
        let stopped = match Instant::now().checked_add(deadline) {
            Some(until) => {
                last.map(|message| self.queue.send_deadline(message, until))
                    .all(|sent| sent.is_ok())
                    && self.alive.recv_deadline(until) == Err(RecvTimeoutError::Disconnected)
            }
            // Too far away for the clock: for ever.
            None => {
                last.map(|message| self.queue.send(message)).all(|sent| sent.is_ok())
                    && self.alive.recv().is_err()
            }
        };
        if stopped {
            // The logger's panics are caught; if anything else panicked, it has been shown.
            let _ = thread.join();
        } else {
            log::warn!("the access log was not done in time: its last records may be missing");
        }
        self.counts()
    }
}

/// A loop's end of the log. Dropping it hands over what it has.
#[derive(Debug)]
pub(crate) struct LogSender {
    batch: Batch,
    queue: Sender<Message>,
    emptied: Receiver<Batch>,
    account: Arc<Account>,
    /// Nobody wants records. Apart from the counts: they are written all the time.
    is_off: Arc<AtomicBool>,
    limit: u64,
    overflow: LogOverflow,
    pushed: Arc<Pushed>,
}

/// All records that a sender has taken in, and the bytes of their texts. Only the sender writes it.
#[derive(Debug, Default)]
pub(super) struct Pushed {
    records: AtomicU64,
    text: AtomicU64,
}

impl LogSender {
    /// Whether records are of no use to anybody, and need not be made.
    pub(crate) fn is_off(&self) -> bool {
        self.is_off.load(Relaxed)
    }

    /// Copies a record. Hands over when a batch is full; drops and counts the record when too
    /// many are waiting, unless the log [holds up the proxy](LogOverflow::Block) then. Never blocks.
    pub(crate) fn push(&mut self, record: &AccessRecord<'_>) {
        if self.overflow == LogOverflow::Drop && self.is_full() {
            self.account.totals.dropped.fetch_add(1, Relaxed);
            return;
        }
        let text = self.batch.text_len();
        self.batch.push(record);
        let text = (self.batch.text_len() - text) as u64;
        // Nobody else writes them: a store is enough.
        let Pushed { records, text: texts } = &*self.pushed;
        records.store(records.load(Relaxed) + 1, Relaxed);
        texts.store(texts.load(Relaxed) + text, Relaxed);
        if self.batch.len().is_multiple_of(BATCH) {
            self.flush();
        }
    }

    /// Whether as many records wait as may.
    fn is_full(&self) -> bool {
        self.account.is_full(&self.pushed, self.limit)
    }

    /// Whether there are to be no more exchanges than those that are under way, until the log has
    /// caught up: their records are not dropped.
    pub(crate) fn holds_up(&self) -> bool {
        self.overflow == LogOverflow::Block && self.is_full()
    }

    /// Hands the batch over, if there is one and there is a place for it. Never blocks.
    pub(crate) fn flush(&mut self) {
        if self.batch.len() == 0 || self.queue.is_full() {
            return;
        }
        let parcel =
            Parcel { batch: mem::take(&mut self.batch), account: Arc::clone(&self.account) };
        match self.queue.try_send(Message::Records(parcel)) {
            Ok(()) => self.batch = self.emptied.try_recv().unwrap_or_default(),
            // Another loop was faster.
            Err(TrySendError::Full(Message::Records(mut parcel))) => {
                self.batch = mem::take(&mut parcel.batch)
            }
            // The log thread has ended: dropping the parcel counts its records.
            Err(_) => {}
        }
    }

    /// What has not been handed over, for [`LogThread::shutdown_after`].
    pub(super) fn take_rest(&mut self) -> Option<Parcel> {
        let batch = mem::take(&mut self.batch);
        (batch.len() > 0).then(|| Parcel { batch, account: Arc::clone(&self.account) })
    }

    /// The counts of all senders.
    pub(super) fn counts(&self) -> LogCounts {
        self.account.totals.counts()
    }

    /// How many records have not been handed over.
    pub(crate) fn pending(&self) -> usize {
        self.batch.len()
    }
}

impl Drop for LogSender {
    fn drop(&mut self) {
        self.flush();
        let Some(rest) = self.take_rest() else { return };
        if self.overflow == LogOverflow::Block {
            // The loop has ended, and nobody waits for it but the log.
            drop(self.queue.send_timeout(Message::Records(rest), LAST_WAIT));
        }
        // What found no place is dropped, and counted.
    }
}

/// A batch that accounts for its records.
#[derive(Debug)]
pub(super) struct Parcel {
    batch: Batch,
    account: Arc<Account>,
}

impl Parcel {
    /// The batch has been logged: empties it and gives it back.
    fn settle(mut self) {
        let mut batch = mem::take(&mut self.batch);
        self.account.settle(&batch);
        batch.clear();
        // Without a place, or without the loop, it is not needed any more.
        let _ = self.account.give_back.try_send(batch);
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.account.totals.dropped.fetch_add(self.batch.len() as u64, Relaxed);
        self.account.settle(&self.batch);
    }
}

/// What a loop and the log thread both know about the records of the loop.
#[derive(Debug)]
pub(super) struct Account {
    /// Records that wait no longer, and the bytes of their texts.
    settled: AtomicU64,
    settled_text: AtomicU64,
    totals: Arc<Totals>,
    give_back: Sender<Batch>,
}

impl Account {
    /// Whether as many of the records wait that were pushed as may.
    fn is_full(&self, pushed: &Pushed, limit: u64) -> bool {
        // The sender of another thread may be read while it pushes: none waits then.
        let waiting = |pushed: &AtomicU64, settled: &AtomicU64| {
            let settled = settled.load(Relaxed);
            pushed.load(Relaxed).saturating_sub(settled)
        };
        waiting(&pushed.records, &self.settled) >= limit
            || waiting(&pushed.text, &self.settled_text) >= limit.saturating_mul(TEXT_PER_RECORD)
    }

    fn settle(&self, batch: &Batch) {
        self.settled.fetch_add(batch.len() as u64, Relaxed);
        self.settled_text.fetch_add(batch.text_len() as u64, Relaxed);
    }
}

/// The counts of all loops.
#[derive(Debug, Default)]
struct Totals {
    logged: AtomicU64,
    panicked: AtomicU64,
    dropped: AtomicU64,
    lost: AtomicU64,
}

impl Totals {
    fn counts(&self) -> LogCounts {
        LogCounts {
            logged: self.logged.load(Relaxed),
            panicked: self.panicked.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            lost: self.lost.load(Relaxed),
        }
    }
}

struct Worker {
    logger: Arc<dyn RequestLogger>,
    totals: Arc<Totals>,
    /// Whether a panic of the logger has been told of: once is enough to know.
    panic_told: bool,
    /// How many dropped records have been told of, and when.
    dropped_told: u64,
    told_at: Option<Instant>,
    /// What loggers have lost that were replaced.
    lost_before: u64,
}

impl Worker {
    fn new(logger: Arc<dyn RequestLogger>, totals: Arc<Totals>) -> Self {
        Worker { logger, totals, panic_told: false, dropped_told: 0, told_at: None, lost_before: 0 }
    }

    fn run(mut self, queue: Receiver<Message>) {
        let mut unflushed = 0;
        // Ends, too, when the proxy and all its loops are gone.
        loop {
            match queue.recv() {
                Ok(Message::Records(parcel)) => self.log(parcel),
                Ok(Message::Replace(logger)) => self.replace(logger),
                Ok(Message::Stop) | Err(_) => break,
            }
            unflushed += 1;
            if queue.is_empty() || unflushed >= FLUSH_AFTER {
                self.flush();
                unflushed = 0;
            }
            self.tell_of_dropped(TELL_EVERY);
        }
        // What was handed over beside the `Stop`.
        while let Ok(Message::Records(parcel)) = queue.try_recv() {
            self.log(parcel);
        }
        self.flush();
        self.tell_of_dropped(Duration::ZERO);
    }

    fn log(&mut self, parcel: Parcel) {
        let mut panicked = 0;
        for record in parcel.batch.iter() {
            if self.guarded(|logger| logger.log(&record)).is_err() {
                panicked += 1;
            }
        }
        self.totals.panicked.fetch_add(panicked, Relaxed);
        self.totals.logged.fetch_add(parcel.batch.len() as u64 - panicked, Relaxed);
        parcel.settle();
    }

    fn replace(&mut self, logger: Arc<dyn RequestLogger>) {
        self.flush();
        self.lost_before = self.totals.lost.load(Relaxed);
        let old = mem::replace(&mut self.logger, logger);
        self.panic_told = false;
        // It may panic when it is dropped, too.
        let _ = self.guarded(|_| drop(old));
    }

    fn flush(&mut self) {
        // What a failed flush loses, only the logger knows.
        let _ = self.guarded(|logger| logger.flush());
        let mut lost = 0;
        let _ = self.guarded(|logger| lost = logger.lost());
        self.totals.lost.fetch_max(self.lost_before + lost, Relaxed);
    }

    /// Calls the logger. Its panics end here.
    fn guarded(&mut self, call: impl FnOnce(&dyn RequestLogger)) -> Result<(), Panicked> {
        // The logger is called again after a panic: its state is its own, behind locks that
        // know about poison.
        let called = panic::catch_unwind(AssertUnwindSafe(|| call(&*self.logger)));
        called.map_err(|payload| {
            // Not dropped: any type can be thrown, also one that panics when it is.
            mem::forget(payload);
            if !mem::replace(&mut self.panic_told, true) {
                log::error!("the request logger panicked; this is told once, and counted");
            }
            Panicked
        })
    }

    /// Says how many records were dropped, if that is news and was not said just before.
    fn tell_of_dropped(&mut self, every: Duration) {
        let dropped = self.totals.dropped.load(Relaxed);
        if dropped == self.dropped_told
            || self.told_at.is_some_and(|told_at| told_at.elapsed() < every)
        {
            return;
        }
        log::warn!(
            "the access log fell behind: {} records were dropped",
            dropped - self.dropped_told
        );
        self.dropped_told = dropped;
        self.told_at = Some(Instant::now());
    }
}

/// The logger has panicked.
struct Panicked;

#[cfg(test)]
mod tests;
