//! [`Background`]: a logger on a thread of its own.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::RequestLogger;
use super::log_thread::{LogCounts, LogSender, LogThread};
use super::record::AccessRecord;

/// Puts a slow logger on a thread of its own, behind a bounded queue, so that it does not hold
/// up those beside it in a [`Tee`](super::Tee).
///
/// A proxy's logger is on the log thread anyway and needs none of this while it is the only
/// one. Two that are slow, each in its `Background`, lose no records to each other.
///
/// Each record is copied once more, without an allocation once the queue has grown to what the
/// traffic needs. Neither method ever waits for the logger behind. When too many records wait,
/// further ones are dropped; [`counts`](Background::counts) tells how many, and the `log` crate
/// is told, too.
///
/// Dropped, it gives its logger up to 5 seconds for what waits. A proxy drops its logger when
/// it has been shut down.
///
/// ```
/// use proxy_core::{AccessRecord, Background, Proxy, Tee, TextLogger};
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// let to_a_database = |record: &AccessRecord<'_>| { /* as long as it takes */ };
/// let database = Arc::new(Background::new(to_a_database, 10_000)?);
/// let logger = Tee::new().with(TextLogger::stdout()).with(Arc::clone(&database));
/// let proxy = Proxy::builder().listen("127.0.0.1:0").logger(logger).start()?;
///
/// proxy.shutdown(Duration::from_secs(5));
/// let counts = database.shutdown(Duration::from_secs(5));
/// assert_eq!((counts.logged, counts.dropped), (0, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Background {
    sender: Mutex<LogSender>,
    thread: Mutex<LogThread>,
}

/// How long the logger may take for the last records when nobody says how long.
const GRACE: Duration = Duration::from_secs(5);

impl Background {
    /// Starts the thread. `limit` records may wait, at least one, with 512 bytes of text each on
    /// average.
    ///
    /// # Errors
    ///
    /// The system has no thread to give.
    pub fn new(logger: impl RequestLogger, limit: usize) -> io::Result<Background> {
        let thread = LogThread::start(Arc::new(logger), limit)?;
        Ok(Background { sender: Mutex::new(thread.sender()), thread: Mutex::new(thread) })
    }

    /// What became of the records so far. Those that wait are in none of the counts.
    pub fn counts(&self) -> LogCounts {
        self.sender().counts()
    }

    /// Has everything logged that waits, flushes the logger and ends the thread. What the logger
    /// has not got through when the deadline is over is left to it. What is logged later is
    /// dropped, and counted when it is flushed.
    pub fn shutdown(&self, deadline: Duration) -> LogCounts {
        let rest = self.sender().take_rest();
        // A thread that panicked while it held this lock was in here as well.
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        thread.shutdown_after(rest, deadline)
    }

    fn sender(&self) -> MutexGuard<'_, LogSender> {
        // Nothing panics in a sender.
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RequestLogger for Background {
    fn log(&self, record: &AccessRecord<'_>) {
        self.sender().push(record);
    }

    /// Hands over what is buffered. Does not wait for it to be logged.
    fn flush(&self) {
        self.sender().flush();
    }

    /// What has been dropped, and what the logger behind has lost.
    fn lost(&self) -> u64 {
        let LogCounts { logged: _, panicked, dropped, lost } = self.counts();
        panicked + dropped + lost
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.shutdown(GRACE);
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logger::{Tee, TextLogger};
    use crossbeam_channel::{Receiver, bounded};
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    /// Longer than any test takes that passes.
    const LONG: Duration = Duration::from_secs(60);

    /// A logger that gets on only once its channel is disconnected.
    fn stuck(hold: Receiver<()>, logged: Arc<AtomicU64>) -> impl RequestLogger {
        move |_: &AccessRecord<'_>| {
            let _ = hold.recv();
            logged.fetch_add(1, Relaxed);
        }
    }

    fn record(id: u64) -> AccessRecord<'static> {
        let mut record = AccessRecord::new(([127, 0, 0, 1], 5).into());
        record.id = id;
        record
    }

    #[test]
    fn a_slow_logger_in_a_tee_holds_up_nobody_and_its_losses_are_counted() {
        let (let_go, hold) = bounded(0);
        let slow_logged = Arc::new(AtomicU64::new(0));
        let slow = Arc::new(Background::new(stuck(hold, Arc::clone(&slow_logged)), 1_000).unwrap());
        let quick_logged = Arc::new(AtomicU64::new(0));
        let quick = {
            let quick_logged = Arc::clone(&quick_logged);
            move |_: &AccessRecord<'_>| {
                quick_logged.fetch_add(1, Relaxed);
            }
        };
        let tee = Tee::new().with(Arc::clone(&slow)).with(quick);
        for id in 0..5_000 {
            tee.log(&record(id));
        }
        tee.flush();
        assert_eq!(quick_logged.load(Relaxed), 5_000);
        assert_eq!(slow.counts().dropped, 4_000, "a thousand wait");
        assert_eq!(tee.lost(), 4_000, "though the quick one has them");
        assert_eq!(slow_logged.load(Relaxed), 0);

        drop(let_go);
        let counts = slow.shutdown(LONG);
        assert_eq!((counts.logged, counts.panicked, counts.dropped), (1_000, 0, 4_000));
        assert_eq!(slow_logged.load(Relaxed), 1_000);
    }

    #[test]
    fn nothing_is_lost_that_was_logged_before_the_end() {
        let logged = Arc::new(AtomicU64::new(0));
        let logger = {
            let logged = Arc::clone(&logged);
            move |record: &AccessRecord<'_>| {
                assert_eq!(logged.fetch_add(1, Relaxed), record.id);
            }
        };
        let background = Background::new(logger, 100_000).unwrap();
        for id in 0..30_001 {
            background.log(&record(id));
        }
        // Without a flush, and with more batches than there are places for.
        drop(background);
        assert_eq!(logged.load(Relaxed), 30_001);
    }

    #[test]
    fn what_comes_after_the_shutdown_is_dropped_and_counted() {
        let background = Background::new(TextLogger::new(io::sink()), 10).unwrap();
        background.log(&record(0));
        let counts = background.shutdown(LONG);
        assert_eq!((counts.logged, counts.dropped), (1, 0));
        background.log(&record(1));
        background.flush();
        let counts = background.shutdown(LONG);
        assert_eq!((counts.logged, counts.dropped), (1, 1));
    }

    #[test]
    fn a_logger_that_hangs_does_not_hang_the_shutdown() {
        let (let_go, hold) = bounded(0);
        let background = Background::new(stuck(hold, Arc::default()), 10).unwrap();
        background.log(&record(0));
        let counts = background.shutdown(Duration::from_millis(1));
        assert_eq!((counts.logged, counts.dropped), (0, 0), "the logger has it still");
        drop(let_go);
    }
}
