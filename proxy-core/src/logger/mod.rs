//! Access logging (L3): one record for everything that ended, and what becomes of it.
//!
//! ```text
//!  loop 0: LogSender ──┐  batches, bounded            log thread
//!  loop 1: LogSender ──┼────────────────▶ LogThread ──▶ RequestLogger::log, flush
//!  loop n: LogSender ──┘                      │
//!        ▲                                    │
//!        └───────── emptied batches ──────────┘
//! ```
//!
//! A loop never waits for its log and allocates nothing for it: it copies each [`AccessRecord`]
//! into a batch and hands full batches over. A logger that is slower than the traffic
//! loses records, which are counted; it never slows the proxy.
//!
//! [`TextLogger`] writes lines for people, [`JsonLogger`] and [`LogfmtLogger`] lines for programs,
//! [`ApacheLogger`] and [`SquidLogger`] those of other servers' logs, [`TemplateLogger`] lines of
//! one's own; any of them to a [`LogFile`], or to a [`Syslog`]. Any closure that takes a record is a
//! logger, too. [`Tee`], [`Filter`], [`Veiled`], [`Redacted`] and [`Background`] make loggers of
//! loggers.

mod apache;
mod background;
mod batch;
mod calendar;
mod filter;
mod json;
#[cfg(feature = "admin")]
mod json_text;
mod line;
mod log_file;
mod log_thread;
mod logfmt;
mod output;
mod pseudonyms;
mod record;
mod redacted;
mod squid;
mod syslog;
mod tee;
mod template;
mod text;
mod userinfo;
mod veiled;
#[cfg(test)]
mod written;

use std::sync::Arc;

pub use apache::ApacheLogger;
pub use background::Background;
pub use filter::Filter;
pub use json::JsonLogger;
#[cfg(feature = "admin")]
pub(crate) use json_text::JsonText;
pub use log_file::LogFile;
pub(crate) use log_thread::Backlog;
#[cfg(any(test, fuzzing))]
pub(crate) use log_thread::{Collected, collected};
pub use log_thread::{LogCounts, LogOverflow};
pub(crate) use log_thread::{LogSender, LogThread, LogTotals};
pub use logfmt::LogfmtLogger;
pub use record::{AccessRecord, Event, Kind, OwnedRecord};
pub use redacted::Redacted;
pub use squid::SquidLogger;
#[cfg(fuzzing)]
pub(crate) use syslog::rehearse as rehearse_syslog;
pub use syslog::{Facility, Syslog};
pub use tee::Tee;
pub use template::{Template, TemplateError, TemplateLogger};
pub use text::TextLogger;
pub(crate) use userinfo::userinfo;
pub use veiled::Veiled;

/// Takes the access records of a proxy.
///
/// # Contract
///
/// Each exchange, each tunnel and each connection that was answered with a refusal gives one
/// record with [`Event::Close`] when it is over; a tunnel gives one with [`Event::Open`] before,
/// when it is opened. The records of one event loop come in the order in which things ended there;
/// those of different loops are interleaved.
///
/// Both methods are called on the log thread, never concurrently with each other, so a logger
/// may block: a disk, a socket, a lock. While it does, records wait, and beyond
/// [`Limits::log_queue`](crate::Limits) they are dropped and counted. A panic is caught, counted
/// and told to the `log` crate once; the record it happened in is lost.
///
/// ```
/// use proxy_core::{AccessRecord, RequestLogger};
///
/// fn errors_only() -> impl RequestLogger {
///     |record: &AccessRecord<'_>| {
///         if let Some(reason) = record.reason {
///             eprintln!("{} {}: {reason}", record.method, record.target);
///         }
///     }
/// }
/// # let _ = errors_only();
/// ```
pub trait RequestLogger: Send + Sync + 'static {
    /// Takes one record. It borrows from a batch: [`AccessRecord::to_owned_record`] keeps it.
    fn log(&self, record: &AccessRecord<'_>);

    /// Writes out what is buffered. Called when no more records wait, under steady load after
    /// every few batches, and at shutdown. Does nothing by default.
    fn flush(&self) {}

    /// Whether it throws everything away, as [`NoLog`] does: then no records are made for it, and
    /// none are counted. Asked when a proxy starts with it, and when it replaces another one.
    /// `false` by default.
    fn is_off(&self) -> bool {
        false
    }

    /// How many of the records it has taken have not got to where they were to go: lines that could
    /// not be written, records for which [one of several](Tee) was too slow. Each counts once for
    /// every place where it is missing. Never less than the last time; asked after flushes, on the
    /// thread that logs. 0 by default.
    fn lost(&self) -> u64 {
        0
    }
}

impl<F> RequestLogger for F
where
    F: Fn(&AccessRecord<'_>) + Send + Sync + 'static,
{
    fn log(&self, record: &AccessRecord<'_>) {
        self(record);
    }
}

impl<T: RequestLogger + ?Sized> RequestLogger for Arc<T> {
    fn log(&self, record: &AccessRecord<'_>) {
        T::log(self, record);
    }

    fn flush(&self) {
        T::flush(self);
    }

    fn is_off(&self) -> bool {
        T::is_off(self)
    }

    fn lost(&self) -> u64 {
        T::lost(self)
    }
}

/// A logger that logs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLog;

impl RequestLogger for NoLog {
    fn log(&self, _: &AccessRecord<'_>) {}

    fn is_off(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn closures_and_shared_loggers_are_loggers() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let closure = {
            let seen = Arc::clone(&seen);
            move |record: &AccessRecord<'_>| seen.lock().unwrap().push(record.id)
        };
        let shared: Arc<dyn RequestLogger> = Arc::new(closure);
        let mut record = AccessRecord::new(([127, 0, 0, 1], 5).into());
        record.id = 7;
        let loggers: [Box<dyn RequestLogger>; 2] = [Box::new(Arc::clone(&shared)), Box::new(NoLog)];
        for logger in loggers {
            logger.log(&record);
            logger.flush();
        }
        assert_eq!(*seen.lock().unwrap(), [7]);
    }
}
