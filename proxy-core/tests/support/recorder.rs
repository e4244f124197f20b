//! [`Recorder`]: a logger that keeps records, and sums over them.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use crossbeam_channel::Sender;
use proxy_core::metrics::Traffic;
use proxy_core::{AccessRecord, Event, LogCounts, OwnedRecord, RequestLogger};

/// Keeps records. With one loop and one log thread they come in the order things ended.
pub struct Recorder(pub Sender<OwnedRecord>, pub Arc<Recorded>);

impl RequestLogger for Recorder {
    fn log(&self, record: &AccessRecord<'_>) {
        self.1.note(record);
        // The test may be over already.
        let _ = self.0.send(record.to_owned_record());
    }
}

/// Sums over all records there were.
#[derive(Default)]
pub struct Recorded {
    records: AtomicU64,
    ends: AtomicU64,
    reasons: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    /// The numbers of those that have ended.
    ended: Mutex<HashSet<u64>>,
    /// Numbers that have ended before.
    again: AtomicU64,
}

impl Recorded {
    fn note(&self, record: &AccessRecord<'_>) {
        self.records.fetch_add(1, Relaxed);
        if record.event == Event::Close {
            self.ends.fetch_add(1, Relaxed);
            let is_new = self.ended.lock().unwrap().insert(record.id);
            self.again.fetch_add(u64::from(!is_new), Relaxed);
            self.reasons.fetch_add(u64::from(record.reason.is_some()), Relaxed);
            self.bytes_in.fetch_add(record.bytes_in, Relaxed);
            self.bytes_out.fetch_add(record.bytes_out, Relaxed);
        }
    }

    /// Nothing was counted more than once, or not at all. (Stories with a logger of their own, or
    /// without one, have their own ways to know.)
    #[track_caller]
    pub fn expect_same(&self, traffic: &Traffic, log: LogCounts) {
        // It is counted where the record is made: one that was made twice is counted twice.
        assert_eq!(self.again.load(Relaxed), 0, "exchanges have ended more than once");
        let records = self.records.load(Relaxed);
        let is_off = traffic.records == 0 && records == 0;
        if is_off || log.logged != records || log.panicked + log.dropped > 0 {
            return;
        }
        let counted = [
            traffic.records,
            traffic.requests.total(),
            traffic.duration.count(),
            traffic.reasons.total(),
            traffic.bytes_in,
            traffic.bytes_out,
        ];
        let recorded =
            [&self.records, &self.ends, &self.ends, &self.reasons, &self.bytes_in, &self.bytes_out];
        assert_eq!(counted, recorded.map(|it| it.load(Relaxed)), "counted, and recorded");
    }
}
